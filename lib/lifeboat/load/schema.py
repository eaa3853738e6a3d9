"""What is said of a table's columns: their types, which may be null, and between what they lie."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql.types import IntegralType, NumericType, StringType, StructField, StructType

from lifeboat.errors import ParameterError, unknown
from lifeboat.scoring.declared import type_error

Ranges = dict[str, list[float]]


def parse_schema(ddl: str, required: Iterable[str] = (), made_key: str = "") -> StructType:
    """A schema from its SQL words, such as ``"PassengerId INT NOT NULL, Age DOUBLE"``.

    Args:
        ddl: The words.
        required: Columns that are ``NOT NULL`` whatever the words say; an empty name counts for none.
        made_key: A key that no file has: ``STRING NOT NULL``, and first.

    Raises:
        ParameterError: The words are not a schema, a type is none of ``declared.DECLARED``, or it lacks a required
            column.
    """
    try:
        schema = StructType.fromDDL(ddl)
        if not isinstance(schema, StructType):
            raise TypeError(f"{ddl!r} is one type, no list of columns")
    except Exception as error:
        raise ParameterError(
            f"schema {ddl!r} cannot be read: write `name TYPE` or `name TYPE NOT NULL`, with commas between"
        ) from error
    for field in schema:
        if wrong := type_error(field.name, field.dataType.simpleString()):
            raise ParameterError(f"schema: {wrong}")
    fields = [StructField(made_key, StringType())] if made_key and made_key not in schema.names else []
    schema = StructType([*fields, *schema.fields])
    for name in filter(None, [*required, made_key]):
        if name not in schema.names:
            raise ParameterError(unknown("column that the schema must have", name, schema.names))
        schema[name].nullable = False
    return schema


def with_label(schema: StructType, label: str, ranges: Ranges) -> Ranges:
    """The ranges with the label's own, 0 to 1, unless they have one.

    Raises:
        ParameterError: The label is no whole number in the schema.
    """
    if label not in schema.names:
        raise ParameterError(unknown("label", label, schema.names))
    if not isinstance(schema[label].dataType, IntegralType):
        kind = schema[label].dataType.simpleString()
        raise ParameterError(f"schema: the label {label!r} is {kind}; write INT: 0 or 1 (true becomes 1, false 0)")
    return {label: [0, 1], **ranges}


def check_ranges(schema: StructType, ranges: Ranges) -> Ranges:
    """Raise ParameterError unless each range is two numbers in order, for a numeric column of the schema."""
    for name, limits in ranges.items():
        if name not in schema.names:
            raise ParameterError(unknown("column in ranges", name, schema.names))
        numeric = isinstance(schema[name].dataType, NumericType)
        if not numeric or len(limits) != 2 or not limits[0] <= limits[1]:
            raise ParameterError(f"ranges: {name!r} has {limits!r}; write [lowest, highest] for a numeric column")
    return ranges
