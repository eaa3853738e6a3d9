"""A file's column in its declared type, as Spark's expressions: what ``lifeboat.scoring.declared`` says in Python."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.types import DataType, StructField

from lifeboat.scoring import declared
from lifeboat.scoring.declared import DATE, DECIMAL, FLOAT, TEXT, TIME, TRUTH, WHOLE_NUMBER
from lifeboat.spark.sql import quoted, ticked

STRING = T.StringType()
CAME, FAMILY = "lifeboat:type", "lifeboat:family"  # a column's metadata, where Spark's type does not tell what it is
FAMILIES: dict[str, tuple[type[DataType], ...]] = {  # the first that fits: a decimal is fractional too
    DECIMAL: (T.DecimalType,),
    FLOAT: (T.FractionalType,),
    WHOLE_NUMBER: (T.IntegralType,),
    declared.NULLS: (T.NullType,),
    TRUTH: (T.BooleanType,),
    TEXT: (T.StringType,),
    DATE: (T.DateType,),
    TIME: (T.TimestampType, T.TimestampNTZType),
    declared.NESTED: (T.ArrayType, T.MapType, T.StructType, T.VariantType),
    declared.BINARY: (T.BinaryType,),
}


def family(came: DataType) -> str:
    """Which of ``declared``'s families a type of a file is of."""
    return next((name for name, kinds in FAMILIES.items() if isinstance(came, kinds)), declared.SPAN)


def in_file(field: StructField) -> tuple[str, str]:
    """What a column of a file is, in the file's words, and of which family."""
    marks = field.metadata or {}
    return marks.get(CAME, field.dataType.simpleString()), marks.get(FAMILY, family(field.dataType))


def has_values(field: StructField) -> bool:
    """Whether Spark read a column of a file: of a type that it does not know there is the name alone."""
    return CAME not in (field.metadata or {}) or not isinstance(field.dataType, T.NullType)


def plain_text(name: str, came: DataType) -> Column:
    """A column as the text that a file would have of it: null where it is empty, 7 for the double 7.0."""
    value = ticked(name)
    text = f"CAST({value} AS STRING)"
    if isinstance(came, T.FractionalType):
        text = f"coalesce({_of_number(value, family(came), 'string')}, {text})"
    return F.expr(f"nullif({text}, '')")


def is_gap(value: str, came: DataType) -> str:
    """SQL that asks whether a value says that there is none: null, NaN or an empty text."""
    empty = {FLOAT: f" OR isnan({value})", TEXT: f" OR {value} = ''"}.get(family(came), "")
    return f"({value} IS NULL{empty})"


def typed_value(field: StructField, came: DataType = STRING) -> Column:
    """A column in its declared type: null where there is no value, or one that does not fit."""
    value, wanted, kind = ticked(field.name), field.dataType.simpleString(), family(came)
    if kind not in declared.TAKES[wanted]:
        return F.lit(None).cast(wanted)
    # as SQL: Spark reads a sentence much faster than Python builds one, word by word
    return F.expr(f"IF({is_gap(value, came)}, NULL, {_CONVERT[kind](value, kind, wanted)})")


def _of_number(value: str, kind: str, wanted: str) -> str:
    if wanted == "double":
        return f"IF({_FINITE.format(value)}, CAST({value} AS DOUBLE), NULL)"
    whole = _WHOLE[kind].format(value)
    if wanted == "boolean":
        return f"CASE WHEN {whole} = 1 THEN true WHEN {whole} = 0 THEN false END"
    return f"try_cast({whole} AS {wanted})"


def _of_text(value: str, kind: str, wanted: str) -> str:
    if wanted == "string":
        return value
    if wanted in declared.WHOLES:
        cast = f"try_cast(regexp_replace({value}, {quoted(_POINT)}, '') AS {wanted})"
    else:
        cast = f"try_cast({value} AS {wanted})"
    fits = {"double": _FINITE, **dict.fromkeys(declared.TIMES, _IN_YEARS)}.get(wanted, "true").format(cast)
    whole = quoted(rf"\A(?:{declared.PATTERNS[wanted]})\z")
    return f"IF({value} RLIKE {whole} AND {fits}, {cast}, NULL)"


def _of_time(value: str, kind: str, wanted: str) -> str:
    time = value if kind == DATE else f"CAST({value} AS TIMESTAMP)"  # one without a zone is the session's, UTC's
    return f"IF({_IN_YEARS.format(time)}, CAST({time} AS {wanted}), NULL)"


_FINITE = f"abs(CAST({{0}} AS DOUBLE)) <= {declared.SPANS['double'][1]!r}D"
_IN_YEARS = "{0} BETWEEN TIMESTAMP '0001-01-01 00:00:00' AND TIMESTAMP '9999-12-31 23:59:59.999999'"  # Python's
_POINT = r"\.0*[ \t]*\z"
_WHOLE = {
    WHOLE_NUMBER: "{0}",
    # 2.0**63 would become the largest whole number, which it is not
    FLOAT: "try_cast(IF({0} = rint({0}) AND {0} >= -9.223372036854775808E18D AND {0} < 9.223372036854775808E18D, {0}, "
    "NULL) AS BIGINT)",
    DECIMAL: f"try_cast(IF({{0}} % 1 = 0, {{0}}, NULL) AS DECIMAL({declared.DIGITS}, 0))",
}
_CONVERT = {
    **dict.fromkeys((WHOLE_NUMBER, FLOAT, DECIMAL), _of_number),
    TRUTH: lambda value, _, wanted: f"CAST({value} AS {wanted})",
    TEXT: _of_text,
    **dict.fromkeys((DATE, TIME), _of_time),
}
