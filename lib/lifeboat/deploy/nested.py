"""In MLflow, below a run, a run for each of its notebooks: its time, its executed copy, its lines of the log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lifeboat.deploy.tracking import connect

PARENT = "mlflow.parentRunId"  # MLflow's own tag


@dataclass(frozen=True)
class Done:
    """A notebook that was executed.

    Attributes:
        notebook: Its executed copy.
        started: When, UTC, ISO 8601.
        seconds: How long it took.
        log: Its lines of the run's log.
    """

    notebook: Path
    started: str
    seconds: float
    log: str


def log_notebooks(parent: str, notebooks: Iterable[Done], tracking_uri: str = "") -> None:
    """Make a run below ``parent`` for each notebook.

    Args:
        parent: The MLflow run that notebook 5 made.
        notebooks: In order.
        tracking_uri: As for ``tracking.store_uri``.
    """
    connect(tracking_uri)
    import mlflow

    client = mlflow.MlflowClient()
    experiment = client.get_run(parent).info.experiment_id
    for done in notebooks:
        begun = int(datetime.fromisoformat(done.started).timestamp() * 1000)
        tags = {PARENT: parent}
        run = client.create_run(experiment, start_time=begun, tags=tags, run_name=done.notebook.stem).info.run_id
        client.log_metric(run, "seconds", done.seconds)
        client.log_artifact(run, str(done.notebook))
        client.log_text(run, done.log, "log.txt")
        client.set_terminated(run, end_time=begun + int(done.seconds * 1000))
