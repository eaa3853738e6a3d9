"""What is really sent to Azure, as the service reads it: each setting and file arrives, and nothing else does."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import fake_manager
import pytest
import yaml
from azure.core.exceptions import AzureError as SdkError
from fake_azure import FOREVER, FakeAzure
from fake_guard import Credential, Guard
from fake_state import GROUP, PROVIDER, SUBSCRIPTION, Score
from fake_wire import Request
from made_run import GOOD, Caller, make_run, serve_portable

from lifeboat.deploy.azure.client import AzureError, connect
from lifeboat.deploy.azure.endpoint import rollback
from lifeboat.scoring.requirements import INFERENCE_SERVER, ROOM

WORKSPACE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/{PROVIDER}/workspaces/ship"
CHANGED = {  # every setting that has a default has another value here
    "location": "northeurope",
    "model": "other",
    "instance_type": "Standard_F4s_v2",
    "instance_count": 3,
    "image": "registry.example.com/base:7",
    "request_timeout_ms": 7500,
}
# more rows than one request holds, each another; class 1 where `count` + `amount` exceeds 0
ROWS = [{**GOOD, "count": -(number % 7), "amount": 3.0, "big": number} for number in range(230)]
CLASSES = [int(number % 7 < 3) for number in range(230)]


class Wire:
    """A whole first deployment, read off the wire."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: dict[str, dict[str, bytes]] = {}  # what the container finds: its folders' files
        azure = FakeAzure(self.start)
        with pytest.MonkeyPatch.context() as patch:
            azure.install(patch)
            make_run(folder / "run_0.5", records=ROWS, expected=CLASSES)
            caller = Caller(azure, Credential(), folder, **CHANGED)
            caller.deploy()
        self.requests, self.messages = azure.requests, caller.messages

    def start(self, model: Path, code: Path, script: str) -> Score:
        for name, folder in (("model", model), ("code", code)):
            files = [file for file in folder.rglob("*") if file.is_file()]
            self.started[name] = {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}
        return serve_portable(model, code, script)

    def all(self, step: str) -> list[Request]:
        return [request for request in self.requests if request.step == step]

    def single(self, step: str) -> Request:
        (request,) = self.all(step)
        return request


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Wire:
    return Wire(tmp_path_factory.mktemp("wire"))


def test_the_deployment_has_every_setting_and_the_assets_that_were_registered(wire: Wire) -> None:
    sent = wire.single("deployment.put").json
    code, model, environment = (wire.single(f"{kind}.put").path for kind in ("code", "model", "environment"))
    assert wire.single("deployment.put").path == f"{WORKSPACE}/onlineEndpoints/lifeboat-test/deployments/blue"
    assert sent.pop("tags").keys() == {"lifeboat", "lifeboat_turn"}
    assert sent == {
        "location": "northeurope",
        "sku": {"name": "Default", "capacity": 3},
        "properties": {
            "model": model,
            "environmentId": environment,
            "codeConfiguration": {"codeId": code, "scoringScript": "score.py"},
            "endpointComputeType": "Managed",
            "instanceType": "Standard_F4s_v2",
            "requestSettings": {"requestTimeout": "PT7.5S"},
            "appInsightsEnabled": False,
            "environmentVariables": {},
            "properties": {},
        },
    }


def test_the_environment_has_the_image_and_each_package_at_the_version_that_is_installed_here(wire: Wire) -> None:
    sent = wire.single("environment.put").json["properties"]
    assert yaml.safe_load(sent.pop("condaFile")) == {
        "name": "lifeboat-scoring",
        "channels": ["conda-forge"],
        "dependencies": [
            f"python={sys.version_info.major}.{sys.version_info.minor}",
            "pip",
            {"pip": [INFERENCE_SERVER, *(f"{name}=={version(name)}" for name in ("numpy", "onnxruntime"))]},
        ],
    }
    assert sent == {"image": "registry.example.com/base:7", "isAnonymous": False, "isArchived": False}


