"""What a model leans on: how much worse it does when a feature's values are dealt to the wrong rows."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.ml import PipelineModel
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.ml.linalg import VectorUDT
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifeboat import moved_from
from lifeboat.errors import DataError, ParameterError, unknown
from lifeboat.evaluate.metrics import HIGHER_IS_BETTER, point_metric
from lifeboat.evaluate.scored import Floats, Ints, Scored, as_binary
from lifeboat.preprocess.column_names import plain_name
from lifeboat.sampling import sample
from lifeboat.spark.saved_trees import assembler_and_classifier
from lifeboat.spark.sql import ticked

VALUES_AT_ONCE = 20_000_000  # of shuffled copies: 8 bytes of each
Order = tuple[list[int], Ints]  # the places to shuffle, and the rows that their values come from

__getattr__ = moved_from(__name__)


@dataclass(frozen=True)
class Importance:
    """How much worse the model does without what a feature says.

    Attributes:
        name: The feature, or the group of features that were shuffled together.
        mean: Mean rise of the loss (or fall of the score) over the repeats, in the metric's own unit; around 0, or a
            little under, for a feature that the model does not lean on.
        spread: Standard deviation over the repeats. It says how steady the shuffling is, not how steady 178 rows are.
        repeats: Each repeat's value.
    """

    name: str
    mean: float
    spread: float
    repeats: tuple[float, ...]


def features_of(model: PipelineModel, together: Sequence[str] = ()) -> dict[str, list[str]]:
    """Every assembled column of a fitted pipeline by its plain name, and some of them as one group.

    Args:
        model: A fitted pipeline that ends with a VectorAssembler and a classifier.
        together: Plain names of columns that say the same; empty for no group.

    Returns:
        Name -> the assembled columns, for ``permutation_importance``.
    """
    columns = assembler_and_classifier(model)[0].getInputCols()
    features = {plain_name(column): [column] for column in columns}
    if together:
        features[" and ".join(together)] = [column for column in columns if plain_name(column) in together]
    return features


def permutation_importance(
    model: PipelineModel,
    df: DataFrame,
    features: Mapping[str, Sequence[str]],
    *,
    label: str,
    key: str,
    metric: str = "log_loss",
    repeats: int = 20,
    limit: int = 2000,
    seed: int = 42,
) -> list[Importance]:
    """Shuffle each feature, ask the classifier again, and measure what was lost (Breiman 2001, section 10).

    What comes before the classifier in the pipeline runs once, on the rows as they are. A shuffle leaves many rows as
    they were and makes others anew that another shuffle made too: the classifier is asked about each of them once.
    Features that say the same share their credit: shuffle them together, as one group, to see what they are worth.

    Args:
        model: A fitted pipeline that ends with a VectorAssembler and a classifier.
        df: Labelled rows as the pipeline takes them.
        features: Name -> the assembled columns to shuffle together, such as ``features_of`` gives them.
        label: Name of the label's column: 0 or 1.
        key: Name of the key's column, unique in each row: the rows' order, and so the shuffling, follow it.
        metric: One of the five of ``point_metrics``.
        repeats: How many times each is shuffled.
        limit: About so many rows at most, by a hash of the key.
        seed: Of the shuffling.

    Returns:
        One for each of the features, the most important first.

    Raises:
        DataError: There are no rows, or the metric is not defined on them.
        ParameterError: A feature or the metric is unknown, or the pipeline does not end as it must.
    """
    if metric not in HIGHER_IS_BETTER:
        raise ParameterError(unknown("metric", metric, HIGHER_IS_BETTER))
    if repeats < 1:
        raise ParameterError(f"repeats is {repeats}; it takes 1 or more")
    assembler, classifier = assembler_and_classifier(model)
    _need_known(features, assembler.getInputCols())
    before = PipelineModel(model.stages[:-1]).transform(df)
    rows, spans, labels = _assembled(before, assembler, label, key, limit)
    random = np.random.default_rng(seed)
    positions = [[at for column in columns for at in spans[column]] for columns in features.values()]
    shuffled = ((some, random.permutation(len(rows))) for some in positions for _ in range(repeats))
    orders = itertools.chain([([], np.arange(len(rows)))], shuffled)
    at_once = max(1, VALUES_AT_ONCE // rows.size)
    values = np.concatenate([
        _judge(classifier, rows, some, labels, metric, df)
        for some in iter(lambda: list(itertools.islice(orders, at_once)), [])
    ])  # fmt: skip
    if np.isnan(values[0]):
        raise DataError(f"{metric} is not defined on these rows: they are all of one class; take log_loss or brier")
    lost = (values[0] - values[1:]) if HIGHER_IS_BETTER[metric] else (values[1:] - values[0])
    importances = [
        Importance(name, float(row.mean()), float(row.std(ddof=1)) if repeats > 1 else 0.0, tuple(row.tolist()))
        for name, row in zip(features, lost.reshape(-1, repeats), strict=True)
    ]
    return sorted(importances, key=lambda importance: (-importance.mean, importance.name))


def _need_known(features: Mapping[str, Sequence[str]], known: Sequence[str]) -> None:
    for name, columns in features.items():
        if isinstance(columns, str) or not columns:
            raise ParameterError(
                f"features: {name!r} is {columns!r}; write a list of columns, such as ['lifeboat:index:Sex']"
            )
        for column in columns:
            if column not in known:
                raise ParameterError(unknown("feature", column, known))


def _assembled(
    df: DataFrame, assembler: VectorAssembler, label: str, key: str, limit: int
) -> tuple[Floats, dict[str, range], Ints]:
    """The rows as the classifier sees them, in key order (n, k); each column's places in them; the labels (n,)."""
    total = df.count()
    if total == 0:
        raise DataError("there are no rows to shuffle: look at what the hold-out was made from")
    chosen = sample(df, key, limit, total)
    names = assembler.getInputCols()
    columns = [_as_array(df, name).alias(f"block {i}") for i, name in enumerate(names)]
    table = chosen.orderBy(ticked(key)).select(F.col(ticked(label)).cast("double").alias("label"), *columns).toArrow()
    blocks = [np.array(table[f"block {i}"].to_pylist(), dtype=np.float64) for i in range(len(names))]
    ends = np.cumsum([block.shape[1] for block in blocks])
    spans = {name: range(end - block.shape[1], end) for name, block, end in zip(names, blocks, ends, strict=True)}
    return np.hstack(blocks), spans, as_binary("label", table["label"].to_numpy())


