"""The judges of the tests of Azure, judged: the schema, and the guard against any request but the fake's."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import socket
import urllib.request
from typing import Any

import pytest
import requests
from fake_azure import FakeAzure
from fake_guard import Guard, OutsideError
from schema import errors
from sdk_life import Life


def test_the_schema_bites(live: Life) -> None:
    live.traffic({"green": 100})
    (put,) = [request for request in live.azure.requests if request.step == "endpoint.put"]

    def check(change: Any) -> list[str]:
        body = put.json
        change(body)
        return errors(dataclasses.replace(put, body=json.dumps(body).encode()))

    assert check(lambda body: None) == []
    assert check(lambda body: body.update(trafic={})) == ["endpoint.put.trafic: is not in the schema"]
    assert check(lambda body: body.pop("location")) == ["endpoint.put.location: is required"]
    assert check(lambda body: body["properties"].pop("authMode")) == ["endpoint.put.properties.authMode: is required"]
    (wrong,) = check(lambda body: body["properties"].update(authMode="Password"))
    assert wrong.startswith("endpoint.put.properties.authMode: 'Password' is none of ['AMLToken', 'Key'")
    assert check(lambda body: body["properties"].update(traffic={"green": "100"})) == [
        "endpoint.put.properties.traffic.green: '100' is not int"
    ]
    assert check(lambda body: body["properties"].update(scoringUri="x")) == [
        "endpoint.put.properties.scoringUri: only the service sets it"
    ]
    assert errors(dataclasses.replace(put, step="brew.put")) == ["brew.put: no schema is known for this body"]


def test_the_guard_bites_even_when_its_error_is_swallowed(guard: Guard) -> None:
    with pytest.raises(OutsideError, match=r"tried to reach 192\.0\.2\.1"):
        socket.create_connection(("192.0.2.1", 443), timeout=1)
    with contextlib.suppress(OSError):
        urllib.request.urlopen("https://dc.services.visualstudio.com/v2/track")
    with pytest.raises(AssertionError, match="connections were tried"):
        guard.check()
    guard.tried.clear()


def test_a_request_that_the_fake_does_not_know_fails_the_test_that_sent_it(azure: FakeAzure) -> None:
    requests.get("https://example.org/telemetry")
    assert [str(request) for request in azure.strays] == ["#1 unknown: GET example.org/telemetry {}"]
    azure.strays.clear()
