"""Columns as the preprocessing stages take them: checked, gaps as null, looked up in a table."""

from __future__ import annotations

from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, NumericType, StringType

from lifeboat.errors import DataError, unknown
from lifeboat.spark.sql import ticked


def column_of(df: DataFrame, name: str, *allowed: type[DataType]) -> Column:
    """The column ``name`` of ``df``.

    Raises:
        DataError: There is no such column, or its type is none of ``allowed``.
    """
    if name not in df.columns:
        raise DataError(unknown("column", name, df.columns))
    kind = df.schema[name].dataType
    if not isinstance(kind, allowed):
        names = " or ".join(kind.__name__.removesuffix("Type").lower() for kind in allowed)
        raise DataError(f"column {name!r} is {kind.simpleString()}; this stage takes {names}: cast it when you load it")
    return F.col(ticked(name))


def number_or_null(df: DataFrame, name: str) -> Column:
    """A numeric column as double, NaN as null: both mean that nobody wrote the value down."""
    value = column_of(df, name, NumericType).cast("double")
    return F.when(~F.isnan(value), value)


def text_or_null(df: DataFrame, name: str) -> Column:
    """A string column, the empty string as null: a CSV file cannot tell the two apart, so no stage does."""
    value = column_of(df, name, StringType)
    return F.when(value != "", value)


def look_up(table: dict[str, Any], key: Column) -> Column:
    """The value that ``table`` has for the string column ``key``; null for a key that it has not."""
    if not table:
        return F.lit(None)
    return F.create_map(*[F.lit(value) for item in sorted(table.items()) for value in item])[key]
