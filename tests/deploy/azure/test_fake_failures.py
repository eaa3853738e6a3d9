"""How the SDK tells each of the fake's failures, and what they leave behind."""

from __future__ import annotations

import pytest
from azure.core.exceptions import (
    DecodeError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestTimeoutError,
    ServiceResponseTimeoutError,
)
from fake_azure import FOREVER
from fake_failures import KilledError
from sdk_life import Life

FAILS = [
    ("403", HttpResponseError, "AuthorizationFailed", 1),
    ("404", ResourceNotFoundError, "ResourceNotFound", 1),
    ("409", ResourceExistsError, "Conflict", 1),
    ("429", HttpResponseError, "Throttled", 4),
    ("500", HttpResponseError, "InternalServerError", 4),
    ("timeout", ServiceResponseTimeoutError, "Read timed out", 4),
    ("unreachable", ServiceRequestTimeoutError, "Connection timed out", 4),
    ("quota", HttpResponseError, "Not enough quota available for Standard_DS3_v2", 1),
    ("malformed", DecodeError, "deserializing", 1),
    ("broken", DecodeError, "deserializing", 1),
]


@pytest.mark.parametrize(("how", "kind", "why", "tries"), FAILS, ids=[case[0] for case in FAILS])
def test_how_the_sdk_tells_each_failure(live: Life, how: str, kind: type[Exception], why: str, tries: int) -> None:
    live.azure.fail("endpoint.put", how, FOREVER)
    with pytest.raises(kind, match=why):
        live.traffic({"green": 100})
    assert live.sent().count("endpoint.put") == tries
    assert live.azure.traffic("rescue") == {"blue": 100}
    live.azure.revive()
    live.traffic({"green": 100})
    assert live.azure.traffic("rescue") == {"green": 100}


@pytest.mark.parametrize("how", ["429", "500", "timeout", "unreachable"])
def test_the_sdk_retries_what_may_pass_without_waiting(live: Life, how: str) -> None:
    live.azure.fail("endpoint.put", how)
    live.traffic({"green": 100})
    assert live.sent().count("endpoint.put") == 2


def test_an_operation_that_fails_leaves_the_traffic_as_it_was(live: Life) -> None:
    live.azure.fail("endpoint.put", "provisioning")
    with pytest.raises(HttpResponseError, match="ResourceNotReady"):
        live.traffic({"green": 100})
    assert live.azure.traffic("rescue") == {"blue": 100}


@pytest.mark.parametrize("after", [False, True])
def test_a_killed_command_says_nothing_more_and_the_service_goes_on(live: Life, after: bool) -> None:
    live.azure.fail("endpoint.put", "kill", after=after)
    with pytest.raises(KilledError):
        live.traffic({"green": 100})
    with pytest.raises(KilledError):
        live.ml.online_endpoints.get("rescue")
    live.azure.revive()
    for _ in range(2):
        live.ml.online_endpoints.get("rescue")
    assert live.azure.traffic("rescue") == ({"green": 100} if after else {"blue": 100})


def test_ctrl_c_reaches_who_waits_for_an_operation_and_the_handler_may_still_ask(live: Life) -> None:
    live.azure.fail("operation.get", "interrupt")
    with pytest.raises(KeyboardInterrupt):
        live.traffic({"green": 100})
    assert live.ml.online_endpoints.get("rescue").traffic == {"blue": 0, "green": 100}


def test_nobody_touches_what_another_operation_works_on(live: Life) -> None:
    live.azure.takes = 20
    live.azure.fail("operation.get", "kill")
    with pytest.raises(KilledError):
        live.traffic({"green": 100})
    live.azure.revive()
    with pytest.raises(ResourceExistsError, match="because it is in Updating provisioning state"):
        live.endpoint()