def _as_array(df: DataFrame, name: str) -> Column:
    if isinstance(df.schema[name].dataType, VectorUDT):
        return vector_to_array(F.col(ticked(name)))
    return F.array(F.col(ticked(name)).cast("double"))


def _judge(classifier: Any, rows: Floats, orders: list[Order], labels: Ints, metric: str, df: DataFrame) -> Floats:
    """The metric of the rows in each of the orders, by one transform."""
    copies = np.tile(rows, (len(orders), 1, 1))
    for copy, (some, order) in zip(copies, orders, strict=True):
        copy[:, some] = rows[order][:, some]
    copies = copies.reshape(-1, rows.shape[1])
    whole_rows = copies.view(f"V{rows.itemsize * rows.shape[1]}").ravel()
    _, first, which = np.unique(whole_rows, return_index=True, return_inverse=True)
    distinct = copies[first]
    values = pa.FixedSizeListArray.from_arrays(distinct.ravel(), rows.shape[1]).cast(pa.list_(pa.float64()))
    frame = df.sparkSession.createDataFrame(pa.table({"index": np.arange(len(distinct)), "values": values}))
    vectors = frame.select("index", array_to_vector(F.col("values")).alias(classifier.getFeaturesCol()))
    predictions = classifier.transform(vectors).select(
        "index",
        vector_to_array(F.col(ticked(classifier.getProbabilityCol())))[1].alias("probability"),
        F.col(ticked(classifier.getPredictionCol())).alias("prediction"),
    )
    answer = predictions.toArrow().sort_by("index")
    shape = (len(orders), len(rows))
    probability, prediction = (answer[name].to_numpy()[which].reshape(shape) for name in ("probability", "prediction"))
    values = [point_metric(Scored(labels, *pair), metric) for pair in zip(probability, prediction, strict=True)]
    return np.array(values)
