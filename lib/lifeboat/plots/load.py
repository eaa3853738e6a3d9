"""Figures of the rows themselves: what is missing, and how a rate differs from group to group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from lifeboat.evaluate.intervals import wilson
from lifeboat.plots import alt, style


def missing_values(ax: Axes, missing: Mapping[str, int], rows: int, *, title: str = "") -> Axes:
    """A bar for each column: how many of the rows have no value in it.

    Args:
        ax: Where to draw.
        missing: Column -> number of rows without a value; drawn from the most to the fewest.
        rows: Number of rows in all.
        title: The finding; empty: the worst column is named.
    """
    ordered = sorted(missing.items(), key=lambda item: -item[1])
    ys = style.rows_down(ax, [name for name, _ in ordered])
    ax.barh(ys, [rows] * len(ordered), color=style.PALE, edgecolor=style.GREY, linewidth=0.8, height=0.6)
    ax.barh(ys, [count for _, count in ordered], color=style.BLUE, height=0.6)
    for y, (_, count) in zip(ys, ordered, strict=True):
        share = f"{count}  ({count / rows * 100:.1f}\N{NO-BREAK SPACE}%)"
        inside = count > 0.5 * rows
        ax.text(
            count - 0.01 * rows if inside else count + 0.01 * rows,
            y,
            share,
            va="center",
            ha="right" if inside else "left",
            color="white" if inside else style.INK,
        )
    ax.set_xlim(0, rows)
    style.set_xlabel(ax, f"rows without a value, of {rows}")
    finding = f"{ordered[0][0]} is missing most often, in {ordered[0][1]} of {rows} rows" if ordered else ""
    style.set_title(ax, title or finding or "No value is missing")
    return ax


def rates_by_group(
    ax: Axes,
    counts: Mapping[Any, tuple[int, int]] | Sequence[tuple[Any, ...]],
    *,
    overall: float | None = None,
    xlabel: str = "rate",
    title: str = "",
    confidence: float = 0.95,
) -> Axes:
    """Each group's rate as a dot with its Wilson interval and the number of rows behind it.

    Args:
        ax: Where to draw; one panel for each column that makes groups.
        counts: Group -> (rows with label 1, rows), or rows of (group, rows with label 1, rows) and perhaps how many
            rows these are worth, as ``load.rates`` gives them; drawn in that order, of very many the largest.
        overall: The rate in all rows, drawn as a line to compare with; None: from ``counts``.
        xlabel: What the rate is of, such as ``survived``.
        title: The finding.
        confidence: Of the intervals.
    """
    rows: list[tuple[Any, ...]] = (
        [(name, *both) for name, both in counts.items()] if isinstance(counts, Mapping) else list(counts)
    )
    n_total = sum(row[2] for row in rows)
    if overall is None:
        overall = sum(row[1] for row in rows) / n_total if n_total else 0.0
    rows, note = style.largest(rows, lambda row: row[2])
    names = ["(none)" if name is None else str(name) for name, *_ in rows]
    ax.axvline(overall, color=style.GREY, linestyle="--", linewidth=1.5, zorder=1)
    for y, (_, positives, n, *worth) in zip(style.rows_down(ax, names), rows, strict=True):
        rows_worth = worth[0] if worth else n
        rate = wilson(positives / n * rows_worth if n else 0, rows_worth, confidence)
        style.interval(ax, y, rate, style.BLUE)
        ax.text(1.03, y, f"n = {n}", va="center", ha="left", transform=ax.get_yaxis_transform())
    ax.set_xlim(-0.02, 1.02)
    style.percent_axis(ax)
    style.set_xlabel(ax, f"{xlabel} (dashed: all rows, {style.percent(overall)})", right=0.7)
    style.set_title(ax, f"{title} {note}".strip())
    shares = (
        f"{name} {style.percent(row[1] / row[2])} of {row[2]:,}"
        for name, row in zip(names, rows, strict=True)
        if row[2]
    )
    alt.set_numbers(ax, f"{xlabel}: {', '.join(shares)}")
    return ax
