"""What two engines say of a run's rows, by the rows' keys."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pyspark.ml import PipelineModel
from pyspark.ml.functions import vector_to_array
from pyspark.sql import functions as F

from lifeboat.deploy.server.client import Server
from lifeboat.spark import session

Answers = dict[str, tuple[int, float]]


@cache
def by_spark(folder: Path, key: str) -> Answers:
    """What the fitted pipeline says of a run's labelled rows: key -> class, probability of class 1.

    Its session is stopped again: the JVM holds one, and the kernels want theirs.
    """
    spark = session.start("local[2]")
    model = PipelineModel.load(str(folder / "03_train_cv/model"))
    rows = spark.read.parquet(str(folder / "01_load/train"), str(folder / "01_load/holdout"))
    last = model.stages[-1]
    probability = vector_to_array(last.getProbabilityCol())[1]
    scored = model.transform(rows).select(F.col(key).cast("string"), last.getPredictionCol(), probability)
    answers = {row[0]: (int(row[1]), row[2]) for row in scored.collect()}
    spark.stop()
    return answers


def in_file(place: Path, keys: list[str]) -> Answers:
    """What `lifeboat score` wrote: key -> class, probability; of its rows in their order, whose keys are given."""
    table = pq.read_table(place)
    cells = [table[name].to_pylist() for name in ("prediction", "probability")]
    return dict(zip(keys, zip(*cells, strict=True), strict=True))


def over_http(folder: Path, rows: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """What a server with a run's model says of rows: key -> class."""
    with Server(folder / "05_deploy/portable") as server:
        status, answer = server.ask("/score", list(rows.values()))
    assert status == 200, answer
    return dict(zip(rows, answer["predictions"], strict=True))
