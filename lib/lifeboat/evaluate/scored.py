"""Rows with what is true and what was said of them, as small local arrays; and the baselines that say the least."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType

from lifeboat.errors import DataError, ParameterError, unknown
from lifeboat.preprocess.column_names import PREDICTION, PROBABILITY
from lifeboat.sampling import belongs_to, sample
from lifeboat.spark.sql import ticked

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Values = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Scored:
    """Rows whose label is known, and what a model said of them. All arrays have shape (n,) and the same order.

    Attributes:
        label: What is true: 0 or 1.
        probability: The probability of class 1 that the model gave.
        prediction: The class that the model gave: 0 or 1.
        key: Each row's key, or None.
        kin: The number of the group that each row belongs to, 0, 1 ...: rows of one group, such as a day or a
            patient, are drawn together where an interval is asked for. None: each row stands alone.
        groups: Other columns by name, to look at parts of the rows; null is None.
        n_total: How many rows there were to take these from: more than n where only a sample was taken. 0 means n.

    Raises:
        DataError: There are no rows, an array has another length, or a value is not one of those above.
    """

    label: Ints
    probability: Floats
    prediction: Ints
    key: Values | None = None
    kin: Ints = None  # type: ignore[assignment]
    groups: Mapping[str, Values] = field(default_factory=dict)
    n_total: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", as_binary("label", self.label))
        object.__setattr__(self, "prediction", as_binary("prediction", self.prediction))
        object.__setattr__(self, "probability", np.asarray(self.probability, dtype=np.float64))
        object.__setattr__(self, "n_total", self.n_total or self.n)
        object.__setattr__(self, "kin", np.arange(self.n) if self.kin is None else pd.factorize(self.kin)[0])
        columns = {name: getattr(self, name) for name in ("probability", "prediction", "key", "kin")}
        for name, values in (columns | dict(self.groups)).items():
            if values is not None and len(values) != self.n:
                raise DataError(f"{name} has {len(values)} values and label {self.n}: each row needs one")
        if self.n == 0:
            raise DataError("there are no rows to evaluate: look at what the hold-out was made from")
        if not ((self.probability >= 0) & (self.probability <= 1)).all():
            raise DataError("probability holds a value that is not between 0 and 1")

    @property
    def n(self) -> int:
        """The number of rows."""
        return len(self.label)

    @property
    def n_kin(self) -> int:
        """The number of groups whose rows are drawn together."""
        return int(self.kin.max()) + 1

    @property
    def table(self) -> pd.DataFrame:
        """The rows as they are kept: columns key, label (int64), probability (float64), prediction (int64)."""
        columns = ("key", "label", "probability", "prediction")
        return pd.DataFrame({name: getattr(self, name) for name in columns})

    @classmethod
    def read(cls, path: Path) -> Scored:
        """The rows of a parquet file of ``table``."""
        table = pd.read_parquet(path)
        key = np.array(table["key"].tolist(), dtype=object)
        return cls(table["label"], table["probability"], table["prediction"], key=key)

    def taken(self, index: Ints) -> Scored:
        """The rows at these positions, without ``groups``."""
        key = None if self.key is None else self.key[index]
        return Scored(self.label[index], self.probability[index], self.prediction[index], key, self.kin[index])

    def same_rows(self, other: Scored) -> bool:
        """Whether ``other`` speaks of the same rows in the same order, as far as keys (or else labels) can tell."""
        if self.key is not None and other.key is not None and not np.array_equal(self.key, other.key):
            return False
        return bool(np.array_equal(self.label, other.label))


def as_binary(name: str, values: npt.ArrayLike) -> Ints:
    """The values as whole numbers.

    Raises:
        DataError: One is null or neither 0 nor 1; ``name`` says in the message what they are.
    """
    numbers = np.asarray(values, dtype=np.float64)
    wrong = numbers[~np.isin(numbers, (0, 1))]
    if wrong.size:
        value = "null" if np.isnan(wrong[0]) else f"{wrong[0]:g}"
        raise DataError(f"{name} holds {value} in {wrong.size} of {numbers.size} rows; only 0 and 1 can be evaluated")
    return numbers.astype(np.int64)


def collect_scored(
    df: DataFrame,
    label: str,
    *,
    key: str,
    group_by: str = "",
    groups: Sequence[str] = (),
    limit: int = 200_000,
) -> Scored:
    """Bring what a Spark classifier said of labelled rows here, in the order of their key.

    Args:
        df: A transformed frame: columns ``label`` (0 or 1, of any numeric type), ``lifeboat:probability``
            (vector, or the double of class 1), ``lifeboat:prediction`` (double), ``key`` and the ``groups``.
        label: Name of the label's column.
        key: Name of the key's column, unique in each row.
        group_by: Name of the column whose rows belong together; empty: each row stands alone.
        groups: Columns to bring along, by name.
        limit: About so many rows at most. Of more, a hash of the key decides which come: always the same ones, and
            ``n_total`` says how many there were.

    Raises:
        DataError: A column is missing, there are no rows, or a label is null or neither 0 nor 1.
    """
    for name in (label, key, PROBABILITY, PREDICTION, *([group_by] if group_by else []), *groups):
        if name not in df.columns:
            raise DataError(unknown("column", name, df.columns))
    total = df.count()
    chosen = sample(df, key, limit, total)
    score = F.col(ticked(PROBABILITY))
    of_class_1 = score if isinstance(df.schema[PROBABILITY].dataType, DoubleType) else vector_to_array(score)[1]
    columns = {
        "label": F.col(ticked(label)).cast("double"),
        "probability": of_class_1,
        "prediction": F.col(ticked(PREDICTION)),
        "key": F.col(ticked(key)),
        "kin": belongs_to(key, group_by),
    } | {f"group {name}": F.col(ticked(name)) for name in groups}
    table = chosen.orderBy(ticked(key)).select(*[column.alias(name) for name, column in columns.items()]).toArrow()
    arrays = {name: table[name].to_numpy() for name in ("label", "probability", "prediction")}
    return Scored(
        **arrays,
        key=_objects(table["key"]),
        kin=_objects(table["kin"]),
        groups={name: _objects(table[f"group {name}"]) for name in groups},
        n_total=total,
    )


def _objects(column: Any) -> Values:
    values = np.empty(len(column), dtype=object)
    values[:] = column.to_pylist()
    return values


@dataclass(frozen=True)
class GroupRates:
    """How often the label is 1 in each group of the training rows: the least a model must beat.

    Each rate is (positives + 1) / (rows + 2), Laplace's rule of succession: never exactly 0 or 1, so that the log
    loss of a surprise is finite.

    Attributes:
        column: The column that makes the groups; empty for none: all rows are one group.
        rates: Group -> its rate.
        overall: The rate in all rows, for a group never seen.
    """

    column: str
    rates: Mapping[Any, float]
    overall: float

    def score(self, rows: Scored) -> Scored:
        """Say of each row its group's rate, and class 1 where that is over a half.

        Args:
            rows: The rows with a model's predictions: label, key, kin and the column's groups are taken from there.

        Raises:
            ParameterError: The rows have no group of the column's name.
        """
        if self.column and self.column not in rows.groups:
            raise ParameterError(unknown("group", self.column, rows.groups))
        groups = rows.groups[self.column] if self.column else [None] * rows.n
        probability = np.array([self.rates.get(value, self.overall) for value in groups])
        return Scored(rows.label, probability, (probability > 0.5).astype(np.int64), key=rows.key, kin=rows.kin)


def group_rates(train_df: DataFrame, label: str, column: str = "") -> GroupRates:
    """Learn a label's rate in each group of ``column``, in one aggregate.

    With a column such as Sex this is the rule "what most of their sex did"; without one, the majority rule.

    Args:
        train_df: The training rows.
        label: Name of the label's column: 0 or 1, of any numeric type.
        column: Name of the column that makes the groups; empty for one group of all.

    Raises:
        DataError: A column is missing, or no row has a label.
    """
    for name in (label, column) if column else (label,):
        if name not in train_df.columns:
            raise DataError(unknown("column", name, train_df.columns))
    value = F.col(ticked(label)).cast("double")
    group = F.col(ticked(column)) if column else F.lit(None)
    rows = train_df.groupBy(group.alias("g")).agg(F.sum(value).alias("positives"), F.count(value).alias("n")).collect()
    counts = {row.g: (float(row.positives), int(row.n)) for row in rows if row.n}
    if not counts:
        raise DataError(f"no training row has a label in {label!r}: there is nothing to learn a rate from")
    positives, n = (sum(column) for column in zip(*counts.values(), strict=True))
    rates = {g: _smoothed(*both) for g, both in sorted(counts.items(), key=lambda item: str(item[0]))}
    return GroupRates(column, rates if column else {}, _smoothed(positives, n))


def _smoothed(positives: float, n: float) -> float:
    return (positives + 1) / (n + 2)
