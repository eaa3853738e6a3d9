"""The preprocessing stages as plain functions over columns: each answers as Spark's stage of that name does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Step = Callable[..., list[Any]]  # the input columns' values -> the output column's


def _text(value: Any) -> Any:
    """A string or whole number as Spark casts it to a string; None stays None."""
    return value if value is None or type(value) is str else str(value)


def _text_category(stage: dict[str, Any]) -> Step:
    find = re.compile(stage["pattern"], re.ASCII).search  # Java's \w, \d and \s know ASCII alone
    kept, other = stage["categories"], stage["other"]

    def category(text: str | None) -> Any:
        if text is None:
            return other
        found = find(text)
        return kept.get((found[1] or "") if found else "", other)

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
            means.get(_text(group), overall) if v is None or v != v else float(v)
            for v, group in zip(numbers, groups or [""] * len(numbers), strict=True)
        ]

    return fill


def _mode(stage: dict[str, Any]) -> Step:
    return lambda texts: [text or stage["mode"] for text in texts]


def _string_index(stage: dict[str, Any]) -> Step:
    index = {label: float(i) for i, label in enumerate(stage["labels"])}
    unseen = float(len(index))
    return lambda values: [index.get(_text(value), unseen) for value in values]


STEPS: dict[str, Callable[[dict[str, Any]], Step]] = {
    "TextCategory": _text_category,
    "SumColumns": _sum_columns,
    "EqualTo": _equal_to,
    "GroupMeanImputerModel": _group_mean,
    "ModeImputerModel": _mode,
    "StringIndexerModel": _string_index,
}
