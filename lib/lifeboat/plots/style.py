"""The one look of all figures, and the few marks that they share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Sized
from pathlib import Path
from textwrap import fill
from typing import TypeVar

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from lifeboat.evaluate.intervals import Interval
from lifeboat.plots import alt

STYLE = Path(__file__).parent / "lifeboat.mplstyle"

# Okabe and Ito (2008): told apart by people of any colour vision
BLUE, ORANGE, GREEN, PINK, AMBER, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
GREY, PALE, INK = "#777777", "#E8E8E8", "#333333"
MOST_ROWS = 30  # that a figure draws one below the other

METRIC_NAMES = {
    "accuracy": "accuracy",
    "roc_auc": "ROC AUC",
    "pr_auc": "PR AUC",
    "brier": "Brier score",
    "log_loss": "log loss",
}
_Row = TypeVar("_Row")
COLOURS = (BLUE, ORANGE, GREEN, PINK, AMBER, SKY)


def use_style() -> None:
    """Give every figure made from now on the project's look, and in a notebook a text that says what it found."""
    plt.style.use(STYLE)
    alt.in_notebook()


def set_title(ax: Axes, title: str) -> None:
    """Write the finding over the figure, broken into lines that fit its width."""
    figure = ax.get_figure(root=True)
    room = ax.get_position(original=True)
    width, height = (figure.get_size_inches() if figure else (8, 4.5)) * np.array([room.width, room.height])
    inches = width if ax.get_aspect() == "auto" else min(width, height)
    ax.set_title(fill(title, max(24, int(inches * 10))), loc="left")


def rows_down(ax: Axes, names: Sequence[str]) -> list[int]:
    """Name horizontal rows, the first at the top; their places on the y axis."""
    ys = list(range(len(names)))
    ax.set_yticks(ys, names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return ys


def height(panels: Iterable[Sized], *, least: float = 3.2, a_row: float = 0.3) -> float:
    """Inches of height for panels side by side, each with its rows, of which a figure draws some thirty at most."""
    return max(least, 1 + a_row * min(MOST_ROWS, max(map(len, panels), default=0)))


def largest(rows: Sequence[_Row], size: Callable[[_Row], float]) -> tuple[list[_Row], str]:
    """The rows that a figure can draw, the largest of too many in their order; and what its title has to say then."""
    if len(rows) <= MOST_ROWS:
        return list(rows), ""
    kept = sorted(range(len(rows)), key=lambda index: -size(rows[index]))[:MOST_ROWS]
    return [rows[index] for index in sorted(kept)], f"({MOST_ROWS} largest of {len(rows)})"


def legend_below(ax: Axes, columns: int) -> None:
    """A legend under the x axis's label, at the same distance however tall the figure is."""
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0), borderaxespad=4.5, ncols=columns)


def interval(ax: Axes, y: float, shown: Interval, colour: str, marker: str = "o") -> None:
    """A dot at the value and a line from the low end to the high one, along x."""
    ax.plot([shown.low, shown.high], [y, y], color=colour, linewidth=2.5, solid_capstyle="butt", zorder=2)
    ax.plot(shown.value, y, marker, color=colour, zorder=3)


def percent(share: float) -> str:
    """A share as whole percent, which no line break parts from its sign."""
    return f"{share * 100:.0f}\N{NO-BREAK SPACE}%"


def percent_axis(ax: Axes, axis: str = "x") -> None:
    """Ticks of a share from 0 to 1 as whole percent."""
    chosen = ax.xaxis if axis == "x" else ax.yaxis
    chosen.set_major_formatter(lambda share, _: percent(share))


def blank(ax: Axes) -> None:
    """Take the axes away and leave the room."""
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)


def first_few(names: Sequence[object], most: int) -> list[str]:
    """Names as text; of too many the first ones, and how many more there are."""
    listed = [str(name) for name in names]
    return listed if len(listed) <= most else [*listed[: most - 1], f"{len(listed) - most + 1} more"]
