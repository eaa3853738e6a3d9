"""Look at rows before anything learns from them: what is missing, and how a rate differs from group to group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifeboat.errors import ParameterError, unknown
from lifeboat.sampling import worth_of
from lifeboat.scoring import fields
from lifeboat.scoring.declared import NUMBERS
from lifeboat.spark.sql import ticked


def count_missing(df: DataFrame) -> dict[str, int]:
    """Column -> number of rows without a value, in one pass."""
    return df.agg(*[F.count_if(F.col(ticked(name)).isNull()).alias(name) for name in df.columns]).collect()[0].asDict()


def missing_rates(df: DataFrame, label: str, names: Sequence[str]) -> dict[str, dict[str, tuple[int, int]]]:
    """How often the label is 1 where a column has a value and where it has none, in one pass for all columns.

    Returns:
        Column -> ``known`` and ``missing`` -> (rows with label 1, rows).
    """
    pairs = [(name, kind) for name in names for kind in ("known", "missing")]
    if not pairs:
        return {}
    sums = []
    for name, kind in pairs:
        column = F.col(ticked(name))
        inside = column.isNull() if kind == "missing" else column.isNotNull()
        sums += [F.count_if(inside & (F.col(ticked(label)) == 1)), F.count_if(inside)]
    counted = iter(df.agg(*[column.alias(str(index)) for index, column in enumerate(sums)]).collect()[0])
    counts: dict[str, dict[str, tuple[int, int]]] = {name: {} for name in names}
    for name, kind in pairs:
        counts[name][kind] = (next(counted), next(counted))
    return counts


def rates(df: DataFrame, label: str, by: str | Column, kin: Column | None = None) -> list[tuple[str, int, int, float]]:
    """How often the label is 1, for each value of a column.

    Args:
        df: A frame with the column ``label`` of 0 and 1.
        label: The label's name.
        by: A column or an expression with few values; null is a value of its own, written ``missing``.
        kin: What rows that belong together share, as ``belongs_to`` says; None: each row stands alone.

    Returns:
        In order of the value: (value, rows with label 1, rows, how many rows that stand alone these are worth).
    """
    column = F.col(ticked(by)) if isinstance(by, str) else by
    value = F.coalesce(column.cast("string"), F.lit("missing")).alias("value")
    counts = F.count("*").alias("n"), F.sum(ticked(label)).cast("double").alias("positives")
    if kin is None:  # no shuffle of every row: each is worth itself
        return [
            (row.value, int(row.positives), row.n, float(row.n))
            for row in df.groupBy(value).agg(*counts).orderBy("value").collect()
        ]
    n, positives = F.col("n"), F.col("positives")
    sums = F.sum(n).alias("n"), F.sum(positives).alias("positives"), F.count("*").alias("groups")
    products = F.sum(positives * positives).alias("oo"), F.sum(positives * n).alias("on"), F.sum(n * n).alias("nn")
    groups = df.groupBy(value, kin.alias("kin")).agg(*counts).groupBy("value").agg(*sums, *products)
    result = []
    for row in groups.orderBy("value").collect():
        rate = row.positives / row.n
        squares = row.oo - 2 * rate * row.on + rate * rate * row.nn
        result.append((row.value, int(row.positives), row.n, worth_of(row.n, row.groups, rate, squares)))
    return result


def with_meaning(
    columns: Sequence[fields.Column], train: DataFrame, titles: Mapping[str, Mapping[str, str]]
) -> list[fields.Column]:
    """Columns with what is usual in them and what people call them; in one pass.

    Args:
        columns: Those of the training rows.
        train: The training rows.
        titles: Column -> ``title`` and ``unit``, either may be left out, such as ``{"Fare": {"unit": "pounds"}}``.

    Returns:
        The columns with ``usual``: the mean of numbers, to six digits, else the commonest value, of equals the first;
        and with ``title`` and ``unit`` where there are some.

    Raises:
        ParameterError: ``titles`` names a column that is not there, or says something else of one.
    """
    names = [column.name for column in columns]
    for name, about in titles.items():
        if name not in names:
            raise ParameterError(f"columns: {unknown('column', name, names)}")
        for word in about if isinstance(about, Mapping) else [str(about)]:
            if word not in ("title", "unit"):
                raise ParameterError(f"columns: {name}: {unknown('word', word, ('title', 'unit'))}")
    numbers = {column.name for column in columns if column.type in NUMBERS}
    usual = [
        F.avg(ticked(name)) if name in numbers else F.mode(F.col(ticked(name)), deterministic=True) for name in names
    ]
    row = train.agg(*[value.alias(str(index)) for index, value in enumerate(usual)]).collect()[0]
    values = [
        float(f"{v:.6g}") if isinstance(v, float) else v if isinstance(v, bool | str | None) else str(v) for v in row
    ]
    return [
        fields.Column.of(column.described() | {"usual": value} | {**titles.get(column.name, {})})
        for column, value in zip(columns, values, strict=True)
    ]
