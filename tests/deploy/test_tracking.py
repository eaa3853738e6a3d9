"""A run in MLflow: what is kept, which version serves, and what the champion said when it was judged."""

from __future__ import annotations

import json
import os
import sqlite3
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import mlflow
import numpy as np
import pandas as pd
import pytest

from hand_made import GOOD, by_hand
from lifeboat.cli.runs import _kept
from lifeboat.deploy import registry, tracking
from lifeboat.deploy.nested import Done, log_notebooks
from lifeboat.errors import DataError, StageOrderError
from lifeboat.evaluate import Scored
from lifeboat.run import Run
from lifeboat.scoring.fields import Column
from stores import project

SCORED = Scored(np.array([0, 1, 1]), np.array([0.1, 0.7, 0.4]), np.array([0, 1, 0]), key=np.array([7, 8, 9]))
INPUTS = [
    Column("count", "int", nullable=False),
    Column("big", "bigint", nullable=False),
    Column("amount", "double", nullable=False),
    Column("word", "string", nullable=False),
    Column("flag", "boolean", nullable=False),
    Column("spare", "double", nullable=True),
    Column("gappy", "int", nullable=True),
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
        "model": {
            "accuracy": {"value": 0.75, "low": 0.5, "high": 0.9},
            "log_loss": {"value": 0.25},
            "roc_auc": {"value": None, "reason": "one class"},
        },
        "rule by sex": {"accuracy": {"value": 0.6}},
    },
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project with one run's files, and a store of its own."""
    folder = tmp_path_factory.mktemp("project")
    for name, content in FILES.items():
        path = folder / "outputs" / "small" / name
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(content))
    SCORED.table.to_parquet(folder / "outputs/small/04_evaluate/holdout_predictions.parquet")
    (folder / "rows.csv").write_bytes(b"abc")
    with project(folder):
        yield folder


