"""The fake Azure, a credential for it, and the guard: in these tests nothing talks to anything but the fake."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest
from fake_azure import FakeAzure
from fake_guard import Credential, Guard
from made_run import serve_portable

with warnings.catch_warnings():  # the SDK's own schemas are deprecated marshmallow
    warnings.simplefilter("ignore")
    import azure.ai.ml


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
    fake = FakeAzure(serve_portable)
    fake.install(monkeypatch)
    yield fake
    assert not fake.strays, f"requests that the fake has no answer to: {[str(request) for request in fake.strays]}"
