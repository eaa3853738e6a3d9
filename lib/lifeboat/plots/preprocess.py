"""The figure of notebook 2: a pipeline's stages."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from lifeboat.plots import style

LEARNS, COMPUTES = ("#FCE9C8", style.AMBER), ("#DCEBF5", style.BLUE)  # a box's colour and its edge's
ROUND = f"round,pad=0,rounding_size={0.7 / 6}"


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
    style.blank(ax)
    ax.set_xlim(0, 10)
    ax.set_ylim(len(stages) - 0.4, -1.1)
    for x, words, side in ((3.1, "reads", "right"), (5, "stage", "center"), (6.9, "makes", "left")):
        ax.text(x, -0.8, words, ha=side, va="center", color=style.GREY)
    for y, (name, reads, makes) in enumerate(stages):
        colour, edge = LEARNS if name in learns else COMPUTES
        box = FancyBboxPatch((3.5, y - 0.35), 3, 0.7, boxstyle=ROUND, facecolor=colour, edgecolor=edge, linewidth=1.5)
        ax.add_patch(box)
        ax.text(5, y, name, ha="center", va="center")
        ax.text(3.1, y, _columns(reads), ha="right", va="center", fontsize=11)
        ax.text(6.9, y, _columns(makes), ha="left", va="center", fontsize=11)
        for start, end in ((3.15, 3.48), (6.52, 6.85)):
            ax.annotate("", (end, y), (start, y), arrowprops={"arrowstyle": "->", "color": style.GREY})
        if y + 1 < len(stages):
            ax.plot([5, 5], [y + 0.35, y + 0.65], color=style.GREY, linewidth=1.5, solid_capstyle="butt", zorder=0)
    if learns:
        for (colour, edge), words in ((LEARNS, "learns from the training rows"), (COMPUTES, "only computes")):
            ax.plot([], [], "s", color=colour, markeredgecolor=edge, markersize=12, label=words)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2)
    style.set_title(ax, title)
    return ax


def _columns(names: Sequence[str] | str, at_a_line: int = 3) -> str:
    listed = [names] if isinstance(names, str) else style.first_few(names, 9)
    lines = [", ".join(listed[i : i + at_a_line]) for i in range(0, len(listed), at_a_line)]
    return ",\n".join(lines)
