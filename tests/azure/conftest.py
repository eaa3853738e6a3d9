"""The fake Azure, a credential for it, and the guard: in these tests nothing talks to anything but the fake."""

from __future__ import annotations

import socket
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo
from fake_azure import FakeAzure
from fake_state import GROUP, SUBSCRIPTION
from pyspark import SparkContext

with warnings.catch_warnings():  # the SDK's own schemas are deprecated marshmallow
    warnings.simplefilter("ignore")
    from azure.ai.ml import MLClient

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Credential:
    """Gives a token to whoever asks."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("token", int(time.time()) + 3600)

    def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        return AccessTokenInfo("token", int(time.time()) + 3600)


class OutsideError(OSError):
    """Something was about to leave this process."""


@pytest.fixture(autouse=True)
def guard(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Refuse every connection and every look-up of a name, and fail the test that tried, whoever caught the error.

    Python's way to the JVM, on this machine, stays open while a Spark session lives.
    """
    tried: list[str] = []
    connect, connect_ex, look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def allowed(host: Any) -> bool:
        return host in LOOPBACK and SparkContext._active_spark_context is not None

    def refuse(host: Any) -> None:
        tried.append(str(host))
        raise OutsideError(f"a test of lifeboat.azure tried to reach {host}")

    def guarded(original: Any) -> Any:
        def reach(self: socket.socket, address: Any) -> Any:
            if self.family != socket.AF_UNIX and not allowed(address[0]):
                refuse(address)
            return original(self, address)

        return reach

    def guarded_look_up(host: Any, *rest: Any, **more: Any) -> Any:
        if not allowed(host):
            refuse(host)
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket.socket, "connect", guarded(connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(connect_ex))
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)
    yield tried
    assert not tried, f"connections were tried: {tried}"


@pytest.fixture
def credential() -> Credential:
    return Credential()


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAzure]:
    """An Azure with a subscription and an empty resource group, in the place of the network."""
    fake = FakeAzure()
    fake.install(monkeypatch)
    yield fake
    assert not fake.strays, f"requests that the fake has no answer to: {[str(one) for one in fake.strays]}"


@pytest.fixture
def ml(azure: FakeAzure, credential: Credential) -> MLClient:
    """The SDK's own client of the workspace ``ship``, which is not there yet."""
    return MLClient(credential, SUBSCRIPTION, GROUP, "ship", enable_telemetry=False, show_progress=False)
