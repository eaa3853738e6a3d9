"""The figures of notebook 4: metrics with intervals, curves, calibration, groups, costs of thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from lifeboat import evaluate
from lifeboat.evaluate import Scored
from lifeboat.evaluate.importance import Importance
from lifeboat.evaluate.intervals import Interval
from lifeboat.evaluate.metrics import HIGHER_IS_BETTER
from lifeboat.evaluate.slices import CalibrationBin, GroupRow
from lifeboat.evaluate.thresholds import ThresholdCosts
from lifeboat.plots import alt, style
from lifeboat.scoring.classes import NO_AND_YES

FILL = {"v": "white", "^": style.ORANGE}  # of the marks for class 0 and class 1
NAME = {"facecolor": "white", "edgecolor": "none", "pad": 1}  # over the line of all rows
MODEL = "the model"
IN_USE = 0.5  # the threshold of Spark's predictions

Baselines = Mapping[str, Scored]  # name -> what a baseline said of the same rows
Classes = tuple[str, str]  # what people call class 0 and class 1


def confusion(ax: Axes, scored: Scored, *, classes: Classes = NO_AND_YES) -> Axes:
    """Who is called what: four counts in large numbers.

    Args:
        ax: Where to draw.
        scored: The rows.
        classes: What the two classes are called.
    """
    counts = evaluate.slices.confusion(scored)
    style.blank(ax)
    for true in (0, 1):
        for call in (0, 1):
            right = true == call
            colour, edge = (style.PALE_BLUE, style.BLUE) if right else (style.PALE_ORANGE, style.ORANGE)
            ax.add_patch(
                Rectangle((call - 0.47, true - 0.47), 0.94, 0.94, facecolor=colour, edgecolor=edge, linewidth=1.5)
            )
            ax.text(call, true - 0.06, f"{counts[true, call]}", ha="center", va="center", fontsize=34, weight="bold")
            ax.text(call, true + 0.3, "right" if right else "wrong", ha="center", va="center", fontsize=11)
    for index, name in enumerate(classes):
        ax.text(index, -0.56, f"called “{name}”", ha="center", va="bottom")
        ax.text(-0.56, index, f"really\n“{name}”", ha="right", va="center")
    ax.set_xlim(-1.1, 1.5)
    ax.set_ylim(1.5, -0.8)
    wrong = scored.n - int(np.trace(counts))
    style.set_title(ax, f"{wrong} of {scored.n} rows are called wrongly")
    return ax


def roc_curve(ax: Axes, scored: Scored, baselines: Baselines | None = None, *, classes: Classes = NO_AND_YES) -> Axes:
    """Of class 1, how many are found, for how many false alarms; each baseline is one point, a coin the diagonal.

    Args:
        ax: Where to draw; a square one.
        scored: The model's rows.
        baselines: Name -> what a baseline said of the same rows.
        classes: What the two classes are called.
    """
    ax.set_aspect("equal")
    ax.plot([0, 1], [0, 1], color=style.GREY, linestyle="--", linewidth=1.5, label="a coin")
    style.set_xlabel(ax, f"false alarms, of all “{classes[0]}”")
    ax.set_ylabel(f"found, of all “{classes[1]}”")
    if _drawable(ax, scored, "roc_auc"):
        from sklearn import metrics  # takes a second to import

        false_alarms, recall, _ = metrics.roc_curve(scored.label, scored.probability)
        area = evaluate.metrics.point_metric(scored, "roc_auc")
        ax.plot(false_alarms, recall, color=style.BLUE, label=f"{MODEL} (area {area:.2f})")
        for index, (other, baseline) in enumerate((baselines or {}).items()):
            counts = evaluate.slices.confusion(baseline)
            point = counts[0, 1] / counts[0].sum(), counts[1, 1] / counts[1].sum()
            _baseline_point(ax, index, point, other)
        style.set_title(ax, f"It ranks “{classes[1]}” above “{classes[0]}” in {style.percent(area)} of pairs")
    return _finish_square(ax)


def precision_recall(
    ax: Axes, scored: Scored, baselines: Baselines | None = None, *, classes: Classes = NO_AND_YES
) -> Axes:
    """Of those called 1, how many are, for how many of class 1 found; each baseline is one point.

    A baseline that calls no row 1 has no precision: the legend says so in place of its point.

    Args:
        ax: Where to draw; a square one.
        scored: The model's rows.
        baselines: Name -> a baseline's predictions of the same rows, a point each.
        classes: What the two classes are called.
    """
    ax.set_aspect("equal")
    share = float(scored.label.mean())
    ax.axhline(share, color=style.GREY, linestyle="--", linewidth=1.5, label=f"all called “{classes[1]}”")
    style.set_xlabel(ax, f"found, of all “{classes[1]}” (recall)")
    ax.set_ylabel(f"right, of all called\n“{classes[1]}” (precision)")
    if _drawable(ax, scored, "pr_auc"):
        from sklearn import metrics  # takes a second to import

        precision, recall, _ = metrics.precision_recall_curve(scored.label, scored.probability)
        area = evaluate.metrics.point_metric(scored, "pr_auc")
        # steps, as average precision sums them: a straight line between two points promises too much
        ax.plot(recall, precision, color=style.BLUE, drawstyle="steps-post", label=f"{MODEL} (average {area:.2f})")
        for index, (other, baseline) in enumerate((baselines or {}).items()):
            counts = evaluate.slices.confusion(baseline)
            if counts[:, 1].sum():
                _baseline_point(ax, index, (counts[1, 1] / counts[1].sum(), counts[1, 1] / counts[:, 1].sum()), other)
            else:
                ax.plot([], [], " ", label=f"{other}: none called “{classes[1]}”, so no point")
        style.set_title(ax, f"Average precision {area:.2f}, where calling all “{classes[1]}” has {share:.2f}")
    return _finish_square(ax)


def _drawable(ax: Axes, scored: Scored, metric: str) -> bool:
    """Whether the curve is defined; if not, the figure says why."""
    reason = evaluate.metrics.undefined(scored).get(metric)
    if reason:
        ax.text(0.5, 0.6, reason.replace(": ", ":\n"), ha="center", va="center", backgroundcolor="white")
        style.set_title(ax, "No curve")
    return reason is None


def _baseline_point(ax: Axes, index: int, point: tuple[float, float], name: str) -> None:
    colour, marker = style.series(1 + index)  # the model's line has the first
    ax.plot(*point, marker, color=colour, markersize=10, label=name, clip_on=False, zorder=4)


def _finish_square(ax: Axes) -> Axes:
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    style.percent_axis(ax)
    style.percent_axis(ax, "y")
    style.legend_below(ax)
    return ax


def calibration(ax: Axes, bins: Sequence[CalibrationBin], *, classes: Classes = NO_AND_YES) -> Axes:
    """What came of rows of about the same probability, each bin a dot with its interval; honest is the diagonal.

    Args:
        ax: Where to draw; a square one.
        bins: From ``lifeboat.evaluate.calibration``.
        classes: What the two classes are called.
    """
    ax.set_aspect("equal")
    ax.plot([0, 1], [0, 1], color=style.GREY, linestyle="--", linewidth=1.5, label="says what comes")
    means = [dot.mean_probability for dot in bins]
    ax.vlines(means, [dot.rate.low for dot in bins], [dot.rate.high for dot in bins], color=style.BLUE, linewidth=2.5)
    label = f"about {int(np.median([dot.n for dot in bins]))} rows each" if bins else None
    ax.plot(means, [dot.rate.value for dot in bins], "o", color=style.BLUE, label=label, clip_on=False, zorder=4)
    style.set_xlabel(ax, f"probability of “{classes[1]}”, as given")
    ax.set_ylabel(f"rate of “{classes[1]}”, as observed")
    style.set_title(ax, _calibration_finding(bins))
    return _finish_square(ax)


def _calibration_finding(bins: Sequence[CalibrationBin]) -> str:
    """That no interval contradicts the model is no proof that it is honest: wide ones would let much pass."""
    ends = [(dot.rate.high - dot.mean_probability, dot.mean_probability - dot.rate.low) for dot in bins]
    far = [max(both) for both in ends if min(both) >= 0]
    missed = len(bins) - len(far)
    finding = f"{missed or 'None'} of {len(bins)} bins contradict{'' if missed > 1 else 's'} what was said"
    if not far:
        return finding
    return f"{finding}{'; in the others' if missed else ', but'} an error of {max(far) * 100:.0f} points could hide"


def threshold_costs(
    ax: Axes,
    costs: ThresholdCosts,
    *,
    spread: Interval | None = None,
    honest: float | None = None,
    classes: Classes = NO_AND_YES,
) -> Axes:
    """What the mistakes cost at each threshold, with the cheapest and the one in use, one half, marked.

    Args:
        ax: Where to draw.
        costs: From ``lifeboat.evaluate.threshold_costs``.
        spread: Of the cheapest, from ``lifeboat.evaluate.cheapest_threshold``: shaded; None for none.
        honest: Where honest probabilities would have the cheapest, drawn as a line; None for none.
        classes: What the two classes are called.
    """
    used = int(np.abs(costs.threshold - IN_USE).argmin())
    best = costs.best
    if spread is not None and not math.isnan(spread.low):
        label = f"the cheapest of rows drawn anew: {spread.low:.2f} to {spread.high:.2f}"
        ax.axvspan(
            spread.low, spread.high, facecolor=style.PALE, edgecolor=style.GREY, linewidth=0.8, zorder=0, label=label
        )
    if honest is not None:
        ax.axvline(
            honest, color=style.BROWN, linestyle=":", linewidth=2.5, label=f"if probabilities are honest: {honest:.2f}"
        )
    ax.axvline(IN_USE, color=style.GREY, linestyle="--", linewidth=1.5)
    ax.plot(costs.threshold, costs.cost, color=style.BLUE, drawstyle="steps-post", label="both mistakes together")
    for index, name, marker, colour in ((used, "in use", "s", style.GREY), (best, "cheapest", "o", style.ORANGE)):
        alarms, missed = costs.false_positives[index], costs.false_negatives[index]
        wrongly = f"{alarms} called “{classes[1]}” wrongly,\n{missed} called “{classes[0]}” wrongly"
        label = f"{name}: {costs.threshold[index]:.2f} ({wrongly})"
        ax.plot(costs.threshold[index], costs.cost[index], marker, color=colour, markersize=10, label=label)
    ax.set_xlim(0, 1)
    ax.set_ylim(bottom=0)
    style.set_xlabel(ax, f"threshold: called “{classes[1]}” where its probability is above it")
    ax.set_ylabel("cost")
    style.legend_below(ax)
    style.set_title(ax, _threshold_finding(costs, used, spread))
    return ax


def _threshold_finding(costs: ThresholdCosts, used: int, spread: Interval | None) -> str:
    lowest = f"Cheapest at {costs.threshold[costs.best]:.2f}"
    if spread is not None and not math.isnan(spread.low):
        return f"{lowest}, but chance moves it between {spread.low:.2f} and {spread.high:.2f}"
    return f"{lowest}: {costs.cost[costs.best]:g} against {costs.cost[used]:g} at {costs.threshold[used]:.2f}"


def metric_intervals(
    ax: Axes,
    models: Mapping[str, Mapping[str, Interval]],
    *,
    paired: Mapping[str, Interval] | None = None,
) -> Axes:
    """Every metric of every model, with its interval: a block a metric, a colour and a marker a model.

    That two intervals overlap, or do not, is no test of the difference. Where the same rows were judged, the paired
    difference is; so the title says what that found.

    Args:
        ax: Where to draw; give it about 5.5 inches of height for five metrics of three models.
        models: Model's name -> metric -> interval, the candidate first.
        paired: Metric -> how much better the first is than the second, from ``lifeboat.evaluate.paired_difference``.
    """
    metrics = [name for name in HIGHER_IS_BETTER if any(name in values for values in models.values())]
    better = {True: "higher is better", False: "lower is better"}
    ys = style.rows_down(ax, [f"{style.METRIC_NAMES[name]}\n{better[HIGHER_IS_BETTER[name]]}" for name in metrics])
    step = 0.62 / max(1, len(models) - 1)
    for index, (model, values) in enumerate(models.items()):
        colour, marker = style.series(index)
        ax.plot([], [], marker, color=colour, label=model)
        for middle, name in zip(ys, metrics, strict=True):
            estimate = values.get(name)
            if estimate is not None and not math.isnan(estimate.value):
                y = middle + (index * step - 0.31 if len(models) > 1 else 0)
                style.interval(ax, y, estimate, colour, marker)
    for y in ys[1:]:
        ax.axhline(y - 0.5, color=style.GREY, linewidth=0.5)
    ax.set_xlim(left=0)
    ax.margins(x=0.03)
    style.set_xlabel(ax, "value on the hold-out, with its bootstrap interval")
    style.legend_below(ax)
    style.set_title(ax, _paired_finding(paired or {}, list(models)))
    gains = [f"{style.METRIC_NAMES[name]} by {_with_interval(gain)}" for name, gain in (paired or {}).items()]
    alt.set_numbers(ax, f"It is better in {', in '.join(gains)}" if gains else "")
    return ax


def _with_interval(value: Interval) -> str:
    return f"{value.value:.3f}, interval {value.low:.3f} to {value.high:.3f}"


def _paired_finding(paired: Mapping[str, Interval], models: Sequence[str]) -> str:
    """Each metric in its group: surely better, surely worse, or not settled."""
    groups: dict[str, list[str]] = {"surely better": [], "surely worse": [], "not settled": []}
    for metric, gain in paired.items():
        group = "surely better" if gain.low > 0 else "surely worse" if gain.high < 0 else "not settled"
        groups[group].append(style.METRIC_NAMES[metric])
    clauses = [f"{group} in {' and '.join(names)}" for group, names in groups.items() if names]
    return f"Row by row, {models[0]} against {models[1]}: {'; '.join(clauses)}" if clauses else ""


def importance(ax: Axes, importances: Sequence[Importance], *, metric: str = "log_loss") -> Axes:
    """What shuffling each feature costs: the mean over the repeats, a line of one spread on either side.

    Args:
        ax: Where to draw.
        importances: From ``permutation_importance``; drawn in the order given.
        metric: The metric they were measured in.
    """
    ax.axvline(0, color=style.GREY, linestyle="--", linewidth=1.5, zorder=1)
    for y, feature in zip(style.rows_down(ax, [feature.name for feature in importances]), importances, strict=True):
        ax.plot(feature.repeats, [y] * len(feature.repeats), "|", color=style.SKY, markersize=12, zorder=1)
        style.interval(
            ax, y, Interval(feature.mean, feature.mean - feature.spread, feature.mean + feature.spread), style.BLUE
        )
    verb = "fall" if HIGHER_IS_BETTER[metric] else "rise"
    measured = f"{verb} of the {style.METRIC_NAMES[metric]} when shuffled"
    style.set_xlabel(ax, f"{measured}\n(dot: mean; line: spread; ticks: each shuffle)")
    style.set_title(ax, (f"It leans most on {importances[0].name}" if importances else ""))
    return ax


def group_metrics(
    ax: Axes,
    rows: Sequence[GroupRow],
    *,
    overall: float,
    classes: Classes = NO_AND_YES,
    where: str = "all rows",
) -> Axes:
    """How often it is right in each group, and how much of each class it finds there, each with its interval.

    Args:
        ax: Where to draw; give it about 0.6 inches of height a row, for its name and three marks.
        rows: From ``by_group``; of very many the largest are drawn.
        overall: The accuracy in all rows, drawn as a line.
        classes: What the two classes are called.
        where: Which rows these are, such as ``the hold-out``.
    """
    rows, note = style.largest(rows, lambda row: row.n)
    single = len({row.group for row in rows}) == 1
    values = ["(none)" if row.value is None else str(row.value) for row in rows]
    names = values if single else [f"{row.group}: {value}" for row, value in zip(rows, values, strict=True)]
    ys = style.rows_down(ax, [""] * len(names))
    ax.axvline(overall, color=style.GREY, linestyle="--", linewidth=1.5, zorder=1)
    for middle, row, name in zip(ys, rows, names, strict=True):
        ax.text(0, middle - 0.32, f"{style.shortened(ax, name)} (n = {row.n})", va="center", bbox=NAME)
        style.interval(ax, middle - 0.06, row.accuracy, style.BLUE)
        for y, recall, colour, marker in (
            (0.13, row.recall_0, style.INK, "v"),
            (0.32, row.recall_1, style.ORANGE, "^"),
        ):
            ax.plot([recall.low, recall.high], [middle + y] * 2, color=colour, linewidth=1, zorder=2)
            ax.plot(
                recall.value, middle + y, marker, color=colour, markerfacecolor=FILL[marker], zorder=3, clip_on=False
            )
    ax.plot([], [], "o-", color=style.BLUE, label="right, of all")
    for name, colour, marker in zip(classes, (style.INK, style.ORANGE), "v^", strict=True):
        ax.plot(
            [], [], f"{marker}-", color=colour, markerfacecolor=FILL[marker], linewidth=1, label=f"found, of “{name}”"
        )
    ax.set_xlim(-0.02, 1.02)
    style.percent_axis(ax)
    style.set_xlabel(ax, f"share of the group (dashed: accuracy in {where}, {style.percent(overall)})")
    style.legend_below(ax)
    style.set_title(ax, f"{_least_right(rows, names, where)} {note}".strip())
    return ax


def _least_right(rows: Sequence[GroupRow], names: Sequence[str], where: str) -> str:
    if not rows:
        return ""
    row, name = min(zip(rows, names, strict=True), key=lambda both: both[0].accuracy.value)
    share = f"{style.percent(row.accuracy.value)} of {row.n}"
    return f"{where[0].upper()}{where[1:]}: least often right about {name}, {share}"
