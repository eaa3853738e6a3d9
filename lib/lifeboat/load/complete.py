"""Complete the rows before they are held to a schema: a key, other tables' columns, computed ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, StructType

from lifeboat.errors import DataError, ParameterError, unknown
from lifeboat.load.check import plain_text, typed_value
from lifeboat.load.read import read_raw
from lifeboat.reading import FAULT, FILE, LINE, OURS, UNREADABLE, parse_csv
from lifeboat.sql import ticked

KEY_DIGITS = 20  # 80 bits: among ten million rows two contents share a key once in 10^10 times


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
    XX: Tables to put beside the rows.
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
PARTS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "no_value": (_words, "a list of words, such as [NA], or {column: [words]}; a number in quotes"),
    "join": (lambda value: isinstance(value, list | tuple), f"a list of tables, each {TABLE}"),
    "compute": (lambda value: isinstance(value, Mapping), "{new column: SQL expression}"),
    "make_key": (lambda value: isinstance(value, bool), "true or false"),
}


def parse_needs(complete: Mapping[str, Any], key: str = "") -> Needs:
    """Read ``complete`` of a parameter file, a mapping of any of ``PARTS``.

    Args:
        complete: Such as ``{"no_value": ["NA"], "compute": {"late": "arr_delay > 15"}, "make_key": True}``; each table
            of its ``join`` as ``TABLE`` says.
        key: The name that the key has, should one be made.

    Raises:
        ParameterError: A part is unknown, missing or of another form.
    """
    for name, value in complete.items():
        if name not in PARTS:
            raise ParameterError(f"complete: {unknown('part', str(name), PARTS)}")
        fits, form = PARTS[name]
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
    if found := CODE.search(sql):
        raise ParameterError(f"compute: {name}: {sql!r} has {found[0]!r} in it, which can run code: write it without")
    if found := QUERY.search(sql):
        raise ParameterError(f"compute: {name}: {sql!r} asks a table ({found[0]!r}): name columns")


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


def complete(raw: DataFrame, schema: StructType, needs: Needs, leave_out: Iterable[str] = ()) -> DataFrame:
    """All the columns that a data set has, before they are held to its schema: made, joined and computed.

    Args:
        raw: What ``load.read_raw`` gave.
        schema: The data set's; its columns are computed with in their own types.
        needs: As ``parse_needs`` reads them.
        leave_out: Computed columns that this file is to go without, such as the label of rows to predict.
    """
    rows = without_gap_words(raw, needs)
    rows = add_key(rows, needs.made_key) if needs.made_key else rows
    for join in needs.joins:
        rows = add_joined(rows, join, needs, schema)
    without = set(leave_out)
    return add_computed(rows, schema, {name: sql for name, sql in needs.compute.items() if name not in without})


def without_gap_words(df: DataFrame, needs: Needs) -> DataFrame:
    """Null in the place of words that say that there is no value, in columns of text."""
    words = {name: needs.words(name) for name in df.columns if name not in OURS.names}
    texts = {name for name, kind in df.dtypes if kind == "string"}
    nulled = {
        name: F.when(~F.btrim(F.col(ticked(name)), F.lit(" \t")).isin(*of_column), F.col(ticked(name)))
        for name, of_column in words.items()
        if of_column and name in texts
    }
    return df.select(*[nulled.get(name, F.col(ticked(name))).alias(name) for name in df.columns]) if nulled else df


def add_key(df: DataFrame, key: str) -> DataFrame:
    """Name each row by a hash of its content: the text of all its columns, whatever their order.

    Of rows with equal content the second is ``HASH-2``, the third ``HASH-3``: which of them is which makes no
    difference. The same file has the same keys on any machine, and rows that are added leave the others' alone.
    """
    _refuse_known(df, [key], "the key to make")
    columns = sorted(name for name in df.columns if name not in (LINE, FILE, FAULT))
    content = F.to_json(F.struct(*[F.col(ticked(name)).cast("string").alias(name) for name in columns]))
    hashed = df.withColumn(key, F.substring(F.sha2(content, 256), 1, KEY_DIGITS))
    nth = F.row_number().over(Window.partitionBy(key).orderBy(key)).cast("string")
    return hashed.withColumn(key, F.when(nth == "1", F.col(key)).otherwise(F.concat_ws("-", F.col(key), nth)))


def add_joined(df: DataFrame, join: Join, needs: Needs | None = None, schema: StructType | None = None) -> DataFrame:
    """Put a table's columns beside the rows: null where a row has no partner. No row is lost, none comes twice.

    Values are the same when they are as typed: of an INT of the schema, ``7``, ``07`` and the number 7.0 are one. Of a
    column that the schema does not name the texts must be the same. Null and empty text have no partner.

    Args:
        df: The rows.
        join: The table.
        needs: Whose words for gaps hold in the table too.
        schema: The data set's.

    Raises:
        DataError: Two rows of the table have the same values in ``on``, a line of it cannot be read, or a column is
            not there.
        ParameterError: A column of the table has a name that the rows have: give it another by ``rename``.
    """
    table = read_raw(df.sparkSession, join.path, join.csv)
    broken = table.filter(F.col(FAULT).isNotNull()).first()
    if broken is not None:
        raise DataError(f"join: {join.path}: line {broken[LINE]}: {broken[FAULT]}: {broken[UNREADABLE]!r}")
    table = table.drop(*OURS.names)
    for name in (*join.rename, *join.columns):
        if name not in table.columns:
            raise DataError(f"join: {join.path}: {unknown('column', name, table.columns)}")
    table = without_gap_words(table.withColumnsRenamed(dict(join.rename)), needs or Needs())
    for side, known in ((join.path, table.columns), ("the rows", df.columns)):
        for name in join.on:
            if name not in known:
                raise DataError(f"join: {join.path}: {unknown(f'column in on ({side})', name, known)}")
    wanted = [join.rename.get(name, name) for name in join.columns] or table.columns
    wanted = [name for name in wanted if name not in join.on]
    _refuse_known(df, wanted, f"join: {join.path}: rename")
    partners = {f"lifeboat:on:{number}": name for number, name in enumerate(join.on)}
    keys = [_as_text(table, name, schema).alias(partner) for partner, name in partners.items()]
    beside = table.select(*keys, *map(ticked, wanted)).dropna(subset=list(partners))
    twice = beside.groupBy(*partners).count().filter("count > 1").orderBy(*partners).first()
    if twice is not None:
        example = ", ".join(f"{name} = {twice[partner]}" for partner, name in partners.items())
        raise DataError(
            f"join: {join.path}: {example} stands in {twice['count']} rows; each row must find one partner at most: "
            "name more columns in `on`, or keep one row of each"
        )
    meets = [_as_text(df, name, schema).eqNullSafe(F.col(partner)) for partner, name in partners.items()]
    return df.join(beside, meets, "left").drop(*partners)


def _as_text(df: DataFrame, name: str, schema: StructType | None) -> Column:
    """A column to compare by: as the schema types it, else as the text that a file would have of it."""
    came = df.schema[name].dataType
    if schema is not None and name in schema.names:
        return typed_value(schema[name], came).cast("string")
    return plain_text(name, came)


def add_computed(df: DataFrame, schema: StructType, compute: Mapping[str, str]) -> DataFrame:
    """Add columns by SQL expressions, each of which may use those before it; true and false become 1 and 0.

    Args:
        df: Rows with columns as text or typed.
        schema: A column that it names is computed with in its type (null where its text does not fit); any other as
            it came, so a number from a CSV file that the schema leaves out is text: write ``try_cast(x AS DOUBLE)``.
        compute: New column -> expression, such as ``{"late": "arr_delay > 15"}``.

    Raises:
        ParameterError: Spark cannot read an expression, it names an unknown column, or its column is there already.
    """
    if not compute:
        return df
    _refuse_known(df, compute, "compute")
    types = {name: typed_value(field, df.schema[name].dataType) for name, field in _fields(schema, df)}
    columns = [types.get(name, F.col(ticked(name))).alias(name) for name in df.columns]
    came = "lifeboat:came"
    rows = df.select(F.struct("*").alias(came), *columns)
    for name, sql in compute.items():
        try:
            rows = rows.withColumn(name, F.expr(sql))
            kind = rows.schema[name].dataType
        except (AnalysisException, ParseException) as error:
            said = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise ParameterError(f"compute: {name}: {sql!r} cannot be computed: {said}") from error
        if isinstance(kind, BooleanType):
            rows = rows.withColumn(name, F.col(name).cast("int"))
    return rows.select(f"`{came}`.*", *map(ticked, compute))


def _fields(schema: StructType, df: DataFrame) -> list[tuple[str, Any]]:
    return [(field.name, field) for field in schema if field.name in df.columns]


def _refuse_known(df: DataFrame, names: Iterable[str], what: str) -> None:
    """Raise ParameterError where a new column would have a name that is taken; Spark does not tell cases apart."""
    taken = {name.lower() for name in df.columns}
    for name in names:
        if name.lower() in taken:
            raise ParameterError(f"{what}: there is a column {name!r} already; take another name")
        taken.add(name.lower())
