"""Enrich the rows before they are held to a schema: a key, other tables' columns, computed ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, StructType

from lifeboat.errors import DataError, ParameterError, unknown
from lifeboat.load.check import RAW
from lifeboat.load.enrichment import Enrichment
from lifeboat.load.read import read_raw
from lifeboat.parameters.enrich import Enrich, Join
from lifeboat.reading import ERROR, FILE, LINE, OURS, UNREADABLE
from lifeboat.spark.sql import ticked
from lifeboat.spark.typed import plain_text, typed_value

KEY_DIGITS = 20  # 80 bits: among ten million rows two contents share a key once in 10^10 times


def enrich(raw: DataFrame, schema: StructType, enrichment: Enrichment, leave_out: Iterable[str] = ()) -> DataFrame:
    """All the columns that a data set has, before they are held to its schema: made, joined and computed.

    Args:
        raw: What ``load.read_raw`` gave.
        schema: The data set's; its columns are computed with in their own types.
        enrichment: As ``load.read_enrichment`` gave it.
        leave_out: Computed columns that this file is to go without, such as the label of rows to predict.
    """
    spec = enrichment.enrich
    rows = without_gap_words(raw, spec)
    rows = add_key(rows, enrichment.made_key) if enrichment.made_key else rows
    for join in spec.join:
        rows = add_joined(rows, join, spec, schema)
    without = set(leave_out)
    return add_computed(rows, schema, {name: sql for name, sql in spec.compute.items() if name not in without})


def without_gap_words(df: DataFrame, spec: Enrich) -> DataFrame:
    """Null in the place of words that say that there is no value, in columns of text."""
    texts = [name for name, kind in df.dtypes if kind == "string" and name not in OURS.names]
    gaps = {name: words for name in texts if (words := spec.words(name))}
    blank = F.lit(" \t")
    nulled = {name: F.when(~F.btrim(ticked(name), blank).isin(*gaps[name]), F.col(ticked(name))) for name in gaps}
    return df.withColumns(nulled) if nulled else df


def add_key(df: DataFrame, key: str) -> DataFrame:
    """Name each row by a hash of its content: the text of all its columns, whatever their order.

    Of rows with equal content the second is ``HASH-2``, the third ``HASH-3``: which of them is which makes no
    difference. The same file has the same keys on any machine, and rows that are added leave the others' alone.
    """
    _refuse_known(df, [key], "the key to make")
    columns = sorted(name for name in df.columns if name not in (LINE, FILE, ERROR))
    content = F.to_json(F.struct(*[F.col(ticked(name)).cast("string").alias(name) for name in columns]))
    hashed = df.withColumn(key, F.substring(F.sha2(content, 256), 1, KEY_DIGITS))
    named = F.col(ticked(key))
    nth = F.row_number().over(Window.partitionBy(named).orderBy(named)).cast("string")
    return hashed.withColumn(key, F.when(nth == "1", named).otherwise(F.concat_ws("-", named, nth)))


def add_joined(df: DataFrame, join: Join, spec: Enrich | None = None, schema: StructType | None = None) -> DataFrame:
    """Put a table's columns beside the rows: null where a row has no partner. No row is lost, none comes twice.

    Values are the same when they are as typed: of an INT of the schema, ``7``, ``07`` and the number 7.0 are one. Of a
    column that the schema does not name the texts must be the same. Null and empty text have no partner.

    Args:
        df: The rows.
        join: The table.
        spec: Whose words for gaps hold in the table too.
        schema: The data set's.

    Raises:
        DataError: Two rows of the table have the same values in ``on``, a line of it cannot be read, or a column is
            not there.
        ParameterError: A column of the table has a name that the rows have: give it another by ``rename``.
    """
    table = read_raw(df.sparkSession, join.path, join.csv)
    broken = table.filter(F.col(ERROR).isNotNull()).first()
    if broken is not None:
        raise DataError(f"join: {join.path}: line {broken[LINE]}: {broken[ERROR]}: {broken[UNREADABLE]!r}")
    table = table.drop(*OURS.names)
    for name in (*join.rename, *join.columns):
        if name not in table.columns:
            raise DataError(f"join: {join.path}: {unknown('column', name, table.columns)}")
    table = without_gap_words(table.withColumnsRenamed(dict(join.rename)), spec or Enrich())
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
    came = {field.name: field.dataType for field in df.schema}
    types = {field.name: typed_value(field, came[field.name]) for field in schema if field.name in came}
    columns = [types.get(name, F.col(ticked(name))).alias(name) for name in df.columns]
    rows = df.select(F.struct("*").alias(RAW), *columns)
    for name, sql in compute.items():
        try:
            rows = rows.withColumn(name, F.expr(sql))
            kind = rows.schema[name].dataType
        except (AnalysisException, ParseException) as error:
            message = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise ParameterError(f"compute: {name}: {sql!r} cannot be computed: {message}") from error
        if isinstance(kind, BooleanType):
            rows = rows.withColumn(name, F.col(ticked(name)).cast("int"))
    return rows.select(f"{ticked(RAW)}.*", *map(ticked, compute))


def _refuse_known(df: DataFrame, names: Iterable[str], where: str) -> None:
    """Raise ParameterError where a new column would have a name that is taken; Spark does not tell cases apart."""
    taken = {name.lower() for name in df.columns}
    for name in names:
        if name.lower() in taken:
            raise ParameterError(f"{where}: there is a column {name!r} already; take another name")
        taken.add(name.lower())
