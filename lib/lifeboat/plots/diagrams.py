"""Pictures of how things work: a pipeline's stages, one small tree, what a grid search fits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from textwrap import fill
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Rectangle

from lifeboat.names import NO_AND_YES
from lifeboat.plots.style import AMBER, BLUE, COLOURS, GREEN, GREY, INK, ORANGE, PALE, SKY, blank, percent, set_title


def _box(ax: Axes, x: float, y: float, width: float, height: float, colour: str, edge: str) -> None:
    """A box with round corners around the point (x, y)."""
    corner = (x - width / 2, y - height / 2)
    style = f"round,pad=0,rounding_size={min(width, height) / 6}"
    ax.add_patch(FancyBboxPatch(corner, width, height, boxstyle=style, facecolor=colour, edgecolor=edge, linewidth=1.5))


def pipeline_diagram(
    ax: Axes,
    stages: Sequence[tuple[str, Sequence[str] | str, Sequence[str] | str]],
    *,
    learns: Collection[str] = (),
    title: str = "",
) -> Axes:
    """A pipeline's stages from top to bottom: the columns each reads, its name, the columns it makes.

    Give it about 0.6 inches of height a stage.

    Args:
        ax: Where to draw.
        stages: Rows of (name, columns in, columns out).
        learns: Names of the stages that learn something from the training rows; they have a colour of their own.
        title: The finding.
    """
    blank(ax)
    ax.set_xlim(0, 10)
    ax.set_ylim(len(stages) - 0.4, -1.1)
    for x, words, side in ((3.1, "reads", "right"), (5, "stage", "center"), (6.9, "makes", "left")):
        ax.text(x, -0.8, words, ha=side, va="center", color=GREY)
    for y, (name, reads, makes) in enumerate(stages):
        learning = name in learns
        _box(ax, 5, y, 3, 0.7, "#FCE9C8" if learning else "#DCEBF5", AMBER if learning else BLUE)
        ax.text(5, y, name, ha="center", va="center")
        ax.text(3.1, y, _columns(reads), ha="right", va="center", fontsize=11)
        ax.text(6.9, y, _columns(makes), ha="left", va="center", fontsize=11)
        for start, end in ((3.15, 3.48), (6.52, 6.85)):
            ax.annotate("", (end, y), (start, y), arrowprops={"arrowstyle": "->", "color": GREY})
        if y + 1 < len(stages):
            ax.plot([5, 5], [y + 0.35, y + 0.65], color=GREY, linewidth=1.5, solid_capstyle="butt", zorder=0)
    if learns:
        ax.plot(
            [], [], "s", color="#FCE9C8", markeredgecolor=AMBER, markersize=12, label="learns from the training rows"
        )
        ax.plot([], [], "s", color="#DCEBF5", markeredgecolor=BLUE, markersize=12, label="only computes")
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2)
    set_title(ax, title)
    return ax


def _first(names: Sequence[Any], most: int) -> list[str]:
    """Names as text; of too many the first ones, and how many more there are."""
    listed = [str(name) for name in names]
    return listed if len(listed) <= most else [*listed[: most - 1], f"{len(listed) - most + 1} more"]


def _columns(names: Sequence[str] | str, at_a_line: int = 3) -> str:
    listed = [names] if isinstance(names, str) else _first(names, 9)
    lines = [", ".join(listed[i : i + at_a_line]) for i in range(0, len(listed), at_a_line)]
    return ",\n".join(lines)


def tree_diagram(ax: Axes, tree: Mapping[str, Any], *, classes: tuple[str, str] = NO_AND_YES, title: str = "") -> Axes:
    """One small decision tree: what each node asks, and the share of class 1 in each leaf.

    Give it about 1.6 inches of width a leaf and 1.3 inches of height a level.

    Args:
        ax: Where to draw.
        tree: A node ``{"feature": name, "threshold": number, "left": tree, "right": tree}`` (left where the value is
            at most the threshold) or with ``"categories": [...]`` instead (left where the value is one of them); a
            leaf ``{"counts": [rows of class 0, rows of class 1]}`` or ``{"probability": of class 1}``.
        classes: What the two classes are called.
        title: The finding.
    """
    blank(ax)
    leaves, depth = _size(tree)
    ax.set_xlim(-0.55, leaves - 0.45)
    ax.set_ylim(depth + 0.45, -0.4)
    _draw_node(ax, tree, 0, 0, classes)
    set_title(ax, title)
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
        ax.plot([x, child], [level, level + 1], color=GREY, linewidth=1.5, zorder=0)
        ax.text(
            (x + child) / 2, level + 0.5, answer, ha="center", va="center", color=GREY, fontsize=11,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip
    ax.text(x, level, _question(tree), ha="center", va="center", fontsize=11, bbox=_label("#F4F4F4", GREY))
    return x


def _label(colour: str, edge: str) -> dict[str, Any]:
    return {"boxstyle": "round,pad=0.5", "facecolor": colour, "edgecolor": edge, "linewidth": 1.5}


def _question(node: Mapping[str, Any]) -> str:
    if "categories" in node:
        names = _first(node["categories"], 5)
        words = " or ".join(names)
        return f"{node['feature']}\nis {words if len(names) <= 3 else fill(words, 26)}?"
    return f"{node['feature']}\n\N{LESS-THAN OR EQUAL TO} {node['threshold']:.4g}?"


def _draw_leaf(ax: Axes, leaf: Mapping[str, Any], x: float, level: int, classes: tuple[str, str]) -> None:
    counts = leaf.get("counts")
    share = counts[1] / sum(counts) if counts else float(leaf["probability"])
    lines = [f"{percent(share)} {classes[1]}"]
    if counts:
        lines += [f"{counts[0]:g} {classes[0]}", f"{counts[1]:g} {classes[1]}"]
    colour, edge = ("#D3EFE5", GREEN) if share > 0.5 else ("#F9DFD1", ORANGE)
    ax.text(x, level, "\n".join(lines), ha="center", va="center", fontsize=11, bbox=_label(colour, edge))


def grid_of_fits(ax: Axes, folds: int, points: Sequence[str], *, title: str = "") -> Axes:
    """What a grid search fits: a row a fold, a column a grid point; one colour where the preprocessing is shared.

    Args:
        ax: Where to draw.
        folds: The number of folds.
        points: Each grid point's name, such as ``100 trees``.
        title: The finding; empty: the number of fits with and without sharing.
    """
    blank(ax)
    columns = ["preprocessing", *points]
    for row in range(folds + 1):
        last = row == folds
        colour = PALE if last else (SKY, AMBER, GREEN, *COLOURS)[row % 9]
        y = row + (0.3 if last else 0)
        ax.text(-0.6, y, "all rows" if last else f"without fold {row}", ha="right", va="center")
        for column in range(2 if last else len(columns)):
            _cell(ax, column, y, colour, "fit once" if column == 0 else "fit best" if last else "fit", column == 0)
    for column, name in enumerate(columns):
        ax.text(column + (0.15 if column else 0), -0.75, name.replace(", ", "\n"), ha="center", va="bottom")
    ax.set_xlim(-1.9, len(columns) - 0.2)
    ax.set_ylim(folds + 0.9, -1.3)
    apart, shared = folds * len(points) + 1, folds + 1
    set_title(ax, title or f"Shared preprocessing is fitted {shared} times instead of {apart}")
    return ax


def _cell(ax: Axes, column: int, row: float, colour: str, words: str, strong: bool) -> None:
    x = column + (0.15 if column else 0)
    alpha = 0.75 if strong else 0.35
    ax.add_patch(Rectangle((x - 0.47, row - 0.42), 0.94, 0.84, facecolor=colour, alpha=alpha, edgecolor=INK))
    ax.text(x, row, words, ha="center", va="center", fontsize=11)
