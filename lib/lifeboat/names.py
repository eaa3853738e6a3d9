"""Names: of the columns that Lifeboat makes, of those that a table may have, and of the two classes for people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from lifeboat.errors import DataError, ParameterError

PREFIX = "lifeboat:"  # no table's column starts so, and each of ours does: none can meet another

FEATURES = f"{PREFIX}features"
PREDICTION = f"{PREFIX}prediction"
PROBABILITY = f"{PREFIX}probability"
RAW_PREDICTION = f"{PREFIX}rawPrediction"
FOLD = f"{PREFIX}fold"
HOLDOUT = f"{PREFIX}holdout"
REASONS = f"{PREFIX}reasons"
NO_AND_YES = ("no", "yes")  # class 0 and class 1, where nobody has named them
CLASSIFIER_COLUMNS = {  # Spark's Param of a classifier or an evaluator -> the column that it names
    "featuresCol": FEATURES,
    "predictionCol": PREDICTION,
    "probabilityCol": PROBABILITY,
    "rawPredictionCol": RAW_PREDICTION,
}

_KINDS = ("imputed", "index", "copy", "text")
_UNSAFE = re.compile(r"[.`*]")  # Spark's own stages take a.b for a field of a, and * for all columns
_MADE = re.compile(rf"{PREFIX}(?:{'|'.join(_KINDS)}):(.*)", re.DOTALL)
_ESCAPED = re.compile(r"%(25|2E|60|2A)")


def imputed(name: str) -> str:
    """The column ``name`` once its gaps are filled."""
    return _made("imputed", name)


def index(name: str) -> str:
    """The numbers of the values of the categorical column ``name``."""
    return _made("index", name)


def text(name: str) -> str:
    """The column of truths ``name`` as text."""
    return _made("text", name)


def for_spark(name: str) -> str:
    """The column ``name`` as Spark's own stages can read it: itself, or its copy where they cannot."""
    return _made("copy", name) if _UNSAFE.search(name) else name


def _made(kind: str, name: str) -> str:
    return f"{PREFIX}{kind}:" + re.sub(r"[%.`*]", lambda found: f"%{ord(found[0]):02X}", name)


def plain_name(column: str) -> str:
    """A column's name for people.

    >>> plain_name("lifeboat:imputed:Age"), plain_name("lifeboat:fold"), plain_name("Age")
    ('Age', 'fold', 'Age')
    """
    made = _MADE.fullmatch(column)
    if made is None:
        return column.removeprefix(PREFIX)
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), made[1])


def class_names(given: Sequence[Any]) -> tuple[str, str]:
    """What people call class 0 and class 1.

    Args:
        given: Two different texts, class 0's first; empty: no and yes.

    Raises:
        ParameterError: It is neither.

    >>> class_names(["died", "survived"]), class_names([])
    (('died', 'survived'), ('no', 'yes'))
    """
    names = list(given or NO_AND_YES)
    if isinstance(given, str) or len(names) != 2 or not all(isinstance(name, str) and name.strip() for name in names):
        raise ParameterError(
            f"class_names is {given!r}; it takes two texts, class 0's first, such as [died, survived], or [] for no "
            "and yes. YAML wants quotes around a number and around yes, no, true and false"
        )
    if names[0] == names[1]:
        raise ParameterError(f"class_names is {given!r}: two classes of one name cannot be told apart; rename one")
    return names[0], names[1]


def check_names(names: Iterable[str], where: str) -> None:
    """Raise DataError unless a table can have columns of these names, which is nearly any name.

    Args:
        names: The columns, in their order.
        where: What has them, for the message: a file.
    """
    seen: dict[str, str] = {}
    for place, name in enumerate(names, 1):
        fault = _fault(name, place, seen.get(name.lower()))
        if fault:
            raise DataError(f"{where}: {fault}")
        seen[name.lower()] = name


def _fault(name: str, place: int, twin: str | None) -> str:
    """What is wrong with a column's name, and the mend; empty where nothing is."""
    if not name:
        return f"column {place} has no name: give it one in the header"
    if "\0" in name or name.splitlines() != [name]:
        return f"the name of column {place}, {name!r}, has a line's end or NUL in it: rename it"
    if name.lower().startswith(PREFIX):
        return f"{name!r} starts with {PREFIX!r}, as columns do that Lifeboat adds: rename it"
    if twin is not None:
        return f"Spark cannot tell the columns {twin!r}, {name!r} apart: rename all but one"
    return ""
