"""What a data set's rows need before they are whole, read from the parameter ``complete``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lifeboat.errors import ParameterError, unknown
from lifeboat.reading import parse_csv


@dataclass(frozen=True)
class Join:
    """A small table whose columns are put beside the rows.

    Attributes:
        path: CSV or parquet.
        on: Columns by which a row finds its partner, named as the rows name them.
        columns: Columns to take, named as the table names them; empty: all.
        rename: Name in the table -> name beside the rows; done first.
        csv: How it is written, as ``reading.parse_csv`` takes it.
    """

    path: str
    on: tuple[str, ...]
    columns: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    csv: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Needs:
    """What a data set's rows need before they are whole.

    Attributes:
        no_value: Column -> the words that say in it that there is no value; those of ``""`` hold in every column.
        joins: Tables to put beside the rows.
        compute: As ``add_computed`` reads it.
        made_key: Name of a key to make from each row's content; empty: the file has one.
    """

    no_value: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    joins: tuple[Join, ...] = ()
    compute: Mapping[str, str] = field(default_factory=dict)
    made_key: str = ""

    def words(self, column: str) -> tuple[str, ...]:
        """The words that say in a column that there is no value."""
        return (*self.no_value.get("", ()), *self.no_value.get(column, ()))


def _names(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(name, str) and name for name in value)


def _words(value: Any) -> bool:
    return _names(value) or (isinstance(value, Mapping) and _names(list(value)) and all(map(_names, value.values())))


TABLE = '{path: FILE, "on": [columns], columns: [columns], rename: {old: new}, csv: {...}}; only path and on must be'
KEYS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "no_value": (_words, "a list of words, such as [NA], or {column: [words]}; a number in quotes"),
    "join": (lambda value: isinstance(value, list | tuple), f"a list of tables, each {TABLE}"),
    "compute": (lambda value: isinstance(value, Mapping), "{new column: SQL expression}"),
    "make_key": (lambda value: isinstance(value, bool), "true or false"),
}


def parse_needs(complete: Mapping[str, Any], key: str = "") -> Needs:
    """Read ``complete`` of a parameter file, a mapping of any of ``KEYS``.

    Args:
        complete: Such as ``{"no_value": ["NA"], "compute": {"late": "arr_delay > 15"}, "make_key": True}``; each table
            of its ``join`` as ``TABLE`` says.
        key: The name that the key has, should one be made.

    Raises:
        ParameterError: A part is unknown, missing or of another form.
    """
    for name, value in complete.items():
        if name not in KEYS:
            raise ParameterError(f"complete: {unknown('part', str(name), KEYS)}")
        fits, form = KEYS[name]
        if not fits(value):
            raise ParameterError(f"complete: {name} is {value!r}; write {form}")
    compute = complete.get("compute", {})
    for name, sql in compute.items():
        if not _names([name, sql]) or not sql.strip():
            raise ParameterError(f"complete: compute: {name!r} is {sql!r}; write a column's name and an SQL expression")
    joins = tuple(_parse_join(spec) for spec in complete.get("join", ()))
    for name, sql in compute.items():
        refuse_code(name, sql)
    no_value = complete.get("no_value", ())
    words = no_value if isinstance(no_value, Mapping) else {"": no_value} if no_value else {}
    by_column = {column: tuple(of_column) for column, of_column in words.items()}
    return Needs(by_column, joins, dict(compute), key if complete.get("make_key") else "")


# A model may come from a registry: what it computes must neither run code nor ask tables. The words are refused
# wherever they stand, in a text too: telling texts from code is the parser's work, and a mistake here would be a hole.
CODE = re.compile(r"\b(reflect|try_reflect|java_method|identifier)\b", re.IGNORECASE)
QUERY = re.compile(r"\bselect\b|\(\s*(?:table|with|from)\s+[\w`]", re.IGNORECASE)


def refuse_code(name: str, sql: str) -> None:
    """Raise ParameterError where an SQL expression calls what runs code, or asks a table."""
    if match := CODE.search(sql):
        raise ParameterError(f"compute: {name}: {sql!r} has {match[0]!r} in it, which can run code: write it without")
    if match := QUERY.search(sql):
        raise ParameterError(f"compute: {name}: {sql!r} asks a table ({match[0]!r}): name columns")


def _parse_join(spec: Any) -> Join:
    if not isinstance(spec, Mapping):
        raise ParameterError(f"complete: join: {spec!r} is no table; write {TABLE}")
    if True in spec:  # YAML's, and papermill cannot hand it on
        raise ParameterError('complete: join: YAML takes a bare on for true: put it in quotes, "on": [columns]')
    for name in spec:
        if name not in Join.__annotations__:
            raise ParameterError(f"complete: join: {unknown('part of a table', str(name), Join.__annotations__)}")
    path, on, columns = spec.get("path"), spec.get("on"), spec.get("columns", [])
    if not isinstance(path, str) or not path:
        raise ParameterError(f"complete: join: {dict(spec)!r} has no path; write {TABLE}")
    if not on or not _names(on) or not _names(columns):
        raise ParameterError(
            f"complete: join: {path}: on is {on!r} and columns is {columns!r}; write lists of column names"
        )
    rename = spec.get("rename", {})
    if not isinstance(rename, Mapping) or not _names([*rename, *rename.values()]):
        raise ParameterError(
            f"complete: join: {path}: rename is {rename!r}; write {{name in the table: name to give it}}"
        )
    csv = spec.get("csv", {})
    if not isinstance(csv, Mapping):
        raise ParameterError(f"complete: join: {path}: csv is {csv!r}; write {{separator: ';'}} or the like")
    parse_csv(csv)
    return Join(path, tuple(on), tuple(columns), dict(rename), dict(csv))
