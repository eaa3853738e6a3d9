"""Stages that turn raw columns into features: each a Spark ML Estimator or Transformer, saved with the model.

A stage is a column expression, never a loop over rows; what an Estimator learns it hands to its Model as Params
that JSON can hold. So the whole preprocessing travels inside the saved pipeline, and nothing is learned outside it.
"""

from __future__ import annotations

import math
from functools import reduce
from itertools import groupby
from operator import add
from typing import Any, ClassVar, TypeVar

from pyspark.ml import Estimator, Model, Transformer
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.param.shared import HasInputCol, HasInputCols, HasOutputCol
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F
from pyspark.sql.types import IntegralType, NumericType, StringType

from lifeboat.errors import DataError, ParameterError, unknown
from lifeboat.parameters.names import PREFIX
from lifeboat.preprocess.expressions import column_of, look_up, number_or_null, text_or_null
from lifeboat.run.saving import StageWriter

MOST_IN_A_PLAN = 1000  # groups whose means are written into the plan; of more, a small table is joined
GROUP, MEAN = f"{PREFIX}group", f"{PREFIX}mean"

_P = TypeVar("_P", bound=Params)


def to_groups(value: Any) -> dict[str, list[str]]:
    """Check a map from a category to the words that become it: no word may stand under two categories."""
    if not isinstance(value, dict) or not all(isinstance(words, list) for words in value.values()):
        raise TypeError(f"groups must be a dict of lists, such as {{'Miss': ['Miss', 'Mlle']}}; got {value!r}")
    home: dict[str, str] = {}
    for category, words in value.items():
        for word in words:
            if home.setdefault(word, category) != category:
                raise TypeError(f"groups name {word!r} twice, under {home[word]!r} and {category!r}: keep one")
    return value


class JsonStage(Params, DefaultParamsReadable[Any], DefaultParamsWritable):
    """What all stages share: made from their Params by name, saved and loaded by Spark itself.

    >>> stage = SumColumns(inputCols=["SibSp", "Parch"], outputCol="FamilySize")

    Raises:
        TypeError: The stage has no Param of that name, or the Param does not take the value.
    """

    DEFAULTS: ClassVar[dict[str, Any]] = {}  # Param -> its value where no other is set

    def __init__(self, **params: Any) -> None:
        super().__init__()
        self._setDefault(**self.DEFAULTS)
        if strange := [name for name in params if not self.hasParam(name)]:
            raise TypeError(unknown(f"Param of {type(self).__name__}", strange[0], [p.name for p in self.params]))
        self._set(**params)

    def write(self) -> StageWriter:
        """What saves it; see ``pyspark.ml.util.MLWritable``."""
        return StageWriter(self)

    def _handed_to(self, model: _P) -> _P:
        """Give a fitted model this estimator's uid and Params, as Spark's own do."""
        return self._copyValues(model._resetUid(self.uid))


class TextCategory(JsonStage, Transformer, HasInputCol, HasOutputCol):
    """A category found in a text by a pattern, then mapped to the few that are kept.

    Takes a string column; gives a string column, never null: a text that is null, does not match or holds a word
    that no group names becomes ``other``.

    >>> stage = TextCategory(inputCol="Name", outputCol="Title", groups={"Miss": ["Miss", "Mlle"]})
    """

    pattern: Param[str] = Param(
        Params._dummy(), "pattern", "regular expression; its first group is the word", TypeConverters.toString
    )
    groups: Param[dict[str, list[str]]] = Param(
        Params._dummy(), "groups", "category kept -> the words that become it", to_groups
    )
    other: Param[str] = Param(Params._dummy(), "other", "category of every other text", TypeConverters.toString)
    DEFAULTS: ClassVar[dict[str, Any]] = {"pattern": r"(\w+)", "groups": {}, "other": "Other"}

    def word_to_category(self) -> dict[str, str]:
        """The groups turned round: each word and the category it becomes."""
        return {word: kept for kept, words in self.getOrDefault("groups").items() for word in words}

    def _transform(self, dataset: DataFrame) -> DataFrame:
        text = column_of(dataset, self.getInputCol(), StringType)
        word = F.regexp_extract(text, self.getOrDefault("pattern"), 1)
        category = look_up(self.word_to_category(), word)
        return dataset.withColumn(self.getOutputCol(), F.coalesce(category, F.lit(self.getOrDefault("other"))))


class SumColumns(JsonStage, Transformer, HasInputCols, HasOutputCol):
    """The sum of numeric columns, as double; null where one of them is."""

    def _transform(self, dataset: DataFrame) -> DataFrame:
        values = [column_of(dataset, name, NumericType).cast("double") for name in self.getInputCols()]
        if not values:
            raise ParameterError("SumColumns got an empty inputCols; name at least one column")
        return dataset.withColumn(self.getOutputCol(), reduce(add, values))


