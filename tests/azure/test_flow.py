"""A deployment against the fake: slots, traffic, and what it does when called again."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_azure import FakeAzure
from made_run import Caller, serve_portable
from schema import faults

from lifeboat.azure import manage, smoke
from lifeboat.azure.client import AzureError


@pytest.fixture
def caller(azure: FakeAzure, credential: Any, tmp_path: Path) -> Caller:
    azure.container = serve_portable
    return Caller(azure, credential, tmp_path)


@pytest.fixture
def served(caller: Caller) -> Caller:
    """One model serves from blue."""
    caller.deploy(0.5)
    caller.azure.requests.clear()
    return caller


def test_the_first_deployment_makes_everything_and_gets_all_the_traffic(caller: Caller) -> None:
    endpoint = caller.deploy()
    assert endpoint.traffic == caller.traffic == {"blue": 100}
    made = [line.split(":")[0] for line in caller.told if line.startswith("made")]
    assert made == [
        "made workspace ship",
        "made endpoint lifeboat-test",
        "made model made",
        "made environment lifeboat-scoring",
        "made slot blue",
    ]
    assert caller.told[-2:-1] == ["smoke test of blue: 6 answers, all of them Spark's"]
    assert caller.told[-1].startswith("blue gets 100 % of the traffic: 0 of 3 requests failed")


def test_the_second_goes_into_the_idle_slot_is_tested_there_and_takes_the_traffic_in_steps(served: Caller) -> None:
    endpoint = served.deploy(0.6)
    assert endpoint.traffic == served.traffic == {"green": 100}
    assert set(served.azure.deployments("lifeboat-test")) == {"blue", "green"}, "the old one waits for a rollback"
    given = [one.json["properties"]["traffic"] for one in served.azure.requests if one.step == "endpoint.put"]
    assert given == [{"green": 10, "blue": 90}, {"green": 50, "blue": 50}, {"green": 100}]
    tested = [one.headers.get("azureml-model-deployment") for one in served.azure.requests if one.step == "score"]
    assert tested == ["green", *[None] * 9], "the slot itself, then three requests as users send them at each step"


def test_the_third_takes_the_slot_of_the_first(served: Caller) -> None:
    served.deploy(0.6)
    endpoint = served.deploy(0.7)
    assert endpoint.traffic == {"blue": 100}
    assert {name: slot.turn for name, slot in endpoint.slots.items()} == {"blue": 3, "green": 2}


def test_the_same_model_again_changes_nothing_and_is_tested_again(served: Caller) -> None:
    served.deploy(0.5)
    assert {one.method for one in served.azure.requests if one.host == "management.azure.com"} <= {"GET", "POST"}
    assert served.told[0] == "blue holds this model already"


def test_a_model_that_was_rolled_back_needs_no_second_upload(served: Caller) -> None:
    served.deploy(0.6)
    assert served.manage(manage.rollback).startswith("blue (made/")
    assert served.traffic == {"blue": 100}
    assert served.manage(manage.rollback) == "blue has all the traffic already: nothing to do"
    served.azure.requests.clear()
    assert served.deploy(0.6).traffic == {"green": 100}
    assert not [one for one in served.azure.requests if one.step.startswith("blob") or one.step == "deployment.put"]


def test_a_model_that_answers_otherwise_than_spark_gets_no_traffic(served: Caller) -> None:
    with pytest.raises(AzureError) as caught:
        served.deploy(0.9)  # no row's probability of class 1 is above it: the first two answers differ
    assert "smoke test of green: 6 answers to 6 rows, 2 of them not Spark's; the first: {" in str(caught.value)
    assert "'count': -1" in str(caught.value)
    assert "0 instead of 1" in str(caught.value)
    assert "The traffic was not touched." in str(caught.value)
    assert "slot green" in str(caught.value)
    assert served.traffic == {"blue": 100}


@pytest.mark.parametrize("step", [1, 2, 3])
def test_when_requests_fail_at_a_step_the_traffic_goes_back(served: Caller, step: int) -> None:
    served.fail_score(1 + 3 * (step - 1) + 1, "500")
    with pytest.raises(
        AzureError, match=r"1 of 3 requests failed.*max_error_share is 0; the first failure: status 500"
    ):
        served.deploy(0.6)
    assert served.traffic == {"blue": 100}


def test_when_answers_take_too_long_the_traffic_goes_back(served: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.count()  # the clock is looked at before and after a request: each takes 20 ms
    monkeypatch.setattr(smoke, "time", SimpleNamespace(perf_counter=lambda: next(ticks) * 0.02))
    with pytest.raises(
        AzureError, match=r"95 % answered within 20 ms; max_latency_ms is 19\nThe traffic was put back: "
    ):
        served.deploy(0.6, max_latency_ms=19)
    assert served.traffic == {"blue": 100}
    served.deploy(0.6, max_latency_ms=21)
    assert served.traffic == {"green": 100}


def test_a_missing_workspace_is_made_only_when_asked_for(caller: Caller) -> None:
    with pytest.raises(AzureError, match=r"workspace ship: .*status 404.*`--create` makes a workspace"):
        caller.deploy(create=False)
    assert caller.azure.endpoint("lifeboat-test") is None


def test_a_slot_with_traffic_is_not_deleted_and_one_without_is(served: Caller) -> None:
    served.deploy(0.6)
    with pytest.raises(AzureError, match=r"green has 100 % of the traffic: `lifeboat azure rollback` first"):
        served.manage(manage.delete, slot="green")
    with pytest.raises(AzureError, match=r"no slot 'red'; it has: blue, green"):
        served.manage(manage.delete, slot="red")
    assert served.manage(manage.delete, slot="blue") == "slot blue of lifeboat-test is deleted"
    assert set(served.azure.deployments("lifeboat-test")) == {"green"}
    with pytest.raises(AzureError, match=r"has 1 slot\(s\): there is none to go back to"):
        served.manage(manage.rollback)


def test_a_deleted_endpoint_is_gone_and_said_to_be(served: Caller) -> None:
    assert served.manage(manage.delete) == "endpoint lifeboat-test and its slots (blue) are deleted"
    assert served.azure.endpoint("lifeboat-test") is None
    with pytest.raises(AzureError, match=r"there is no endpoint 'lifeboat-test': `lifeboat azure deploy` makes it"):
        served.manage(manage.rollback)


def test_every_request_of_a_whole_life_fits_the_published_schema(caller: Caller) -> None:
    caller.deploy(0.5)
    caller.deploy(0.6)
    caller.manage(manage.rollback)
    caller.manage(manage.delete, slot="green")
    caller.manage(manage.delete)
    of_a_life = {"model.put", "deployment.put", "endpoint.put", "score", "deployment.delete", "endpoint.delete"}
    assert of_a_life <= set(caller.azure.steps)
    assert [fault for request in caller.azure.requests for fault in faults(request)] == []
