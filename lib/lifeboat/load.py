"""Read a table, keep what fits its schema, set aside what does not with the reason, and split by a hash of the key."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.types import IntegralType, NumericType, StringType, StructField, StructType

from lifeboat.errors import DataError, ParameterError, unknown
from lifeboat.runfolder import resolve_input

UNREADABLE = "_unreadable"
Ranges = dict[str, list[float]]


@dataclass(frozen=True)
class Checked:
    """The rows of a file, parted in two: nothing vanishes.

    Attributes:
        rows: Those that fit: the schema's columns and types.
        rejected: The others: the file's own columns as text, and ``reasons``, an array of sentences.
    """

    rows: DataFrame
    rejected: DataFrame


def parse_schema(ddl: str) -> StructType:
    """A schema from its SQL words, such as ``"PassengerId INT NOT NULL, Age DOUBLE"``.

    Raises:
        ParameterError: The words are not a schema.
    """
    try:
        schema = StructType.fromDDL(ddl)
        if isinstance(schema, StructType):
            return schema
        raise TypeError(f"{ddl!r} is one type, no list of columns")
    except Exception as error:
        raise ParameterError(
            f"schema {ddl!r} cannot be read: write `name TYPE` or `name TYPE NOT NULL`, with commas between"
        ) from error


def read_raw(spark: SparkSession, path: str | Path) -> DataFrame:
    """A CSV file (or a folder of them) with every column as text, or a parquet folder with its own types.

    Text first, so that a value that does not fit its type is still there to be shown. A line with too many or too
    few values is kept whole in the column ``_unreadable``.

    Raises:
        DataError: There is nothing at ``path``.
    """
    place = resolve_input(path)
    if place.suffix == ".parquet" or (place.is_dir() and any(place.glob("*.parquet"))):
        return spark.read.parquet(str(place)).withColumn(UNREADABLE, F.lit(None).cast("string"))
    reader = spark.read.option("header", True).option("escape", '"')
    names = reader.csv(str(place)).columns  # reads the header line alone
    text = StructType([StructField(name, StringType()) for name in [*names, UNREADABLE]])
    return reader.option("columnNameOfCorruptRecord", UNREADABLE).schema(text).csv(str(place))


def check_rows(
    raw: DataFrame, schema: StructType, key: str, ranges: Ranges | None = None, leave_out: Iterable[str] = ()
) -> Checked:
    """Give each column its type and part the rows that fit from those that do not.

    A row does not fit when its line has too many or too few values, a value is not of its column's type or outside
    its range, a ``NOT NULL`` column is empty, or its key stands in more than one row.

    Args:
        raw: What ``read_raw`` gave: at least the columns of ``schema``; others are left out.
        schema: Names, types and which may be null.
        key: The column that names a row; ``NOT NULL`` whatever the schema says.
        ranges: Column -> ``[lowest, highest]``, both allowed; in the column's own unit.
        leave_out: Columns of the schema that this file has not, such as the label of rows to predict.

    Returns:
        Two frames, cached together so that the file is read once.

    Raises:
        DataError: The file lacks a column of the schema.
        ParameterError: ``key`` or a column of ``ranges`` is not in the schema, or a range is not two numbers.
    """
    limits = check_ranges(schema, ranges or {})
    if key not in schema.names:
        raise ParameterError(unknown("key column", key, schema.names))
    fields = [field for field in schema if field.name not in set(leave_out)]
    for name in (field.name for field in fields):
        if name not in raw.columns:
            raise DataError(unknown("column of the schema", name, [c for c in raw.columns if c != UNREADABLE]))
    spoilt = F.when(F.col(UNREADABLE).isNotNull(), F.lit("the line has too many or too few values"))
    faults = [fault(field, limits.get(field.name), required=field.name == key) for field in fields]
    times = F.count("*").over(Window.partitionBy(key))
    twice = F.when(
        F.col(key).isNotNull() & (times > 1),
        F.concat(F.lit(f"{key}: "), F.col(key).cast("string"), F.lit(" stands in "), times, F.lit(" rows")),
    )
    reasons = F.when(spoilt.isNotNull(), F.array(spoilt)).otherwise(F.array_compact(F.array(*faults, twice)))
    typed = F.struct(*[typed_value(field).alias(field.name) for field in fields])
    both = raw.select(F.struct("*").alias("raw"), typed.alias("typed"), reasons.alias("reasons")).cache()
    return Checked(
        both.filter(F.size("reasons") == 0).select("typed.*"),
        both.filter(F.size("reasons") > 0).select("raw.*", "reasons"),
    )


def check_ranges(schema: StructType, ranges: Ranges) -> Ranges:
    """Raise ParameterError unless each range is two numbers in order, for a numeric column of the schema."""
    for name, limits in ranges.items():
        if name not in schema.names:
            raise ParameterError(unknown("column in ranges", name, schema.names))
        numeric = isinstance(schema[name].dataType, NumericType)
        if not numeric or len(limits) != 2 or not limits[0] <= limits[1]:
            raise ParameterError(f"ranges: {name!r} has {limits!r}; write [lowest, highest] for a numeric column")
    return ranges


def text_value(field: StructField) -> Column:
    """A column as the text it came as: null where it is empty."""
    return F.nullif(F.col(field.name).cast("string"), F.lit(""))


def typed_value(field: StructField) -> Column:
    """A column in its type: null where the text is empty or does not fit."""
    return text_value(field).try_cast(field.dataType)


def fault(field: StructField, limits: list[float] | None, required: bool) -> Column:
    """What is wrong with a column's value, as a sentence; null where nothing is."""
    text, value = text_value(field), typed_value(field)
    named = F.lit(f"{field.name}: ")
    kind = "a whole number" if isinstance(field.dataType, IntegralType) else f"of type {field.dataType.simpleString()}"
    wrong = F.when(text.isNotNull() & value.isNull(), F.concat(named, F.lit("'"), text, F.lit(f"' is not {kind}")))
    if limits:
        outside = F.lit(f" is outside {limits[0]:g} to {limits[1]:g}")
        wrong = wrong.when(~value.between(*limits), F.concat(named, text, outside))
    if required or not field.nullable:
        wrong = wrong.when(text.isNull(), F.concat(named, F.lit("missing")))
    return wrong


