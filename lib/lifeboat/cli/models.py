"""Which model a name on the command line means."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from lifeboat.errors import DataError

DIGEST = re.compile("[0-9a-f]{12,64}")  # of a model, as its server's /version says it, or the beginning of one
UnseenOption = Annotated[
    str,
    typer.Option(help="What to do where a row has a value that training never met: warn or refuse; else as the model."),
]


def find_run(name: str) -> Path:
    """The run folder that a name, a path or a model's digest means; the last finished run for an empty name.

    Raises:
        DataError: There is no such folder.
    """
    from lifeboat.run import last_run, resolve
    from lifeboat.run.folder import FILES

    if not name:
        return last_run().path
    for folder in (resolve("outputs") / name, Path(name).resolve()):
        if folder.is_dir():
            return folder
    for deployed in sorted(resolve("outputs").glob(f"*/{FILES['deployed']}")) if DIGEST.fullmatch(name) else ():
        if json.loads(deployed.read_text(encoding="utf-8")).get("model", "").startswith(name):
            return deployed.parents[1]
    runs = sorted(file.parent.name for file in resolve("outputs").glob("*/run.json"))
    raise DataError(f"there is no run {name!r} in {resolve('outputs')}; there are: {', '.join(runs) or 'none yet'}")


def spark_model(run_dir: Path) -> Path:
    """The Spark model that a run deployed; that of 03 where 05 has not run."""
    from lifeboat.run import Run

    run = Run(run_dir)
    deployed = run.where("deployed_model")
    return deployed if deployed.is_dir() else run.find("trained_model")


def portable_folder(model: str) -> Path:
    """The portable model's folder of a run, of a folder, or of an address in MLflow's registry.

    Raises:
        DataError: There is no portable model at that place.
    """
    from lifeboat.run import Run

    if model.startswith("models:/"):
        from lifeboat.deploy.tracking import connect

        connect()
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException

        try:
            folder = Path(download_artifacts(artifact_uri=model))
        except MlflowException as error:
            raise DataError(f"MLflow has no {model}: {error}") from error
    else:
        folder = find_run(model)
        run = Run(folder)
        if run.where("portable").is_dir():
            folder = run.where("portable")
            for reason in run.stale("05_deploy"):
                typer.echo(f"note: {reason}", err=True)
    for manifest in sorted(folder.rglob("manifest.json")):
        return manifest.parent
    raise DataError(f"there is no portable model in {folder}: `make run` makes one, and a run's 05_deploy keeps it")
