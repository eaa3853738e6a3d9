"""Fit the winning settings once more, on every labelled row."""

from __future__ import annotations

import json
from pathlib import Path

from pyspark.ml import Pipeline, PipelineModel
from pyspark.sql import SparkSession

from lifeboat.run import finished
from lifeboat.sampling import repartition_by_key


def refit_on_all(session: SparkSession, run_dir: str | Path, label: str, key: str) -> PipelineModel:
    """Fit the winning settings of 03 on every labelled row, the hold-out too.

    What comes out was never judged: the judgement of the model fitted without the hold-out stands for it.
    """
    from lifeboat.train_cv import make_estimator

    loaded = finished(run_dir, "01_load")
    stages = Pipeline.load(str(finished(run_dir, "02_preprocess") / "pipeline")).getStages()
    won = json.loads((finished(run_dir, "03_train_cv") / "scores.json").read_text())
    given = won["parameters"]
    settings = {**given["estimator_params"], **won["points"][won["best"]]}
    classifier = make_estimator(given["estimator"], settings, label, given["seed"])
    rows = session.read.parquet(str(loaded / "train"), str(loaded / "holdout"))
    return Pipeline(stages=[*stages, classifier]).fit(repartition_by_key(rows, key))