def share(key: str, salt: str) -> Column:
    """A number in [0, 1) that only the row's key and ``salt`` decide, on any machine, in any order."""
    salted = F.concat(F.lit(f"{salt}:"), F.col(key).cast("string"))
    return F.pmod(F.xxhash64(salted), F.lit(1_000_000)) / F.lit(1_000_000)


def mark_holdout(df: DataFrame, key: str, fraction: float, seed: int) -> DataFrame:
    """Add the boolean column ``holdout``: true for about ``fraction`` of the rows, chosen by a hash of the key."""
    if not 0 < fraction < 1:
        raise ParameterError(f"holdout_fraction is {fraction}; it must lie between 0 and 1, such as 0.2")
    return df.withColumn("holdout", share(key, f"holdout-{seed}") < F.lit(fraction))


def count_missing(df: DataFrame) -> dict[str, int]:
    """Column -> number of rows without a value, in one pass."""
    return df.agg(*[F.count_if(F.col(name).isNull()).alias(name) for name in df.columns]).collect()[0].asDict()


def rates(df: DataFrame, label: str, by: str | Column) -> list[tuple[str, int, int]]:
    """How often the label is 1, for each value of a column: (value, rows with label 1, rows), in order of the value.

    Args:
        df: A frame with the column ``label`` of 0 and 1.
        label: The label's name.
        by: A column or an expression with few values; null is a value of its own, written ``missing``.
    """
    column = F.col(by) if isinstance(by, str) else by
    value = F.coalesce(column.cast("string"), F.lit("missing")).alias("value")
    grouped = df.groupBy(value).agg(F.count("*").alias("n"), F.sum(label).alias("positives"))
    return [(row.value, row.positives, row.n) for row in grouped.orderBy("value").collect()]


def describe(schema: StructType, key: str, label: str, ranges: Ranges) -> dict[str, Any]:
    """The schema as later stages read it from ``schema.json``: key, label, and each column's type and limits."""
    columns = [
        {
            "name": field.name,
            "type": field.dataType.simpleString(),
            "nullable": field.nullable,
            "minimum": ranges.get(field.name, [None, None])[0],
            "maximum": ranges.get(field.name, [None, None])[1],
        }
        for field in schema
    ]
    return {"key": key, "label": label, "columns": columns}


def write_json(path: Path, content: object) -> None:
    """Write ``content`` as JSON for people: indented, in the order given."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
