"""What each field of a record may hold, and what is said of one that holds something else."""

from __future__ import annotations

import math
import reprlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
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
    """A raw column that the model needs: its name, its type as Spark writes it, and what it may hold."""

    name: str
    type: str
    nullable: bool
    minimum: float | None
    maximum: float | None

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

    def reader(self) -> Callable[[list[Any]], list[Any]]:
        """A function that checks the column's values, one a record, and gives them in the column's own type."""
        kind, careful = KINDS[self.type], self._read
        if self.type in SPANS:
            low, high = self.span()
            return lambda values: [
                v if type(v) is kind and low <= v <= high else careful(v, row, len(values))
                for row, v in enumerate(values)
            ]
        return lambda values: [v if type(v) is kind else careful(v, row, len(values)) for row, v in enumerate(values)]

    def from_text(self, text: str) -> Any:
        """What a text in a CSV file stands for in the column's type: None where it is empty.

        A text that is no value of the type stays a text, which the reader then refuses.
        """
        plain = text.strip()
        if not text or self.type == "string":
            return text or None
        if self.type == "boolean":
            return TRUTHS.get(plain.lower(), text)
        try:
            if plain.isascii() and "_" not in plain:  # Python's numbers may have both, nobody else's
                return KINDS[self.type](plain)
        except ValueError:
            pass
        return text

    def _read(self, value: Any, row: int, rows: int) -> Any:
        """One value that is not plainly right: null, of a kindred type (3.0 for 3), or wrong."""
        plain = value.item() if isinstance(value, np.generic) else value
        nan = self.type in SPANS and isinstance(plain, float) and math.isnan(plain)
        if self.nullable and (plain is None or nan):
            return plain if self.type == "double" else None
        number = isinstance(plain, int | float) and not isinstance(plain, bool)
        try:
            if self.type in SPANS and number and not nan:
                cast = KINDS[self.type](plain)
                low, high = self.span()
                if low <= cast <= high and (cast == plain or self.type == "double"):
                    return cast
            elif self.type not in SPANS and isinstance(plain, KINDS[self.type]):
                return KINDS[self.type](plain)
        except OverflowError:  # an infinity has no int, and 10**400 no double
            pass
        message = "" if rows == 1 else f"{self.name}: got {in_words(plain)} in record {row}; allowed: {self.allowed()}"
        raise InputError(self.name, in_words(plain), self.allowed(), message)
