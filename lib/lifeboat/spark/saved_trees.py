"""What a fitted Spark pipeline holds: its last stages, its categories, and its trees as Spark's writer saves them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pyspark.ml import PipelineModel, Transformer
from pyspark.ml.feature import StringIndexerModel, VectorAssembler

from lifeboat.errors import ParameterError


@dataclass(frozen=True)
class Tree:
    """One tree as Spark saves it: its weight and its nodes by id, where id 0 is the root."""

    weight: float
    nodes: dict[int, dict[str, Any]]


def assembler_and_classifier(model: PipelineModel) -> tuple[VectorAssembler, Any]:
    """The last stage of a fitted pipeline, and before it the one that fills the features column that this reads.

    Raises:
        ParameterError: The pipeline does not end so.
    """
    classifier = model.stages[-1]
    column = classifier.getOrDefault("featuresCol") if classifier.hasParam("featuresCol") else None
    for stage in reversed(model.stages[:-1]):
        if isinstance(stage, VectorAssembler) and stage.getOutputCol() == column:
            return stage, classifier
    names = ", ".join(type(stage).__name__ for stage in model.stages)
    raise ParameterError(f"the pipeline must end with a VectorAssembler and its classifier; its stages are: {names}")


def indexed(*stages: Transformer) -> list[tuple[str, str, list[str]]]:
    """What fitted indexers number: rows of (column in, column out, values in the order of their numbers)."""
    rows: list[tuple[str, str, list[str]]] = []
    for stage in stages:
        if isinstance(stage, StringIndexerModel):
            many = stage.isSet("inputCols")
            columns = stage.getInputCols() if many else [stage.getInputCol()]
            indexes = stage.getOutputCols() if many else [stage.getOutputCol()]
            rows += zip(columns, indexes, map(list, stage.labelsArray), strict=True)
    return rows


def trees_of(classifier: Any, scratch: Path) -> list[Tree]:
    """The trees of a fitted forest or of boosted trees, in Spark's order, by Spark's own writer.

    Args:
        classifier: Spark's fitted model.
        scratch: A folder to write into and to remove, which the driver and all executors see under this path; it works
            on a cluster and under Spark Connect too.
    """
    path = scratch.absolute().as_posix()  # not as_uri(): Spark takes its %20 for three letters
    classifier.write().overwrite().save(f"file://{'' if path.startswith('/') else '/'}{path}")
    weights = {row["_1"]: row["_3"] for row in pq.read_table(scratch / "treesMetadata").to_pylist()}
    nodes: dict[int, dict[int, dict[str, Any]]] = {tree: {} for tree in sorted(weights)}
    for row in pq.read_table(scratch / "data").to_pylist():
        nodes[row["treeID"]][row["nodeData"]["id"]] = row["nodeData"]
    shutil.rmtree(scratch)
    return [Tree(weights[tree], nodes[tree]) for tree in nodes]