def test_the_container_finds_the_run_s_model_and_the_package_s_own_code_to_the_byte(wire: Wire) -> None:
    portable = wire.folder / "run_0.5" / "05_deploy" / "portable"
    assert wire.started["model"] == {f"model/{file.name}": file.read_bytes() for file in portable.iterdir()}
    code = wire.started["code"]
    assert code.pop("score.py") == (ROOM / "azure_entry.py").read_bytes()
    assert code == {name: (ROOM.parents[1] / name).read_bytes() for name in code}
    assert "lifeboat/scoring/scorer.py" in code


def test_model_workspace_and_endpoint_are_made_as_the_settings_name_them(wire: Wire) -> None:
    model = wire.single("model.put")
    assert model.path.startswith(f"{WORKSPACE}/models/other/versions/")
    assert model.json["properties"]["modelType"] == "custom_model"
    workspace = wire.single("template.put").json["properties"]["parameters"]
    assert (workspace["workspaceName"]["value"], workspace["location"]["value"]) == ("ship", "northeurope")
    made, moved = wire.all("endpoint.put")
    assert made.path == moved.path == f"{WORKSPACE}/onlineEndpoints/lifeboat-test"
    for put, traffic in ((made, {}), (moved, {"blue": 100})):
        assert put.json["properties"]["authMode"] == "Key"
        assert put.json["properties"]["traffic"] == traffic
        assert put.json["tags"] == {"made_with": "lifeboat"}


def test_the_smoke_test_asks_the_new_deployment_about_every_row_before_it_has_traffic(wire: Wire) -> None:
    requests = wire.all("score")
    assert [row for request in requests for row in request.json["input_data"]] == ROWS
    assert [len(request.json["input_data"]) for request in requests] == [100, 100, 30]
    assert {request.headers["azureml-model-deployment"] for request in requests} == {"blue"}
    assert {request.timeout for request in requests} == {15.0}, "twice what the endpoint gives a request"
    assert max(request.number for request in requests) < wire.all("endpoint.put")[1].number
    assert "smoke test of blue: 230 answers, all of them Spark's" in wire.messages


@pytest.mark.parametrize("row", [0, 229])
def test_one_answer_that_is_not_spark_s_in_whichever_request_is_found(
    azure: FakeAzure, credential: Any, tmp_path: Path, row: int
) -> None:
    expected = [1 - label if number == row else label for number, label in enumerate(CLASSES)]
    make_run(tmp_path / "run_0.5", records=ROWS, expected=expected)
    with pytest.raises(AzureError, match=rf"230 answers to 230 rows, 1 of them not Spark's; .*'big': {row}\b"):
        Caller(azure, credential, tmp_path).deploy()
    assert azure.traffic("lifeboat-test") == {}


def test_a_request_is_tried_four_times_whatever_goes_wrong_with_each(azure: FakeAzure, credential: Any) -> None:
    # of one kind alone the SDK repeats no more than three; only failures that change show our own limit
    for index, how in enumerate(["500", "timeout", "unreachable", "429"]):
        azure.fail(lambda request, index=index: request.number % 4 == index, how, FOREVER)  # type: ignore[misc]
    caller = Caller(azure, credential, Path())
    with pytest.raises(SdkError):
        connect(caller.settings, credential).workspaces.get("ship")
    assert azure.steps == 4 * ["workspace.get"]


def test_an_operation_is_asked_about_every_five_seconds_where_the_service_has_no_wish(
    azure: FakeAzure, credential: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Caller(azure, credential, tmp_path).deploy()
    monkeypatch.setattr(fake_manager, "WISH", {})
    azure.slept.clear()
    Caller(azure, credential, tmp_path).deploy(0.6)
    assert set(azure.slept) == {5}


def test_nothing_but_the_fake_is_reached_and_who_tries_is_found_out(
    guard: Guard, credential: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lifeboat.deploy.azure.client.TRIES", 0)
    caller = Caller(FakeAzure(serve_portable), credential, Path())  # that nobody has put in its place
    with pytest.raises(AzureError, match=r"tried to reach management\.azure\.com"):
        caller.manage(rollback)
    with pytest.raises(AssertionError, match="connections were tried"):
        guard.check()
    guard.tried.clear()
