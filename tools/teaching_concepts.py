"""Draw the teaching guide's concept map: what each notebook teaches, what it guards against, what it hands on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from lifeboat.plots import style

ROOT = Path(__file__).resolve().parents[1]
DRAWN = ROOT / "docs/teaching/concepts.png"
WIDTH, BOX, GAP = 10.0, 2.6, 1.0  # of a notebook's box, and what is between two
EDGES = (style.GREY, style.BLUE, style.BLUE, style.BLUE, style.BLUE, style.BLUE, style.GREY)


@dataclass(frozen=True)
class Concepts:
    """Of a notebook: terms of the glossary, the mistake it guards against, and what it hands to the next."""

    notebook: str
    terms: tuple[str, ...]
    mistake: str
    hands_on: str


CONCEPTS = (
    Concepts("00_spark", ("action", "driver", "partition", "cache"), "“it has run, as the line has run”", "the words"),
    Concepts("01_load", ("schema", "hold-out", "hash", "interval"), "“same seed, same split”", "training rows"),
    Concepts(
        "02_preprocess",
        ("transformer", "estimator", "leakage"),
        "“learn first, split later”",
        "a pipeline that has learned nothing",
    ),
    Concepts(
        "03_train_cv",
        ("fold", "standard error", "paired difference"),
        "“the best score is its score”",
        "a fitted model, out-of-fold predictions",
    ),
    Concepts("04_evaluate", ("proper score", "threshold", "verdict"), "“accuracy alone”", "the model and its verdict"),
    Concepts(
        "05_deploy",
        ("portable model", "train/serve skew", "alias"),
        "“close is equal”",
        "and if the rows no longer fit?",
    ),
    Concepts("06_scale", ("shuffle", "broadcast", "spilling"), "“a job for each gap”", ""),
)


def question(notebook: str) -> str:
    """A notebook's title as its first line has it."""
    content = nbformat.read(ROOT / f"notebooks/{notebook}.ipynb", as_version=4)
    return str(content.cells[0].source.partition("\n")[0].lstrip("# "))


def top(index: int) -> float:
    """Where a notebook's box begins, counted downwards."""
    return -index * (BOX + GAP)


def draw_box(ax: Axes, index: int, shown: Concepts) -> None:
    """A notebook: its name, its question, its terms, the mistake that it guards against."""
    upper, edge = top(index), EDGES[index]
    shape = "round,pad=0,rounding_size=0.15"
    ax.add_patch(FancyBboxPatch((0, upper - BOX), WIDTH, BOX, shape, facecolor="white", edgecolor=edge, linewidth=1.8))
    name, _, asked = question(shown.notebook).partition(": ")
    lines = [
        (name, style.INK, "bold"),
        (asked[0].upper() + asked[1:], style.INK, "normal"),
        (" · ".join(shown.terms), style.BLUE, "normal"),
        (f"not: {shown.mistake}", style.BROWN, "normal"),
    ]
    for line, (words, colour, weight) in enumerate(lines):
        y = upper - BOX * (line + 0.6) / 4.2
        ax.text(0.25, y, words, color=colour, weight=weight, ha="left", va="center")


def draw_way(ax: Axes, index: int, words: str) -> None:
    """An arrow to the next notebook, with what goes along it."""
    start, end = top(index) - BOX, top(index + 1)
    ax.add_patch(FancyArrowPatch((0.8, start), (0.8, end), arrowstyle="-|>", mutation_scale=14, color=style.GREY))
    ax.text(1.2, (start + end) / 2, words, color=style.INK, style="italic", ha="left", va="center")


def draw_hold_out(ax: Axes) -> None:
    """The way of the hold-out, past notebooks 2 and 3."""
    start, end = top(1) - BOX / 2, top(4) - BOX / 2
    ax.plot([WIDTH, WIDTH + 0.6, WIDTH + 0.6], [start, start, end], color=style.ORANGE, linewidth=2)
    arrow = FancyArrowPatch((WIDTH + 0.6, end), (WIDTH, end), arrowstyle="-|>", mutation_scale=14, color=style.ORANGE)
    ax.add_patch(arrow)
    words = "the hold-out waits, untouched"
    middle = (start + end) / 2
    ax.text(WIDTH + 1.0, middle, words, color=style.INK, rotation=270, ha="center", va="center")


def draw() -> Figure:
    """The whole map."""
    style.use_style()
    fig = plt.figure(figsize=(style.WIDTH, 11.4), layout="none")
    ax = fig.add_axes((0.01, 0.005, 0.98, 0.99))
    style.blank(ax)
    for index, shown in enumerate(CONCEPTS):
        draw_box(ax, index, shown)
        if shown.hands_on:
            draw_way(ax, index, shown.hands_on)
    draw_hold_out(ax)
    ax.set_xlim(-0.1, WIDTH + 1.4)
    ax.set_ylim(top(len(CONCEPTS) - 1) - BOX - 0.1, 0.1)
    return fig


if __name__ == "__main__":
    draw().savefig(DRAWN, dpi=150)