def test_the_registry_is_the_store_unless_the_environment_names_another(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = f"sqlite:///{home / 'store.db'}"
    tracking.connect()
    assert (mlflow.get_tracking_uri(), mlflow.get_registry_uri()) == (store, store)
    other = f"sqlite:///{home / 'other.db'}"
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", other)
    tracking.connect()
    assert (mlflow.get_tracking_uri(), mlflow.get_registry_uri()) == (store, other)
    monkeypatch.delenv("MLFLOW_REGISTRY_URI")
    tracking.connect()


@pytest.fixture(scope="module")
def logged(home: Path) -> str:
    """The address of a portable model in a run that kept its judgement."""
    tracking.connect(experiment="tests")
    portable = by_hand(home / "portable", [], ["count", "amount"])
    with mlflow.start_run():
        tracking.log_results(Run("outputs/small"), "rows.csv", refit="none")
        return tracking.log_portable(portable, tracking.signature(INPUTS, "y"), GOOD)


def aliases(name: str) -> dict[str, str]:
    return {alias: str(version) for alias, version in mlflow.MlflowClient().get_registered_model(name).aliases.items()}


def test_the_store_is_the_environment_s_else_the_argument_s_else_in_outputs(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tracking.store_uri("http://127.0.0.1:1") == f"sqlite:///{home / 'store.db'}"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert tracking.store_uri("http://127.0.0.1:1") == "http://127.0.0.1:1"
    assert tracking.store_uri() == f"sqlite:///{home / 'outputs' / 'mlflow.db'}"


def test_a_second_store_keeps_nothing_of_the_first_and_the_environment_is_as_it_was(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    for store in ("one", "two"):
        tracking.connect(f"sqlite:///{home / store}.db")
        assert mlflow.get_registry_uri() == mlflow.get_tracking_uri() == f"sqlite:///{home / store}.db"
        assert not {"MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"} & os.environ.keys()


def test_a_run_of_the_environment_is_added_to_only_while_it_is_open(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracking.connect(experiment="model")
    client = mlflow.MlflowClient()
    service = client.create_run(client.get_experiment_by_name("model").experiment_id).info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", service)
    tracking.connect(experiment="model")
    assert os.environ["MLFLOW_RUN_ID"] == service
    client.set_terminated(service)
    for stale in (service, "0" * 32):
        monkeypatch.setenv("MLFLOW_RUN_ID", stale)
        tracking.connect(experiment="model")
        assert "MLFLOW_RUN_ID" not in os.environ


def test_a_store_that_cannot_be_used_is_named_with_the_variable_that_says_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nothing://here")
    with pytest.raises(
        tracking.StoreError, match=r"nothing://here cannot be used .*MLFLOW_TRACKING_URI='nothing://here'"
    ):
        tracking.connect(experiment="model")


def test_without_a_store_there_is_no_champion_and_none_is_made(home: Path, tmp_path: Path) -> None:
    assert registry.incumbents("model", f"sqlite:///{tmp_path / 'none.db'}") == registry.Incumbents()
    assert list(tmp_path.iterdir()) == []


def test_the_model_is_called_portable_in_its_run(logged: str) -> None:
    assert mlflow.get_logged_model(logged.removeprefix("models:/")).name == "portable"


def test_in_an_empty_store_there_is_no_champion(logged: str) -> None:
    assert registry.incumbents("nobody registered this") == registry.Incumbents()


def settled(name: str, address: str, alias: str, new_reference: bool = False, of: object = ...) -> str:
    """Register a version, and give it the alias of a verdict that compared with who is there now, or with ``of``."""
    compared = registry.incumbents(name).noted(name) if of is ... else of
    registered = str(registry.register(address, name, {"run": "small"}).version)
    verdict = {"alias": alias, "new_reference": new_reference, "compared_with": compared}
    registry.give_alias(name, registered, verdict, "")
    return registered


def test_the_first_champion_is_the_reference_too_and_gives_back_its_judgement(logged: str) -> None:
    assert settled("promoted", logged, "champion", new_reference=True) == "1"
    assert aliases("promoted") == {"champion": "1", "reference": "1"}
    incumbents = registry.incumbents("promoted")
    assert incumbents.champion is not None
    assert incumbents.champion is incumbents.reference
    assert (incumbents.champion.version, incumbents.champion.scored.same_rows(SCORED)) == ("1", True)
    assert incumbents.champion.scored.probability.tolist() == [0.1, 0.7, 0.4]


def test_the_reference_moves_only_for_a_model_that_was_surely_better(logged: str) -> None:
    settled("followed", logged, "champion", new_reference=True)
    settled("followed", logged, "champion")
    settled("followed", logged, "challenger")
    assert aliases("followed") == {"reference": "1", "champion": "2", "challenger": "3"}
    settled("followed", logged, "champion", new_reference=True)
    assert aliases("followed") == {"reference": "4", "champion": "4", "challenger": "3"}


def test_a_candidate_s_rivals_are_the_champion_and_the_reference_where_it_is_another(logged: str) -> None:
    assert registry.incumbents("rivals").rivals == []
    settled("rivals", logged, "champion", new_reference=True)
    assert [rival.name for rival in registry.incumbents("rivals").rivals] == ["the champion"]
    settled("rivals", logged, "champion")
    both = registry.incumbents("rivals")
    assert [rival.name for rival in both.rivals] == ["the champion", "the reference"]
    assert both.champion is not None
    assert both.reference is not None
    assert [rival.predictions for rival in both.rivals] == [both.champion.scored, both.reference.scored]


def test_none_is_the_name_of_nobody_and_no_store_is_asked() -> None:
    nobody = registry.incumbents("none", "nothing://here")
    assert (nobody, nobody.noted("none")) == (registry.Incumbents(), None)


def test_a_champion_from_before_there_was_a_reference_is_the_reference_of_those_that_follow(logged: str) -> None:
    mlflow.MlflowClient().set_registered_model_alias(
        "older", "champion", registry.register(logged, "older", {}).version
    )
    settled("older", logged, "champion")
    assert aliases("older") == {"champion": "2", "reference": "1"}


def test_a_first_version_that_is_not_promoted_leaves_no_champion(logged: str) -> None:
    settled("only a challenger", logged, "challenger")
    assert aliases("only a challenger") == {"challenger": "1"}
    assert registry.incumbents("only a challenger") == registry.Incumbents()


def test_where_somebody_else_has_become_champion_meanwhile_no_alias_moves(logged: str) -> None:
    settled("contested", logged, "champion", new_reference=True)
    compared = registry.incumbents("contested").noted("contested")
    settled("contested", logged, "champion")
    with pytest.raises(registry.RegistryError, match=r"no alias was moved\. Run notebooks 4 and 5 again") as caught:
        settled("contested", logged, "champion", of=compared)
    assert "then champion 1, reference 1 of 'contested'; now champion 2, reference 1 of 'contested'" in str(
        caught.value
    )
    assert aliases("contested") == {"champion": "2", "reference": "1"}


def test_compared_with_none_the_alias_moves_whoever_was_there(logged: str) -> None:
    settled("alone", logged, "champion", new_reference=True)
    settled("alone", logged, "champion", of=None)
    assert aliases("alone") == {"champion": "2", "reference": "1"}


def test_a_champion_whose_run_kept_no_judgement_is_an_error_that_says_what_to_do(home: Path) -> None:
    tracking.connect(experiment="tests")
    with mlflow.start_run() as run:
        address = tracking.log_portable(
            by_hand(home / "unjudged", [], ["amount"]), tracking.signature(INPUTS, "y"), GOOD
        )
    settled("unjudged", address, "champion", new_reference=True)
    with pytest.raises(DataError) as caught:
        registry.incumbents("unjudged")
    assert str(caught.value) == (
        f"version 1 of 'unjudged' is the champion but its run {run.info.run_id} kept no "
        "04_evaluate/holdout_predictions.parquet: give the alias to another version, or compare with none "
        "(champion_model: none)"
    )


@pytest.fixture(params=[401, 403, 500, 503])
def refusing(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that answers each request with an error."""

    class Refuse(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(request.param)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Refuse) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def impatient(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """MLflow asks once and no registry but the store's; afterwards it is pointed at the tests' own store again."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    for name in ("MLFLOW_REGISTRY_URI", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    yield
    for name in ("MLFLOW_REGISTRY_URI", "MLFLOW_TRACKING_URI"):  # MLflow notes in them where it was pointed at
        os.environ.pop(name, None)
    tracking.connect(f"sqlite:///{home / 'store.db'}")


UNANSWERED = "the registry did not say who is the champion of 'model'"


def test_a_registry_that_refuses_to_answer_is_not_one_without_a_champion(impatient: None, refusing: str) -> None:
    with pytest.raises(registry.RegistryError, match=UNANSWERED):
        registry.incumbents("model", refusing)


def test_a_registry_whose_host_has_no_address_is_not_one_without_a_champion(impatient: None) -> None:
    with pytest.raises(registry.RegistryError, match=UNANSWERED):
        registry.incumbents("model", "http://nobody.invalid:5000")


def test_the_registered_model_answers_as_worked_out_by_hand_and_is_no_pickle(logged: str) -> None:
    settled("asked", logged, "champion")
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
        history = client.get_metric_history(model.run_id, f"cv_accuracy_each_fold_point_{point}")
        assert sorted((m.step, m.value) for m in history) == list(enumerate(scores))
    error = {0: 0.125 / 3**0.5, 1: statistics.stdev([0.875, 0.8125, 0.6875]) / 3**0.5}
    for point, mean in {0: 0.625, 1: 2.375 / 3}.items():
        assert run.data.metrics[f"cv_accuracy_mean_point_{point}"] == pytest.approx(mean)
        assert run.data.metrics[f"cv_accuracy_standard_error_point_{point}"] == pytest.approx(error[point])
    chosen = [run.data.metrics[f"cv_accuracy_{statistic}"] for statistic in ("mean", "standard_error")]
    assert chosen == [pytest.approx(2.375 / 3), pytest.approx(error[1])]
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
    signature = tracking.signature(INPUTS, "y")
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
    for file in ("01_load/summary.json", "02_preprocess/recipe.json", "03_train_cv/scores.json"):
        path = home / "outputs/half" / file
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(FILES[file]))
    with pytest.raises(StageOrderError, match=r"run notebooks/04_evaluate.ipynb"):
        tracking.log_results(Run("outputs/half"), "rows.csv")


def test_below_a_run_each_of_its_notebooks_is_a_run_with_its_time_its_copy_and_its_log(home: Path) -> None:
    tracking.connect(experiment="nested")
    with mlflow.start_run(run_name="parent") as parent:
        pass
    (home / "01_load.ipynb").write_text("{}")
    log_notebooks(parent.info.run_id, [Done(home / "01_load.ipynb", "2026-01-02T03:04:05+00:00", 2.5, "it ran\n")])
    (child,) = mlflow.search_runs(
        experiment_names=["nested"],
        filter_string=f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'",
        output_format="list",
    )
    assert (child.info.run_name, child.info.status, child.data.metrics) == ("01_load", "FINISHED", {"seconds": 2.5})
    assert child.info.start_time == 1767323045000
    assert child.info.end_time - child.info.start_time == 2500
    assert mlflow.artifacts.load_text(f"{child.info.artifact_uri}/log.txt") == "it ran\n"
    assert mlflow.artifacts.load_text(f"{child.info.artifact_uri}/01_load.ipynb") == "{}"


FIRST = """from lifeboat.deploy import registry, tracking
tracking.connect(experiment="both")
import mlflow
with mlflow.start_run():
    mlflow.log_metric("a", 1)
print(registry.holders("nobody"))"""


def test_two_processes_that_are_both_the_first_make_one_store(tmp_path: Path) -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "LIFEBOAT_"))}
    own |= {"LIFEBOAT_HOME": str(tmp_path)}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen([sys.executable, "-c", FIRST], env=own, **streams) for _ in range(2)]
    for process in both:
        output, errors = process.communicate()
        assert (process.returncode, output) == (0, "{}\n"), errors
    with closing(sqlite3.connect(tmp_path / "outputs" / "mlflow.db")) as store:
        assert store.execute("select count(*) from runs").fetchone() == (2,)
        assert store.execute("select count(*) from experiments where name = 'both'").fetchone() == (1,)


