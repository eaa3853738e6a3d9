"""Each call to Azure fails in turn, in each way it can: what is said, where the traffic goes, and what mends it.

One model serves from blue, and another is being deployed. Whatever happens to it, blue has all the traffic afterwards,
or green, which was tested, has; which of them is said, as is what was begun; and the same command, called again, ends
as if nothing had happened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_azure import FOREVER, FakeAzure
from fake_failures import KilledError
from fake_guard import Credential
from fake_state import State
from made_run import SETTINGS, Caller, serve_portable

from lifeboat.deploy.azure.client import AzureError
from lifeboat.deploy.azure.endpoint import delete, rollback

# what is said of each, once the SDK's own retries have failed too
SAYS = {
    "403": "AzureML Data Scientist",
    "404": "status 404|not found",
    "409": "somebody else changes it just now",
    "429": "takes no more requests just now",
    "500": "status 500",
    "timeout": "no answer in time",
    "malformed": "none of Azure's",
    "quota": "ask for more quota",
    "provisioning": "Azure began it, and it failed",
}
OF_A_SCORE = SAYS | {"403": "status 403", "malformed": "none of the model's"}
RETRIED = ("429", "500", "timeout")  # by the SDK, three times
READ = ("403", "500", "timeout", "malformed", "kill")
WRITE = (*READ, "kill after", "timeout after", "404", "409", "429", "quota")
# the steps of such a deployment; of some not only the first request
FAILING: dict[tuple[str, int], tuple[str, ...]] = {
    ("workspace.get", 1): READ,
    ("endpoint.get", 1): (*READ, "404"),
    ("deployment.list", 1): READ,
    ("deployment.get", 1): READ,
    ("model.get", 1): READ,
    ("model.list", 1): READ,
    ("datastore.get", 1): READ,
    ("datastore.secrets", 1): READ,
    ("blob.head", 1): READ,
    ("blob.put", 1): READ,
    ("blob.metadata", 1): READ,
    ("model.put", 1): WRITE,
    ("environment.get", 1): READ,
    ("code.list", 1): READ,
    ("code.upload", 1): READ,
    ("code.put", 1): WRITE,
    ("deployment.put", 1): (*WRITE, "provisioning"),
    ("operation.get", 1): READ,
    ("endpoint.keys", 1): READ,
    ("score", 1): ("403", "500", "timeout", "malformed", "kill"),
    ("endpoint.put", 1): (*WRITE, "provisioning"),
    ("operation.get", 3): READ,
}
# the SDK finds another way: it signs in to the storage itself, and takes no notice of what it does not need
UNHARMED = [
    ("datastore.secrets", "403"),
    ("datastore.secrets", "500"),
    ("blob.head", "malformed"),
    ("blob.metadata", "malformed"),
]
MOVING = [("endpoint.put", 1), ("operation.get", 3)]  # the traffic
POINTS = [(step, nth, how) for (step, nth), ways in FAILING.items() for how in ways if (step, how) not in UNHARMED]
# where there is nothing yet, not even a workspace
FIRST = [
    (step, how)
    for step in ("template.put", "template.status", "endpoint.list", "endpoint.put", "environment.put")
    for how in ("403", "500", "timeout", "malformed", "kill")
] + [("endpoint.put", how) for how in ("provisioning", "409", "kill after", "timeout after")]


@dataclass(frozen=True)
class Served:
    """Azure with one model serving, to be gone back to, and the runs' folders."""

    state: State
    folder: Path
    steps: list[str]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    with pytest.MonkeyPatch.context() as patch:
        azure = FakeAzure(serve_portable)
        azure.install(patch)
        caller = Caller(azure, Credential(), tmp_path_factory.mktemp("runs"))
        caller.deploy(0.5)
        state = azure.snapshot()
        azure.requests.clear()
        caller.deploy(0.6)
        return Served(state, caller.folder, azure.steps)


@pytest.fixture
def caller(served: Served, azure: FakeAzure, credential: Any) -> Caller:
    azure.restore(served.state)
    return Caller(azure, credential, served.folder)


