"""Hold a portable model against Spark itself, on rows made to break it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pyarrow as pa
from onnx import numpy_helper
from pyspark.ml import PipelineModel
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame, SparkSession

from lifeboat.deploy.onnx_graph import AT_MOST
from lifeboat.scoring.declared import SPANS
from lifeboat.scoring.fields import TYPES, Column
from lifeboat.scoring.scorer import Scorer, Scores
from lifeboat.scoring.unseen import WARN
from lifeboat.spark.sql import ticked

ROW = "lifeboat:row"  # Spark promises no order

# a word of the model in texts as people write them: what comes before and after decides what a pattern finds
TEXTS = (
    "{}",
    "{}.",
    "Doe, {}. Jane",
    'O\'Neil, {}. "Zoë" (Ünal)',
    "the {}. of",
    " {} ",
    "{}\n",
    "Doe,  {} . J",
    "{0}{0}",
)
ODD = ("", " ", "Ç", "Zoë", "O'Brien", "日本", "🚢", "null", "None", "NaN", "0", "1.0", "Dr")
SIGNS = ('"', '""', "\\", "\n", "\u2028x")

Pools = dict[str, list[Any]]


def spark_answers(
    model: PipelineModel, df: DataFrame, key: str, columns: Sequence[str]
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Spark's answers to some rows, and the same rows as records for the portable model: by one job.

    Args:
        model: The fitted pipeline.
        df: The rows, few enough to be brought here.
        key: Name of the key's column.
        columns: The columns of a record.

    Returns:
        Columns key, probability (an array, of class 0 and 1) and prediction, in the order of the key; and the records.
    """
    classifier: Any = model.stages[-1]
    answers = [key, classifier.getProbabilityCol(), classifier.getPredictionCol()]
    rows = model.transform(df).orderBy(ticked(key)).select(*map(ticked, [*answers, *columns])).collect()
    table = [(row[0], row[1].toArray(), row[2]) for row in rows]
    records = [dict(zip(columns, row[len(answers) :], strict=True)) for row in rows]
    return pd.DataFrame(table, columns=["key", "probability", "prediction"]), records


@dataclass(frozen=True)
class Parity:
    """How far the portable model is from Spark.

    Attributes:
        rows: How many rows both scored.
        class_mismatches: Of how many they named another class.
        largest_probability_difference: Over all rows and classes.
    """

    rows: int
    class_mismatches: int
    largest_probability_difference: float


def parity(
    model: PipelineModel, portable: Path, rows: int, seed: int, spark: SparkSession, chunk: int = 50_000
) -> Parity:
    """Score generated rows by both engines, chunk by chunk, and compare.

    Args:
        model: The fitted Spark pipeline.
        portable: The folder that ``export_model`` wrote from it.
        rows: How many rows to generate.
        seed: The same seed gives the same rows.
        spark: The session to score in.
        chunk: How many rows at a time: memory stays bounded whatever the number of rows.
    """
    scorer = Scorer.load(portable, WARN)
    columns, pools, random = scorer.columns, value_pools(portable), Random(seed)
    scored, mismatches, largest = 0, 0, 0.0
    for start in range(0, rows, chunk):
        size = min(chunk, rows - start)
        values = {column.name: draw(column, pools[column.name], size, random) for column in columns}
        ours = scorer.score(to_records(values))
        sparks = spark_scores(model, columns, values, spark)
        scored += len(ours.predictions)
        mismatches += int((ours.predictions != sparks.predictions).sum())
        largest = max(largest, float(np.abs(ours.probabilities - sparks.probabilities).max()))
    return Parity(scored, mismatches, largest)


def to_records(values: Pools) -> list[dict[str, Any]]:
    """Columns of equal length as one dict a row."""
    return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]


def arrow_schema(columns: list[Column]) -> pa.Schema:
    """Raw columns as Arrow has them."""
    return pa.schema([(column.name, pa.type_for_alias(TYPES[column.type].arrow)) for column in columns])


