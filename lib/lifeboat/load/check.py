"""Keep what fits its schema, and set aside what does not with the reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BooleanType,
    DataType,
    FractionalType,
    IntegralType,
    NumericType,
    StringType,
    StructField,
    StructType,
)

from lifeboat.errors import DataError, ParameterError, unknown
from lifeboat.load.read import UNREADABLE
from lifeboat.load.schema import Ranges, check_ranges

TEXT = StringType()


@dataclass(frozen=True)
class Checked:
    """The rows of a file, parted in two: nothing vanishes.

    Attributes:
        rows: Those that fit: the schema's columns and types.
        rejected: The others: the file's own columns as text, and ``reasons``, an array of sentences.
    """

    rows: DataFrame
    rejected: DataFrame


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
    came = {field.name: field.dataType for field in raw.schema}
    faults = [fault(field, came[field.name], limits.get(field.name), required=field.name == key) for field in fields]
    times = F.count("*").over(Window.partitionBy(key))
    twice = F.when(
        F.col(key).isNotNull() & (times > 1),
        F.concat(F.lit(f"{key}: "), F.col(key).cast("string"), F.lit(" stands in "), times, F.lit(" rows")),
    )
    reasons = F.when(spoilt.isNotNull(), F.array(spoilt)).otherwise(F.array_compact(F.array(*faults, twice)))
    typed = F.struct(*[typed_value(field, came[field.name]).alias(field.name) for field in fields])
    both = raw.select(F.struct("*").alias("raw"), typed.alias("typed"), reasons.alias("reasons")).cache()
    return Checked(
        both.filter(F.size("reasons") == 0).select("typed.*"),
        both.filter(F.size("reasons") > 0).select("raw.*", "reasons"),
    )


def plain_text(name: str, came: DataType) -> Column:
    """A column as the text that a file would have of it: null where it is empty, 7 for the double 7.0."""
    text = F.col(name).cast("string")
    if isinstance(came, FractionalType):
        whole = F.col(name).try_cast("bigint")
        text = F.when(whole == F.col(name), whole.cast("string")).otherwise(text)
    return F.nullif(text, F.lit(""))


def text_value(field: StructField, came: DataType) -> Column:
    """A column as the text it came as, or would have: true is 1 where a number is wanted."""
    if isinstance(came, BooleanType) and isinstance(field.dataType, NumericType):
        return F.col(field.name).cast("int").cast("string")
    if isinstance(field.dataType, FractionalType):
        return F.nullif(F.col(field.name).cast("string"), F.lit(""))
    return plain_text(field.name, came)


def typed_value(field: StructField, came: DataType = TEXT) -> Column:
    """A column in its type: null where the text is empty or does not fit."""
    return text_value(field, came).try_cast(field.dataType)


def fault(field: StructField, came: DataType, limits: list[float] | None, required: bool) -> Column:
    """What is wrong with a column's value, as a sentence; null where nothing is."""
    text, value = text_value(field, came), typed_value(field, came)
    named = F.lit(f"{field.name}: ")
    kind = "a whole number" if isinstance(field.dataType, IntegralType) else f"of type {field.dataType.simpleString()}"
    wrong = F.when(text.isNotNull() & value.isNull(), F.concat(named, F.lit("'"), text, F.lit(f"' is not {kind}")))
    if limits:
        outside = F.lit(f" is outside {limits[0]:g} to {limits[1]:g}")
        wrong = wrong.when(~value.between(*limits), F.concat(named, text, outside))
    if required or not field.nullable:
        wrong = wrong.when(text.isNull(), F.concat(named, F.lit("missing")))
    return wrong
