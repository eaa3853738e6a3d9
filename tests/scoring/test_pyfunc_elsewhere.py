"""The logged portable model where nothing of this project is installed: an environment of its own requirements."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest

from fresh import free_port, fresh_environment, running
from lifeboat.deploy import tracking
from lifeboat.scoring.scorer import Scorer
from stores import project

LOCK = Path(__file__).parents[2] / "requirements.txt"


@pytest.fixture(scope="module")
def logged(forest: Path, braund: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a model that was logged as notebook 5 logs it."""
    with project(tmp_path_factory.mktemp("project")) as home:
        tracking.connect(experiment="elsewhere")
        inputs = Scorer.load(forest).columns
        with mlflow.start_run():
            address = tracking.log_portable(forest, tracking.signature(inputs, "Survived"), braund)
        yield Path(mlflow.artifacts.download_artifacts(address, dst_path=str(home / "downloaded")))


@pytest.fixture(scope="module")
def python(logged: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    # what they need in turn as locked, so that the same is installed tomorrow
    needs = ("--requirement", str(logged / "requirements.txt"), "--constraint", str(LOCK))
    return fresh_environment(tmp_path_factory.mktemp("elsewhere") / "environment", *needs)


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MLFLOW"))}
    return kept | {"MLFLOW_DISABLE_TELEMETRY": "true"}


def test_the_requirements_are_what_scores_and_what_loads_each_pinned(logged: Path) -> None:
    lines = (logged / "requirements.txt").read_text().splitlines()
    assert {line.split("==")[0] for line in lines} == {"mlflow", "numpy", "onnxruntime", "pandas"}
    assert [line for line in lines if "==" not in line] == []


ASK = """
import importlib.util, json, sys
import mlflow, pandas as pd
model = mlflow.pyfunc.load_model(sys.argv[1])
with open(sys.argv[2]) as file:
    predictions = model.predict(pd.DataFrame(json.load(file)))
import lifeboat
print(json.dumps([predictions.tolist(), lifeboat.__file__, importlib.util.find_spec("pyspark") is None]))
"""


def test_it_loads_by_mlflow_without_spark_and_answers_as_spark_does(
    logged: Path, python: Path, unlabelled: tuple[list[dict[str, Any]], list[int]], tmp_path: Path
) -> None:
    records, expected = unlabelled
    (tmp_path / "records.json").write_text(json.dumps(records))
    result = subprocess.run(
        [python, "-c", ASK, logged, tmp_path / "records.json"],
        env=environment(), cwd=tmp_path, stdout=subprocess.PIPE, text=True, timeout=120, check=True,
    )  # fmt: skip
    answers, code, without_spark = json.loads(result.stdout.splitlines()[-1])
    assert answers == expected
    assert Path(code).is_relative_to(logged)
    assert without_spark


def test_mlflow_s_own_server_answers_with_it_as_spark_does(
    logged: Path, python: Path, unlabelled: tuple[list[dict[str, Any]], list[int]], tmp_path: Path
) -> None:
    records, expected = unlabelled
    port = free_port()
    command = [python.with_name("mlflow"), "models", "serve", "--env-manager", "local", "--host", "127.0.0.1"]
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"  # it starts its server by name
    with running(
        [*command, "--port", str(port), "--model-uri", logged],
        "Uvicorn running",
        environment() | {"PATH": path},
        tmp_path,
    ):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations",
            json.dumps({"dataframe_records": records}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert json.load(answer) == {"predictions": expected}
