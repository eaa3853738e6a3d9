"""The figures of notebook 3: what a grid search fits, each fold's score, one small tree."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from lifeboat.evaluate.intervals import Interval
from lifeboat.plots import style
from lifeboat.scoring.classes import NO_AND_YES


def tree_diagram(ax: Axes, tree: Mapping[str, Any], *, classes: tuple[str, str] = NO_AND_YES, title: str = "") -> Axes:
    """One small decision tree: what each node asks, and the share of class 1 in each leaf.

    Give it about 1.6 inches of width a leaf and 1.3 inches of height a level.

    Args:
        ax: Where to draw.
        tree: A node ``{"feature": name, "threshold": number, "left": tree, "right": tree}`` (left where the value is
            at most the threshold) or with ``"categories": [...]`` instead (left where the value is one of them); a
            leaf ``{"counts": [rows of class 0, rows of class 1]}``.
        classes: What the two classes are called.
        title: The finding.
    """
    style.blank(ax)
    leaves, depth = _size(tree)
    ax.set_xlim(-0.55, leaves - 0.45)
    ax.set_ylim(depth + 0.45, -0.4)
    _draw_node(ax, tree, 0, 0, classes)
    style.set_title(ax, title)
    return ax


def _size(tree: Mapping[str, Any]) -> tuple[int, int]:
    """The number of leaves, and of questions to the deepest."""
    if "feature" not in tree:
        return 1, 0
    (left, deep_left), (right, deep_right) = _size(tree["left"]), _size(tree["right"])
    return left + right, 1 + max(deep_left, deep_right)


def _draw_node(ax: Axes, tree: Mapping[str, Any], first: int, level: int, classes: tuple[str, str]) -> float:
    """Draw a node and all below it, its leaves from the place ``first`` on; where on x it stands."""
    if "feature" not in tree:
        _draw_leaf(ax, tree, first, level, classes)
        return first
    left = _draw_node(ax, tree["left"], first, level + 1, classes)
    right = _draw_node(ax, tree["right"], first + _size(tree["left"])[0], level + 1, classes)
    x = (left + right) / 2
    for child, answer in ((left, "yes"), (right, "no")):
        ax.plot([x, child], [level, level + 1], color=style.GREY, linewidth=1.5, zorder=0)
        ax.text(
            (x + child) / 2, level + 0.5, answer, ha="center", va="center", color=style.GREY, fontsize=11,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip
    ax.text(x, level, _question(tree), ha="center", va="center", fontsize=11, bbox=_label("#F4F4F4", style.GREY))
    return x


def _label(colour: str, edge: str) -> dict[str, Any]:
    return {"boxstyle": "round,pad=0.5", "facecolor": colour, "edgecolor": edge, "linewidth": 1.5}


def _question(node: Mapping[str, Any]) -> str:
    if "categories" in node:
        names = style.first_few(node["categories"], 5)
        words = " or ".join(names)
        return f"{node['feature']}\nis {words if len(names) <= 3 else fill(words, 26)}?"
    return f"{node['feature']}\n\N{LESS-THAN OR EQUAL TO} {node['threshold']:.4g}?"


def _draw_leaf(ax: Axes, leaf: Mapping[str, Any], x: float, level: int, classes: tuple[str, str]) -> None:
    share = leaf["counts"][1] / sum(leaf["counts"])
    lines = [f"{style.percent(share)} {classes[1]}"]
    lines += [f"{count:g} {name}" for count, name in zip(leaf["counts"], classes, strict=True)]
    colour, edge = ("#D3EFE5", style.GREEN) if share > 0.5 else ("#F9DFD1", style.ORANGE)
    ax.text(x, level, "\n".join(lines), ha="center", va="center", fontsize=11, bbox=_label(colour, edge))


def grid_of_fits(ax: Axes, folds: int, points: Sequence[str], *, title: str = "") -> Axes:
    """What a grid search fits: a row a fold, a column a grid point; one colour where the preprocessing is shared.

    Args:
        ax: Where to draw.
        folds: The number of folds.
        points: Each grid point's name, such as ``100 trees``.
        title: The finding; empty: the number of fits with and without sharing.
    """
    style.blank(ax)
    columns = ["preprocessing", *points]
    xs = [0.0, *(column + 0.15 for column in range(1, len(columns)))]
    for row in range(folds + 1):
        last = row == folds
        colour = style.PALE if last else (style.SKY, style.AMBER, style.GREEN, *style.COLOURS)[row % 9]
        y = row + (0.3 if last else 0)
        ax.text(-0.6, y, "all rows" if last else f"without fold {row}", ha="right", va="center")
        for x in xs[: 2 if last else None]:
            alpha, words = (0.35, "fit best" if last else "fit") if x else (0.75, "fit once")
            corner = (x - 0.47, y - 0.42)
            ax.add_patch(Rectangle(corner, 0.94, 0.84, facecolor=colour, alpha=alpha, edgecolor=style.INK))
            ax.text(x, y, words, ha="center", va="center", fontsize=11)
    for x, name in zip(xs, columns, strict=True):
        ax.text(x, -0.75, name.replace(", ", "\n"), ha="center", va="bottom")
    ax.set_xlim(-1.9, len(columns) - 0.2)
    ax.set_ylim(folds + 0.9, -1.3)
    apart, shared = folds * len(points) + 1, folds + 1
    style.set_title(ax, title or f"Shared preprocessing is fitted {shared} times instead of {apart}")
    return ax


def fold_scores(
    ax: Axes,
    points: Sequence[str],
    scores: Sequence[Sequence[float]],
    *,
    chosen: int | None = None,
    metric: str = "accuracy",
    title: str = "",
) -> Axes:
    """Every fold's score as a dot, and for each grid point the mean with one standard error on either side.

    Args:
        ax: Where to draw.
        points: Each grid point's name.
        scores: Each point's score in each fold; shape (n_points, n_folds).
        chosen: Index of the point that was chosen, marked; None for none.
        metric: What the scores are.
        title: The finding.
    """
    names = [f"{name}\n(chosen)" if row == chosen else name for row, name in enumerate(points)]
    for row, folds in zip(style.rows_down(ax, names), scores, strict=True):
        colour = style.ORANGE if row == chosen else style.BLUE
        mean = statistics.fmean(folds)
        error = statistics.stdev(folds) / math.sqrt(len(folds)) if len(folds) > 1 else 0.0
        ax.plot(folds, [row - 0.18] * len(folds), "o", color=colour, alpha=0.45, markeredgewidth=0)
        style.interval(ax, row + 0.12, Interval(mean, mean - error, mean + error), colour, "D")
        ax.text(mean, row + 0.34, f"{mean:.3f} \N{PLUS-MINUS SIGN} {error:.3f}", ha="center", va="center", fontsize=11)
    ax.margins(x=0.12)
    ax.set_xlabel(
        f"{style.METRIC_NAMES.get(metric, metric)}\n"
        "(circles: one fold each; diamond: mean \N{PLUS-MINUS SIGN} standard error)"
    )
    style.set_title(ax, title)
    return ax


def own_and_others(ax: Axes, xs: Sequence[float], own: npt.ArrayLike, others: npt.ArrayLike, *, xlabel: str) -> Axes:
    """A validation curve or a learning curve: the accuracy on the rows learned from, and on rows never seen.

    Args:
        ax: Where to draw.
        xs: What was varied, such as the depth of the trees or the number of rows.
        own: The accuracy on the rows learned from, shape (n_xs, n_folds).
        others: The accuracy on the fold that was left out, of the same shape.
        xlabel: What ``xs`` are.
    """
    looks = ((own, style.ORANGE, "s", "on the rows learned from"), (others, style.BLUE, "o", "on rows never seen"))
    means = []
    for scores, colour, marker, name in looks:
        folds = np.asarray(scores, dtype=np.float64)
        mean, spread = folds.mean(axis=1), folds.std(axis=1)
        ax.fill_between(xs, mean - spread, mean + spread, color=colour, alpha=0.15, linewidth=0)
        ax.plot(xs, mean, f"{marker}-", color=colour, label=name)
        means.append(mean)
    style.percent_axis(ax, "y")
    ax.set_xticks(xs, [f"{x:g}" for x in xs])
    ax.set_xlabel(xlabel)
    ax.set_ylabel("accuracy (band: spread of the folds)")
    style.legend_below(ax, 1)
    apart, highest = 100 * abs(means[0][-1] - means[1][-1]), xs[int(means[1].argmax())]
    style.set_title(ax, f"At the end {apart:.0f} points apart; rows never seen do best at {highest:g}")
    return ax