def fail(azure: FakeAzure, step: str, nth: int, how: str) -> None:
    """Let the n-th request of a step fail, as often as the SDK tries it."""
    seen = 0

    def meets(request: Any) -> bool:
        nonlocal seen
        seen += request.step == step
        return bool(request.step == step and seen >= nth)

    kind, _, after = how.partition(" ")
    azure.fail(meets, kind, times=4 if kind in RETRIED else 1, after=bool(after))


def things(azure: FakeAzure) -> set[str]:
    """What is in Azure, as a message would name it."""
    names = set()
    for path in azure.state.resources:
        if match := re.search(r"/(models|environments)/([^/]+)/versions/([^/]+)$", path):
            names.add(f"{match[2]}:{match[3]}")
        elif match := re.search(r"/deployments/(blue|green)$", path):
            names.add(f"deployment {match[1]}")
    return names


def test_every_step_of_a_deployment_is_made_to_fail(served: Served) -> None:
    assert {step for step, _ in FAILING} == set(served.steps)
    assert all(set(READ) <= set(ways) for ways in FAILING.values())
    written = {step for (step, _), ways in FAILING.items() if set(WRITE) <= set(ways)}
    assert written == {"model.put", "code.put", "deployment.put", "endpoint.put"}


def attempt(caller: Caller, step: str, nth: int, how: str, **options: Any) -> str:
    """Deploy while that request fails; what is said."""
    before = things(caller.azure)
    fail(caller.azure, step, nth, how)
    with pytest.raises(KilledError if how.startswith("kill") else AzureError) as caught:
        caller.deploy(**options)
    caller.azure.revive()
    message = str(caught.value)
    if not how.startswith("kill"):
        assert re.search((OF_A_SCORE if step == "score" else SAYS)[how.split()[0]], message, re.IGNORECASE), message
        assert [name for name in things(caller.azure) - before if name not in message] == []
    return message


@pytest.mark.parametrize(("step", "nth", "how"), POINTS, ids=[f"{step} {nth} {how}" for step, nth, how in POINTS])
def test_a_failure_is_said_hurts_nobody_and_is_mended_by_calling_again(
    caller: Caller, step: str, nth: int, how: str
) -> None:
    message = attempt(caller, step, nth, how, threshold=0.6)
    if how.startswith("kill"):
        assert caller.traffic in ({"blue": 100}, {"green": 100})
    else:
        moved = (step, nth, how) == ("endpoint.put", 1, "timeout after") or (step, nth) == ("operation.get", 3)
        serves = "green 100 %" if moved else "blue 100 %"  # Azure goes on with what it was told
        assert ("The traffic was not touched", f"The traffic now: {serves}.")[(step, nth) in MOVING] in message
        assert caller.traffic == {serves.split()[0]: 100}
    assert caller.deploy(0.6).traffic == caller.traffic == {"green": 100}
    assert caller.states == {"blue": "Succeeded", "green": "Succeeded"}


@pytest.mark.parametrize(("step", "how"), UNHARMED)
def test_what_the_sdk_does_not_need_does_not_stop_it(caller: Caller, step: str, how: str) -> None:
    fail(caller.azure, step, 1, how)
    assert caller.deploy(0.6).traffic == caller.traffic == {"green": 100}


@pytest.mark.parametrize(("step", "how"), FIRST)
def test_a_first_deployment_that_fails_is_mended_too(
    served: Served, azure: FakeAzure, credential: Any, step: str, how: str
) -> None:
    caller = Caller(azure, credential, served.folder)
    attempt(caller, step, 1, how, threshold=0.5)
    assert caller.traffic == {}
    assert caller.deploy(0.5).traffic == caller.traffic == {"blue": 100}
    assert caller.states == {"blue": "Succeeded"}


