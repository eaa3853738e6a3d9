"""What an answer may look like: read as a learner wrote it, and refused with a sentence that says what is wanted."""

from __future__ import annotations

import math
import reprlib
import textwrap
from collections.abc import Mapping, Sequence, Set, ValuesView
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any, Protocol

from lifeboat.teaching.exercises.errors import WrongAnswerError

MOST_SHOWN = 20


class Kind(Protocol):
    """How an answer is read, compared and shown."""

    @property
    def wanted(self) -> str:
        """What the answer is to be, as in 'a whole number of rows'."""

    def read(self, answer: Any) -> Any:
        """The answer as Python's own value.

        Raises:
            WrongAnswerError: It is of another kind.
        """

    def same(self, answer: Any, other: Any) -> bool:
        """Whether two answers that were read are the same."""

    def shown(self, answer: Any) -> str:
        """An answer that was read, for people."""


def refused(wanted: str, answer: Any) -> WrongAnswerError:
    """What is raised where an answer is of another kind than is wanted."""
    try:
        came = textwrap.shorten(reprlib.repr(answer), 160, placeholder=" ...")
    except ValueError:  # Python writes no whole number of more than some thousand digits
        came = "what is too long to write"
    return WrongAnswerError(f"This wants {wanted}, and got {came} ({type(answer).__name__}).")


def _plain(answer: Any) -> Any:
    """What NumPy and pandas hold, as Python's own numbers, texts and lists; any other answer as it is.

    The type is asked, since an object may answer to any name: a column of Spark gives a column for it.
    """
    return answer.tolist() if hasattr(type(answer), "tolist") else answer


def _as_number(answer: Any) -> float | None:
    """The number that an answer is; None where it is none. True and False are none, though Python counts with them."""
    number = _plain(answer)
    if isinstance(number, bool) or not isinstance(number, Real | Decimal):
        return None
    try:
        return float(number)
    except (OverflowError, ValueError):  # larger than any float; a Decimal that signals
        return None


@dataclass(frozen=True)
class Whole:
    """A whole number; 166.0 is one too."""

    wanted: str

    def read(self, answer: Any) -> int:
        """The answer as an int."""
        number = _as_number(answer)
        if number is None or not number.is_integer():
            raise refused(self.wanted, answer)
        return int(number)

    def same(self, answer: int, other: int) -> bool:
        """Whether both are equal."""
        return answer == other

    def shown(self, answer: int) -> str:
        """With a comma between thousands."""
        return f"{answer:,}"


@dataclass(frozen=True)
class Number:
    """A number, compared within a tolerance, so that who rounds as the question says is right.

    Attributes:
        wanted: What it is.
        within: How far two may be apart and be the same.
        digits: How many are shown behind the point.
    """

    wanted: str
    within: float
    digits: int

    def read(self, answer: Any) -> float:
        """The answer as a float, which may be NaN."""
        number = _as_number(answer)
        if number is None:
            raise refused(self.wanted, answer)
        return number

    def same(self, answer: float, other: float) -> bool:
        """Whether they are no farther apart than ``within``; no number is the same as none."""
        both_missing = math.isnan(answer) and math.isnan(other)
        return both_missing or abs(answer - other) <= self.within * (1 + 1e-9)

    def shown(self, answer: float) -> str:
        """Rounded, unless that would make another number of it; never as -0."""
        rounded = f"{answer:z.{self.digits}f}"
        return rounded if self.same(answer, float(rounded)) else f"{answer:.4g}"


@dataclass(frozen=True)
class Letters:
    """Some of the letters that name lines of code, in any order."""

    wanted: str

    def read(self, answer: Any) -> frozenset[str]:
        """The answer as a set of capital letters; the text "AB" means A and B."""
        listed = _plain(answer)
        some = isinstance(listed, str | Set | ValuesView | list | tuple)
        if not some or not all(isinstance(letter, str) for letter in listed):
            raise refused(self.wanted, answer)
        letters = {letter.upper() for letter in listed} - {",", " "}
        if not all(len(letter) == 1 and letter.isalpha() for letter in letters):
            raise refused(self.wanted, answer)
        return frozenset(letters)

    def same(self, answer: frozenset[str], other: frozenset[str]) -> bool:
        """Whether both name the same lines."""
        return answer == other

    def shown(self, answer: frozenset[str]) -> str:
        """In the order of the alphabet."""
        return ", ".join(sorted(answer)) or "none"


@dataclass(frozen=True)
class Several:
    """Answers in a fixed order, as a list, a tuple, an array or a column of pandas.

    Attributes:
        wanted: What they are.
        kinds: The kind of each; a single one stands for any number of such.
    """

    wanted: str
    kinds: Sequence[Kind]

    def read(self, answer: Any) -> tuple[Any, ...]:
        """Each answer as its kind reads it."""
        listed = _plain(answer)
        if not isinstance(listed, list | tuple | ValuesView):
            raise refused(self.wanted, answer)
        if len(self.kinds) > 1 and len(listed) != len(self.kinds):
            raise refused(self.wanted, answer)
        try:
            return tuple(kind.read(single) for kind, single in self._paired(listed))
        except WrongAnswerError as error:
            raise refused(self.wanted, answer) from error

    def same(self, answer: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
        """Whether each is the same."""
        if len(answer) != len(other):
            return False
        return all(kind.same(a, b) for (kind, a), b in zip(self._paired(answer), other, strict=True))

    def shown(self, answer: tuple[Any, ...]) -> str:
        """With commas between; of many the first."""
        first = [kind.shown(single) for kind, single in self._paired(answer[:MOST_SHOWN])]
        return ", ".join([*first, "..."] if len(answer) > MOST_SHOWN else first)

    def _paired(self, answers: Sequence[Any] | ValuesView[Any]) -> list[tuple[Kind, Any]]:
        kinds = self.kinds if len(self.kinds) > 1 else [self.kinds[0]] * len(answers)
        return list(zip(kinds, answers, strict=True))


@dataclass(frozen=True)
class Named:
    """Answers by name, as a dictionary.

    Attributes:
        wanted: What they are.
        kinds: Name -> the kind of its answer.
    """

    wanted: str
    kinds: Mapping[str, Kind]

    def read(self, answer: Any) -> dict[str, Any]:
        """Each answer as its kind reads it."""
        if not isinstance(answer, Mapping) or answer.keys() != self.kinds.keys():
            raise refused(self.wanted, answer)
        try:
            return {name: kind.read(answer[name]) for name, kind in self.kinds.items()}
        except WrongAnswerError as error:
            raise refused(self.wanted, answer) from error

    def same(self, answer: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        """Whether each is the same."""
        return all(kind.same(answer[name], other[name]) for name, kind in self.kinds.items())

    def shown(self, answer: Mapping[str, Any]) -> str:
        """Each with its name."""
        return "; ".join(f"{name} {kind.shown(answer[name])}" for name, kind in self.kinds.items())
