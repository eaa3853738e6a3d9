"""Judge a classifier on held-out rows: metrics with intervals, baselines, parts of the rows, and a verdict.

Everything works on ``Scored``: small local arrays, brought from Spark once by ``collect_scored``.
"""

from lifeboat.evaluate.intervals import Interval, share_of, wilson
from lifeboat.evaluate.looks import count_look
from lifeboat.evaluate.metrics import (
    HIGHER_IS_BETTER,
    bootstrap,
    loss_rows,
    paired_difference,
    point_metrics,
    undefined,
)
from lifeboat.evaluate.scored import GroupRates, Scored, collect_scored, group_rates
from lifeboat.evaluate.slices import (
    CalibrationBin,
    GroupRow,
    by_group,
    calibration,
    confusion,
    crossed,
)
from lifeboat.evaluate.thresholds import (
    ThresholdCosts,
    cheapest_threshold,
    cost_at,
    honest_threshold,
    threshold_costs,
)
from lifeboat.evaluate.verdict import Rule, Verdict, verdict

__all__ = [
    "HIGHER_IS_BETTER",
    "CalibrationBin",
    "GroupRates",
    "GroupRow",
    "Interval",
    "Rule",
    "Scored",
    "ThresholdCosts",
    "Verdict",
    "bootstrap",
    "by_group",
    "calibration",
    "cheapest_threshold",
    "collect_scored",
    "confusion",
    "cost_at",
    "count_look",
    "crossed",
    "group_rates",
    "honest_threshold",
    "loss_rows",
    "paired_difference",
    "point_metrics",
    "share_of",
    "threshold_costs",
    "undefined",
    "verdict",
    "wilson",
]
