"""The names of columns: which a table may have, and which are ours and therefore no table's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from lifeboat.errors import DataError

OURS = "lifeboat:"  # a column that a stage or a notebook makes beside a table's own starts so
FEATURES = f"{OURS}features"
RAW_PREDICTION = f"{OURS}raw_prediction"
PROBABILITY = f"{OURS}probability"
PREDICTION = f"{OURS}prediction"
LABEL = f"{OURS}label"
FOLD = f"{OURS}fold"
HOLDOUT = f"{OURS}holdout"
REASONS = f"{OURS}reasons"
_KINDS = tuple(f"{OURS}{kind}:" for kind in ("imputed", "index", "copy"))


def imputed(name: str) -> str:
    """The column that holds another's values with its gaps filled."""
    return f"{OURS}imputed:{name}"


def index(name: str) -> str:
    """The column that holds another's categories as numbers."""
    return f"{OURS}index:{name}"


def plain_name(column: str) -> str:
    """A column's name for people: ``lifeboat:imputed:Age`` is Age, ``lifeboat:fold`` is fold."""
    for kind in _KINDS:
        column = column.removeprefix(kind)
    return column.removeprefix(OURS)


def check_names(names: Iterable[str], where: str) -> None:
    """Raise DataError unless a table's columns have names that all parts can tell apart.

    Any name will do but an empty one, one with a line's end or NUL in it, two that differ by case alone, and one that
    starts as ours do.

    Args:
        names: The columns' names, in order.
        where: What the message calls the table.
    """
    known = list(names)
    times = Counter(name.lower() for name in known)
    for number, name in enumerate(known, 1):
        if not name:
            raise DataError(f"{where}: column {number} has no name: give it one in the header")
        if any(letter in name for letter in "\n\r\0"):
            raise DataError(f"{where}: the name of column {number}, {name!r}, has a line's end or NUL in it: rename it")
        if name.startswith(OURS):
            raise DataError(f"{where}: {name!r} starts with {OURS!r}, as columns do that Lifeboat adds: rename it")
        if times[name.lower()] > 1:
            alike = [other for other in known if other.lower() == name.lower()]
            raise DataError(
                f"{where}: Spark cannot tell the columns {', '.join(map(repr, alike))} apart: rename all but one"
            )
