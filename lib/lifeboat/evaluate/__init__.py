"""Notebook 4: judge a classifier on held-out rows: metrics with intervals, baselines, parts of the rows, a decision.

Everything works on ``Scored``: small local arrays, brought from Spark once by ``collect_scored``.
"""

from lifeboat import moved_from
from lifeboat.evaluate import decision, importance, looks, slices, thresholds
from lifeboat.evaluate.metrics import bootstrap, paired_difference, point_metrics
from lifeboat.evaluate.scored import Scored, collect_scored

__all__ = [
    "Scored",
    "bootstrap",
    "collect_scored",
    "decision",
    "importance",
    "looks",
    "paired_difference",
    "point_metrics",
    "slices",
    "thresholds",
]

__getattr__ = moved_from(__name__)
