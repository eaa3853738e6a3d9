"""The figure of notebook 0: who does what in Spark."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from lifeboat.plots import style

DRIVER, EXECUTOR, PARTITION = (style.PALE_ORANGE, style.ORANGE), ("white", style.GREY), (style.PALE_BLUE, style.BLUE)
WIDTH, GAP = 2.0, 0.15  # of a partition's box, and between two


def driver_and_executors(ax: Axes, rows: Sequence[int], *, executors: int = 2, title: str = "") -> Axes:
    """The driver above, executors below it, each with its share of a table's partitions.

    Give it about 1.2 inches of width a partition and 3 inches of height.

    Args:
        ax: Where to draw.
        rows: Number of rows in each partition, which lie in the executors in turn.
        executors: How many there are; no more are drawn than there are partitions.
        title: The finding.
    """
    style.blank(ax)
    executors = min(executors, len(rows))
    held = [range(first, len(rows), executors) for first in range(executors)]
    left = 0.0
    for number, indices in enumerate(held, 1):
        width = len(indices) * (WIDTH + GAP) + GAP
        _box(ax, (left, 0, width, 1.9), EXECUTOR, f"executor {number}", top=True)
        for position, index in enumerate(indices):
            words = f"partition {index}\n{rows[index]:,} rows"
            _box(ax, (left + GAP + position * (WIDTH + GAP), GAP, WIDTH, 1), PARTITION, words)
        for x, y, start in ((-0.25, 2.75, 1.95), (0.25, 1.95, 2.75)):
            x += left + width / 2
            ax.annotate("", (x, y), (x, start), arrowprops={"arrowstyle": "->", "color": style.GREY})
        ax.text(left + width / 2 + 0.4, 2.35, "tasks", ha="left", va="center", color=style.GREY)
        ax.text(left + width / 2 - 0.4, 2.35, "answers", ha="right", va="center", color=style.GREY)
        left += width + 2 * GAP
    _box(ax, (0, 2.8, left - 2 * GAP, 0.9), DRIVER, "driver: your Python, the plan,\nthe answers that come back")
    ax.set_xlim(-0.1, left - 2 * GAP + 0.1)
    ax.set_ylim(-0.1, 3.8)
    style.set_title(ax, title)
    return ax


def _box(
    ax: Axes, where: tuple[float, float, float, float], look: tuple[str, str], words: str, top: bool = False
) -> None:
    """A box at (left, bottom, width, height) with words in its middle or at its top."""
    (left, bottom, width, height), (colour, edge) = where, look
    shape = "round,pad=0,rounding_size=0.1"
    ax.add_patch(FancyBboxPatch((left, bottom), width, height, shape, facecolor=colour, edgecolor=edge, linewidth=1.5))
    ax.text(left + width / 2, bottom + (height - 0.28 if top else height / 2), words, ha="center", va="center")
