"""Notebook 4: judge a classifier on held-out rows: metrics with intervals, baselines, parts of the rows, a verdict.

Everything works on ``Scored``: small local arrays, brought from Spark once by ``collect_scored``.
"""

from lifeboat import moved_from
from lifeboat.evaluate import looks, slices, thresholds
from lifeboat.evaluate.metrics import bootstrap, paired_difference, point_metrics
from lifeboat.evaluate.scored import Scored, collect_scored
from lifeboat.evaluate.verdict import Rule, verdict

__all__ = [
    "Rule",
    "Scored",
    "bootstrap",
    "collect_scored",
    "looks",
    "paired_difference",
    "point_metrics",
    "slices",
    "thresholds",
    "verdict",
]

__getattr__ = moved_from(__name__)
