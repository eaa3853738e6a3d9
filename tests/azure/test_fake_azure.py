"""The SDK's own life cycle against the fake: what holds here is what the fake promises to the tests of the flow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from azure.ai.ml.entities import (
    CodeConfiguration,
    Environment,
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    Model,
    Workspace,
)
from azure.ai.ml.constants._endpoint import EndpointInvokeFields
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from fake_azure import FakeAzure
from schema import faults

ENTRY = """
import json, os, pathlib

def init():
    global factor
    [file] = pathlib.Path(os.environ["AZUREML_MODEL_DIR"]).rglob("factor.txt")
    factor = int(file.read_text())

def run(body):
    return {"predictions": [factor * value for value in json.loads(body)["data"]]}
"""
CONDA = {"name": "scoring", "dependencies": ["python=3.11", {"pip": ["onnxruntime"]}]}
IMAGE = "mcr.microsoft.com/azureml/minimal-ubuntu22.04-py39-cpu-inference:latest"


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    for name, factor in (("blue", "2"), ("green", "3")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "factor.txt").write_text(factor)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "score.py").write_text(ENTRY)
    (tmp_path / "ask.json").write_text('{"data": [1, 2]}')
    (tmp_path / "conda.yaml").write_text(json.dumps(CONDA))
    return tmp_path


def deployment(ml: Any, parts: Path, name: str) -> ManagedOnlineDeployment:
    model = ml.models.create_or_update(Model(name="m", version=name, path=str(parts / name), type="custom_model"))
    environment = ml.environments.create_or_update(
        Environment(name="e", version="1", image=IMAGE, conda_file=str(parts / "conda.yaml"))
    )
    return ManagedOnlineDeployment(
        name=name,
        endpoint_name="rescue",
        model=model.id,
        environment=environment.id,
        code_configuration=CodeConfiguration(code=str(parts / "code"), scoring_script="score.py"),
        instance_type="Standard_DS3_v2",
        instance_count=1,
        tags={"lifeboat_model": name},
    )


def ask(ml: Any, parts: Path, name: str | None = None) -> list[int]:
    EndpointInvokeFields.DEFAULT_HEADER.pop(EndpointInvokeFields.MODEL_DEPLOYMENT, None)  # the SDK never forgets it
    answer = ml.online_endpoints.invoke("rescue", request_file=str(parts / "ask.json"), deployment_name=name)
    return list(json.loads(answer)["predictions"])


def test_the_whole_life_of_an_endpoint(azure: FakeAzure, ml: Any, parts: Path) -> None:
    with pytest.raises(ResourceNotFoundError, match="workspaces/ship"):
        ml.workspaces.get("ship")
    made = ml.workspaces.begin_create(Workspace(name="ship", location="westeurope")).result()
    assert made.name == "ship"
    ml.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name="rescue", auth_mode="key")).result()
    for name in ("blue", "green"):
        made = ml.online_deployments.begin_create_or_update(deployment(ml, parts, name)).result()
        assert made.provisioning_state == "Succeeded"
    assert ask(ml, parts, "blue") == [2, 4]
    assert ask(ml, parts, "green") == [3, 6]
    endpoint = ml.online_endpoints.get("rescue")
    assert endpoint.traffic == {"blue": 0, "green": 0}
    endpoint.traffic = {"blue": 100}
    ml.online_endpoints.begin_create_or_update(endpoint).result()
    assert ask(ml, parts) == [2, 4]
    with pytest.raises(HttpResponseError, match="100 % of the traffic"):
        ml.online_deployments.begin_delete("blue", "rescue").result()
    ml.online_deployments.begin_delete("green", "rescue").result()
    assert [one.name for one in ml.online_deployments.list("rescue")] == ["blue"]
    ml.online_endpoints.begin_delete("rescue").result()
    with pytest.raises(ResourceNotFoundError):
        ml.online_endpoints.get("rescue")
    assert [fault for request in azure.requests for fault in faults(request)] == []
    for r in azure.requests:
        print(r.step, r.json)
