"""The figures of the notebooks. Each function draws on the ``ax`` it is given and returns it; none shows or saves.

Call ``use_style()`` once, before the first figure.
"""

from lifeboat.plots.decisions import calibration, confusion, precision_recall, roc_curve, threshold_costs
from lifeboat.plots.diagrams import grid_of_fits, pipeline_diagram, tree_diagram
from lifeboat.plots.load import missing_values, rates_by_group
from lifeboat.plots.scores import fold_scores, group_metrics, importance, metric_intervals
from lifeboat.plots.style import height, use_style

__all__ = [
    "calibration",
    "confusion",
    "fold_scores",
    "grid_of_fits",
    "group_metrics",
    "height",
    "importance",
    "metric_intervals",
    "missing_values",
    "pipeline_diagram",
    "precision_recall",
    "rates_by_group",
    "roc_curve",
    "threshold_costs",
    "tree_diagram",
    "use_style",
]
