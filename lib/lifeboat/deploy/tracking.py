"""Keep a run in MLflow: what the stages found, and the model as Spark's and as the portable one."""

from __future__ import annotations

import json
import logging
import math
import os
import statistics
import tempfile
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifeboat.errors import LifeboatError, need_none, redacted
from lifeboat.run import Run, digest
from lifeboat.run.lock import exclusive
from lifeboat.run.paths import local_path, resolve, resolve_store
from lifeboat.scoring.declared import WHOLES
from lifeboat.scoring.fields import TYPES, Column
from lifeboat.spark.environment import for_a_while, named, spare_loopback

if TYPE_CHECKING:
    from mlflow.models import ModelSignature
    from pyspark.sql import SparkSession

STORES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")
DIGEST_LENGTH = 36  # the longest that MLflow keeps


def store_uri(tracking_uri: str = "") -> str:
    """Where runs and models are kept: ``MLFLOW_TRACKING_URI``, else the argument, else ``outputs/mlflow.db``.

    A relative path in it starts at the project's root, wherever the process stands.

    Raises:
        ParameterError: The argument holds a password: that belongs into the environment.
    """
    need_none("tracking_uri", tracking_uri)
    return resolve_store(os.environ.get("MLFLOW_TRACKING_URI") or tracking_uri or "sqlite:///outputs/mlflow.db")


def store_file(uri: str) -> Path | None:
    """The file that is the store of an address; None for a store that is no file of SQLite's."""
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


class StoreError(LifeboatError, RuntimeError):
    """MLflow's store cannot be reached, or not be used; the message names the address and who said it."""


def connect(tracking_uri: str = "", experiment: str | None = None) -> None:
    """Point MLflow at the store, and at an experiment in it, made if it is new.

    Args:
        tracking_uri: As for ``store_uri``. A local store keeps its artifacts in ``outputs/mlartifacts``.
        experiment: The experiment's name, unless ``MLFLOW_EXPERIMENT_NAME`` says another; None: none is chosen, for
            reading alone. ``MLFLOW_REGISTRY_URI`` names a registry elsewhere.

    Raises:
        StoreError: The store cannot be reached or used.
    """
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    os.environ["MLFLOW_ENABLE_ASYNC_LOGGING"] = "false"  # what was logged is read again in the next line
    spare_loopback()
    warnings.filterwarnings("ignore", "IProgress not found")  # bars for widgets that nobody asked for
    import mlflow

    for chatty in ("mlflow", "alembic"):  # their progress messages are no part of a notebook's output
        logging.getLogger(chatty).setLevel(logging.ERROR)
    resolve("outputs").mkdir(exist_ok=True)
    uri = store_uri(tracking_uri)
    # MLflow writes both into the environment, where the next store would find them as if a person had set them
    with for_a_while({name: os.environ.get(name) for name in STORES}):
        mlflow.set_tracking_uri(uri)
        mlflow.set_registry_uri(resolve_store(os.environ.get("MLFLOW_REGISTRY_URI") or uri))
    if experiment is None:
        return
    try:
        _choose(os.environ.get("MLFLOW_EXPERIMENT_NAME") or experiment, uri)
    except Exception as error:  # each kind of store has its own client, with its own errors of network and sign-in
        setting = "tracking_uri" if tracking_uri else named(*STORES) and "the environment: " + named(*STORES)
        first = redacted(str(error)).strip().partition("\n")[0]
        raise StoreError(
            f"the MLflow store {redacted(uri)} cannot be used ({type(error).__name__}: {first}); mend its address "
            f"({setting or 'the default'}) or the sign-in"
        ) from error


def making_store() -> AbstractContextManager[None]:
    """Where a store, or an experiment, may be made anew: two processes that do so are in each other's way."""
    return exclusive(resolve("outputs/.mlflow.lock"))


def _choose(experiment: str, uri: str) -> None:
    """Make an experiment the active one, and a run of the environment only if it can be added to."""
    import mlflow

    with making_store():
        if file := store_file(uri):
            _make_whole(file)
        if mlflow.get_experiment_by_name(experiment) is None:
            artifacts = resolve("outputs/mlartifacts").as_uri() if uri.startswith("sqlite:") else None
            mlflow.create_experiment(experiment, artifact_location=artifacts)
    mlflow.set_experiment(experiment)
    run = os.environ.get("MLFLOW_RUN_ID")
    if run and not _open_run(run):
        del os.environ["MLFLOW_RUN_ID"]  # left from a run that ended, or of another store: ours is a new one


def _make_whole(store: Path) -> None:
    """Make a new store beside its name, then rename it: MLflow makes its tables one by one, and half are none."""
    import mlflow

    if store.exists():
        return
    draft = store.with_name(f".{store.name}.part")
    for left in (draft, draft.with_name(f"{draft.name}-journal")):  # by a process that was killed
        left.unlink(missing_ok=True)
    mlflow.MlflowClient(f"sqlite:///{draft}").search_experiments()
    draft.replace(store)


