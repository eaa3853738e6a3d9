"""Keep what fits its schema, and set aside what does not with the reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StructField, StructType

from lifeboat.errors import DataError, ParameterError, unknown
from lifeboat.load.schema import Ranges, check_ranges
from lifeboat.parameters.names import PREFIX
from lifeboat.reading import ERROR, OURS
from lifeboat.scoring import declared
from lifeboat.spark.sql import quoted, ticked
from lifeboat.spark.typed import has_values, in_file, is_gap, typed_value

RAW, TYPED, REASONS = f"{PREFIX}raw", f"{PREFIX}typed", f"{PREFIX}reasons"


@dataclass(frozen=True)
class Checked:
    """The rows of a file, parted in two: nothing vanishes.

    Attributes:
        rows: Those that fit: the schema's columns and types.
        rejected: The others: the file's own columns as they came, and ``lifeboat:reasons``, an array of sentences.
    """

    rows: DataFrame
    rejected: DataFrame


def check_rows(
    raw: DataFrame, schema: StructType, key: str, ranges: Ranges | None = None, leave_out: Iterable[str] = ()
) -> Checked:
    """Give each column its type and part the rows that fit from those that do not.

    A row does not fit when its record cannot be read, a value is not of its column's type or outside
    its range, a ``NOT NULL`` column is empty, or its key (in its type: 7 and 07 are one INT) stands in more than one
    row. What each type takes is said in ``lifeboat.scoring.declared``. Spark types and keeps the
    rows at once, to see whether a key stands twice.

    Args:
        raw: What ``read_raw`` gave: at least the columns of ``schema``; others are left out.
        schema: Names, types and which may be null.
        key: The column that names a row; ``NOT NULL`` whatever the schema says.
        ranges: Column -> ``[lowest, highest]``, both allowed; in the column's own unit.
        leave_out: Columns of the schema that this file has not, such as the label of rows to predict.

    Returns:
        Two frames, cached together so that the file is read once.

    Raises:
        DataError: The file lacks a column of the schema, or has it in a type that cannot become the schema's.
        ParameterError: ``key`` or a column of ``ranges`` is not in the schema, or a range is not two numbers.
    """
    limits = check_ranges(schema, ranges or {})
    if key not in schema.names:
        raise ParameterError(unknown("key column", key, schema.names))
    fields = [field for field in schema if field.name not in set(leave_out)]
    file = raw.schema
    _check_columns(file, fields)
    came = {field.name: field.dataType for field in file}
    typed = F.struct(*[typed_value(field, came[field.name]).alias(field.name) for field in fields])
    rows = raw.select(
        F.struct(*[ticked(column.name) for column in file if has_values(column)]).alias(RAW), typed.alias(TYPED)
    )
    errors = [error(field, came[field.name], limits.get(field.name), required=field.name == key) for field in fields]
    unread = F.col(RAW).getField(ERROR) if ERROR in file.names else F.lit(None).cast("string")
    both = _with_reasons(rows, unread, errors).cache()
    if _has_twice(both, key):  # found by a shuffle of whole rows, so not looked for where there is none
        both.unpersist()
        both = _with_reasons(rows, unread, [*errors, _twice(key)]).cache()
    return Checked(
        both.filter(F.size(REASONS) == 0).select(f"{ticked(TYPED)}.*"),
        both.filter(F.size(REASONS) > 0).select(f"{ticked(RAW)}.*", REASONS),
    )


def _check_columns(file: StructType, fields: Iterable[StructField]) -> None:
    """Raise DataError unless the file has each column of the schema, in a type that can become the declared one."""
    for field in fields:
        if field.name not in file.names:
            raise DataError(unknown("column of the schema", field.name, set(file.names) - set(OURS.names)))
        if refused := declared.refusal(field.name, *in_file(file[field.name]), field.dataType.simpleString()):
            raise DataError(refused)


def _with_reasons(rows: DataFrame, unread: Column, errors: list[Column]) -> DataFrame:
    """Beside the rows what is wrong with each. Of one that fits its typed form is enough: both take twice as long."""
    reasons = F.when(unread.isNotNull(), F.array(unread)).otherwise(F.array_compact(F.array(*errors)))
    return rows.withColumn(REASONS, reasons).withColumn(RAW, F.when(F.size(REASONS) > 0, F.col(RAW)))


def _has_twice(rows: DataFrame, key: str) -> bool:
    """Whether a typed key stands in more than one row; null does not count."""
    value = F.col(TYPED).getField(key)
    counted = rows.agg(F.count(value).alias("all"), F.count_distinct(value).alias("distinct")).first()
    return counted is not None and bool(counted["all"] > counted["distinct"])


def _twice(key: str) -> Column:
    """That a key stands in more than one row, as a sentence; null where it does not."""
    value = F.col(TYPED).getField(key)
    times = F.count("*").over(Window.partitionBy(value))
    message = F.concat(F.lit(f"{key}: "), value.cast("string"), F.lit(" stands in "), times, F.lit(" rows"))
    return F.when(value.isNotNull() & (times > 1), message)


def error(field: StructField, came: DataType, limits: list[float] | None, required: bool) -> Column:
    """What is wrong with a column's value, as a sentence; null where nothing is."""
    raw, value = (f"{ticked(struct)}.{ticked(field.name)}" for struct in (RAW, TYPED))
    gap, named, text = is_gap(raw, came), quoted(f"{field.name}: "), f"CAST({raw} AS STRING)"
    unfit = quoted(f"' is not {declared.KIND_WORDS[field.dataType.simpleString()]}")
    cases = [f"WHEN NOT {gap} AND {value} IS NULL THEN concat({named}, '\\'', {text}, {unfit})"]
    if limits:
        low, high = (f"double('{limit!r}')" if isinstance(limit, float) else str(limit) for limit in limits)
        outside = quoted(f" is outside {limits[0]:g} to {limits[1]:g}")
        cases.append(f"WHEN {value} NOT BETWEEN {low} AND {high} THEN concat({named}, {text}, {outside})")
    if required or not field.nullable:
        cases.append(f"WHEN {gap} THEN {quoted(f'{field.name}: missing')}")
    return F.expr(f"CASE {' '.join(cases)} END")
