"""Look at rows before anything learns from them: what is missing, and how a rate differs from group to group."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifeboat.sql import ticked


def count_missing(df: DataFrame) -> dict[str, int]:
    """Column -> number of rows without a value, in one pass."""
    return df.agg(*[F.count_if(F.col(ticked(name)).isNull()).alias(name) for name in df.columns]).collect()[0].asDict()


def missing_rates(df: DataFrame, label: str, names: Sequence[str]) -> dict[str, dict[str, tuple[int, int]]]:
    """How often the label is 1 where a column has a value and where it has none, in one pass for all columns.

    Returns:
        Column -> ``known`` and ``missing`` -> (rows with label 1, rows).
    """
    parts = [(name, kind) for name in names for kind in ("known", "missing")]
    if not parts:
        return {}
    sums = []
    for name, kind in parts:
        column = F.col(ticked(name))
        inside = column.isNull() if kind == "missing" else column.isNotNull()
        sums += [F.count_if(inside & (F.col(ticked(label)) == 1)), F.count_if(inside)]
    counted = iter(df.agg(*[column.alias(str(place)) for place, column in enumerate(sums)]).collect()[0])
    found: dict[str, dict[str, tuple[int, int]]] = {name: {} for name in names}
    for name, kind in parts:
        found[name][kind] = (next(counted), next(counted))
    return found


def rates(df: DataFrame, label: str, by: str | Column) -> list[tuple[str, int, int]]:
    """How often the label is 1, for each value of a column: (value, rows with label 1, rows), in order of the value.

    Args:
        df: A frame with the column ``label`` of 0 and 1.
        label: The label's name.
        by: A column or an expression with few values; null is a value of its own, written ``missing``.
    """
    column = F.col(ticked(by)) if isinstance(by, str) else by
    value = F.coalesce(column.cast("string"), F.lit("missing")).alias("value")
    grouped = df.groupBy(value).agg(F.count("*").alias("n"), F.sum(ticked(label)).alias("positives"))
    return [(row.value, row.positives, row.n) for row in grouped.orderBy("value").collect()]
