"""Keep what fits its schema, and set aside what does not with the reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BooleanType,
    DataType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegralType,
    NumericType,
    StringType,
    StructField,
    StructType,
    TimestampNTZType,
    TimestampType,
)

from lifeboat.errors import DataError, ParameterError, unknown
from lifeboat.load.schema import Ranges, check_ranges
from lifeboat.names import REASONS
from lifeboat.reading import FAULT, OURS
from lifeboat.serving.fields import FORMS, KIND_WORDS, SPANS
from lifeboat.sql import ticked

TEXT = StringType()
TIMES = (DateType, TimestampType, TimestampNTZType)


@dataclass(frozen=True)
class Checked:
    """The rows of a file, parted in two: nothing vanishes.

    Attributes:
        rows: Those that fit: the schema's columns and types.
        rejected: The others: the columns as ``read_raw`` gave them, and ``lifeboat:reasons``, an array of sentences.
    """

    rows: DataFrame
    rejected: DataFrame


def check_rows(
    raw: DataFrame, schema: StructType, key: str, ranges: Ranges | None = None, leave_out: Iterable[str] = ()
) -> Checked:
    """Give each column its type and part the rows that fit from those that do not.

    A row does not fit when its record cannot be read, a value is not of its column's type or outside its range, a
    ``NOT NULL`` column has a gap, or its key, as typed, stands in more than one row.

    Args:
        raw: What ``read_raw`` gave: at least the columns of ``schema``; others are left out.
        schema: Names, types and which may be null.
        key: The column that names a row; ``NOT NULL`` whatever the schema says.
        ranges: Column -> ``[lowest, highest]``, both allowed; in the column's own unit.
        leave_out: Columns of the schema that this file has not, such as the label of rows to predict.

    Returns:
        Two frames, cached together so that the file is read once.

    Raises:
        DataError: The file lacks a column of the schema, or has one of a type that its declared type cannot take.
        ParameterError: ``key`` or a column of ``ranges`` is not in the schema, or a range is not two numbers.
    """
    limits = check_ranges(schema, ranges or {})
    if key not in schema.names:
        raise ParameterError(unknown("key column", key, schema.names))
    fields = [field for field in schema if field.name not in set(leave_out)]
    types = {field.name: field.dataType for field in raw.schema}
    for field in fields:
        if field.name not in types:
            raise DataError(unknown("column of the schema", field.name, set(types) - set(OURS.names)))
        refuse_pair(field, types[field.name])
    unreadable = F.col(FAULT) if FAULT in types else F.lit(None).cast("string")
    faults = [fault(field, types[field.name], limits.get(field.name), field.name == key) for field in fields]
    key_value = typed_value(schema[key], types[key])
    times = F.count("*").over(Window.partitionBy(key_value))
    twice = F.when(
        key_value.isNotNull() & (times > 1),
        F.concat(F.lit(f"{key}: "), key_value.cast("string"), F.lit(" stands in "), times, F.lit(" rows")),
    )
    reasons = F.when(unreadable.isNotNull(), F.array(unreadable)).otherwise(F.array_compact(F.array(*faults, twice)))
    typed = F.struct(*[typed_value(field, types[field.name]).alias(field.name) for field in fields])
    both = raw.select(F.struct("*").alias("raw"), typed.alias("typed"), reasons.alias(REASONS)).cache()
    return Checked(
        both.filter(F.size(REASONS) == 0).select("typed.*"),
        both.filter(F.size(REASONS) > 0).select("raw.*", REASONS),
    )


def refuse_pair(field: StructField, came: DataType) -> None:
    """Raise DataError where no value of a file's type can be one of the declared type."""
    declared = field.dataType
    if isinstance(came, StringType | BooleanType | NumericType):
        if isinstance(came, StringType) or not isinstance(declared, TIMES):
            return
        mend = "compute a date of it, such as date_from_unix_date or timestamp_seconds"
    elif isinstance(came, TIMES):
        if isinstance(declared, StringType | TIMES):
            return
        mend = "declare it DATE, TIMESTAMP or STRING, or compute a number of it, such as hour or datediff"
    else:
        mend = "leave it out of the schema, or compute a plain value of it"
    raise DataError(
        f"column {field.name!r} is {came.simpleString()} in the file, {declared.simpleString()} in the schema: {mend}"
    )


