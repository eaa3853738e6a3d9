"""What each field of a record may hold, and what is said of one that holds something else."""

from __future__ import annotations

import math
import re
import reprlib
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np

from lifeboat.errors import LifeboatError

KINDS: dict[str, Any] = {"int": int, "bigint": int, "double": float, "string": str, "boolean": bool}
MEANINGS = {"int": "a whole number", "bigint": "a whole number", "double": "a number", "string": "text"}
SPANS = {
    "int": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
    "double": (-sys.float_info.max, sys.float_info.max),
}
# what Spark takes for true and false
TRUTHS = dict.fromkeys(("t", "true", "y", "yes", "1"), True) | dict.fromkeys(("f", "false", "n", "no", "0"), False)

# The texts that are values of a declared type, here and in Spark's expressions alike: the whole text must fit. Python,
# Java and RE2 read these patterns the same way.
_WHOLE = r"[ \t]*[+-]?[0-9]+(\.0*)?[ \t]*"  # pandas writes 7.0 for a 7 in a column with gaps
_HOUR = r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?"
_DAY = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
FORMS = {
    "int": _WHOLE,
    "bigint": _WHOLE,
    "double": r"[ \t]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t]*",
    "boolean": r"[ \t]*([tT]|[tT][rR][uU][eE]|[yY]|[yY][eE][sS]|1|[fF]|[fF][aA][lL][sS][eE]|[nN]|[nN][oO]|0)[ \t]*",
    "date": rf"[ \t]*{_DAY}[ \t]*",
    "timestamp": rf"[ \t]*{_DAY}([ T]{_HOUR}(Z|[+-][0-9]{{2}}:[0-9]{{2}})?)?[ \t]*",
}
KIND_WORDS = {
    "int": "a whole number",
    "bigint": "a whole number",
    "double": "of type double",
    "boolean": "true or false",
    "string": "a text: numbers with a fraction are written in many ways; declare it DOUBLE",
    "date": "a date, as 2024-05-31 is",
    "timestamp": "a time, as 2024-05-31 18:00:00 is",
}
_FITS = {kind: re.compile(form).fullmatch for kind, form in FORMS.items()}


class InputError(LifeboatError, ValueError):
    """A record that cannot be scored.

    Attributes:
        field: The column, or the part of the request.
        got: What came, in words.
        allowed: What may come, in words.
        message: All of it in one sentence.
    """

    def __init__(self, field: str, got: str, allowed: str, message: str = "") -> None:
        self.field, self.got, self.allowed = field, got, allowed
        self.message = message or f"{field}: got {got}; allowed: {allowed}"
        super().__init__(self.message)


def in_words(value: Any) -> str:
    """Any value as a short text that names its kind, such as ``'male' (text)``."""
    if value is None:
        return "nothing (missing or null)"
    kinds = {bool: "true or false", int: "number", float: "number", str: "text", list: "list", dict: "object"}
    if isinstance(value, int) and value.bit_length() > 256:
        return "a whole number of more than 77 digits"
    return f"{reprlib.repr(value)} ({kinds.get(type(value), type(value).__name__)})"