class EqualTo(JsonStage, Transformer, HasInputCol, HasOutputCol):
    """1.0 where a numeric column equals ``value``, else 0.0; null where the column is null."""

    value: Param[float] = Param(Params._dummy(), "value", "the number to compare with", TypeConverters.toFloat)
    DEFAULTS: ClassVar[dict[str, Any]] = {"value": 0.0}

    def _transform(self, dataset: DataFrame) -> DataFrame:
        value = column_of(dataset, self.getInputCol(), NumericType).cast("double")
        return dataset.withColumn(self.getOutputCol(), (value == F.lit(self.getOrDefault("value"))).cast("double"))


class _GroupMeanParams(JsonStage, HasInputCol, HasOutputCol):
    groupCol: Param[str] = Param(
        Params._dummy(), "groupCol", "column of strings or whole numbers; empty: one group", TypeConverters.toString
    )
    DEFAULTS: ClassVar[dict[str, Any]] = {"groupCol": ""}

    def _value_and_group(self, dataset: DataFrame) -> tuple[Column, Column]:
        """Both columns; the group's as string, so that the learned means can be keys in JSON."""
        value, group = number_or_null(dataset, self.getInputCol()), self.getOrDefault("groupCol")
        return value, column_of(dataset, group, StringType, IntegralType).cast("string") if group else F.lit("")


class GroupMeanImputer(_GroupMeanParams, Estimator["GroupMeanImputerModel"]):
    """Fill a numeric column with the mean of the row's group; a group unseen, or never filled, gets the overall mean.

    Learns in one aggregate, whatever the number of groups and of missing values (null or NaN). Gives a column of
    doubles, never null.

    Raises:
        DataError: ``inputCol`` is not numeric, has no value at all, or ``groupCol`` is neither string nor whole number.
    """

    def _fit(self, dataset: DataFrame) -> GroupMeanImputerModel:
        value, group = self._value_and_group(dataset)
        # partitions' sums arrive in any order, and doubles added in another order have another last digit
        groups = dataset.groupBy(F.spark_partition_id(), group.alias("g"))
        rows = groups.agg(F.sum(value).alias("total"), F.count(value).alias("n")).collect()
        known = [row for row in rows if row.n > 0]
        if not known:
            raise DataError(f"column {self.getInputCol()!r} has no value to learn a mean from: leave it out")
        by_group = sorted((row for row in known if row.g is not None), key=lambda row: row.g)
        means = {name: pooled_mean([*rows]) for name, rows in groupby(by_group, key=lambda row: row.g)}
        return self._handed_to(GroupMeanImputerModel())._set(means=means, overall=pooled_mean(known))


def pooled_mean(partitions: list[Row]) -> float:
    """The mean of all rows, of which each partition gives ``total`` and ``n``: the same in whatever order they come."""
    return math.fsum(row.total for row in partitions) / float(sum(row.n for row in partitions))


class GroupMeanImputerModel(_GroupMeanParams, Model):
    """What a GroupMeanImputer learned: the mean of each group and the overall mean, in the column's own unit."""

    means: Param[dict[str, float]] = Param(
        Params._dummy(), "means", "group, as a string -> its mean", TypeConverters.identity
    )
    overall: Param[float] = Param(Params._dummy(), "overall", "mean of all known values", TypeConverters.toFloat)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        value, group = self._value_and_group(dataset)
        means, overall = self.getOrDefault("means"), F.lit(self.getOrDefault("overall"))
        if len(means) <= MOST_IN_A_PLAN:
            return dataset.withColumn(self.getOutputCol(), F.coalesce(value, look_up(means, group), overall))
        table = dataset.sparkSession.createDataFrame(list(means.items()), f"`{GROUP}` string, `{MEAN}` double")
        beside = dataset.join(F.broadcast(table), group == F.col(GROUP), "left")
        return beside.withColumn(self.getOutputCol(), F.coalesce(value, F.col(MEAN), overall)).drop(GROUP, MEAN)


class ModeImputer(JsonStage, Estimator["ModeImputerModel"], HasInputCol, HasOutputCol):
    """Fill a string column, null or empty, with its most frequent value; of equals, the first in order.

    Raises:
        DataError: ``inputCol`` is not a string, or has no value at all.
    """

    def _fit(self, dataset: DataFrame) -> ModeImputerModel:
        counts = dataset.groupBy(text_or_null(dataset, self.getInputCol()).alias("value")).count().dropna()
        first = counts.orderBy(F.desc("count"), "value").first()
        if first is None:
            raise DataError(f"column {self.getInputCol()!r} has no value to learn a mode from: leave it out")
        return self._handed_to(ModeImputerModel())._set(mode=first.value)


class ModeImputerModel(JsonStage, Model, HasInputCol, HasOutputCol):
    """What a ModeImputer learned: the most frequent value."""

    mode: Param[str] = Param(Params._dummy(), "mode", "most frequent value", TypeConverters.toString)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        filled = F.coalesce(text_or_null(dataset, self.getInputCol()), F.lit(self.getOrDefault("mode")))
        return dataset.withColumn(self.getOutputCol(), filled)


for _cls in (TextCategory, SumColumns, EqualTo, GroupMeanImputer, GroupMeanImputerModel, ModeImputer, ModeImputerModel):
    _cls.__module__ = "lifeboat.preprocess"  # the path that saved pipelines name
