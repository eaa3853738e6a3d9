"""What is sent to Azure under Azure's own inference server: the bundle's code, model and environment, and no more."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

import lifeboat
from fresh import free_port, fresh_environment, running
from lifeboat.deploy.azure.bundle import make_bundle, read_answers
from lifeboat.deploy.azure.endpoint import Asker
from lifeboat.deploy.azure.rollout import smoke_test
from lifeboat.deploy.server.app import create_app
from lifeboat.deploy.server.models import Model, Models
from lifeboat.parameters.azure import AzureSettings
from lifeboat.run import Run
from lifeboat.scoring.answers import LARGEST_BODY

PACKAGE = Path(lifeboat.__file__).parent
Ask = Callable[..., tuple[int, Any]]


@pytest.fixture(scope="module")
def bundle(
    forest: Path, unlabelled: tuple[list[dict[str, Any]], list[int]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """What a deployment of the forest sends."""
    run, folder = Run(tmp_path_factory.mktemp("run")), tmp_path_factory.mktemp("bundle")
    shutil.copytree(forest, run.where("portable"))
    records, predictions = unlabelled
    run.where("spark_answers").write_text(json.dumps({"records": records, "predictions": predictions}))
    make_bundle(run, AzureSettings.read_dry({"endpoint": "lifeboat-test"}), folder)
    return folder


@pytest.fixture(scope="module")
def python(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the packages that the bundle's names, and no more."""
    packages = yaml.safe_load((bundle / "conda.yml").read_text())["dependencies"][-1]["pip"]
    return fresh_environment(tmp_path_factory.mktemp("azure") / "environment", *packages)


@pytest.fixture(scope="module")
def code(bundle: Path) -> Path:
    return bundle / "code"


def environment(model_dir: Path, home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AZUREML", "AML"))}
    return kept | {"AZUREML_MODEL_DIR": str(model_dir), "HOME": str(home)}  # gunicorn leaves a socket in HOME


def server(python: Path, port: int) -> list[str | Path]:
    return [python.with_name("azmlinfsrv"), "--entry_script", "score.py", "--port", str(port)]


@pytest.fixture(scope="module")
def port(python: Path, bundle: Path, code: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    home = tmp_path_factory.mktemp("home")
    model_dir = home / "azureml-models" / "lifeboat" / "3"  # as Azure lays it: the model's folder lies below
    shutil.copytree(bundle / "model", model_dir / "model")
    port = free_port()
    with running(server(python, port), "ready for serving traffic", environment(model_dir, home), code):
        yield port


@pytest.fixture(scope="module")
def ask(port: int) -> Ask:
    """Ask the inference server."""

    def send(
        body: bytes, kind: str | None = "application/json", method: str = "POST", length: int | None = None
    ) -> tuple[int, Any]:
        headers = {"Content-Length": str(len(body) if length is None else length)}
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.request(method, "/score", body, headers | ({"Content-Type": kind} if kind else {}))
            answer = connection.getresponse()
            assert answer.headers.get_content_type() == "application/json"
            return answer.status, json.loads(answer.read())

    return send


@pytest.fixture(scope="module")
def flask_app(forest: Path) -> Ask:
    """Ask the Flask app the same."""
    client = create_app(Models(Model.load(forest, "model"))).test_client()

    def send(body: bytes, kind: str | None = "application/json", method: str = "POST") -> tuple[int, Any]:
        answer = client.open("/score", method=method, data=body, content_type=kind)
        return answer.status_code, answer.get_json()

    return send


@pytest.mark.filterwarnings("ignore::marshmallow.warnings.ChangedInMarshmallow4Warning")  # the SDK's own schemas
def test_azure_s_server_says_of_every_unlabelled_passenger_what_spark_says(ask: Ask, port: int, bundle: Path) -> None:
    records, expected = read_answers(bundle)
    assert (len(records), set(expected)) == (418, {0, 1})
    assert ask(json.dumps({"input_data": records}).encode()) == (200, {"predictions": expected})
    assert smoke_test(Asker(f"http://127.0.0.1:{port}/score", 30, "key"), "blue", bundle) == 418


def test_every_form_of_the_same_two_passengers_gets_the_same_answer_from_both_servers(
    ask: Ask, flask_app: Ask, braund: dict[str, Any], cumings: dict[str, Any]
) -> None:
    two = [braund, cumings]
    split = {"columns": list(braund), "data": [list(passenger.values()) for passenger in two]}
    bodies: list[Any] = [
        two,
        split,
        {"input_data": two},
        {"input_data": split | {"index": [0, 1]}},
        {"dataframe_split": split},
        {"dataframe_records": two},
        {"inputs": {name: [braund[name], cumings[name]] for name in braund}},
        {"instances": two},
    ]
    for body in bodies:
        content = json.dumps(body).encode()
        assert ask(content) == flask_app(content) == (200, {"predictions": [0, 1]})
    assert ask(json.dumps(cumings).encode(), "application/json; charset=utf-8") == (200, {"predictions": [1]})


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"null", 422),
        (b"[" * 100_000, 400),
        (b'{"a": 1, "a": 2}', 400),
        (b'{"Sexx": "male"}', 422),
        (b'[{"Pclass": "3"}]', 422),
        (b'[{"Pclass": 1e999}]', 422),
        (b'{"input_data": 3}', 422),
        (b'{"input_data": [], "params": {}}', 422),
        (b'{"dataframe_split": {"columns": ["Age"], "data": [[1, 2]]}}', 422),
        (b'{"inputs": {"Age": [1], "Fare": [1, 2]}}', 422),
        (b'{"columns": ["Age", "Age"], "data": []}', 422),
    ],
    ids=range(14),
)
def test_a_bad_body_gets_the_flask_app_s_status_and_json(
    ask: Ask, flask_app: Ask, content: bytes, expected: int
) -> None:
    status, answer = ask(content)
    assert (status, answer) == flask_app(content)
    assert (status, answer.keys()) == (expected, {"error", "details"})