def spark_scores(model: PipelineModel, columns: list[Column], values: Pools, spark: SparkSession) -> Scores:
    """What Spark's own transform says of the rows, in their order."""
    count = len(next(iter(values.values())))
    schema = arrow_schema(columns).append(pa.field(ROW, pa.int64()))
    table = pa.Table.from_pydict({**values, ROW: range(count)}, schema=schema)
    classifier: Any = next(stage for stage in reversed(model.stages) if stage.hasParam("predictionCol"))
    scored = (
        model.transform(spark.createDataFrame(table))
        .select(ROW, classifier.getPredictionCol(), vector_to_array(classifier.getProbabilityCol()).alias("p"))
        .toArrow()
        .sort_by(ROW)
    )
    probabilities = scored["p"].combine_chunks().flatten().to_numpy().reshape(count, -1)
    return Scores(scored[1].to_numpy().astype(np.int64), probabilities)


def value_pools(portable: Path) -> Pools:
    """For each raw column the values where the model changes its mind: what its stages and its trees know of it.

    Numbers: each threshold that the column reaches, one ulp below and above it, and the numbers that stages compare
    with. Texts: the labels and words of the stages that read it, in several surroundings, and odd ones unseen.
    """
    manifest = json.loads((portable / "manifest.json").read_bytes())
    stages = json.loads((portable / "preprocess.json").read_bytes())
    columns = [Column.of(described) for described in manifest["signature"]["inputs"]]
    known: dict[str, set[Any]] = {column.name: set() for column in columns}
    sources = {column.name: {column.name} for column in columns}  # a column -> the raw ones it comes from
    for stage in stages[:-1]:
        comes_from = set[str]().union(*[sources[name] for name in stage["inputs"]])
        for name in comes_from:
            known[name] |= _knows(stage)
        sources |= dict.fromkeys(stage["outputs"], comes_from)
    for feature, split in _splits(portable):
        for name in sources[manifest["model"]["features"][feature]]:
            known[name] |= {split, math.nextafter(split, -math.inf), math.nextafter(split, math.inf)}
    return {column.name: _pool(column, known[column.name]) for column in columns}


def _knows(stage: dict[str, Any]) -> set[Any]:
    """The values, of any type, that a stage learned or was told."""
    values = {value for name, value in stage.items() if name != "stage" and isinstance(value, str | int | float)}
    return values.union(stage.get("labels", ()), stage.get("means", ()), *stage.get("categories", {}).items())


def _splits(portable: Path) -> set[tuple[int, float]]:
    """Each tree's questions of the form value <= split, as (feature's place, split)."""
    pairs: set[tuple[int, float]] = set()
    for node in onnx.load(portable / "model.onnx").graph.node:
        if node.op_type == "TreeEnsemble":
            attributes = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
            splits, modes = (numpy_helper.to_array(attributes[f"nodes_{name}"]) for name in ("splits", "modes"))
            features = np.array(attributes["nodes_featureids"])[modes == AT_MOST]
            pairs |= set(zip(features.tolist(), splits[modes == AT_MOST].tolist(), strict=True))
    return pairs


def _pool(column: Column, known: set[Any]) -> list[Any]:
    texts = sorted(value for value in known if isinstance(value, str))
    if column.type == "string":
        drawn = {text.format(word) for word in [*texts, *ODD, *SIGNS] for text in TEXTS}
        return sorted(drawn - ({*column.gaps} if column.nullable else {"", *column.gaps}))  # else it would be a gap
    if column.type == "boolean":
        return [False, True]
    numbers = {float(value) for value in known if isinstance(value, float)} | {-1.0, 0.0, 1.0}
    numbers |= {float(text) for text in texts if text.lstrip("-").isdecimal()}  # labels and groups of whole numbers
    low, high = column.span()
    numbers |= {float(edge) for edge in (column.minimum, column.maximum) if edge is not None}
    if column.type == "double":
        return sorted(number for number in numbers if low <= number <= high)
    whole = {edge for number in numbers for edge in (math.floor(number), math.ceil(number))}
    return sorted(number for number in whole if low <= number <= high)


def draw(column: Column, pool: list[Any], count: int, random: Random) -> list[Any]:
    """Values of one raw column: most from its pool, a third of numbers anywhere, a tenth null where that may be."""
    values = random.choices(pool, k=count)
    if column.type in SPANS:
        least, most = column.span()
        low, high = max(least, pool[0] - 1), min(most, 2 * abs(pool[-1]) + 1)
        for row in range(0, count, 3):
            values[row] = random.uniform(low, high) if column.type == "double" else random.randint(int(low), int(high))
    if column.nullable:
        for row in random.sample(range(count), count // 10):
            values[row] = random.choice((None, math.nan)) if column.type == "double" else None
    return values
