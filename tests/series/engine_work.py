"""Train and judge on the engines named on the command line, one after another in one process; results as JSON.

``--kill PID``: on the last engine the first work is done once more, and an executor of the JVM that is this process is
ended while its cross-validation is under way; that is a result of its own.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import psutil
from pyspark.ml.tuning import CrossValidator
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lifeboat import sampling, train_cv
from lifeboat.deploy.export import export_model
from lifeboat.evaluate import collect_scored, point_metrics
from lifeboat.preprocess.column_names import imputed
from lifeboat.preprocess.features import Features
from lifeboat.sampling import FOLD, HOLDOUT, mark_holdout
from lifeboat.scoring.fields import Column
from lifeboat.spark import session
from lifeboat.train_cv.shared_pipeline import SharedPipeline

COLUMNS = [
    Column(name, kind, nullable=name != "id")
    for name, kind in (("id", "int"), ("kind", "string"), ("size", "double"), ("age", "double"), ("y", "int"))
]
# estimator -> rows in a partition, metric, settings and grid. What counts (a forest, the accuracy) is the same however
# many partitions there are; what adds doubles as partitions answer is the same to the last bit in one alone
WORK: dict[str, tuple[int, str, dict[str, Any], dict[str, list[Any]]]] = {
    "random_forest": (90, "accuracy", {"maxDepth": 2}, {"numTrees": [3]}),
    "gbt": (100_000, "log_loss", {"maxDepth": 1}, {"maxIter": [2]}),
    "logistic_regression": (100_000, "log_loss", {"maxIter": 4}, {"regParam": [0.01]}),
}
# here the first work alone is done: more cores than one have nothing to share out where rows lie in one partition
FIRST_ALONE = ("local[2]", "local[4]")
Told = Callable[[int, int, str], None]


def made_up(count: int = 400) -> list[tuple[Any, ...]]:
    """Rows whose label follows both numbers and the kind, with noise; sums of the sizes are never exact."""
    random, rows = Random(7), []
    for key in range(count):
        kind, size, age = random.choice(["a", "b", "c", None]), random.uniform(0, 1) * 0.1, random.gauss(40, 13)
        label = int(size * 400 + age * 0.5 + (10 if kind == "a" else 0) + random.gauss(0, 6) > 42)
        rows.append((key, kind, None if key % 5 == 0 else size, age, label))
    return rows


def work(spark: SparkSession, name: str, folder: Path, progress: Told) -> dict[str, Any]:
    """Every fold's scores, the hold-out's metrics and the digest of each of the portable model's files."""
    rows = spark.createDataFrame(made_up(), "id int, kind string, size double, age double, y int")
    rows = sampling.add_folds(mark_holdout(rows, "id", 0.25, 1), "id", 2, 1)
    sampling.ROWS_PER_PARTITION, metric, params, grid = WORK[name]
    classifier = train_cv.make_estimator(name, params, "y", 1)
    prepare = Features(["size", "age"], ["kind"], {"kind": "mode", "size": f"mean by {imputed('kind')}"})
    stages = [*prepare.imputers(), *prepare.indexers(), prepare.assembler(), classifier]
    cv = CrossValidator(
        estimator=SharedPipeline(stages=stages),
        estimatorParamMaps=train_cv.make_grid(classifier, grid),
        evaluator=train_cv.make_evaluator(metric, "y"),
        numFolds=2,
        foldCol=FOLD,
        seed=1,
    )
    found = train_cv.cross_validate(cv, rows.filter(~F.col(HOLDOUT)), "id", progress=progress)
    scored = collect_scored(found.model.transform(rows.filter(F.col(HOLDOUT))), "y", key="id")
    portable = export_model(found.model, COLUMNS, "y", folder / "portable")
    files = {file.name: sha256(file.read_bytes()).hexdigest() for file in portable.iterdir()}
    spark.catalog.clearCache()
    return {"scores": found.scores, "metrics": point_metrics(scored), "files": files}


def all_work(where: str, folder: Path, kill: int | None) -> list[dict[str, Any]]:
    """The results of all work on one engine, by estimator; then, where a worker is to be killed, of the first again."""
    spark = session.start(where)
    names = list(WORK)[: 1 if where in FIRST_ALONE else None]
    found = [{name: work(spark, name, folder, end_none) for name in names}]
    if kill:
        found.append({names[0]: work(spark, names[0], folder, partial(end_an_executor, psutil.Process(kill)))})
    spark.stop()
    return found


def end_none(done: int, total: int, what: str) -> None:
    """Let all work go on."""


def end_an_executor(jvm: psutil.Process, done: int, total: int, what: str) -> None:
    """Kill an executor and its Python workers after the first fit: fits are still to come, and cached rows are lost."""
    if done == 1:
        below = jvm.children(recursive=True)
        executor = next(process for process in below if any("ExecutorBackend" in word for word in process.cmdline()))
        for process in [executor, *executor.children(recursive=True)]:
            process.kill()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("where", nargs="+")
    parser.add_argument("--kill", type=int)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        last = len(given.where) - 1
        results = [
            found
            for place, where in enumerate(given.where)
            for found in all_work(where, Path(folder), given.kill if place == last else None)
        ]
    print(json.dumps(results))


if __name__ == "__main__":
    main()
