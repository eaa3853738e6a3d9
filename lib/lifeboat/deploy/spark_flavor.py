"""Write a fitted Spark pipeline as MLflow's Spark flavour."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from pyspark.ml import PipelineModel

from lifeboat.preprocess.copies import CopyColumns
from lifeboat.run.saving import save_pipeline

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

MLFLOW_READS = "prediction"  # the column that its ``pyfunc`` gives back


def save_model(model: PipelineModel, folder: Path, signature: ModelSignature) -> None:
    """Write ``model`` so that ``mlflow.spark.load_model`` and ``mlflow.pyfunc.load_model`` read it.

    MLflow's own ``save_model`` goes by way of the JVM's file system, which Spark Connect does not show; this one
    is the same for every Spark. ``mlflow.log_artifacts(folder, NAME)`` puts it into a run.

    Args:
        model: The fitted pipeline.
        folder: Where to write; a place that the driver and the workers see alike. It must not hold a model yet.
        signature: What goes in and what comes out.
    """
    from mlflow import pyfunc
    from mlflow.models import Model

    folder.mkdir(parents=True, exist_ok=True)
    answer = model.stages[-1].getOrDefault("predictionCol")
    if answer != MLFLOW_READS:
        model = PipelineModel([*model.stages, CopyColumns(inputCols=[answer], outputCols=[MLFLOW_READS])])
    save_pipeline(model, str(folder / "sparkml"))
    described = Model(signature=signature)
    described.add_flavor(
        "spark",
        pyspark_version=version("pyspark"),
        model_data="sparkml",
        code=None,
        model_class=f"{type(model).__module__}.{type(model).__qualname__}",
    )
    pyfunc.add_to_model(described, loader_module="mlflow.spark", data="sparkml", python_env="python_env.yaml")
    requirements = [f"{name}=={version(name)}" for name in ("mlflow", "pyspark")]
    (folder / "requirements.txt").write_text("\n".join(requirements) + "\n")
    python = {"python": platform.python_version(), "dependencies": ["-r requirements.txt"]}
    (folder / "python_env.yaml").write_text(yaml.safe_dump(python, sort_keys=False))
    described.save(str(folder / "MLmodel"))
