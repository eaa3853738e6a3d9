"""What each field of a record may hold, and what is said of one that holds something else."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Any

import numpy as np

from lifeboat.errors import LifeboatError
from lifeboat.scoring.declared import SPANS, is_gap, of_value, time_text

MOST_ERRORS = 100  # that are told of one request


@dataclass(frozen=True)
class Kind:
    """A type that a column of a model may have: in Python, in words, and by Arrow's and MLflow's names."""

    python: Any
    words: str
    arrow: str
    mlflow: str


TYPES = {
    "int": Kind(int, "a whole number", "int32", "long"),
    "bigint": Kind(int, "a whole number", "int64", "long"),
    "double": Kind(float, "a number", "double", "double"),
    "string": Kind(str, "text", "string", "string"),
    "boolean": Kind(bool, "true or false", "bool", "boolean"),
}


class InputError(LifeboatError, ValueError):
    """What was sent cannot be scored.

    Attributes:
        field: The column, or the part of the request.
        got: What came, in words.
        allowed: What may come, in words.
        message: All of it in one sentence.
        row: The record's number, from 0; None where it is about no one record.
        status: What HTTP calls such a refusal.
        reason: The same in a word, for counters.
    """

    status, reason = 422, "misfit"

    def __init__(self, field: str, got: str, allowed: str, message: str = "", row: int | None = None) -> None:
        self.field, self.got, self.allowed, self.row = field, got, allowed, row
        self._message = message
        self.message = message or f"{field}: got {got}; allowed: {allowed}"
        super().__init__(self.message)

    def at(self, row: int, rows: int) -> InputError:
        """The same, said of one record of several."""
        where = f"{self.field}: got {self.got} in record {row}; allowed: {self.allowed}" if rows > 1 else ""
        return InputError(self.field, self.got, self.allowed, self._message or where, row)

    @property
    def errors(self) -> Sequence[InputError]:
        """All that is wrong; one error is about itself alone."""
        return [self]

    def detail(self) -> dict[str, Any]:
        """The error as JSON has it among others: row, field, got, allowed."""
        return {"row": self.row, "field": self.field, "got": self.got, "allowed": self.allowed}


class InputErrors(InputError):
    """Records of which at least one cannot be scored: the first error speaks for all.

    Attributes:
        errors: The errors by row, the first hundred at most.
    """

    def __init__(self, errors: Iterable[InputError]) -> None:
        self._errors = list(islice(errors, MOST_ERRORS))
        first, more = self._errors[0], len(self._errors) - 1
        count = "" if not more else " (and one more)" if more == 1 else f" (and {more} more)"
        super().__init__(first.field, first.got, first.allowed, first.message + count, first.row)

    @property
    def errors(self) -> Sequence[InputError]:
        """All that is wrong, the first hundred at most."""
        return self._errors


def in_words(value: Any) -> str:
    """Any value as a short text that names its kind, such as ``'male' (text)``."""
    if value is None:
        return "nothing (missing or null)"
    if isinstance(value, date):
        return f"{time_text(value)} (time)"
    if isinstance(value, Decimal):
        return f"{value} (number)"
    kinds = {bool: "true or false", int: "number", float: "number", str: "text", list: "list", dict: "object"}
    if isinstance(value, int) and value.bit_length() > 256:
        return "a whole number of more than 77 digits"
    return f"{reprlib.repr(value)} ({kinds.get(type(value), type(value).__name__)})"


@dataclass(frozen=True)
class Column:
    """A raw column: its name, its type as Spark writes it, and what it may hold.

    Attributes:
        minimum: The lowest number allowed; None: the lowest that the type has. ``maximum`` likewise.
        gaps: Words that say that there is no value; null, NaN and an empty text always do.
        made: How the raw table's rows got it, where it is none of that table's: an SQL expression, or a joined table.
        usual: What is usual in the training rows: the mean of numbers, else the commonest value.
        title: What people call it; empty: as ``name``.
        unit: Of its numbers.
    """

    name: str
    type: str
    nullable: bool
    minimum: float | None = None
    maximum: float | None = None
    gaps: tuple[str, ...] = ()
    made: str = ""
    usual: float | str | bool | None = None
    title: str = ""
    unit: str = ""

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Column:
        """A column as ``schema.json`` and a manifest, of either format, describe it."""
        return cls(**{**described, "gaps": tuple(described.get("gaps", ()))})

    def described(self) -> dict[str, Any]:
        """The column as JSON has it: what is empty is left out, but for the limits."""
        limits = ("minimum", "maximum")
        return {name: value for name, value in asdict(self).items() if name in limits or value not in (None, "", ())}

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
        meaning = TYPES[self.type].words
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
        kind = TYPES[self.type].python

        def careful(value: Any) -> Any:
            return self._read(value, texts)

        if self.type in SPANS:
            low, high = self.span()
            return lambda values: [v if type(v) is kind and low <= v <= high else careful(v) for v in values]
        if self.type == "string":
            gaps = {"", *self.gaps}
            return lambda values: [v if type(v) is str and v not in gaps else careful(v) for v in values]
        return lambda values: [v if type(v) is kind else careful(v) for v in values]

    def _read(self, value: Any, texts: bool) -> Any:
        """One value that is not plainly right: a gap, of a kindred type (3.0 for 3), or wrong."""
        plain = value.item() if isinstance(value, np.generic) and not isinstance(value, np.datetime64) else value
        if is_gap(plain, self.gaps):
            if self.nullable:
                return None
        elif texts or not isinstance(plain, str) or self.type == "string":
            cast = of_value(plain, self.type)
            if cast is not None and (self.type not in SPANS or self.span()[0] <= cast <= self.span()[1]):
                return cast
        raise InputError(self.name, in_words(plain), self.allowed())
