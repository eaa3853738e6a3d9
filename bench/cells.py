"""Where a run's time goes: each notebook's slowest cells, with the Spark jobs that they took and the time these took.

    python bench/cells.py                          params/titanic.yaml, the eight slowest cells of each notebook
    python bench/cells.py --lean --cells 20        as `lifeboat run --lean`

Spark's own event log says when a job began and ended, the executed notebook when a cell did.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
from small import covered

from series import copy_project

Span = tuple[float, float]  # from, to, in seconds since 1970


@dataclass(frozen=True)
class Cell:
    """One executed cell.

    Attributes:
        number: Its place in the notebook, from 0.
        line: Its first line.
        span: When it ran.
        jobs: When each of its Spark jobs ran.
    """

    number: int
    line: str
    span: Span
    jobs: tuple[Span, ...]

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.span[1] - self.span[0]

    @property
    def in_jobs(self) -> float:
        """For how long some job of it was running: jobs that ran at once count once."""
        return covered(self.jobs)


def jobs_of(folder: Path) -> list[Span]:
    """When each job of Spark's event logs in a folder ran."""
    began: dict[tuple[Path, int], float] = {}
    ended: dict[tuple[Path, int], float] = {}
    for log in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".crc")):
        for line in log.read_text(encoding="utf-8").splitlines():
            event = json.loads(line) if line.startswith('{"Event":"SparkListenerJob') else {}
            if event.get("Event") == "SparkListenerJobStart":
                began[log, event["Job ID"]] = event["Submission Time"] / 1000
            elif event.get("Event") == "SparkListenerJobEnd":
                ended[log, event["Job ID"]] = event["Completion Time"] / 1000
    return [(first, ended[job]) for job, first in began.items() if job in ended]


def cells_of(notebook: Path, jobs: list[Span]) -> list[Cell]:
    """The code cells of an executed notebook, each with the jobs that began in it."""
    cells = []
    for number, cell in enumerate(nbformat.read(notebook, as_version=4).cells):
        times = cell.metadata.get("papermill", {})
        if cell.cell_type == "code" and times.get("end_time"):
            span = seconds_since_1970(times["start_time"]), seconds_since_1970(times["end_time"])
            own = tuple(job for job in jobs if span[0] <= job[0] < span[1])
            cells.append(Cell(number, next(iter(cell.source.splitlines()), ""), span, own))
    return cells


def seconds_since_1970(text: str) -> float:
    """A time as papermill writes it, UTC whether it says so or not."""
    time = datetime.fromisoformat(text)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def run(params: str, home: Path, logs: Path, lean: bool) -> dict[str, Any]:
    """Run the notebooks in a copy of the project with Spark's event log switched on; what ``run.json`` says."""
    settings = {"enabled": "true", "compress": "false", "dir": logs.as_uri()}
    switched_on = " ".join(f"--conf spark.eventLog.{name}={value}" for name, value in settings.items())
    environment = {**os.environ, "LIFEBOAT_HOME": str(home), "PYSPARK_SUBMIT_ARGS": switched_on}
    environment.pop("MLFLOW_TRACKING_URI", None)
    command = [str(Path(sys.executable).with_name("lifeboat")), "run", str(home / params), "--name", "profile"]
    subprocess.run([*command, *(["--lean"] if lean else [])], env=environment, cwd=home, check=True)
    record: dict[str, Any] = json.loads((home / "outputs/profile/run.json").read_text())
    return record


def main() -> None:
    """Run once, and print a table a notebook."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--params", default="params/titanic.yaml")
    parser.add_argument("--cells", type=int, default=8, help="how many cells of each notebook to show")
    parser.add_argument("--lean", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lifeboat-profile-") as folder:
        home, logs = copy_project(Path(folder, "project")), Path(folder, "logs")
        logs.mkdir()
        record = run(asked.params, home, logs, asked.lean)
        jobs = jobs_of(logs)
        print(f"\n{'':<44}{'seconds':>9}{'in cells':>10}{'jobs':>6}{'in jobs':>9}")
        for stage in record["stages"]:
            cells = cells_of(home / "outputs/profile" / f"{stage['name']}.ipynb", jobs)
            spent, count = sum(cell.seconds for cell in cells), sum(len(cell.jobs) for cell in cells)
            in_jobs = sum(cell.in_jobs for cell in cells)
            print(f"\n{stage['name']:<44}{stage['seconds']:>9.1f}{spent:>10.1f}{count:>6}{in_jobs:>9.1f}")
            for cell in sorted(cells, key=lambda cell: -cell.seconds)[: asked.cells]:
                name = f"  {cell.number:>3} {cell.line}"[:44]
                print(f"{name:<44}{'':>9}{cell.seconds:>10.1f}{len(cell.jobs):>6}{cell.in_jobs:>9.1f}")
        total = sum(stage["seconds"] for stage in record["stages"])
        print(f"\n{'all':<44}{total:>9.1f}{'':>10}{len(jobs):>6}{covered(jobs):>9.1f}")


if __name__ == "__main__":
    main()
