"""A run in MLflow: what is kept, which version serves, and what the champion said when it was judged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from hand_made import GOOD, by_hand
from lifeboat import deploy, runfolder
from lifeboat.errors import DataError, StageOrderError
from lifeboat.evaluate import Scored
from lifeboat.judgement import write_judgement
from stores import project

JUDGED = Scored(np.array([0, 1, 1]), np.array([0.1, 0.7, 0.4]), np.array([0, 1, 0]), key=np.array([7, 8, 9]))
INPUTS = [
    {"name": "count", "type": "int", "nullable": False},
    {"name": "big", "type": "bigint", "nullable": False},
    {"name": "amount", "type": "double", "nullable": False},
    {"name": "word", "type": "string", "nullable": False},
    {"name": "flag", "type": "boolean", "nullable": False},
    {"name": "spare", "type": "double", "nullable": True},
    {"name": "gappy", "type": "int", "nullable": True},
]
FILES = {
    "01_load/summary.json": {"parameters": {"label": "y", "holdout_fraction": 0.2}},
    "02_preprocess/recipe.json": {"parameters": {"impute": {"spare": "mean"}}},
    "03_train_cv/scores.json": {
        "parameters": {"metric": "accuracy", "num_folds": 3},
        "points": [{"numTrees": 10}, {"numTrees": 20}],
        "best": 1,
        "scores": [[0.5, 0.625, 0.75], [0.875, 0.8125, 0.6875]],
    },
    "04_evaluate/metrics.json": {
        "model": {"accuracy": {"value": 0.75, "low": 0.5, "high": 0.9}, "log_loss": {"value": 0.25}},
        "rule by sex": {"accuracy": {"value": 0.6}},
    },
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with one run's files, and a store of its own."""
    folder = tmp_path_factory.mktemp("project")
    for name, content in FILES.items():
        place = folder / "outputs" / "small" / name
        place.parent.mkdir(parents=True)
        place.write_text(json.dumps(content))
    write_judgement(folder / "outputs" / "small" / "04_evaluate", JUDGED)
    (folder / "rows.csv").write_bytes(b"abc")
    with project(folder):
        yield folder


@pytest.fixture(scope="module")
def logged(home: Path) -> str:
    """The address of a portable model in a run that kept its judgement."""
    deploy.connect(experiment="tests")
    portable = by_hand(home / "portable", [], ["count", "amount"])
    with mlflow.start_run():
        deploy.log_results("outputs/small", "rows.csv", refit="none")
        return deploy.log_portable(portable, deploy.signature(INPUTS, "y"), GOOD)


def aliases(name: str) -> dict[str, str]:
    return {alias: str(version) for alias, version in mlflow.MlflowClient().get_registered_model(name).aliases.items()}