def test_probabilities_are_answered_to_whom_asks_for_them(ask: Ask, port: int, braund: dict[str, Any]) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("POST", "/score?proba=true", json.dumps(braund), {"Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())
    assert answer["predictions"] == [0]
    assert sum(answer["probabilities"][0]) == pytest.approx(1)


@pytest.mark.parametrize("kind", ["text/csv", "application/octet-stream", None])
def test_a_body_that_is_not_declared_as_json_gets_the_flask_app_s_415(
    ask: Ask, flask_app: Ask, kind: str | None
) -> None:
    status, answer = ask(b"[]", kind)
    assert (status, answer) == flask_app(b"[]", kind)
    assert (status, answer["details"][0]["got"]) == (415, kind or "none")


def test_a_body_that_is_declared_too_large_gets_the_flask_app_s_413_before_it_is_read(ask: Ask, flask_app: Ask) -> None:
    status, answer = ask(b"", length=LARGEST_BODY + 1)
    assert (status, answer) == flask_app(b" " * (LARGEST_BODY + 1))
    assert (status, answer["details"][0]["got"]) == (413, "16777217 bytes")


def test_another_method_gets_the_flask_app_s_405(ask: Ask, flask_app: Ask) -> None:
    status, answer = ask(b"", None, "GET")
    assert (status, answer) == flask_app(b"", None, "GET")
    assert (status, answer["details"][0]["allowed"]) == (405, "OPTIONS, POST")


def test_what_may_be_sent_is_told_to_whom_asks_before_sending(ask: Ask, port: int) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("OPTIONS", "/score")
        answer = connection.getresponse()
        assert (answer.status, answer.read(), answer.getheader("Allow")) == (200, b"", "OPTIONS, POST")


def test_the_server_ends_and_names_the_file_when_the_model_lacks_one(
    python: Path, code: Path, forest: Path, tmp_path: Path
) -> None:
    model = Path(shutil.copytree(forest, tmp_path / "portable"))
    (model / "model.onnx").unlink()
    result = subprocess.run(
        server(python, free_port()), env=environment(tmp_path, tmp_path), cwd=code,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert result.returncode != 0
    assert f"BrokenModelError: {model} is not a portable model: cannot read its model.onnx" in result.stdout
    assert "ready for serving traffic" not in result.stdout


INIT = """
import os, sys
sys.path.insert(0, os.getcwd())
import score
for os.environ["AZUREML_MODEL_DIR"] in sys.argv[1:]:
    try:
        score.init()
    except score.BrokenModelError as error:
        print(error)
"""


def test_init_says_what_is_wrong_with_the_model_s_folder(
    python: Path, code: Path, forest: Path, tmp_path: Path
) -> None:
    altered = Path(shutil.copytree(forest, tmp_path / "altered"))
    (altered / "preprocess.json").write_text("[]")
    for name in ("a", "b"):
        shutil.copytree(forest, tmp_path / "two" / name)
    (tmp_path / "empty").mkdir()
    folders = [str(tmp_path / name) for name in ("altered", "two", "empty", "nowhere")] + [""]
    result = subprocess.run(
        [python, "-c", INIT, *folders],
        env=environment(tmp_path, tmp_path), cwd=code, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    start = "AZUREML_MODEL_DIR must name a folder with one portable model: found manifest.json in"
    two = [f"{tmp_path}/two/{name}/manifest.json" for name in ("a", "b")]
    assert result.stdout.splitlines() == [
        f"preprocess.json in {altered} is not the file that was exported: export it again",
        f"{start} {tmp_path}/two at: {', '.join(two)}",
        f"{start} {tmp_path}/empty at: none",
        f"{start} {tmp_path}/nowhere at: none",
        "AZUREML_MODEL_DIR is not set: it must name the folder that holds the portable model",
    ]


LOADED = """
import importlib.util, json, os, sys
sys.path.insert(0, os.getcwd())
import score
there = [name for name in ("pyspark", "mlflow", "pandas", "pyarrow") if importlib.util.find_spec(name)]
print(json.dumps([sorted(name for name in sys.modules if name.startswith("lifeboat")), there]))
"""


def test_the_script_loads_of_this_package_only_what_answers_and_needs_no_spark_mlflow_or_pandas(
    python: Path, code: Path, tmp_path: Path
) -> None:
    result = subprocess.run(
        [python, "-c", LOADED],
        env=environment(tmp_path, tmp_path), cwd=code, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    loaded, there = json.loads(result.stdout)
    core = ("answers", "bodies", "declared", "fields", "scorer", "steps", "unseen")
    assert loaded == ["lifeboat", "lifeboat.errors", "lifeboat.scoring", *(f"lifeboat.scoring.{name}" for name in core)]
    assert there == []


def test_the_entry_script_alone_imports_azure_s_server() -> None:
    asks = re.compile(r"^\s*(from|import) azureml", re.MULTILINE)
    assert [path.name for path in PACKAGE.rglob("*.py") if asks.search(path.read_text())] == ["azure_entry.py"]