@pytest.mark.parametrize("step", ["deployment.put", "endpoint.put"])
def test_a_call_waits_until_azure_has_ended_what_an_interrupted_one_began(
    caller: Caller, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    clock = SimpleNamespace(sleep=waited.append)  # the SDK sleeps as it does
    monkeypatch.setattr("lifeboat.deploy.azure.endpoint.time", clock)
    caller.azure.takes = 12  # requests, until it has
    fail(caller.azure, step, 1, "interrupt after")
    with pytest.raises(KeyboardInterrupt):
        caller.deploy(0.6)
    assert caller.messages[-1].startswith("interrupted: `lifeboat azure deploy` goes on from here")
    caller.azure.revive()
    assert caller.deploy(0.6).traffic == caller.traffic == {"green": 100}
    assert set(waited) == {5}
    assert caller.azure.steps.count(step) == 1, "it is not begun twice"


@pytest.mark.parametrize("how", ["kill", "kill after", "500", "timeout after"])
def test_a_share_that_an_interruption_left_open_is_given_by_calling_again(caller: Caller, how: str) -> None:
    attempt(caller, "endpoint.put", 1, how, threshold=0.6, share=10)
    assert caller.traffic in ({"blue": 100}, {"blue": 90, "green": 10})
    assert caller.deploy(0.6, share=10).traffic == caller.traffic == {"blue": 90, "green": 10}
    assert caller.deploy(0.6).traffic == caller.traffic == {"green": 100}


@pytest.mark.parametrize("how", ["403", "500"])
def test_traffic_that_cannot_be_seen_after_a_failure_is_said_and_is_mended_by_calling_again(
    caller: Caller, how: str
) -> None:
    caller.azure.fail(lambda _: "endpoint.put" in caller.azure.steps, how, times=FOREVER)
    with pytest.raises(AzureError, match=r"Where the traffic goes could not be seen .*`lifeboat azure status` says it"):
        caller.deploy(0.6)
    caller.azure.revive()
    assert caller.traffic == {"blue": 100}
    assert caller.deploy(0.6).traffic == caller.traffic == {"green": 100}


@pytest.mark.parametrize("step", ["endpoint.get", "deployment.list", "endpoint.put", "operation.get"])
@pytest.mark.parametrize("how", ["403", "500", "timeout", "malformed"])
def test_a_rollback_that_fails_leaves_one_deployment_serving_and_is_mended_by_calling_again(
    caller: Caller, step: str, how: str
) -> None:
    caller.deploy(0.6)
    fail(caller.azure, step, 1, how)
    with pytest.raises(AzureError, match=SAYS[how]):
        caller.manage(rollback)
    assert caller.traffic in ({"green": 100}, {"blue": 100})
    caller.azure.revive()
    assert "blue" in caller.manage(rollback)
    assert caller.traffic == {"blue": 100}


@pytest.mark.parametrize("how", ["403", "409", "500", "timeout", "malformed"])
def test_a_deletion_that_fails_is_said_and_is_mended_by_calling_again(caller: Caller, how: str) -> None:
    fail(caller.azure, "endpoint.delete", 1, how)
    with pytest.raises(AzureError, match="it is still there" if how == "malformed" else SAYS[how]):
        caller.manage(delete)
    assert caller.traffic == {"blue": 100}
    caller.azure.revive()
    assert caller.manage(delete).endswith("are deleted")
    assert caller.azure.endpoint(SETTINGS["endpoint"]) is None


@pytest.mark.parametrize("how", ["malformed", "broken"])
def test_an_answer_that_is_none_of_azure_s_is_named_as_such(caller: Caller, how: str) -> None:
    fail(caller.azure, "endpoint.get", 1, how)
    with pytest.raises(AzureError, match=r"an answer that is none of Azure's \(.*\); a proxy\?"):
        caller.manage(rollback)


@pytest.mark.parametrize("kind", [KeyError, TypeError, AttributeError, ValueError, OSError])
def test_an_error_of_our_own_is_blamed_on_nobody_else(
    caller: Caller, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(resource: Any) -> Any:
        raise kind("of our own")

    monkeypatch.setattr("lifeboat.deploy.azure.endpoint._deployment", wrong)
    with pytest.raises(kind, match=r"^'?of our own'?$"):
        caller.manage(rollback)


@pytest.mark.parametrize("how", ["429", "500", "timeout", "unreachable"])
def test_what_may_pass_is_tried_again_by_itself(caller: Caller, how: str) -> None:
    caller.azure.fail("endpoint.put", how)
    assert caller.deploy(0.6).traffic == caller.traffic == {"green": 100}
    assert caller.azure.steps.count("endpoint.put") == 2
