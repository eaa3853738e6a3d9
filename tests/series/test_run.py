"""`lifeboat run` on the real notebooks and the quick parameters, and the same by plain papermill."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from lifeboat.runfolder import STAGES
from lifeboat.serving.scorer import Scorer


@pytest.fixture(scope="module")
def outputs(run, workspace: Path) -> Path:  # type: ignore[no-untyped-def]
    run("lifeboat", "run", "params/quick.yaml", "--name", "quick")
    return workspace / "outputs" / "quick"


def read(place: Path) -> Any:
    return json.loads(place.read_text())


def test_the_run_leaves_five_executed_notebooks_and_says_so(outputs: Path) -> None:
    assert [notebook.stem for notebook in sorted(outputs.glob("*.ipynb"))] == list(STAGES)
    assert {stage["state"] for stage in read(outputs / "run.json")["stages"]} == {"done"}


def test_every_unlabelled_passenger_has_a_prediction(outputs: Path) -> None:
    with (outputs / "05_deploy/predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["PassengerId", "Survived"]
    assert [int(row["PassengerId"]) for row in rows] == list(range(892, 1310))
    assert {row["Survived"] for row in rows} == {"0", "1"}


def test_the_portable_model_that_is_left_is_whole_and_is_the_registered_one(outputs: Path) -> None:
    deployed = read(outputs / "05_deploy/deployed.json")
    assert Scorer.load(outputs / "05_deploy/portable").digest == deployed["model"]
    assert deployed["alias"] == read(outputs / "04_evaluate/verdict.json")["alias"]


def test_the_parameters_of_the_file_reached_the_notebooks(outputs: Path) -> None:
    assert read(outputs / "03_train_cv/scores.json")["parameters"]["num_folds"] == 2


@pytest.mark.parametrize("stage", ["01_load", "04_evaluate"])
def test_plain_papermill_gives_the_same_files(outputs: Path, run, workspace: Path, tmp_path: Path, stage: str) -> None:  # type: ignore[no-untyped-def]
    plain = workspace / "outputs" / f"plain-{stage}"
    for before in STAGES[: STAGES.index(stage)]:
        shutil.copytree(outputs / before, plain / before)
    run(
        *("papermill", f"notebooks/{stage}.ipynb", str(tmp_path / "out.ipynb"), "-f", "params/quick.yaml"),
        *("-p", "run_dir", f"outputs/{plain.name}", "-k", "python3", "--no-progress-bar"),
        MLFLOW_TRACKING_URI=f"sqlite:///{tmp_path / 'empty.db'}",  # the run has made its model the champion
    )
    for file in sorted((outputs / stage).glob("*.json")):
        assert read(plain / stage / file.name) == read(file), file.name
