"""The preprocessing stages as plain functions over columns: each answers as Spark's stage of that name does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

Step = Callable[..., list[Any]]  # the input columns' values -> the output column's


@dataclass(slots=True)
class Values:
    """A column of n values, those that occur often written once.

    Attributes:
        distinct: The values, as Python's own; without ``indices`` one a row.
        indices: For each row the index of its value in ``distinct``, shape ``(n,)``; None: each row has its own.
    """

    distinct: list[Any]
    indices: npt.NDArray[np.intp] | None = None

    def spread(self) -> list[Any]:
        """One value a row."""
        if self.indices is None:
            return self.distinct
        return _objects(self.distinct)[self.indices].tolist()  # type: ignore[no-any-return]

    def floats(self) -> npt.NDArray[np.float64]:
        """One number a row, None as NaN, shape ``(n,)``."""
        numbers = np.array(self.distinct, dtype=np.float64)
        return numbers if self.indices is None else numbers[self.indices]


def _objects(values: list[Any]) -> npt.NDArray[np.object_]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def apply(step: Step, columns: list[Values]) -> Values:
    """Do a step once for each combination of values where these are fewer than the rows, else once a row.

    A step looks at one row at a time, so both give the same.
    """
    first = columns[0]
    if len(columns) == 1:
        return Values(step(first.distinct), first.indices)
    sizes = [len(column.distinct) for column in columns]
    if first.indices is None or prod(sizes) > len(first.indices) or any(c.indices is None for c in columns):
        return Values(step(*[column.spread() for column in columns]))
    combined = np.unravel_index(np.arange(prod(sizes)), sizes)
    inputs = [_objects(c.distinct)[at].tolist() for c, at in zip(columns, combined, strict=True)]
    indices = np.ravel_multi_index([c.indices for c in columns if c.indices is not None], sizes)
    return Values(step(*inputs), indices)


def as_text(value: Any) -> Any:
    """A string or whole number as Spark casts it to a string; None stays None."""
    return value if value is None or type(value) is str else str(value)


def _text_category(stage: dict[str, Any]) -> Step:
    find = re.compile(stage["pattern"], re.ASCII).search  # Java's \w, \d and \s know ASCII alone
    kept, other = stage["categories"], stage["other"]

    def category(text: str | None) -> Any:
        if text is None:
            return other
        match = find(text)
        return kept.get((match[1] or "") if match else "", other)

    return lambda texts: [category(text) for text in texts]


def _sum_columns(_: dict[str, Any]) -> Step:
    def total(values: tuple[Any, ...]) -> float | None:
        if None in values:
            return None
        result = float(values[0])
        for value in values[1:]:  # not sum(): since Python 3.12 it rounds otherwise than Spark
            result += float(value)
        return result

    return lambda *columns: [total(values) for values in zip(*columns, strict=True)]


def _equal_to(stage: dict[str, Any]) -> Step:
    value = stage["value"]
    return lambda numbers: [None if v is None else float(float(v) == value) for v in numbers]


def _group_mean(stage: dict[str, Any]) -> Step:
    means, overall = stage["means"], stage["overall"]

    def fill(numbers: list[Any], groups: list[Any] | None = None) -> list[Any]:
        return [
            means.get(as_text(group), overall) if v is None or v != v else float(v)
            for v, group in zip(numbers, groups or [""] * len(numbers), strict=True)
        ]

    return fill


def _mode(stage: dict[str, Any]) -> Step:
    return lambda texts: [text or stage["mode"] for text in texts]


def _string_index(stage: dict[str, Any]) -> Step:
    index = {label: float(i) for i, label in enumerate(stage["labels"])}
    unseen = float(len(index))
    return lambda values: [index.get(as_text(value), unseen) for value in values]


STEPS: dict[str, Callable[[dict[str, Any]], Step]] = {
    "BooleanText": lambda _: lambda truths: [None if truth is None else str(truth).lower() for truth in truths],
    "CopyColumns": lambda _: lambda values: values,
    "TextCategory": _text_category,
    "SumColumns": _sum_columns,
    "EqualTo": _equal_to,
    "GroupMeanImputerModel": _group_mean,
    "ModeImputerModel": _mode,
    "StringIndexerModel": _string_index,
}
