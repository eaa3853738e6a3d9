"""What a table's columns may be called, and what our own start with so that the two never meet."""

from __future__ import annotations

from collections.abc import Iterable

from lifeboat.errors import DataError

PREFIX = "lifeboat:"  # no table's column starts so, and each of ours does: none can meet another


def check_names(names: Iterable[str], where: str) -> None:
    """Raise DataError unless a table can have columns of these names, which is nearly any name.

    Args:
        names: The columns, in their order.
        where: What has them, for the message: a file.
    """
    seen: dict[str, str] = {}
    for position, name in enumerate(names, 1):
        error = _error(name, position, seen.get(name.lower()))
        if error:
            raise DataError(f"{where}: {error}")
        seen[name.lower()] = name


def _error(name: str, position: int, twin: str | None) -> str:
    """What is wrong with a column's name, and the mend; empty where nothing is."""
    if not name:
        return f"column {position} has no name: give it one in the header"
    if "\0" in name or name.splitlines() != [name]:
        return f"the name of column {position}, {name!r}, has a line's end or NUL in it: rename it"
    if name.lower().startswith(PREFIX):
        return f"{name!r} starts with {PREFIX!r}, as columns do that Lifeboat adds: rename it"
    if twin is not None:
        return f"Spark cannot tell the columns {twin!r}, {name!r} apart: rename all but one"
    return ""
