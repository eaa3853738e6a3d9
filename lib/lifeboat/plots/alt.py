"""What a figure says to those who cannot see it: its titles, which are findings, and the numbers behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
from IPython.core.getipython import get_ipython
from matplotlib.axes import Axes
from matplotlib.figure import Figure

NUMBERS = "numbers: "  # how the label of an axes begins that holds them


def set_numbers(ax: Axes, text: str) -> None:
    """Keep the numbers of a finding that its title has no room for."""
    ax.set_label(NUMBERS + text if text else "")


def text_of(figure: Figure) -> str:
    """The findings of a figure's parts, each with its numbers; empty where there is none."""
    sentences: list[str] = []
    for ax in figure.axes:
        label = str(ax.get_label())
        sentences += [" ".join(ax.get_title(loc).split()) for loc in ("left", "center", "right")]
        sentences += [label.removeprefix(NUMBERS)] if label.startswith(NUMBERS) else []
    return ". ".join(sentence.rstrip(".") for sentence in sentences if sentence) + ("." if any(sentences) else "")


def in_notebook() -> None:
    """Put a figure's text beside its picture in a notebook's output, where HTML made of it takes the text from."""
    shell: Any = get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return
    plt.switch_backend(plt.get_backend())  # it says how figures are drawn only once one is asked for
    pictures = shell.display_formatter.formatters["image/png"]
    drawn: Callable[[Figure], Any] = pictures.lookup_by_type(Figure)
    drawn = getattr(drawn, "drawn", drawn)

    def with_text(figure: Figure) -> Any:
        picture, text = drawn(figure), text_of(figure)
        return (picture, {"alt": text}) if picture and text and not isinstance(picture, tuple) else picture

    with_text.drawn = drawn  # type: ignore[attr-defined]
    pictures.for_type(Figure, with_text)
