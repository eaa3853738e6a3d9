"""The fake Azure, a credential for it, and the guard: in these tests nothing talks to anything but the fake."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_azure import FakeAzure
from fake_guard import Credential, Guard
from fake_state import GROUP, SUBSCRIPTION

with warnings.catch_warnings():  # the SDK's own schemas are deprecated marshmallow
    warnings.simplefilter("ignore")
    from azure.ai.ml import MLClient
    from sdk_life import Life


@pytest.fixture(autouse=True)
def guard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Guard]:
    """No test of this folder leaves the process."""
    watching = Guard()
    watching.watch(monkeypatch)
    yield watching
    watching.check()


@pytest.fixture
def credential() -> Credential:
    return Credential()


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAzure]:
    """An Azure with a subscription and an empty resource group, in the place of the network."""
    fake = FakeAzure()
    fake.install(monkeypatch)
    yield fake
    assert not fake.strays, f"requests that the fake has no answer to: {[str(request) for request in fake.strays]}"


@pytest.fixture
def ml(azure: FakeAzure, credential: Credential) -> MLClient:
    """The SDK's own client of the workspace ``ship``, which is not there yet."""
    return MLClient(credential, SUBSCRIPTION, GROUP, "ship", enable_telemetry=False, show_progress=True)


@pytest.fixture
def life(azure: FakeAzure, ml: MLClient, tmp_path: Path) -> Life:
    """A workspace, and the parts of a deployment."""
    return Life(azure, ml, tmp_path)


@pytest.fixture
def live(life: Life) -> Life:
    """Blue, which answers twice what it is sent, has all the traffic; green, which answers three times it, none."""
    life.endpoint()
    life.slot("blue", 2)
    life.slot("green", 3)
    life.traffic({"blue": 100})
    life.sent()
    return life
