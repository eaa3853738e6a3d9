"""Figures of scores: each fold's, each metric's interval, what each feature is worth."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from lifeboat.evaluate import HIGHER_IS_BETTER, GroupRow, Interval
from lifeboat.importance import Importance
from lifeboat.names import NO_AND_YES
from lifeboat.plots.style import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    ORANGE,
    SKY,
    interval,
    largest,
    legend_below,
    percent,
    percent_axis,
    rows_down,
    set_title,
)

NAMES = {
    "accuracy": "accuracy",
    "roc_auc": "ROC AUC",
    "pr_auc": "PR AUC",
    "brier": "Brier score",
    "log_loss": "log loss",
}
MARKERS = "osD^vP"
FILL = {"v": "white", "^": ORANGE}  # of the marks for class 0 and class 1


def fold_scores(
    ax: Axes,
    points: Sequence[str],
    scores: Sequence[Sequence[float]],
    *,
    chosen: int | None = None,
    metric: str = "accuracy",
    baseline: float | None = None,
    baseline_name: str = "baseline",
    title: str = "",
) -> Axes:
    """Every fold's score as a dot, and for each grid point the mean with one standard error on either side.

    Args:
        ax: Where to draw.
        points: Each grid point's name.
        scores: Each point's score in each fold; shape (n_points, n_folds).
        chosen: Index of the point that was chosen, marked; None for none.
        metric: What the scores are.
        baseline: A score to beat, drawn as a line; None for none.
        baseline_name: What it is called.
        title: The finding.
    """
    names = [f"{name}\n(chosen)" if place == chosen else name for place, name in enumerate(points)]
    for place, folds in zip(rows_down(ax, names), scores, strict=True):
        colour = ORANGE if place == chosen else BLUE
        mean = statistics.fmean(folds)
        error = statistics.stdev(folds) / math.sqrt(len(folds)) if len(folds) > 1 else 0.0
        ax.plot(folds, [place - 0.18] * len(folds), "o", color=colour, alpha=0.45, markeredgewidth=0)
        interval(ax, place + 0.12, Interval(mean, mean - error, mean + error), colour, "D")
        ax.text(
            mean, place + 0.34, f"{mean:.3f} \N{PLUS-MINUS SIGN} {error:.3f}", ha="center", va="center", fontsize=11
        )
    if baseline is not None:
        ax.axvline(baseline, color=GREY, linestyle="--", linewidth=1.5, zorder=1)
        ax.annotate(
            f"{baseline_name} {baseline:.3f}", (baseline, 1), xycoords=("data", "axes fraction"), xytext=(4, -2),
            textcoords="offset points", va="top", color=GREY, fontsize=11,
        )  # fmt: skip
    ax.margins(x=0.12)
    ax.set_xlabel(
        f"{NAMES.get(metric, metric)}\n(circles: one fold each; diamond: mean \N{PLUS-MINUS SIGN} standard error)"
    )
    set_title(ax, title)
    return ax


def metric_intervals(
    ax: Axes,
    models: Mapping[str, Mapping[str, Interval]],
    *,
    paired: Mapping[str, Interval] | None = None,
    title: str = "",
) -> Axes:
    """Every metric of every model, with its interval: a block a metric, a colour and a marker a model.

    That two intervals overlap, or do not, is no test of the difference. Where the same rows were judged, the paired
    difference is; so the title says what that found.

    Args:
        ax: Where to draw; give it about 5.5 inches of height for five metrics of three models.
        models: Model's name -> metric -> interval, the candidate first.
        paired: Metric -> how much better the first is than the second, from ``lifeboat.evaluate.paired_difference``.
        title: The finding; empty: in which metrics the paired difference is settled, and for whom.
    """
    metrics = [name for name in HIGHER_IS_BETTER if any(name in values for values in models.values())]
    better = {True: "higher is better", False: "lower is better"}
    places = rows_down(ax, [f"{NAMES[name]}\n{better[HIGHER_IS_BETTER[name]]}" for name in metrics])
    step = 0.62 / max(1, len(models) - 1)
    for index, (model, values) in enumerate(models.items()):
        colour, marker = COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]
        ax.plot([], [], marker, color=colour, label=model)
        for place, name in zip(places, metrics, strict=True):
            found = values.get(name)
            if found is not None and not math.isnan(found.value):
                y = place + (index * step - 0.31 if len(models) > 1 else 0)
                interval(ax, y, found, colour, marker)
    for place in places[1:]:
        ax.axhline(place - 0.5, color="#DDDDDD", linewidth=0.8)
    ax.set_xlim(left=0)
    ax.margins(x=0.03)
    ax.set_xlabel("value on the hold-out, with its bootstrap interval")
    legend_below(ax, min(3, len(models)))
    set_title(ax, title or _paired_finding(paired or {}, list(models)))
    return ax


def _paired_finding(paired: Mapping[str, Interval], models: Sequence[str]) -> str:
    """Each metric in its group: surely better, surely worse, or not settled."""
    groups: dict[str, list[str]] = {"surely better": [], "surely worse": [], "not settled": []}
    for metric, gain in paired.items():
        group = "surely better" if gain.low > 0 else "surely worse" if gain.high < 0 else "not settled"
        groups[group].append(NAMES[metric])
    told = [f"{group} in {' and '.join(names)}" for group, names in groups.items() if names]
    return f"Row by row, {models[0]} against {models[1]}: {'; '.join(told)}" if told else ""


def importance(ax: Axes, found: Sequence[Importance], *, metric: str = "log_loss", title: str = "") -> Axes:
    """What shuffling each feature costs: the mean over the repeats, a line of one spread on either side.

    Args:
        ax: Where to draw.
        found: From ``permutation_importance``; drawn in the order given.
        metric: The metric they were measured in.
        title: The finding; empty: the first feature is named.
    """
    ax.axvline(0, color=GREY, linestyle="--", linewidth=1.5, zorder=1)
    for place, one in zip(rows_down(ax, [one.name for one in found]), found, strict=True):
        ax.plot(one.repeats, [place] * len(one.repeats), "|", color=SKY, markersize=12, zorder=1)
        interval(ax, place, Interval(one.mean, one.mean - one.spread, one.mean + one.spread), BLUE)
    verb = "fall" if HIGHER_IS_BETTER[metric] else "rise"
    ax.set_xlabel(f"{verb} of the {NAMES[metric]} when shuffled\n(dot: mean; line: spread; ticks: each shuffle)")
    set_title(ax, title or (f"It leans most on {found[0].name}" if found else ""))
    return ax


def group_metrics(
    ax: Axes,
    rows: Sequence[GroupRow],
    *,
    overall: float,
    classes: tuple[str, str] = NO_AND_YES,
    where: str = "all rows",
    title: str = "",
) -> Axes:
    """How often it is right in each group, and how much of each class it finds there, each with its interval.

    Args:
        ax: Where to draw; give it about 0.5 inches of height a row.
        rows: From ``by_group``; of very many the largest are drawn.
        overall: The accuracy in all rows, drawn as a line.
        classes: What the two classes are called.
        where: Which rows these are, such as ``the hold-out``.
        title: The finding; empty: the group that it is least often right about.
    """
    rows, note = largest(rows, lambda row: row.n)
    single = len({row.group for row in rows}) == 1
    values = ["(none)" if row.value is None else str(row.value) for row in rows]
    names = values if single else [f"{row.group}: {value}" for row, value in zip(rows, values, strict=True)]
    ax.axvline(overall, color=GREY, linestyle="--", linewidth=1.5, zorder=1)
    for place, row in zip(rows_down(ax, names), rows, strict=True):
        interval(ax, place - 0.22, row.accuracy, BLUE)
        for y, recall, colour, marker in ((0.04, row.recall_0, INK, "v"), (0.26, row.recall_1, ORANGE, "^")):
            ax.plot([recall.low, recall.high], [place + y] * 2, color=colour, linewidth=1, zorder=2)
            ax.plot(
                recall.value, place + y, marker, color=colour, markerfacecolor=FILL[marker], zorder=3, clip_on=False
            )
        ax.text(1.04, place, f"n = {row.n}", va="center", transform=ax.get_yaxis_transform())
    ax.plot([], [], "o-", color=BLUE, label="right, of all")
    for name, colour, marker in zip(classes, (INK, ORANGE), "v^", strict=True):
        ax.plot(
            [], [], f"{marker}-", color=colour, markerfacecolor=FILL[marker], linewidth=1, label=f"found, of “{name}”"
        )
    ax.set_xlim(-0.02, 1.02)
    percent_axis(ax)
    ax.set_xlabel(f"share of the group (dashed: accuracy in {where}, {percent(overall)})")
    legend_below(ax, 3)
    set_title(ax, f"{title or _least_right(rows, names, where)} {note}".strip())
    return ax


def _least_right(rows: Sequence[GroupRow], names: Sequence[str], where: str) -> str:
    if not rows:
        return ""
    row, name = min(zip(rows, names, strict=True), key=lambda both: both[0].accuracy.value)
    share = f"{percent(row.accuracy.value)} of {row.n}"
    return f"{where[0].upper()}{where[1:]}: least often right about {name}, {share}"
