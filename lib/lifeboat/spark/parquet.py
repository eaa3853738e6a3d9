"""Parquet as Spark should see it: times of any unit as times, and what Spark does not read as what it is."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from pyarrow import types
from pyspark.sql import Column, DataFrame, DataFrameReader, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from lifeboat.reading.arrow import family
from lifeboat.scoring import declared
from lifeboat.spark.sql import ticked
from lifeboat.spark.typed import CAME, FAMILY

NANOS = "spark.sql.legacy.parquet.nanosAsLong"
_SPARKS = {  # how Spark reads Arrow's types that it does not have itself
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.decimal128(20, 0),
    pa.null(): pa.int32(),
    pa.date64(): pa.date32(),
    pa.string_view(): pa.string(),
    pa.binary_view(): pa.binary(),
}


def read_parquet(reader: DataFrameReader, paths: Sequence[str], file: pa.Schema, differ: bool = False) -> DataFrame:
    """Parquet files by Spark, with a type for each column that ``check_rows`` can judge.

    Nanoseconds become microseconds, cut towards the past. A column that Spark does not read (times of day, float16,
    decimals of more than 38 digits) is there without its values, and like a duration, which Spark takes for a number,
    is marked as what it is: only a schema that wants it is refused.

    Args:
        reader: With the options that it needs.
        paths: The files.
        file: Their columns, as Arrow has them.
        differ: Whether some file has a narrower type than ``file`` says.
    """
    marked = {field.name: field.type for field in file if _misread(field.type) or not _readable(field.type)}
    nanos = [field.name for field in file if types.is_timestamp(field.type) and field.type.unit == "ns"]
    if nanos:
        active = SparkSession.active()
        active.conf.set(NANOS, "true")  # Spark refuses the whole file otherwise
    unread = [name for name, kind in marked.items() if not _misread(kind)]
    if unread or differ:
        read = [field.with_type(_as_spark_reads(field.type)) for field in file if field.name not in unread]
        reader = reader.schema(from_arrow_schema(pa.schema(read)))
    rows = reader.parquet(*paths)
    columns = {name: _micros(F.col(ticked(name))) for name in nanos}
    for name, kind in marked.items():
        values = F.lit(None) if name in unread else F.col(ticked(name))
        columns[name] = values.alias(name, metadata={CAME: str(kind), FAMILY: family(kind)})
    return rows.withColumns(columns) if columns else rows


def _misread(kind: pa.DataType) -> bool:
    """Whether Spark takes a type for whole numbers, which it is not."""
    return bool(types.is_duration(kind) or types.is_null(kind))


def _readable(kind: pa.DataType) -> bool:
    """Whether Spark reads a type, and all that is within it."""
    if types.is_dictionary(kind):
        return _readable(kind.value_type)
    if types.is_nested(kind):
        return all(_readable(kind.field(index).type) for index in range(kind.num_fields))
    return not types.is_time(kind) and family(kind) != declared.UNREAD


def _as_spark_reads(kind: pa.DataType) -> pa.DataType:
    if types.is_dictionary(kind):
        return _as_spark_reads(kind.value_type)
    if types.is_struct(kind):
        return pa.struct([field.with_type(_as_spark_reads(field.type)) for field in kind])
    if types.is_map(kind):
        return pa.map_(_as_spark_reads(kind.key_type), _as_spark_reads(kind.item_type))
    if types.is_nested(kind):  # a list of any sort
        return pa.list_(_as_spark_reads(kind.value_type))
    if types.is_duration(kind) or (types.is_timestamp(kind) and kind.unit == "ns"):
        return pa.int64()
    return _SPARKS.get(kind, kind)


def _micros(nanos: Column) -> Column:
    """Nanoseconds as a point in time: exactly, and towards the past as Python's // does."""
    early = F.when((nanos < 0) & (nanos % 1000 != 0), 1).otherwise(0)
    return F.timestamp_micros(F.call_function("div", nanos, F.lit(1000)) - early)
