"""The exercises' checks: each computes what is right from a finished run, and knows where a wrong answer comes from."""

from lifeboat.teaching.exercises.check import check, feedback, finished_run

__all__ = ["check", "feedback", "finished_run"]
