"""The one look of all figures, and the few marks that they share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Sized
from pathlib import Path
from textwrap import fill, shorten
from typing import TypeVar

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation, Transform, blended_transform_factory

from lifeboat.evaluate.intervals import Interval
from lifeboat.plots import alt

STYLE = Path(__file__).parent / "lifeboat.mplstyle"

# Inches. A telephone shows a page 390 pixels wide and leaves 358 of them to a figure: in one of this width the least
# letters, of 11 points, are then still 11 pixels, the least that telephones use for text of their own.
WIDTH = 4.8

# What marks a value. With protanopia, deuteranopia and tritanopia too each is told from each, as is shown in
# tests/plots/test_colours.py, and stands out from white. Shapes, dashes or words say the same as they do.
BLUE, ORANGE, SKY, BROWN = "#004488", "#D55E00", "#0099EE", "#773300"
GREY, INK = "#6E6E6E", "#222222"
PALE, PALE_BLUE, PALE_ORANGE = "#E8E8E8", "#DCEBF5", "#F9DFD1"  # fill what an edge in a colour of above encloses
COLOURS, MARKERS = (BLUE, ORANGE, SKY, BROWN, INK), "osD^vP"
MOST_ROWS = 30  # that a figure draws one below the other

A_LETTER, A_BOLD_ONE = 0.086, 0.1  # inches that a letter takes, of labels and of titles
PAD = 0.04167  # inches that the layout leaves around

METRIC_NAMES = {
    "accuracy": "accuracy",
    "roc_auc": "ROC AUC",
    "pr_auc": "PR AUC",
    "brier": "Brier score",
    "log_loss": "log loss",
}
_Row = TypeVar("_Row")


def use_style() -> None:
    """Give every figure made from now on the project's look, and in a notebook a text that says what it found."""
    plt.style.use(STYLE)
    alt.in_notebook()


def series(index: int) -> tuple[str, str]:
    """The colour and the marker of the first, second ... of several; both are the same only after thirty."""
    return COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)]


def set_title(ax: Axes, title: str) -> None:
    """Write the finding over the figure from its left edge, broken into lines that fit its width."""
    words = ax.set_title(fill(title, max(24, int(_inches(ax) / A_BOLD_ONE))), loc="left")
    figure, across = ax.get_figure(root=True), _across(ax)
    if figure and across and len(ax.get_yticks()):
        above = ScaledTranslation(0, plt.rcParams["axes.titlepad"] / 72, figure.dpi_scale_trans)
        words.set_x(PAD / _inches(ax))
        words.set_transform(across + above)


def _in_lines(words: str, letters: float) -> str:
    return "\n".join(fill(line, int(letters)) for line in words.split("\n"))


def set_xlabel(ax: Axes, words: str, *, right: float = 0) -> None:
    """Name the x axis in lines that fit its length, which is what the y labels and ``right`` inches leave."""
    lines = [line for label in ax.get_yticklabels() for line in label.get_text().split("\n")]
    length = _inches(ax) - right - A_LETTER * max(map(len, lines), default=0)
    ax.set_xlabel(_in_lines(words, max(16, length / A_LETTER)))


def shortened(ax: Axes, name: str) -> str:
    """A name that leaves room for a number behind it in the width of the ax."""
    return shorten(name, int((_inches(ax) - 1.2) / A_LETTER), placeholder="\N{HORIZONTAL ELLIPSIS}")


def _inches(ax: Axes) -> float:
    """The width of the ax's column of the figure."""
    figure, subplot = ax.get_figure(root=True), ax.get_subplotspec()
    width = float(figure.get_figwidth()) if figure else WIDTH
    return width / subplot.get_gridspec().ncols if subplot else width * ax.get_position(original=True).width


def _across(ax: Axes) -> Transform | None:
    """Places across the figure and up the ax; None where the ax has others beside it."""
    figure, subplot = ax.get_figure(root=True), ax.get_subplotspec()
    if figure is None or subplot is None or subplot.get_gridspec().ncols > 1:
        return None
    return blended_transform_factory(figure.transFigure, ax.transAxes)


def rows_down(ax: Axes, names: Sequence[str]) -> list[int]:
    """Name horizontal rows, the first at the top; their places on the y axis."""
    ys = list(range(len(names)))
    ax.set_yticks(ys, names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return ys


def height(panels: Iterable[Sized], *, least: float = 3.2, a_row: float = 0.3) -> float:
    """Inches of height for panels one below the other, each with its rows, of which it draws some thirty at most."""
    return sum(max(least, 1 + a_row * min(MOST_ROWS, len(rows))) for rows in panels)


def largest(rows: Sequence[_Row], size: Callable[[_Row], float]) -> tuple[list[_Row], str]:
    """The rows that a figure can draw, the largest of too many in their order; and what its title has to say then."""
    if len(rows) <= MOST_ROWS:
        return list(rows), ""
    kept = sorted(range(len(rows)), key=lambda index: -size(rows[index]))[:MOST_ROWS]
    return [rows[index] for index in sorted(kept)], f"({MOST_ROWS} largest of {len(rows)})"


def legend_below(ax: Axes) -> None:
    """A legend under the x axis's label, in as many columns as its words leave room for."""
    room, sample = _inches(ax), 0.55  # a sample of the look, and the space before the next column
    handles, labels = ax.get_legend_handles_labels()
    lines = [_in_lines(label, (room - sample) / A_LETTER) for label in labels]
    longest = max((len(line) for label in lines for line in label.split("\n")), default=0)
    ax.legend(
        handles, lines, loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=_across(ax) or ax.transAxes,
        borderaxespad=3.3 + 1.2 * (1 + ax.get_xlabel().count("\n")),
        ncols=min(len(lines), max(1, int(room / (sample + A_LETTER * longest)))),
    )  # fmt: skip


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