@dataclass(frozen=True)
class Column:
    """A raw column that the model needs: its name, its type as Spark writes it, and what it may hold.

    Attributes:
        gaps: Words that say that there is no value; null, NaN and an empty text always do.
        made: How the raw table's rows got it, where it is none of that table's: an SQL expression, or a joined table.
        usual: What is usual in the training rows: the mean of numbers, else the commonest value.
        title: What people call it; empty: as ``name``.
        unit: Of its numbers.
    """

    name: str
    type: str
    nullable: bool
    minimum: float | None
    maximum: float | None
    gaps: tuple[str, ...] = ()
    made: str = ""
    usual: float | str | bool | None = None
    title: str = ""
    unit: str = ""

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Column:
        """A column as a manifest describes it, of either format."""
        return cls(**{**described, "gaps": tuple(described.get("gaps", ()))})

    def missing(self) -> InputError:
        """What is said of a record without a column that no client finds in the raw table."""
        how = f"{self.name} = {self.made}: send it"
        return InputError(self.name, in_words(None), self.allowed(), f"{how}; allowed: {self.allowed()}")

    def span(self) -> tuple[float, float]:
        """The smallest and the largest number allowed, both included."""
        low, high = SPANS[self.type]
        return (low if self.minimum is None else max(low, self.minimum)), (
            high if self.maximum is None else min(high, self.maximum)
        )

    def allowed(self) -> str:
        """What the column may hold, in words."""
        meaning = MEANINGS.get(self.type, "true or false")
        if self.type in SPANS:
            low, high = self.span()
            most = SPANS["double"][1]
            meaning += (f" from {low}" if low > -most else "") + (f" to {high}" if high < most else " that is finite")
        return meaning + (", or null" if self.nullable else "")

    def reader(self, texts: bool = False) -> Callable[[list[Any]], list[Any]]:
        """A function that checks the column's values, one a record, and gives them in the column's own type.

        Args:
            texts: Whether a text may stand for a value of another type, as it does in a file; JSON has types.
        """
        kind = KINDS[self.type]

        def careful(value: Any, row: int, rows: int) -> Any:
            return self._read(value, row, rows, texts)

        if self.type in SPANS:
            low, high = self.span()
            return lambda values: [
                v if type(v) is kind and low <= v <= high else careful(v, row, len(values))
                for row, v in enumerate(values)
            ]
        if self.type == "string":
            gaps = {"", *self.gaps}
            return lambda values: [
                v if type(v) is str and v not in gaps else careful(v, row, len(values)) for row, v in enumerate(values)
            ]
        return lambda values: [v if type(v) is kind else careful(v, row, len(values)) for row, v in enumerate(values)]

    def _read(self, value: Any, row: int, rows: int, texts: bool) -> Any:
        """One value that is not plainly right: a gap, of a kindred type (3.0 for 3), or wrong."""
        plain = value.item() if isinstance(value, np.generic) and not isinstance(value, np.datetime64) else value
        if is_gap(plain, self.gaps):
            if self.nullable:
                return math.nan if isinstance(plain, float) and self.type == "double" else None
        elif texts or not isinstance(plain, str) or self.type == "string":
            cast = as_type(plain, self.type)
            if cast is not None and (self.type not in SPANS or self.span()[0] <= cast <= self.span()[1]):
                return cast
        message = "" if rows == 1 else f"{self.name}: got {in_words(plain)} in record {row}; allowed: {self.allowed()}"
        raise InputError(self.name, in_words(plain), self.allowed(), message)


def is_gap(value: Any, words: Iterable[str] = ()) -> bool:
    """Whether a value says that there is none: null, NaN, an empty text, or a word that means so."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value)) or value in tuple(words)


def as_type(value: Any, declared: str) -> Any:
    """What a value of a file is under a declared type: the one rule for every reader.

    ========== ============================= ============================= ================= =====================
    value      INT, BIGINT                   DOUBLE                        STRING            BOOLEAN
    ========== ============================= ============================= ================= =====================
    text       digits, perhaps ``.0``        a number that is finite       itself            true, yes, 1, no, ...
    number     a whole one                   itself, if finite             a whole one's     0 and 1
                                                                           digits
    true/false 1 and 0                       1 and 0                       true and false    itself
    time       none                          none                          its ISO text      none
    ========== ============================= ============================= ================= =====================

    Args:
        value: Python's own; no gap.
        declared: int, bigint, double, string or boolean.

    Returns:
        The value in that type; None where it is none of it.
    """
    if isinstance(value, str):
        return _of_text(value, declared)
    if isinstance(value, bool):
        return KINDS[declared](value) if declared != "string" else str(value).lower()
    if isinstance(value, int | float | Decimal):
        return _of_number(value, declared)
    return _iso(value) if declared == "string" and isinstance(value, date) else None


def _of_text(text: str, declared: str) -> Any:
    if declared == "string":
        return text
    if not _FITS[declared](text):
        return None
    plain = text.strip(" \t")
    if declared == "boolean":
        return TRUTHS[plain.lower()]
    if declared != "double":
        digits = plain.partition(".")[0]
        return int(digits) if len(digits) < 400 else None  # Python refuses to read thousands of digits
    number = float(plain)
    return number if math.isfinite(number) else None


def _of_number(number: float | Decimal, declared: str) -> Any:
    try:
        if declared == "boolean":
            return bool(number) if number in (0, 1) else None
        if declared == "double":
            return float(number) if math.isfinite(float(number)) else None
        whole = int(number)
    except (OverflowError, ValueError):  # an infinity has no int, and 10**400 no double
        return None
    far = isinstance(number, float) and not -(2.0**63) <= number < 2.0**63
    if whole != number or far:
        return None
    return str(whole) if declared == "string" else whole


def _iso(time: date) -> str:
    """A date's or time's text as Spark writes it, in UTC: ``2024-05-31``, ``2024-05-31 18:00:00.5``."""
    if not isinstance(time, datetime):
        return time.isoformat()
    if time.tzinfo is not None:
        time = time.astimezone(UTC).replace(tzinfo=None)
    text = time.isoformat(sep=" ")
    return text.rstrip("0") if time.microsecond else text
