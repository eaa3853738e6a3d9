"""The types that a parquet file's columns have, as Arrow names them, in families of ``lifeboat.scoring.declared``."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from lifeboat.scoring import declared

FIRST, LAST = datetime.min, datetime.max
_TESTS = {
    declared.TRUTH: (types.is_boolean,),
    declared.FLOAT: (types.is_float32, types.is_float64),
    declared.DECIMAL: (lambda kind: types.is_decimal(kind) and kind.precision <= declared.DIGITS,),
    declared.WHOLE_NUMBER: (types.is_integer,),
    declared.NULLS: (types.is_null,),
    declared.TEXT: (types.is_string, types.is_large_string, types.is_string_view),
    declared.DATE: (types.is_date,),
    declared.TIME: (types.is_timestamp,),
    declared.BINARY: (types.is_binary, types.is_large_binary, types.is_fixed_size_binary, types.is_binary_view),
    declared.NESTED: (types.is_nested,),
    declared.SPAN: (types.is_duration, types.is_interval, types.is_time),
}


def family(kind: pa.DataType) -> str:
    """Which of ``declared``'s families a type of a file is of; ``UNREAD``: Spark reads none such."""
    if types.is_dictionary(kind):
        return family(kind.value_type)
    return next((name for name, tests in _TESTS.items() if any(test(kind) for test in tests)), declared.UNREAD)


def values(cells: pa.Array) -> list[Any]:
    """The cells as Python's values; a time as UTC's, floored to the microsecond, infinite outside the years 1 to 9999.

    Python has no such times; an infinity is refused wherever a time could be taken.
    """
    if not (types.is_date(cells.type) or types.is_timestamp(cells.type)):
        return cells.to_pylist()  # type: ignore[no-any-return]
    if types.is_date(cells.type):
        cells = cells.cast(pa.date32(), safe=False)
    elif cells.type.unit == "ns":
        cells = pc.floor_temporal(cells.cast(pa.timestamp("ns")), unit="microsecond").cast(pa.timestamp("us"))
    else:
        cells = cells.cast(pa.timestamp(cells.type.unit))  # without its zone, as UTC has it
    first, last = (pa.scalar(time, pa.timestamp("us")).cast(cells.type, safe=False) for time in (FIRST, LAST))
    inside = pc.and_(pc.greater_equal(cells, first), pc.less_equal(cells, last))
    plain = pc.if_else(inside, cells, pa.scalar(None, cells.type)).to_pylist()
    return [math.inf if known is False else cell for cell, known in zip(plain, inside.to_pylist(), strict=True)]
