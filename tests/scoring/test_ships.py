"""What ships needs nothing that is not there, whichever part of it is loaded first."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from hand_made import by_hand
from lifeboat import moved
from lifeboat.deploy.server.client import DIRECTLY
from lifeboat.scoring import requirements
from lifeboat.scoring.requirements import copy_code

BEFORE = Path(__file__).parents[1] / "data" / "before"

REFUSING = """
import sys
from importlib.abc import MetaPathFinder

class Refusing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if any(name == top or name.startswith(top + ".") for top in sys.argv[1].split()):
            raise ImportError("no " + name)

sys.meta_path.insert(0, Refusing())
"""
HEAVY = "pyspark mlflow pandas pyarrow onnx matplotlib sklearn scipy yaml pydantic typer"


def python(code: str, refused: str, *words: str, path: Path | None = None) -> str:
    """What a process says in which some imports are refused."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"PYTHONPATH": str(path)} if path else {}
    command = [sys.executable, "-c", REFUSING + code, refused, *words]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("portable", ["portable-1", "portable-2"])
def test_the_copy_that_ships_scores_with_numpy_and_onnxruntime_alone(portable: str, tmp_path: Path) -> None:
    copied = copy_code(tmp_path)
    assert {entry.name for entry in copied.iterdir()} == {"__init__.py", "errors.py", "scoring"}
    rooms = "load preprocess train_cv evaluate deploy reading parameters runner spark plots cli run sampling titanic"
    code = """
import json
from lifeboat.scoring import answers, bodies
from lifeboat.scoring.scorer import Scorer
sent = json.load(open(sys.argv[2] + "/run/05_deploy/spark_answers.json"))
print(json.dumps(Scorer.load(sys.argv[2] + "/" + sys.argv[3]).score(sent["records"]).predictions.tolist()))
"""
    refused = f"{HEAVY} flask granian msgspec prometheus_client " + " ".join(
        f"lifeboat.{room}" for room in rooms.split()
    )
    predictions = json.loads(python(code, refused, str(BEFORE), portable, path=tmp_path))
    assert predictions == json.loads((BEFORE / "run/05_deploy/spark_answers.json").read_text())["predictions"]


def test_the_server_starts_where_spark_mlflow_pandas_and_arrow_are_refused(tmp_path: Path) -> None:
    folder = by_hand(tmp_path / "model", [], ["count", "amount"])
    code = """
import runpy
del sys.argv[1]
runpy.run_module("lifeboat.deploy.server", run_name="__main__")
"""
    command = [sys.executable, "-c", REFUSING + code, HEAVY, str(folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().removeprefix("Serving on ").strip()
        with DIRECTLY.open(f"{url}/health", timeout=30) as answer:
            assert json.load(answer) == {"status": "ok"}
        server.terminate()


def test_the_portable_model_may_be_loaded_first_and_the_rest_of_the_package_after_it(tmp_path: Path) -> None:
    copied = copy_code(tmp_path / "code")
    code = """
import lifeboat.scoring.scorer
from lifeboat.titanic import Title
from lifeboat.copies import CopyColumns
print(lifeboat.scoring.scorer.__file__, Title.__module__, CopyColumns.__module__)
"""
    words = python(code, "none", path=copied.parent).split()
    assert words == [str(copied / "scoring" / "scorer.py"), "lifeboat.titanic", "lifeboat.copies"]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("from lifeboat import runfolder", "lifeboat.run"),
        ("import lifeboat.session", "lifeboat.spark.session"),
        ("from lifeboat.serving.app import serve", "lifeboat.deploy.server.app"),
        ("from lifeboat.pipeline import params", "lifeboat.parameters.files"),
        ("from lifeboat.spark.session import settle", "lifeboat.sampling.repartition_by_key"),
        ("from lifeboat.preprocess.column_names import class_names", "lifeboat.scoring.classes.names_of_classes"),
        ("from lifeboat.load import at_most", "lifeboat.sampling.sample"),
        ("from lifeboat import load; load.at_most", "lifeboat.sampling.sample"),
        ("from lifeboat.run import begin, commit", "lifeboat.run.Run"),
        ("from lifeboat import deploy; deploy.connect()", "lifeboat.deploy.tracking.connect"),
    ],
)
def test_a_name_of_an_earlier_version_is_refused_with_the_one_of_today(line: str, name: str) -> None:
    with pytest.raises(ImportError, match=rf" is {name} now$"):
        exec(line)


def test_what_saved_models_ask_for_by_an_earlier_name_is_there() -> None:
    from lifeboat.copies import CopyColumns  # type: ignore[import-not-found]
    from lifeboat.serving.scorer import Scorer  # type: ignore[import-not-found]

    from lifeboat.preprocess import copies
    from lifeboat.scoring import scorer

    assert (CopyColumns, Scorer) == (copies.CopyColumns, scorer.Scorer)


def test_each_name_that_the_table_of_earlier_names_gives_is_there() -> None:
    assert len(moved()) > 100
    for old, (new, *_) in moved().items():
        module, _, name = new.rpartition(".")
        assert hasattr(import_module(module), name) or find_spec(new), old
        parent = import_module(old.rpartition(".")[0])
        assert hasattr(parent, "__path__") or "__getattr__" in vars(parent), f"nobody is told of {old}"


def test_what_ships_is_the_code_and_nothing_that_python_left_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = tmp_path / "lifeboat" / "scoring"
    shutil.copytree(requirements.ROOM.parent, room.parent, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(requirements, "ROOM", room)
    before = copy_code(tmp_path / "before")
    for folder in (room, room.parent):
        (folder / "__pycache__").mkdir()
        (folder / "__pycache__" / "scorer.cpython-311.pyc").write_bytes(b"compiled")
    after = copy_code(tmp_path / "after")
    files = [sorted(file.relative_to(code) for file in code.rglob("*")) for code in (before, after)]
    assert files[0] == files[1]
    assert {Path("scoring/scorer.py"), Path("errors.py")} <= set(files[0])
