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
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from lifeboat.evaluate.intervals import Interval
from lifeboat.plots import alt, style
from lifeboat.scoring.classes import NO_AND_YES


def tree_diagram(ax: Axes, tree: Mapping[str, Any], *, classes: tuple[str, str] = NO_AND_YES, title: str = "") -> Axes:
    """One small decision tree, from left to right: what each node asks, and the share of class 1 in each leaf.

    Give it about 1.6 inches of width a level and 1 inch of height a leaf.

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
    ax.set_xlim(-0.45, depth + 0.45)
    ax.set_ylim(leaves - 0.55, -0.45)
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
    """Draw a node and all behind it, its leaves from the place ``first`` on; where on y it stands."""
    if "feature" not in tree:
        _draw_leaf(ax, tree, first, level, classes)
        return first
    upper = _draw_node(ax, tree["left"], first, level + 1, classes)
    lower = _draw_node(ax, tree["right"], first + _size(tree["left"])[0], level + 1, classes)
    y = (upper + lower) / 2
    for child, answer in ((upper, "yes"), (lower, "no")):
        ax.plot([level, level + 1], [y, child], color=style.GREY, linewidth=1.5, zorder=0)
        ax.text(
            level + 0.5, (y + child) / 2, answer, ha="center", va="center", color=style.GREY,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip
    ax.text(level, y, _question(tree), ha="center", va="center", bbox=_label("white", style.GREY))
    return y


def _label(colour: str, edge: str) -> dict[str, Any]:
    return {"boxstyle": "round,pad=0.5", "facecolor": colour, "edgecolor": edge, "linewidth": 1.5}


def _question(node: Mapping[str, Any]) -> str:
    if "categories" in node:
        names = style.first_few(node["categories"], 5)
        words = " or ".join(names)
        return f"{node['feature']}\n{fill(f'is {words}?', 14, break_long_words=False)}"
    return f"{node['feature']}\n\N{LESS-THAN OR EQUAL TO} {node['threshold']:.4g}?"


def _draw_leaf(ax: Axes, leaf: Mapping[str, Any], y: float, level: int, classes: tuple[str, str]) -> None:
    share = leaf["counts"][1] / sum(leaf["counts"])
    lines = [f"{style.percent(share)} {classes[1]}"]
    lines += [f"{count:g} {name}" for count, name in zip(leaf["counts"], classes, strict=True)]
    colour, edge = (style.PALE_BLUE, style.BLUE) if share > 0.5 else (style.PALE_ORANGE, style.ORANGE)
    ax.text(level, y, "\n".join(lines), ha="center", va="center", bbox=_label(colour, edge))


def grid_of_fits(ax: Axes, folds: int, points: Sequence[str], *, title: str = "") -> Axes:
    """What a grid search fits: a row a fold, a column a grid point; one colour where the preprocessing is shared.

    Args:
        ax: Where to draw.
        folds: The number of folds.
        points: Each grid point's name, such as ``100 trees``; of more than four the first are drawn.
        title: The finding; empty: the number of fits with and without sharing.
    """
    style.blank(ax)
    columns = ["preprocessing", *style.first_few(points, 4)]
    xs = [0.0, *(column + 0.15 for column in range(1, len(columns)))]
    for row in range(folds + 1):
        last = row == folds
        colour = style.GREY if last else style.series(row)[0]
        y = row + (0.3 if last else 0)
        ax.text(-0.6, y, "all rows" if last else f"without\nfold {row}", ha="right", va="center")
        for x in xs[: 2 if last else None]:
            depth, words = (0, "fit best" if last else "fit") if x else (0.2, "fit once")
            look: dict[str, Any] = {"facecolor": to_rgba(colour, depth), "edgecolor": colour, "linewidth": 1.5}
            ax.add_patch(Rectangle((x - 0.47, y - 0.42), 0.94, 0.84, **look))
            ax.text(x, y, words, ha="center", va="center")
    for x, name in zip(xs, columns, strict=True):
        ax.text(x, -0.6, name.replace(", ", "\n").replace(" ", "\n"), ha="center", va="bottom")
    ax.set_xlim(-1.5, len(columns) - 0.3)
    ax.set_ylim(folds + 0.8, -1.4)
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
    lines = [name.replace(", ", "\n") for name in points]
    names = [f"{name}\n(chosen)" if row == chosen else name for row, name in enumerate(lines)]
    numbers = []
    for row, folds in zip(style.rows_down(ax, names), scores, strict=True):
        colour = style.ORANGE if row == chosen else style.BLUE
        mean = statistics.fmean(folds)
        error = statistics.stdev(folds) / math.sqrt(len(folds)) if len(folds) > 1 else 0.0
        ax.plot(folds, [row - 0.18] * len(folds), "o", color=colour, markerfacecolor="none", markeredgewidth=1.5)
        style.interval(ax, row + 0.12, Interval(mean, mean - error, mean + error), colour, "D")
        ax.text(mean, row + 0.34, f"{mean:.3f} \N{PLUS-MINUS SIGN} {error:.3f}", ha="center", va="center")
        numbers.append(f"{' '.join(names[row].split())} {mean:.3f} \N{PLUS-MINUS SIGN} {error:.3f}")
    alt.set_numbers(ax, "; ".join(numbers))
    ax.margins(x=0.2)
    marks = "(circles: one fold each; diamond: mean \N{PLUS-MINUS SIGN} standard error)"
    style.set_xlabel(ax, f"{style.METRIC_NAMES.get(metric, metric)}\n{marks}")
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
        look: dict[str, Any] = {"facecolor": to_rgba(colour, 0.1), "edgecolor": colour, "linewidth": 0.8}
        ax.fill_between(xs, mean - spread, mean + spread, **look)
        ax.plot(xs, mean, f"{marker}-", color=colour, label=name)
        means.append(mean)
    style.percent_axis(ax, "y")
    ax.set_xscale("log")  # the first few lie too close to each other otherwise
    ax.set_xticks(xs, [f"{x:g}" for x in xs])
    ax.set_xticks([], minor=True)
    style.set_xlabel(ax, xlabel)
    ax.set_ylabel("accuracy\n(band: spread of the folds)")
    style.legend_below(ax)
    apart, highest = 100 * abs(means[0][-1] - means[1][-1]), xs[int(means[1].argmax())]
    style.set_title(ax, f"At the end {apart:.0f} points apart; rows never seen do best at {highest:g}")
    return ax