def test_a_store_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "LIFEBOAT_"))}
    own |= {"LIFEBOAT_HOME": str(tmp_path)}
    part, store = tmp_path / "outputs" / ".mlflow.db.part", tmp_path / "outputs" / "mlflow.db"
    with subprocess.Popen([sys.executable, "-c", FIRST], env=own, stderr=subprocess.DEVNULL) as first:
        while not part.exists() or not part.stat().st_size:
            assert first.poll() is None
        first.kill()
    assert not store.exists()
    assert part.exists(), "it was killed amid its tables"
    again = subprocess.run([sys.executable, "-c", FIRST], env=own, capture_output=True, text=True)
    assert (again.returncode, again.stdout) == (0, "{}\n"), again.stderr
    assert [store.exists(), part.exists()] == [True, False]


def test_a_run_whose_model_an_alias_names_is_not_removed_and_another_may_be(logged: str, home: Path) -> None:
    verdict = {"alias": "champion", "new_reference": True, "compared_with": None}
    versions = [registry.register(logged, "kept", {"model": "abc"}).version for _ in range(2)]
    registry.give_alias("kept", str(versions[0]), verdict, "")
    for version, why in zip(versions, ("its model is the champion and the reference", ""), strict=True):
        folder = home / "outputs" / f"kept{version}"
        (folder / "05_deploy").mkdir(parents=True)
        (folder / "05_deploy" / "deployed.json").write_text(json.dumps({"name": "kept", "version": version}))
        assert _kept(folder) == why
    compared = {"model": "kept", "champion": None, "reference": None}
    with pytest.raises(registry.RegistryChangedError):
        registry.need_unchanged(compared, "", "another model")
    registry.need_unchanged(compared, "", "abc")  # it became champion by a run that was killed at its very end
