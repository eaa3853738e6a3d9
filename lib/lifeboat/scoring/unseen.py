"""Values that training never met: which columns the model knows by a list, what came instead, what is nearest to it."""

from __future__ import annotations

import reprlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cached_property
from heapq import nlargest
from itertools import islice
from os.path import commonprefix
from typing import Any

import numpy as np

from lifeboat.errors import LifeboatError
from lifeboat.scoring.steps import Values, as_text

WARN, REFUSE = "warn", "refuse"
VARIABLE = "LIFEBOAT_UNSEEN"
MOST_ENTRIES, MOST_KNOWN = 100, 10
CLOSE = 0.6  # the least likeness, from 0 to 1, at which one text passes for a misspelling of another
MOST_SENTENCES = 100  # labels up to which a whole file's values are compared with them
MOST_COMPARED = 1_000  # labels, and characters of each: comparing takes time
# stages whose output is their first input's value, or made of it alone
FOLLOWED = {"BooleanText", "CopyColumns", "ModeImputerModel", "TextCategory"}

Entry = dict[str, Any]


class UnseenError(LifeboatError, ValueError):
    """What is to be done about values never seen is said in a word that is none."""


def policy(*words: str | None) -> str:
    """The first word that was given of those that may say what is to be done: ``warn`` (if none does) or ``refuse``.

    Raises:
        UnseenError: It is another word.
    """
    word = next((word for word in words if word), WARN)
    if word not in (WARN, REFUSE):
        raise UnseenError(f"unseen is {word!r}; write {WARN} (answer, and say so) or {REFUSE}")
    return word


@dataclass(frozen=True)
class Lookup:
    """A column whose values a stage finds in a list that it learned.

    Attributes:
        field: The raw column whose value it is, or from which it was made.
        column: The stage's own input.
        labels: What training met, as text, the commonest first.
        filled: A column of numbers; where it is given, the list is asked for its gaps alone.
    """

    field: str
    column: str
    labels: tuple[str, ...]
    filled: str = ""

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.labels)

    @cached_property
    def _sentences(self) -> dict[Any, str]:
        return {}

    def misses(self, table: Mapping[str, Values]) -> Values | None:
        """A column that has the value of each row where it was never seen, and None elsewhere; None if all were."""
        values = table[self.column]
        odd = [None if value is None or as_text(value) in self._known else value for value in values.distinct]
        if odd.count(None) == len(odd):
            return None
        if not self.filled:
            return Values(odd, values.indices)
        gaps = np.isnan(table[self.filled].floats()).tolist()
        rows = [value if gap else None for value, gap in zip(Values(odd, values.indices).spread(), gaps, strict=True)]
        return Values(rows) if any(value is not None for value in rows) else None

    def nearest(self, value: Any) -> list[str]:
        """The labels most like ``value``, ten at the most: numbers by their distance, texts whatever their case."""
        if _is_number(value):
            return sorted(self.labels, key=lambda label: abs(int(label) - value))[:MOST_KNOWN]
        text = _plain(as_text(value))
        compared = self.labels
        if len(compared) > MOST_COMPARED:  # those that begin alike are compared in full
            begins_alike = {label: len(commonprefix((_plain(label), text))) for label in compared}  # noqa: RUF071 - letters
            compared = tuple(nlargest(MOST_COMPARED, compared, key=begins_alike.__getitem__))
        return sorted(compared, key=lambda label: -_likeness(text, label))[:MOST_KNOWN]

    def described(self, row: int, value: Any) -> Entry:
        """A miss as JSON can hold it: row, field, value, known (labels, ten at the most) and nearest (or null)."""
        known = self.nearest(value)
        close = bool(known) and (_is_number(value) or _likeness(_plain(as_text(value)), known[0]) >= CLOSE)
        shown = reprlib.repr(value)[1:-1] if isinstance(value, str) and len(value) > MOST_COMPARED else value
        return {
            "row": row,
            "field": self.field,
            "value": shown,
            "known": known,
            "nearest": known[0] if close else None,
        }

    def sentence(self, value: Any) -> str:
        """A miss in words; the nearest label is named where there are few."""
        if value not in self._sentences:
            few = len(self.labels) <= MOST_SENTENCES
            nearest = self.described(0, value)["nearest"] if few else None
            hint = "" if nearest is None else f"; nearest: {nearest!r}"
            if len(self._sentences) > MOST_SENTENCES * MOST_COMPARED:
                self._sentences.clear()
            self._sentences[value] = f"{self.field}: {reprlib.repr(value)} was never seen in training{hint}"
        return self._sentences[value]


@dataclass(frozen=True)
class Unseen:
    """What of some records training never met.

    Attributes:
        count: How many values.
        entries: The first hundred of them, by row, as ``Lookup.described`` has them.
        fields: How many values of each column, if any.
    """

    count: int = 0
    entries: tuple[Entry, ...] = ()
    fields: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.count > 0

    def summary(self) -> str:
        """A line for a log: how many, and in which columns the first were."""
        fields = ", ".join(self.fields)
        values = "1 value was" if self.count == 1 else f"{self.count} values were"
        return f"warning: {values} never seen in training ({fields})"


NOTHING = Unseen()


def lookups(stages: list[dict[str, Any]], features: list[str]) -> list[Lookup]:
    """The lists that a model's stages learned.

    Args:
        stages: As ``preprocess.json`` has them.
        features: The raw columns.
    """
    origin = {name: name for name in features}
    learned = []
    for stage in stages:
        first, kind = stage["inputs"][0], stage["stage"]
        if kind == "StringIndexerModel":
            learned.append(Lookup(origin.get(first, first), first, tuple(stage["labels"])))
        elif kind == "GroupMeanImputerModel" and len(stage["inputs"]) > 1:
            group = stage["inputs"][1]
            learned.append(Lookup(origin.get(group, group), group, tuple(stage["means"]), filled=first))
        elif kind in FOLLOWED and first in origin:
            origin[stage["outputs"][0]] = origin[first]
    return learned


def misses(learned: list[Lookup], table: Mapping[str, Values]) -> list[tuple[Lookup, list[Any]]]:
    """For each list that some row's value is not in: each row's value, None where it is in it or was told before."""
    reported: dict[str, list[Any]] = {}
    result = []
    for lookup in learned:
        if (values := lookup.misses(table)) is None:
            continue
        rows = values.spread()
        before = reported.get(lookup.field, [None] * len(rows))
        # a column that is asked about twice is told of once
        rows = [None if earlier is not None else value for value, earlier in zip(rows, before, strict=True)]
        reported[lookup.field] = [
            value if earlier is None else earlier for value, earlier in zip(rows, before, strict=True)
        ]
        if any(value is not None for value in rows):
            result.append((lookup, rows))
    return result


def unseen_values(missed: list[tuple[Lookup, list[Any]]]) -> Unseen:
    """All misses, counted, and the first of them described."""
    if not missed:
        return NOTHING
    fields: Counter[str] = Counter()
    for lookup, values in missed:
        fields[lookup.field] += sum(value is not None for value in values)
    rows = range(len(missed[0][1]))
    cells = ((row, lookup, values[row]) for row in rows for lookup, values in missed)
    described = (lookup.described(row, value) for row, lookup, value in cells if value is not None)
    return Unseen(fields.total(), tuple(islice(described, MOST_ENTRIES)), fields)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _plain(text: str) -> str:
    return text.strip().casefold()[:MOST_COMPARED]


def _likeness(plain: str, label: str) -> float:
    return SequenceMatcher(None, plain, _plain(label), autojunk=False).ratio()
