"""Fit the winning settings once more, on every labelled row."""

from __future__ import annotations

from pyspark.ml import Pipeline, PipelineModel

from lifeboat.run import Run
from lifeboat.sampling import repartition_by_key
from lifeboat.train_cv.estimators import make_estimator


def refit_on_all(run: Run, label: str, key: str) -> PipelineModel:
    """Fit the winning settings of 03 on every labelled row, the hold-out too.

    What comes out was never judged: the judgement of the model fitted without the hold-out stands for it.
    """
    scores = run.scores
    parameters = scores["parameters"]
    settings = {**parameters["estimator_params"], **scores["points"][scores["best"]]}
    classifier = make_estimator(parameters["estimator"], settings, label, parameters["seed"])
    rows = repartition_by_key(run.train.union(run.holdout), key)
    return Pipeline(stages=[*run.pipeline.getStages(), classifier]).fit(rows)
