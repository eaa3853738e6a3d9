"""Every public figure, drawn on a little of its kind, for the tests of what all figures have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.text import Text

from lifeboat import evaluate, plots
from lifeboat.evaluate import Scored
from lifeboat.evaluate.importance import Importance
from lifeboat.evaluate.intervals import Interval
from lifeboat.evaluate.scored import GroupRates

SEX = np.array(["female", "male", "male", "female"] * 10, dtype=object)
CHANCE = np.linspace(0.05, 0.95, 40)
SCORED = Scored((np.arange(40) % 3 > 0).astype(int), CHANCE, (CHANCE > 0.5).astype(int), groups={"Sex": SEX})
RULE = GroupRates("Sex", {"female": 0.74, "male": 0.19}, 0.4).score(SCORED)
NOBODY = Scored(SCORED.label, [0.3] * 40, [0] * 40)
POSITIVES = Scored([1, 1], [0.4, 0.6], [0, 1])
STAGES = [("Title", ["Name"], ["Title"]), ("VectorAssembler", ["Pclass", "Age_imputed", "Fare", "Alone"], "features")]
TREE = {
    "feature": "Title",
    "categories": ["Mr", "Other"],
    "left": {"counts": [290, 30]},
    "right": {"feature": "Fare", "threshold": 23.35, "left": {"counts": [7, 118]}, "right": {"counts": [89, 11]}},
}
FEATURES = [Importance("Sex", 0.2, 0.02, (0.18, 0.2, 0.22)), Importance("Alone", -0.001, 0.001, (-0.002, -0.001, 0.0))]
POINTS = ["100 trees", "300 trees"]
FOLDS = [[0.80, 0.83, 0.82], [0.81, 0.83, 0.84]]


def intervals(scored: Scored) -> dict[str, evaluate.intervals.Interval]:
    return evaluate.bootstrap(scored, 20)


FIGURES: dict[str, Callable[[Axes], Axes]] = {
    "missing_values": lambda ax: plots.load.missing_values(ax, {"Age": 177, "Cabin": 687, "Sex": 0}, 891),
    "rates_by_group": lambda ax: plots.load.rates_by_group(
        ax, {"female": (233, 314), "male": (109, 577)}, title="By sex"
    ),
    "pipeline_diagram": lambda ax: plots.preprocess.pipeline_diagram(ax, STAGES, learns={"Title"}, title="Two stages"),
    "driver_and_executors": lambda ax: plots.spark.driver_and_executors(ax, [210, 1220, 250], title="Three piles"),
    "tree_diagram": lambda ax: plots.train_cv.tree_diagram(ax, TREE, classes=("died", "lived"), title="Two questions"),
    "grid_of_fits": lambda ax: plots.train_cv.grid_of_fits(ax, 3, POINTS),
    "fold_scores": lambda ax: plots.train_cv.fold_scores(ax, POINTS, FOLDS, chosen=0, title="A"),
    "own_and_others": lambda ax: plots.train_cv.own_and_others(
        ax, [1, 5], [[0.7, 0.8], [0.9, 1.0]], [[0.7, 0.6], [0.8, 0.7]], xlabel="questions"
    ),
    "metric_intervals": lambda ax: plots.evaluate.metric_intervals(
        ax, {"forest": intervals(SCORED), "rule": intervals(RULE)}, paired={"brier": Interval(0.1, 0.05, 0.2)}
    ),
    "confusion": lambda ax: plots.evaluate.confusion(ax, SCORED, classes=("died", "lived")),
    "roc_curve": lambda ax: plots.evaluate.roc_curve(ax, SCORED, {"rule": RULE}),
    "precision_recall": lambda ax: plots.evaluate.precision_recall(ax, SCORED, {"rule": RULE, "nobody": NOBODY}),
    "roc of one class": lambda ax: plots.evaluate.roc_curve(ax, POSITIVES),
    "precision and recall of one class": lambda ax: plots.evaluate.precision_recall(ax, POSITIVES),
    "metrics of one class": lambda ax: plots.evaluate.metric_intervals(
        ax, {"forest": intervals(POSITIVES), "rule": intervals(POSITIVES)}, paired={"brier": Interval(0, 0, 0)}
    ),
    "calibration": lambda ax: plots.evaluate.calibration(
        ax, evaluate.slices.calibration(SCORED, 4), classes=("died", "lived")
    ),
    "importance": lambda ax: plots.evaluate.importance(ax, FEATURES),
    "threshold_costs": lambda ax: plots.evaluate.threshold_costs(
        ax, evaluate.thresholds.threshold_costs(SCORED, 1, 2), spread=Interval(0.3, 0.2, 0.4), honest=1 / 3
    ),
    "group_metrics": lambda ax: plots.evaluate.group_metrics(
        ax, evaluate.slices.by_group(SCORED, ["Sex"]), overall=0.6
    ),
}
HEIGHTS = {  # inches, of those that want another height than a figure has by itself
    "pipeline_diagram": 3.8, "metric_intervals": 5.5, "metrics of one class": 5.5, "roc_curve": 5,
    "precision_recall": 5, "roc of one class": 5, "precision and recall of one class": 5, "calibration": 5,
    "threshold_costs": 5.5, "own_and_others": 4.2, "grid_of_fits": 3.7, "tree_diagram": 3.2,
}  # fmt: skip


@contextmanager
def drawn(name: str) -> Iterator[Axes]:
    """A figure by its name, as wide as the notebooks draw it."""
    with plt.rc_context():
        plots.use_style()
        figure, ax = plt.subplots(figsize=(plots.WIDTH, HEIGHTS.get(name, 3.6)))
        try:
            FIGURES[name](ax)
            figure.canvas.draw()
            yield ax
        finally:
            plt.close(figure)


def words(figure: Figure) -> list[Text]:
    """All that is written in a figure; a tick beyond the end of its axis has a label, but is not drawn."""
    beyond = set()
    for axis in [axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)]:
        low, high = sorted(axis.get_view_interval())
        ticks = [
            tick for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()] if not low <= tick.get_loc() <= high
        ]
        beyond |= {label for tick in ticks for label in (tick.label1, tick.label2)}
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    return [text for text in texts if text not in beyond]


def dashes(patch: Patch) -> bool:
    """Whether the edge is dashed; a legend's sample has the pattern, but not the name of it."""
    return patch._dash_pattern[1] is not None  # type: ignore[attr-defined]
