"""A stateful fake of Azure on the wire: the real SDK's requests are answered in this process, none goes out.

``FakeAzure.install`` patches it in where every request of the SDK passes, ``requests.adapters.HTTPAdapter.send``.
"""

from __future__ import annotations

import copy
import dataclasses
import shutil
import tempfile
import threading
import types
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fake_failures
import pytest
import requests
from fake_blobs import Blobs
from fake_failures import KilledError
from fake_routes import route
from fake_scoring import Container, Service
from fake_state import REGION, State
from fake_wire import Answer, Refusal, Request, error, read, write

FOREVER = 10**9
Where = str | Callable[[Request], bool]


@dataclass
class Failure:
    """One failure still to come."""

    where: Where
    how: str
    times: int
    after: bool

    def meets(self, request: Request) -> bool:
        return request.step == self.where if isinstance(self.where, str) else self.where(request)


class FakeAzure:
    """All of Azure that a deployment of ours touches.

    Attributes:
        requests: Every request, in the order sent.
        slept: Seconds that the SDK meant to wait between them; it did not.
        takes: How many further requests, of whatever kind, a long operation takes to end.
        container: What starts a deployment from the uploaded model and code.
    """

    def __init__(self, container: Container, takes: int = 2) -> None:
        self.state = State()
        self.takes = takes
        self.container = container
        self.requests: list[Request] = []
        self.strays: list[Request] = []
        self.slept: list[float] = []
        self.failures: list[Failure] = []
        self.dead = False
        self._lock = threading.RLock()
        self._folder = Path(tempfile.mkdtemp(prefix="fake-azure-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._wire()

    def _wire(self) -> None:
        self._service = Service(self.state, self.takes, self.container, self._folder)
        self._blobs = Blobs(self.state)

    # -- what a test says to it ----------------------------------------------------------------------------------

    def fail(self, where: Where, how: str, times: int = 1, after: bool = False) -> None:
        """Let a request fail.

        Args:
            where: A step's name (``deployment.put``), or a predicate.
            how: One of ``fake_failures.KINDS``, or ``provisioning`` (the operation that the request starts ends as
                Failed), ``interrupt`` (Ctrl-C: KeyboardInterrupt, once), ``kill`` (KilledError, and the same for
                every later request until ``revive``).
            times: How often; FOREVER without end.
            after: The request takes effect first: only its answer is lost.
        """
        allowed = (*fake_failures.KINDS, "provisioning", "interrupt", "kill")
        if how not in allowed:
            raise ValueError(f"unknown failure {how!r}. Known: {', '.join(allowed)}")
        self.failures.append(Failure(where, how, times, after))

    def make_workspace(self, name: str) -> None:
        """Let a workspace be there, with its default datastore, without a request."""
        values = {"workspaceName": name, "friendlyName": name, "description": name, "location": REGION}
        self._service.make_workspace(values)

    def revive(self) -> None:
        """A new command: what was to fail is forgotten, and requests go through again."""
        self.dead = False
        self.failures.clear()

    def snapshot(self) -> State:
        """A copy of all that the service knows, for ``restore``."""
        return copy.deepcopy(self.state)

    def restore(self, state: State) -> None:
        """Go back to a snapshot; the record of requests is emptied."""
        self.state = copy.deepcopy(state)
        self.requests.clear()
        self.slept.clear()
        self.revive()
        self._wire()

    @property
    def steps(self) -> list[str]:
        """Names of the requests' steps, in order."""
        return [request.step for request in self.requests]

    def endpoint(self, name: str) -> dict[str, Any] | None:
        """The endpoint as the service keeps it, None if there is none."""
        return next(
            (item for key, item in self.state.resources.items() if key.endswith(f"/onlineendpoints/{name}")), None
        )

    def deployments(self, endpoint: str) -> dict[str, dict[str, Any]]:
        """The endpoint's deployments by name, as the service keeps them."""
        resource = self.endpoint(endpoint)
        return {item["name"]: item for item in self.state.children(f"{resource['id']}/deployments")} if resource else {}

    def traffic(self, endpoint: str) -> dict[str, int]:
        """The shares that are not zero."""
        resource = self.endpoint(endpoint)
        return {name: share for name, share in resource["properties"]["traffic"].items() if share} if resource else {}

    # -- what the SDK says to it ---------------------------------------------------------------------------------

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Put the fake in the place of the network, make waiting take no time, and threads keep an order."""
        from azure.ai.ml._utils import _asset_utils
        from azure.core.pipeline.transport import HttpTransport
        from azure.core.polling import LROPoller, _poller

        start = LROPoller._start
        patch.setattr(
            requests.adapters.HTTPAdapter,
            "send",
            lambda adapter, sent, **how: write(adapter, sent, self.handle(sent, how.get("timeout"))),
        )
        patch.setattr(HttpTransport, "sleep", lambda _, seconds: self.slept.append(seconds))
        patch.setattr(LROPoller, "_start", lambda poller: start(_telling(poller)))
        patch.setattr(_poller, "threading", types.SimpleNamespace(Thread=InlineThread, Event=threading.Event))
        patch.setattr(_asset_utils, "cpu_count", lambda: 1)
        patch.setattr(_asset_utils, "PROCESSES_PER_CORE", 1)

    def handle(self, sent: requests.PreparedRequest, timeout: Any) -> Answer:
        with self._lock:
            if self.dead:
                raise KilledError("the command is dead")
            request = read(sent, len(self.requests) + 1, timeout)
            step, name = route(request)
            service = self._blobs if step.startswith("blob.") else self._service
            handler = getattr(service, name) if name else None
            request = dataclasses.replace(request, step=step)
            self.requests.append(request)
            self._service.takes = self.takes
            self._service.tick()
            failure = next((item for item in self.failures if item.times > 0 and item.meets(request)), None)
            if failure is None:
                return self._answer(request, handler)
            failure.times -= 1
            return self._fail(failure, request, handler)

    def _fail(self, failure: Failure, request: Request, handler: Callable[[Request], Answer] | None) -> Answer:
        if failure.how == "provisioning":
            before = set(self.state.operations)
            answer = self._answer(request, handler)
            for name in set(self.state.operations) - before:
                self.state.operations[name].failure = fake_failures.PROVISIONING
            return answer
        if failure.after:
            self._answer(request, handler)
        if failure.how == "kill":
            self.dead = True
            raise KilledError(f"killed at {request}")
        if failure.how == "interrupt":
            raise KeyboardInterrupt
        return fake_failures.answer(failure.how, request)

    def _answer(self, request: Request, handler: Callable[[Request], Answer] | None) -> Answer:
        if handler is None:
            self.strays.append(request)
            return error(501, "NotFaked", f"the fake has no answer to {request}")
        if "Authorization" not in request.headers and "sig" not in request.query:
            return error(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
        try:
            if request.host == "management.azure.com":
                self._service.must_exist(request)
            return handler(request)
        except Refusal as no:
            return no.answer


class InlineThread:
    """Polls on the spot, so that the same command always sends the same requests in the same order."""

    def __init__(self, target: Callable[[], None], name: str) -> None:
        self.start = target

    def join(self, timeout: float | None = None) -> None:
        """It is over."""

    def is_alive(self) -> bool:
        return False


def _telling(poller: Any) -> Any:
    """What stops the command while the poller asks must reach the caller of ``result()``, as a true Ctrl-C would."""
    method = poller._polling_method
    run = method.run

    def guarded() -> None:
        try:
            run()
        except (KilledError, KeyboardInterrupt) as stop:
            poller._exception = stop

    method.run = guarded
    return poller
