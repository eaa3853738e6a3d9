"""A new version under an alias reaches both workers, a broken one does not, and the one before can come back."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_operations import Running

from hand_made import GOOD, by_hand
from lifeboat.deploy.server.follow import EmptyStoreError, StoredModels
from lifeboat.deploy.server.store import Pointer, RefusedVersionError, RollbackError, Store
from lifeboat.deploy.watch import Watch

TOKEN = "a token of enough letters"


def versions(folder: Path) -> dict[str, Path]:
    """Models that say 1 and 0 of the same row, and broken ones."""
    made = {
        "yes": by_hand(folder / "yes", [], ["count", "amount"]),
        "no": by_hand(folder / "no", [], ["count", "amount"], threshold=0.999),
    }
    for name, file, content in (
        ("altered", "preprocess.json", b"[{}]"),
        ("wrong", "manifest.json", None),
        ("unknown", "model.onnx", b"no graph"),
    ):
        made[name] = by_hand(folder / name, [], ["count"], threshold=0.25)
        manifest = json.loads((made[name] / "manifest.json").read_text())
        if name == "wrong":
            manifest["example"] = {"record": GOOD, "prediction": 0, "probabilities": [1.0, 0.0]}
        elif name == "unknown":
            from hashlib import sha256

            manifest["files"][file] = sha256(content or b"").hexdigest()
        if content:
            (made[name] / file).write_bytes(content)
        (made[name] / "manifest.json").write_text(json.dumps(manifest))
    (by_hand(folder / "missing", [], ["count"], threshold=0.75) / "model.onnx").unlink()
    return made | {"missing": folder / "missing"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return versions(tmp_path_factory.mktemp("versions"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", "made")


def test_what_is_taken_answers_and_a_rollback_lets_the_one_before_answer_again(
    store: Store, made: dict[str, Path]
) -> None:
    with pytest.raises(EmptyStoreError, match="there is none"):
        StoredModels(store)
    yes = store.take(made["yes"])
    with pytest.raises(RollbackError):
        store.rollback()
    no = store.take(made["no"])
    assert store.pointer() == Pointer(no, yes)
    models = StoredModels(store)
    assert (models.current.version, models.current.scorer.score([GOOD]).predictions.tolist()) == (no, [0])
    assert store.rollback() == Pointer(yes, "", no)
    models.look()
    assert (models.current.version, models.current.scorer.score([GOOD]).predictions.tolist()) == (yes, [1])
    store.take(made["no"])
    assert store.pointer() == Pointer(yes, "", no), "what was taken away is not taken again"


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("altered", "preprocess.json in .* is not the file that was exported"),
        ("missing", "cannot read its model.onnx"),
        ("unknown", "ModelProto|protobuf|INVALID"),
        ("wrong", "its example is answered with class 1"),
    ],
)
def test_a_broken_version_is_refused_and_said_and_the_one_before_goes_on(
    store: Store, made: dict[str, Path], broken: str, why: str
) -> None:
    yes = store.take(made["yes"])
    models = StoredModels(store)
    with pytest.raises(RefusedVersionError, match=why):
        store.take(made[broken], "version 7")
    models.look()
    assert (store.pointer(), models.current.version, models.error()) == (Pointer(yes), yes, "")
    assert models.refused.startswith("version 7: ")
    assert sorted(path.name for path in (store.folder / "versions").iterdir()) == [yes]
    store.take(made["no"])
    models.look()
    assert models.refused == ""


def test_a_version_that_breaks_after_it_was_laid_is_not_taken_and_a_new_worker_starts_with_the_one_before(
    store: Store, made: dict[str, Path]
) -> None:
    yes, models = store.take(made["yes"]), StoredModels(store)
    no = store.take(made["no"])
    (store.folder / "versions" / no / "model.onnx").write_bytes(b"")
    models.look()
    assert models.current.version == StoredModels(store).current.version == yes
    assert "model.onnx" in store.refused()


def test_a_store_keeps_the_newest_versions_and_those_that_the_pointer_names(store: Store, tmp_path: Path) -> None:
    for number in range(8):
        store.take(by_hand(tmp_path / str(number), [], ["count"], threshold=(number + 1) / 10))
    assert len(list((store.folder / "versions").iterdir())) == 5


class Registry:
    """An MLflow registry in a folder; an alias of it moves."""

    def __init__(self, folder: Path) -> None:
        self.uri = f"sqlite:///{folder / 'mlflow.db'}"
        self._home = folder
        import mlflow

        mlflow.set_tracking_uri(self.uri)
        mlflow.set_registry_uri(self.uri)
        self._client = mlflow.MlflowClient()
        self._client.create_experiment("made", artifact_location=(folder / "artifacts").as_uri())
        self._client.create_registered_model("made")

    def register(self, portable: Path) -> str:
        run = self._client.create_run(self._client.get_experiment_by_name("made").experiment_id)
        self._client.log_artifacts(run.info.run_id, str(portable), "portable")
        source = f"{run.info.artifact_uri}/portable"
        return str(self._client.create_model_version("made", source, run.info.run_id).version)

    def point(self, version: str) -> None:
        self._client.set_registered_model_alias("made", "champion", version)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory, made: dict[str, Path]) -> Iterator[Registry]:
    import mlflow

    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    started = Registry(tmp_path_factory.mktemp("registry"))
    for name in ("yes", "no", "altered"):  # versions 1, 2 and 3
        started.register(made[name])
    started.point("1")
    yield started
    mlflow.set_tracking_uri(before[0])
    mlflow.set_registry_uri(before[1])


@pytest.mark.spark
def test_both_workers_follow_the_alias_refuse_a_broken_version_and_go_back(
    registry: Registry, tmp_path: Path, made: dict[str, Path]
) -> None:
    environment = os.environ | {"MLFLOW_TRACKING_URI": registry.uri, "LIFEBOAT_HOME": str(tmp_path)}
    environment |= {"LIFEBOAT_TOKEN": TOKEN}
    (tmp_path / "params").mkdir()
    command = [sys.executable, "-m", "lifeboat", "serve", "models:/made@champion"]
    options = ["--port", "0", "--workers", "2", "--watch", "0.2"]
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=log, text=True, env=environment, start_new_session=True
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Serving on"), (tmp_path / "log").read_text()
        host, port = line.removeprefix("Serving on http://").strip().split(":")
        server = Running(process, (host, int(port)), tmp_path / "log")

        def until(wanted: Callable[[], bool]) -> None:
            """Ask all the time: no request may fail while a version takes another's place."""
            while not wanted():
                status, _, content = server.ask("POST", "/score", [GOOD], headers)
                assert status == 200
                assert json.loads(content)["predictions"] in ([0], [1])

        def everyone_says(prediction: int) -> Callable[[], bool]:
            def wanted() -> bool:
                answers = [server.ask("POST", "/score", [GOOD], headers) for _ in range(20)]
                assert {status for status, _, _ in answers} == {200}
                return {json.loads(content)["predictions"][0] for _, _, content in answers} == {prediction}

            return wanted

        def ready() -> Any:
            return json.loads(server.ask("GET", "/readyz")[2])

        until(everyone_says(1))
        for worker in server.workers():
            loaded = " ".join(mapped.path for mapped in worker.memory_maps())
            assert "onnxruntime" in loaded
            assert not re.search("pandas|pyarrow|sqlalchemy", loaded), "MLflow has no business in a worker"
        registry.point("2")
        until(everyone_says(0))
        registry.point("3")
        until(lambda: "version 3" in ready().get("refused", ""))
        assert everyone_says(0)()
        back = json.loads(server.ask("POST", "/admin/rollback", headers=headers)[2])["version"]
        until(lambda: ready()["version"] == back)
        until(everyone_says(1))
        registry.point("2")
        until(lambda: not ready().get("refused"))
        done = subprocess.run([*command, "--rollback"], env=environment, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (
            1,
            "lifeboat: there is no version of made before the one that answers\n",
        )
    finally:
        process.terminate()
        assert process.wait(timeout=60) == 0
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.spark
def test_a_registry_that_is_gone_is_said_once_and_nothing_else_happens(
    store: Store, made: dict[str, Path], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    yes = store.take(made["yes"])

    def gone(name: str) -> dict[str, str]:
        raise ConnectionError("nobody there")

    monkeypatch.setattr("lifeboat.deploy.watch.holders", gone)
    watch = Watch(store, "made", "champion")
    for _ in range(3):
        watch.look_again()
    (line,) = capfd.readouterr().err.splitlines()
    assert json.loads(line)["trouble"] == "ConnectionError: nobody there"
    assert store.pointer() == Pointer(yes)
