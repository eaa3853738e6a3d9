"""The figure of notebook 2: a pipeline's stages."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from textwrap import fill
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Patch

from lifeboat.plots import style

# a box's look
LEARNS: dict[str, Any] = {"facecolor": style.PALE_ORANGE, "edgecolor": style.ORANGE, "linestyle": "dashed"}
COMPUTES: dict[str, Any] = {"facecolor": style.PALE_BLUE, "edgecolor": style.BLUE, "linestyle": "solid"}
LEFT, RIGHT = 3.3, 6.7  # of the boxes, of 10 across the figure
ROUND = f"round,pad=0,rounding_size={0.7 / 6}"


def pipeline_diagram(
    ax: Axes,
    stages: Sequence[tuple[str, Sequence[str] | str, Sequence[str] | str]],
    *,
    learns: Collection[str] = (),
    title: str = "",
) -> Axes:
    """A pipeline's stages from top to bottom: the columns each reads, its name, the columns it makes.

    Give it about 0.9 inches of height a stage.

    Args:
        ax: Where to draw.
        stages: Rows of (name, columns in, columns out).
        learns: Names of the stages that learn something from the training rows; they have another edge and colour.
        title: The finding.
    """
    style.blank(ax)
    ax.set_xlim(0, 10)
    ax.set_ylim(len(stages) - 0.4, -1.1)
    for x, words, side in ((LEFT - 0.4, "reads", "right"), (5, "stage", "center"), (RIGHT + 0.4, "makes", "left")):
        ax.text(x, -0.8, words, ha=side, va="center", color=style.GREY)
    for y, (name, reads, makes) in enumerate(stages):
        look = LEARNS if name in learns else COMPUTES
        ax.add_patch(FancyBboxPatch((LEFT, y - 0.35), RIGHT - LEFT, 0.7, boxstyle=ROUND, linewidth=1.5, **look))
        ax.text(5, y, _in_lines(name), ha="center", va="center")
        ax.text(LEFT - 0.4, y, _columns(reads), ha="right", va="center")
        ax.text(RIGHT + 0.4, y, _columns(makes), ha="left", va="center")
        for start, end in ((LEFT - 0.35, LEFT - 0.02), (RIGHT + 0.02, RIGHT + 0.35)):
            ax.annotate("", (end, y), (start, y), arrowprops={"arrowstyle": "->", "color": style.GREY})
        if y + 1 < len(stages):
            ax.plot([5, 5], [y + 0.35, y + 0.65], color=style.GREY, linewidth=1.5, solid_capstyle="butt", zorder=0)
    if learns:
        looks = ((LEARNS, "learns from the training rows"), (COMPUTES, "only computes"))
        ax.legend(
            handles=[Patch(label=words, linewidth=1.5, **look) for look, words in looks],
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
        )
    style.set_title(ax, title)
    return ax


def _columns(names: Sequence[str] | str) -> str:
    return fill(", ".join([names] if isinstance(names, str) else style.first_few(names, 9)), 15, break_long_words=False)


def _in_lines(name: str) -> str:
    """A class's name, broken at its capitals if it is wider than a box."""
    return fill(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name), 18).replace(" ", "")
