"""Texts that are dates or times in another form than ISO's: the SQL that makes of them what stands in order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lifeboat.spark.sql import ticked

FORM = re.compile(r"(\d{1,2})([/.])(\d{1,2})\2(\d{4}|\d{2})(?: (\d{1,2}:\d{2}(:\d{2})?))?")
ISO = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")


@dataclass(frozen=True)
class Parse:
    """How the texts of a column become dates or times.

    Attributes:
        name: What the new column is called.
        type: DATE or TIMESTAMP.
        sql: Makes it; null of a text of another form.
        remark: What a person must know of the choice; empty where there was none.
    """

    name: str
    type: str
    sql: str
    remark: str = ""


def parse_of(name: str, texts: Sequence[str]) -> Parse | None:
    """How a column's texts are read, of which some are given; None where they stand in order, or have no one form.

    Where no day is over 12 nobody can tell whether the day or the month stands first: then the day does, and
    ``remark`` says so.
    """
    if texts and all(ISO.fullmatch(text) for text in texts):
        in_order = all(len(text) == 10 for text in texts)
        return None if in_order else Parse(f"{name}_date", "DATE", f"try_to_date({ticked(name)}, 'yyyy-M-d')")
    matches = [match for text in texts if (match := FORM.fullmatch(text))]
    if not matches or len(matches) < len(texts):
        return None
    mark, years, clocks = ({match[group] for match in matches} for group in (2, 4, 5))
    if len(mark) > 1 or len({len(year) for year in years}) > 1 or (None in clocks and len(clocks) > 1):
        return None
    day_first = max(int(match[1]) for match in matches) > 12
    month_first = max(int(match[3]) for match in matches) > 12
    if day_first and month_first:
        return None
    first, second = ("M", "d") if month_first else ("d", "M")
    (letter,) = mark
    form = f"{first}{letter}{second}{letter}{'yyyy' if len(matches[0][4]) == 4 else 'yy'}"
    unsure = "" if day_first or month_first else f"{name}: read as day{letter}month, and may be month{letter}day"
    if None in clocks:
        return Parse(f"{name}_date", "DATE", f"try_to_date({ticked(name)}, '{form}')", unsure)
    form += " H:mm:ss" if matches[0][6] else " H:mm"
    return Parse(f"{name}_time", "TIMESTAMP", f"try_to_timestamp({ticked(name)}, '{form}')", unsure)