def test_the_store_is_the_argument_s_else_the_environment_s_else_in_outputs(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert deploy.store_uri("http://127.0.0.1:1") == "http://127.0.0.1:1"
    assert deploy.store_uri() == f"sqlite:///{home / 'store.db'}"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert deploy.store_uri() == f"sqlite:///{home / 'outputs' / 'mlflow.db'}"


def test_without_a_store_there_is_no_champion_and_none_is_made(home: Path, tmp_path: Path) -> None:
    assert deploy.champion("model", f"sqlite:///{tmp_path / 'none.db'}") is None
    assert list(tmp_path.iterdir()) == []


def test_in_an_empty_store_there_is_no_champion(logged: str) -> None:
    assert deploy.champion("nobody registered this") is None


def test_a_promoted_version_becomes_champion_and_gives_back_its_judgement(logged: str) -> None:
    for expected in ("1", "2"):
        registered = deploy.register(logged, "promoted", promote=True, tags={"run": "small"})
        assert (str(registered.version), registered.tags) == (expected, {"run": "small"})
        assert aliases("promoted") == {"champion": expected}
    found = deploy.champion("promoted")
    assert found is not None
    assert found.version == "2"
    said = found.judged
    assert said.same_rows(JUDGED)
    assert said.probability.tolist() == [0.1, 0.7, 0.4]


def test_a_version_that_is_not_promoted_is_challenger_and_the_champion_stays(logged: str) -> None:
    deploy.register(logged, "kept", promote=True, tags={})
    deploy.register(logged, "kept", promote=False, tags={})
    assert aliases("kept") == {"champion": "1", "challenger": "2"}
    found = deploy.champion("kept")
    assert found is not None
    assert found.version == "1"


def test_a_first_version_that_is_not_promoted_leaves_no_champion(logged: str) -> None:
    deploy.register(logged, "only a challenger", promote=False, tags={})
    assert aliases("only a challenger") == {"challenger": "1"}
    assert deploy.champion("only a challenger") is None


def test_a_champion_whose_run_kept_no_judgement_is_an_error_that_says_what_to_do(home: Path) -> None:
    deploy.connect(experiment="tests")
    with mlflow.start_run() as run:
        address = deploy.log_portable(by_hand(home / "unjudged", [], ["amount"]), deploy.signature(INPUTS, "y"), GOOD)
    deploy.register(address, "unjudged", promote=True, tags={})
    with pytest.raises(DataError) as caught:
        deploy.champion("unjudged")
    assert str(caught.value) == (
        f"version 1 of 'unjudged' is the champion but its run {run.info.run_id} kept no "
        "04_evaluate/holdout_predictions.parquet: give the alias to another version, or compare with none "
        "(champion_model: '')"
    )


def test_the_registered_model_answers_as_worked_out_by_hand_and_is_no_pickle(logged: str) -> None:
    deploy.register(logged, "asked", promote=True, tags={})
    loaded = mlflow.pyfunc.load_model("models:/asked@champion")
    rows = pd.DataFrame([GOOD | {"spare": 1.0}, GOOD | {"count": -3, "amount": 2.5, "spare": None}])
    assert np.asarray(loaded.predict(rows)).tolist() == [1, 0]  # margins 4 and -0.5
    folder = Path(mlflow.artifacts.download_artifacts(logged))
    names = {file.name for file in folder.rglob("*")}
    assert {"MLmodel", "pyfunc.py", "scorer.py", "fields.py", "steps.py", "manifest.json"} <= names
    assert not [name for name in names if name.endswith((".pkl", ".pickle"))]


def test_a_run_explains_itself_parameters_every_fold_s_score_metrics_data_and_files(logged: str) -> None:
    client = mlflow.MlflowClient()
    model = mlflow.models.get_model_info(logged)
    run = client.get_run(model.run_id)
    assert run.data.params == {
        "01.label": '"y"',
        "01.holdout_fraction": "0.2",
        "02.impute": '{"spare": "mean"}',
        "03.metric": '"accuracy"',
        "03.num_folds": "3",
        "chosen": '{"numTrees": 20}',
        "refit": "none",
    }
    for point, scores in enumerate([[0.5, 0.625, 0.75], [0.875, 0.8125, 0.6875]]):
        history = client.get_metric_history(model.run_id, f"cv_accuracy_point_{point}")
        assert sorted((m.step, m.value) for m in history) == list(enumerate(scores))
    assert {n: v for n, v in run.data.metrics.items() if n.startswith("holdout_")} == {
        "holdout_accuracy": 0.75,
        "holdout_log_loss": 0.25,
    }
    (data,) = run.inputs.dataset_inputs
    assert (data.dataset.name, data.dataset.digest) == ("rows", sha256(b"abc").hexdigest()[:36])
    kept = {
        file.path for folder in ("03_train_cv", "04_evaluate") for file in client.list_artifacts(model.run_id, folder)
    }
    assert kept == {
        "03_train_cv/scores.json",
        "04_evaluate/metrics.json",
        "04_evaluate/holdout_predictions.parquet",
    }


def test_artifacts_of_a_local_store_lie_in_outputs(home: Path, logged: str) -> None:
    experiment = mlflow.get_experiment_by_name("tests")
    assert experiment is not None
    assert experiment.artifact_location == (home / "outputs" / "mlartifacts").as_uri()


def test_the_signature_takes_each_column_s_type_and_leaves_nullable_ones_optional() -> None:
    signature = deploy.signature(INPUTS, "y")
    assert [(c.name, c.type.name, c.required) for c in signature.inputs.inputs] == [
        ("count", "long", True),
        ("big", "long", True),
        ("amount", "double", True),
        ("word", "string", True),
        ("flag", "boolean", True),
        ("spare", "double", False),
        ("gappy", "double", False),
    ]
    assert [(c.name, c.type.name) for c in signature.outputs.inputs] == [("y", "long")]


def test_results_of_a_run_that_was_not_judged_are_not_logged(home: Path) -> None:
    runfolder.commit(runfolder.begin("outputs/half", "03_train_cv"))
    with pytest.raises(StageOrderError, match=r"run notebooks/04_evaluate.ipynb"):
        deploy.log_results("outputs/half", "rows.csv")
