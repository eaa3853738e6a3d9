"""A deployment against the fake: deployments, traffic, and what it does when called again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_azure import FakeAzure
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from made_run import Caller

from lifeboat.deploy.azure.client import AzureError
from lifeboat.deploy.azure.endpoint import Endpoint, delete, rollback


@pytest.fixture
def caller(azure: FakeAzure, credential: Any, tmp_path: Path) -> Caller:
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
    made = [line.split(":")[0] for line in caller.messages if line.startswith("made")]
    assert made == [
        "made workspace ship",
        "made endpoint lifeboat-test",
        "made model made",
        "made environment lifeboat-scoring",
        "made deployment blue",
    ]
    assert caller.messages[-2:] == ["smoke test of blue: 6 answers, all of them Spark's", "the traffic: blue 100 %"]


def test_the_second_goes_into_the_idle_deployment_and_takes_the_traffic_once_tested_there(served: Caller) -> None:
    endpoint = served.deploy(0.6)
    assert endpoint.traffic == served.traffic == {"green": 100}
    assert set(served.azure.deployments("lifeboat-test")) == {"blue", "green"}, "the old one waits for a rollback"
    tested, moved = [request for request in served.azure.requests if request.step in ("score", "endpoint.put")]
    assert (tested.step, tested.headers["azureml-model-deployment"]) == ("score", "green")
    assert (moved.step, moved.json["properties"]["traffic"]) == ("endpoint.put", {"green": 100})


def test_a_share_is_given_at_once_to_whichever_deployment_holds_the_run_s_model(served: Caller) -> None:
    for share, traffic in ((0, {"blue": 100}), (10, {"blue": 90, "green": 10}), (60, {"blue": 40, "green": 60})):
        assert served.deploy(0.6, share=share).traffic == served.traffic == traffic
    served.azure.requests.clear()
    assert served.deploy(0.6, share=60).traffic == {"blue": 40, "green": 60}
    assert "endpoint.put" not in served.azure.steps, "it has that share already"
    assert served.deploy(0.5, share=90).traffic == served.traffic == {"blue": 90, "green": 10}
    assert served.deploy(0.6, share=0).traffic == served.traffic == {"blue": 100}
    assert served.deploy(0.6).traffic == served.traffic == {"green": 100}


def test_two_models_that_share_the_traffic_leave_no_deployment_for_a_third(served: Caller) -> None:
    served.deploy(0.6, share=10)
    with pytest.raises(AzureError, match=r"serve \(blue 90 %, green 10 %\), so none is free: `lifeboat azure"):
        served.deploy(0.7)
    assert served.manage(rollback).startswith("blue (made/")
    assert served.deploy(0.7).traffic == served.traffic == {"green": 100}


def test_a_share_whose_rest_nobody_could_have_is_refused_before_anything_is_made(caller: Caller) -> None:
    caller.azure.make_workspace("ship")
    with pytest.raises(AzureError, match=r"--traffic 10: no deployment but blue .* blue has none: give it 100 or 0"):
        caller.deploy(share=10)
    assert caller.azure.endpoint("lifeboat-test") is None
    assert not [request for request in caller.azure.requests if request.method != "GET"]
    assert caller.deploy(share=0).traffic == caller.traffic == {}
    assert caller.deploy().traffic == caller.traffic == {"blue": 100}
    for share in (0, 99):
        with pytest.raises(AzureError, match=f"--traffic {share}: no deployment .* blue has all: deploy another"):
            caller.deploy(share=share)
    assert caller.traffic == {"blue": 100}


@settings(max_examples=50)
@given(st.lists(st.integers(1, 50), max_size=3), st.integers(0, 50), st.integers(0, 100))
def test_a_deployment_gets_its_share_and_the_others_keep_their_order(others: list[int], had: int, share: int) -> None:
    whole = sum(others) + had
    shares = {f"other{number}": size * 100 // whole for number, size in enumerate(others)}
    now = {name: size for name, size in {**shares, "blue": 100 - sum(shares.values()) if whole else 0}.items() if size}
    rest = {name: size for name, size in now.items() if name != "blue"}
    assume(rest or share in (now.get("blue", 0), 100))
    traffic = Endpoint("e", "Succeeded", "", {}, now).parted("blue", share)
    assert traffic.get("blue", 0) == share
    assert sum(traffic.values()) == (100 if now or share else 0)
    assert traffic.keys() <= {*rest, "blue"}
    assert min(traffic.values(), default=1) > 0
    for name, size in rest.items():
        assert abs(traffic.get(name, 0) - size * (100 - share) / sum(rest.values())) < len(rest)


def test_the_third_takes_the_deployment_of_the_first(served: Caller) -> None:
    served.deploy(0.6)
    endpoint = served.deploy(0.7)
    assert endpoint.traffic == {"blue": 100}
    assert {name: deployment.turn for name, deployment in endpoint.deployments.items()} == {"blue": 3, "green": 2}


def test_the_same_model_again_changes_nothing_and_is_tested_again(served: Caller) -> None:
    served.deploy(0.5)
    assert {sent.method for sent in served.azure.requests if sent.host == "management.azure.com"} <= {"GET", "POST"}
    assert served.messages[0] == "blue holds this model already"


def test_a_model_that_was_rolled_back_needs_no_second_upload(served: Caller) -> None:
    served.deploy(0.6)
    assert served.manage(rollback).startswith("blue (made/")
    assert served.traffic == {"blue": 100}
    assert served.manage(rollback) == "blue has all the traffic already: nothing to do"
    served.azure.requests.clear()
    assert served.deploy(0.6).traffic == {"green": 100}
    assert not [sent for sent in served.azure.requests if sent.step.startswith("blob") or sent.step == "deployment.put"]


def test_a_model_that_answers_otherwise_than_spark_gets_no_traffic(served: Caller) -> None:
    with pytest.raises(AzureError) as caught:
        served.deploy(0.9)  # no row's probability of class 1 is above it: the first two answers differ
    assert "smoke test of green: 6 answers to 6 rows, 2 of them not Spark's; the first: {" in str(caught.value)
    assert "'count': -1" in str(caught.value)
    assert "0 instead of 1" in str(caught.value)
    assert "The traffic was not touched: blue 100 %." in str(caught.value)
    assert "deployment green" in str(caught.value)
    assert served.traffic == {"blue": 100}


def test_a_model_with_a_share_that_answers_otherwise_now_gets_no_more_and_what_it_has_is_said(served: Caller) -> None:
    served.deploy(0.6, share=10)
    served.azure.fail("score", "500")
    with pytest.raises(AzureError, match=r"smoke test of green: status 500(.|\n)*not touched: blue 90 %, green 10 %\."):
        served.deploy(0.6)
    assert served.traffic == {"blue": 90, "green": 10}


def test_a_missing_workspace_is_made_only_when_asked_for(caller: Caller) -> None:
    with pytest.raises(AzureError, match=r"workspace ship: .*status 404.*`--create` makes a workspace"):
        caller.deploy(create=False)
    assert caller.azure.endpoint("lifeboat-test") is None


def test_a_deployment_with_traffic_is_not_deleted_and_one_without_is(served: Caller) -> None:
    served.deploy(0.6)
    with pytest.raises(AzureError, match=r"green has 100 % of the traffic: `lifeboat azure rollback` first"):
        served.manage(delete, deployment="green")
    with pytest.raises(AzureError, match=r"no deployment 'red'; it has: blue, green"):
        served.manage(delete, deployment="red")
    assert served.manage(delete, deployment="blue") == "deployment blue of lifeboat-test is deleted"
    assert set(served.azure.deployments("lifeboat-test")) == {"green"}
    with pytest.raises(AzureError, match=r"has 1 deployment\(s\): there is none to go back to"):
        served.manage(rollback)


def test_a_deleted_endpoint_is_gone_and_said_to_be(served: Caller) -> None:
    assert served.manage(delete) == "endpoint lifeboat-test and its deployments (blue) are deleted"
    assert served.azure.endpoint("lifeboat-test") is None
    with pytest.raises(AzureError, match=r"there is no endpoint 'lifeboat-test': `lifeboat azure deploy` makes it"):
        served.manage(rollback)