def _open_run(run: str) -> bool:
    """Whether the store has a run, and it has not ended: one that a job service started for this process."""
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        return str(mlflow.get_run(run).info.status) in ("RUNNING", "SCHEDULED")
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return False
        raise


def signature(inputs: Sequence[Column], label: str) -> ModelSignature:
    """What goes into the model and what comes out, for MLflow: one column each, optional where it may be null.

    Args:
        inputs: The raw columns that the model reads.
        label: The name of what is predicted.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    columns: list[ColSpec | TensorSpec] = [
        ColSpec(mlflow_type(column), column.name, required=not column.nullable) for column in inputs
    ]
    return ModelSignature(inputs=Schema(columns), outputs=Schema([ColSpec("long", label)]))


def mlflow_type(column: Column) -> str:
    """MLflow's word for a column's type; whole numbers with gaps are doubles to pandas, and so to MLflow."""
    return "double" if column.nullable and column.type in WHOLES else TYPES[column.type].mlflow


def parameters_of(run: Run) -> dict[str, str]:
    """The parameters that the notebooks put down, flat, as MLflow keeps them: ``03.estimator``, ``03.grid`` ..."""
    return {
        f"{number}.{name}": json.dumps(value)
        for number, parameters in run.parameters.items()
        for name, value in parameters.items()
    }


def log_results(run: Run, source: str, session: SparkSession | None = None, **parameters: str) -> None:
    """Log to the open MLflow run what the stages found, so that the run explains itself in a year.

    Logs the parameters; of the chosen grid point and of each, the mean of the folds' scores and its standard error, as
    ``cv_<metric>_mean`` and ``cv_<metric>_mean_point_0``; each fold's score (step: the fold); the hold-out's metrics;
    the data set with its digest; and the files of 03 and 04: tables, figures and the judgement.

    Args:
        run: The run, with what notebooks 1 to 4 left.
        source: The file, folder or address of labelled rows.
        session: Spark, to list the files of an address.
        parameters: More to log.
    """
    import mlflow
    from mlflow.data.meta_dataset import MetaDataset

    scores, metrics = run.scores, run.metrics["model"]
    mlflow.log_params(parameters_of(run) | {"chosen": json.dumps(scores["points"][scores["best"]])} | parameters)
    name = f"cv_{scores['parameters']['metric']}"
    for number, folds in enumerate(scores["scores"]):
        summary = {"mean": statistics.fmean(folds), "standard_error": statistics.stdev(folds) / math.sqrt(len(folds))}
        mlflow.log_metrics({f"{name}_{key}_point_{number}": value for key, value in summary.items()})
        if number == scores["best"]:
            mlflow.log_metrics({f"{name}_{key}": value for key, value in summary.items()})
        for fold, score in enumerate(folds):
            mlflow.log_metric(f"{name}_each_fold_point_{number}", score, step=fold)
    known = {name: metric["value"] for name, metric in metrics.items() if metric["value"] is not None}
    mlflow.log_metrics({f"holdout_{name}": value for name, value in known.items()})
    data = MetaDataset(_dataset_source(source), Path(source).stem, digest(source, session)[:DIGEST_LENGTH])
    mlflow.log_input(data, "training")
    mlflow.log_artifact(str(run.find("scores")), "03_train_cv")
    mlflow.log_artifacts(str(run.read_all("04_evaluate")), "04_evaluate")


def _dataset_source(source: str) -> Any:
    """Where a data set lies, in MLflow's words."""
    from mlflow.data.dataset_source_registry import resolve_dataset_source
    from mlflow.data.spark_dataset_source import SparkDatasetSource

    path = local_path(source)
    if path is None:
        return SparkDatasetSource(path=source)
    with warnings.catch_warnings(action="ignore"):  # MLflow finds its own class twice and says so
        return resolve_dataset_source(str(path))


def log_portable(folder: Path, signature: ModelSignature, example: dict[str, Any]) -> str:
    """Log a portable model to the open MLflow run, as code and files and without a pickle.

    Args:
        folder: What ``lifeboat.deploy.export`` wrote.
        signature: What goes in and comes out.
        example: One record, kept with the model to show how it is asked.

    Returns:
        The model's address in MLflow.
    """
    import mlflow
    import pandas as pd

    from lifeboat.scoring.requirements import ROOM, copy_code, requirements

    with tempfile.TemporaryDirectory() as code:
        logged = mlflow.pyfunc.log_model(
            name="portable",
            python_model=str(ROOM / "pyfunc.py"),
            artifacts={"portable": str(folder)},
            code_paths=[str(copy_code(Path(code)))],
            signature=signature,
            input_example=pd.DataFrame([example]),
            pip_requirements=[*requirements(), *(f"{name}=={version(name)}" for name in ("mlflow", "pandas"))],
        )
    return str(logged.model_uri)
