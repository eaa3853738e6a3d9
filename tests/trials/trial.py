"""Take tables through ``lifeboat new``, the five notebooks and ``lifeboat score``, and hold what comes to what must.

``make trials`` takes all of them; names on the command line take these alone. One JVM serves all that go well.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq
from tables import TABLES, Trial

from lifeboat.reading import open_table, parse_csv
from lifeboat.scoring.scorer import Scorer
from lifeboat.spark.jvm import WarmJvm

QUICK = (
    *("-p", "spark=local[1]", "-p", "grid={numTrees: [2]}", "-p", "num_folds=2", "-p", "resamples=20"),
    *("-p", "leak_column=''"),
)


def lifeboat(project: Path, *words: str) -> tuple[int, str]:
    """Run a command in a project; its status, and all that it said."""
    env = os.environ | {"LIFEBOAT_HOME": str(project), "MLFLOW_TRACKING_URI": f"sqlite:///{project / 'mlflow.db'}"}
    done = subprocess.run(
        [sys.executable, "-m", "lifeboat", *words], cwd=project, env=env, text=True, capture_output=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def fault(trial: Trial, project: Path) -> str:
    """What went otherwise than it must; empty where nothing did."""
    data, params = project / trial.file, project / "params" / "trial.yaml"
    trial.write(data)
    status, said = lifeboat(
        project, "new", str(data), "--label", trial.label, "--out", str(params), "--force", *trial.options
    )
    if status or (trial.by == "new" and trial.refused):
        return _refused(trial, "new", status, said)
    status, said = lifeboat(project, "run", str(params), "--name", "trial", *QUICK, *trial.parameters)
    if status or trial.refused:
        return _refused(trial, "run", status, said)
    out = project / f"{trial.file}.scored.parquet"
    status, said = lifeboat(project, "score", "trial", str(data), str(out), "--allow-refused", str(trial.rejected))
    if status:
        return f"score ended with {status}: {said[-1500:]}"
    return _not_whole(trial, project, data, out)


def _refused(trial: Trial, command: str, status: int, said: str) -> str:
    if trial.refused and trial.by == command and status and trial.refused in said:
        return ""
    return f"{command} ended with {status}, wanted {trial.refused or 'no refusal'!r}: {said[-1500:]}"


def _not_whole(trial: Trial, project: Path, data: Path, out: Path) -> str:
    """Whether each record of the file is in one part of the run, and has one answer."""
    parts = {name: pq.read_table(project / "outputs/trial/01_load" / name).num_rows
             for name in ("train", "holdout", "rejected")}  # fmt: skip
    csv = Scorer.load(project / "outputs/trial/05_deploy/portable").enrichment["csv"]
    records = sum(batch.num_rows for batch in open_table(data, parse_csv(csv)).batches([]))
    answered = pq.read_table(out).num_rows
    if sum(parts.values()) != records or parts["rejected"] != trial.rejected or answered != records:
        return f"{records} records, {parts}, {answered} answers; {trial.rejected} were to be rejected"
    return ""


def project_in(folder: Path) -> Path:
    """A project with the notebooks, and no data."""
    root = Path(__file__).parents[2]
    (folder / "params").mkdir(parents=True)
    (folder / "notebooks").symlink_to(root / "notebooks")
    return folder


def main() -> None:
    """Print a line for each trial, and end with 1 where one failed."""
    failed, jvm = 0, WarmJvm()
    with tempfile.TemporaryDirectory() as folder:
        for number, name in enumerate(sys.argv[1:] or TABLES):
            begun = time.monotonic()
            wrong = fault(TABLES[name], project_in(Path(folder, str(number))))
            failed += bool(wrong)
            print(f"{'FAILED' if wrong else 'ok':<7}{name} ({time.monotonic() - begun:.0f} s)  {wrong}", flush=True)
            if wrong or TABLES[name].by == "run":  # a notebook that stopped half way left its Spark in the JVM
                jvm.close()
                jvm = WarmJvm()
    jvm.close()
    print(f"{len(sys.argv[1:] or TABLES) - failed} passed, {failed} failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
