"""The SDK's own life cycle against the fake: what holds here is what the fake promises to the tests of the flow."""

from __future__ import annotations

import pytest
import requests
from azure.ai.ml import MLClient
from azure.ai.ml.entities import Workspace
from azure.ai.ml.exceptions import MlException
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from fake_azure import FakeAzure
from schema import errors
from sdk_life import ENTRY, Life

POLLED = ["operation.get", "operation.get"]
STORE = ["datastore.get", "datastore.secrets"]
UPLOAD = ["blob.head", "blob.put", "blob.metadata"]
MODEL = ["model.list", *STORE, *UPLOAD, "model.put"]
CODE = ["code.list", "code.upload", *UPLOAD, "code.put"]
DEPLOY = ["endpoint.get", *CODE, "workspace.get", "deployment.put", *POLLED, "deployment.get"]


def test_a_workspace_is_there_once_its_template_is_deployed(azure: FakeAzure, ml: MLClient) -> None:
    with pytest.raises(ResourceNotFoundError, match="workspaces/ship"):
        ml.workspaces.get("ship")
    azure.requests.clear()
    made = ml.workspaces.begin_create(Workspace(name="ship", location="westeurope")).result()
    assert (made.name, made.location) == ("ship", "westeurope")
    steps = ["template.status", "template.status", "template.get", "template.operations"]
    assert azure.steps == ["workspace.get", "template.put", *steps, "workspace.get"]
    assert [error for request in azure.requests for error in errors(request)] == []


def test_the_whole_life_of_an_endpoint_and_what_each_call_of_the_sdk_sends(life: Life) -> None:
    ml, all_sent = life.ml, []

    def sent() -> list[str]:
        all_sent.extend(life.azure.requests)
        return life.sent()

    life.endpoint()
    assert sent() == ["workspace.get", "endpoint.put", *POLLED, "endpoint.get"]
    model = life.model(2)
    assert sent() == MODEL
    environment = life.environment()
    assert sent() == ["environment.put"]
    assert life.deployment("blue", model.id, environment.id).provisioning_state == "Succeeded"
    assert sent() == DEPLOY
    life.slot("green", 3)
    assert sent() == [*MODEL, "environment.put", *DEPLOY], "code has a new random name each time: never found again"
    assert (life.ask("blue"), life.ask("green")) == ([2, 4], [3, 6])
    assert sent() == 2 * ["deployment.list", "endpoint.get", "endpoint.keys", "score"]
    assert ml.online_endpoints.get("rescue").traffic == {"blue": 0, "green": 0}
    assert sent() == ["endpoint.get", "deployment.list"]
    life.traffic({"blue": 100})
    steps = ["endpoint.get", "deployment.list", "workspace.get", "endpoint.put"]
    assert sent() == [*steps, *POLLED, "endpoint.get"]
    assert life.ask() == [2, 4]
    ml.online_deployments.begin_delete("green", "rescue").result()
    assert [deployment.name for deployment in ml.online_deployments.list("rescue")] == ["blue"]
    sent()
    ml.online_endpoints.begin_delete("rescue").result()
    assert sent() == ["endpoint.delete", *POLLED]
    assert life.azure.deployments("rescue") == {}
    with pytest.raises(ResourceNotFoundError):
        ml.online_endpoints.get("rescue")
    assert [error for request in all_sent for error in errors(request)] == []


def test_the_rules_of_traffic(live: Life) -> None:
    for shares, why in (({"blue": 50}, "sum up to 100 or 0"), ({"red": 100}, r"do not exist.*red")):
        with pytest.raises(HttpResponseError, match=why):
            live.traffic(shares)
    with pytest.raises(HttpResponseError, match="blue has 100 % of the traffic and cannot be deleted"):
        live.ml.online_deployments.begin_delete("blue", "rescue").result()
    assert live.azure.traffic("rescue") == {"blue": 100}
    live.endpoint()
    assert live.azure.traffic("rescue") == {}, "made again, it loses its traffic: the SDK sends traffic {}"
    with pytest.raises(MlException, match="No valid deployments"):
        live.ask()


def test_a_script_that_raises_gives_424_and_a_wrong_key_401(live: Life) -> None:
    uri = "https://rescue.westeurope.inference.ml.azure.com/score"
    bad = requests.post(uri, json={"dat": []}, headers={"Authorization": "Bearer key-of-rescue"})
    assert (bad.status_code, bad.headers["ms-azureml-model-error-statuscode"]) == (424, "500")
    assert requests.post(uri, json={}, headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_a_container_that_does_not_start_fails_the_deployment_for_good(live: Life) -> None:
    (live.folder / "code" / "score.py").write_text("def init(): raise FileNotFoundError('no model')")
    with pytest.raises(HttpResponseError, match=r"ResourceNotReady.*no model"):
        live.slot("red", 4)
    assert live.azure.deployments("rescue")["red"]["properties"]["provisioningState"] == "Failed"
    (live.folder / "code" / "score.py").write_text(ENTRY)
    with pytest.raises(HttpResponseError, match=r"\[red\] failed during initial provisioning.*Delete and re-create"):
        live.slot("red", 4)
    live.ml.online_deployments.begin_delete("red", "rescue").result()
    live.slot("red", 4)
    assert live.ask("red") == [4, 8]


def test_a_content_once_registered_cannot_be_changed(live: Life) -> None:
    live.model(2)
    assert live.sent() == ["model.list", *STORE, "blob.head", "blob.head", "model.put"], "nothing is sent twice"
    (live.folder / "model2" / "more.txt").write_text("more")
    with pytest.raises(ResourceExistsError, match="modelUri"):
        live.model(2)


def test_a_snapshot_is_gone_back_to(live: Life) -> None:
    kept = live.azure.snapshot()
    live.traffic({"green": 100})
    live.azure.restore(kept)
    assert live.azure.traffic("rescue") == {"blue": 100}
    assert live.ask("green") == [3, 6]