def plain_text(name: str, came: DataType) -> Column:
    """A column as the text that a file would have of it: null where it is empty, 7 for the double 7.0.

    A number with a fraction is text as Spark writes it.
    """
    value = F.col(ticked(name))
    text = value.cast("string")
    if isinstance(came, NumericType) and not isinstance(came, IntegralType):
        text = F.coalesce(_digits(value, came), F.when(~_is_nan(value, came), text))
    return F.nullif(text, F.lit(""))


def _is_nan(value: Column, came: DataType) -> Column:
    return F.isnan(value) if isinstance(came, DoubleType | FloatType) else F.lit(False)


def _digits(value: Column, came: DataType) -> Column:
    """A whole number's digits; null for any other."""
    if isinstance(came, DecimalType):
        whole = value.cast(DecimalType(38, 0))
        return F.when(whole == value, whole.cast("string"))
    whole = value.try_cast("bigint")
    return F.when(whole == value, whole.cast("string"))


def typed_value(field: StructField, came: DataType = TEXT) -> Column:
    """A column in its declared type: null where there is a gap, or the value is none of that type.

    What a value of each of a file's types is under each declared type is said in ``serving.fields``; this is the same
    as Spark's expressions.
    """
    value, declared = F.col(ticked(field.name)), field.dataType
    if isinstance(came, StringType):
        return _from_text(value, declared)
    if isinstance(declared, StringType):
        return F.nullif(_to_text(value, came), F.lit(""))
    if isinstance(came, TIMES) or type(came) is type(declared):
        return _finite(value.cast(declared)) if isinstance(declared, DoubleType) else value.cast(declared)
    if isinstance(declared, BooleanType):
        return F.when(value == 1, True).when(value == 0, False)
    if isinstance(came, BooleanType):
        return value.cast("int").cast(declared)
    if isinstance(declared, IntegralType):
        whole = value.try_cast("bigint")
        return F.when(whole == value, whole.try_cast(declared))
    return _finite(value.cast(declared)) if isinstance(declared, DoubleType) else value.try_cast(declared)


def _from_text(text: Column, declared: DataType) -> Column:
    form = FORMS.get(declared.simpleString())
    if form is None:
        return F.nullif(text, F.lit("")).try_cast(declared)
    trimmed = F.btrim(text, F.lit(" \t"))
    if isinstance(declared, IntegralType):
        trimmed = F.regexp_replace(trimmed, r"\.0*$", "")
    value = F.when(text.rlike(rf"^(?:{form})\z"), trimmed).try_cast(declared)
    return _finite(value) if isinstance(declared, DoubleType) else value


def _to_text(value: Column, came: DataType) -> Column:
    if isinstance(came, NumericType) and not isinstance(came, IntegralType):
        return _digits(value, came)
    return value.cast("string")


def _finite(value: Column) -> Column:
    low, high = SPANS["double"]
    return F.when(value.between(low, high), value)


def fault(field: StructField, came: DataType, limits: list[float] | None, required: bool) -> Column:
    """What is wrong with a column's value, as a sentence; null where nothing is."""
    raw, value = F.col(ticked(field.name)), typed_value(field, came)
    shown = plain_text(field.name, came) if isinstance(came, StringType | NumericType) else raw.cast("string")
    missing = shown.isNull()
    named, kind = F.lit(f"{field.name}: "), KIND_WORDS.get(field.dataType.simpleString(), field.dataType.simpleString())
    wrong = F.when(~missing & value.isNull(), F.concat(named, F.lit("'"), shown, F.lit(f"' is not {kind}")))
    if limits:
        outside = F.lit(f" is outside {limits[0]:g} to {limits[1]:g}")
        wrong = wrong.when(~value.between(*limits), F.concat(named, shown, outside))
    if required or not field.nullable:
        wrong = wrong.when(missing, F.concat(named, F.lit("missing")))
    return wrong
