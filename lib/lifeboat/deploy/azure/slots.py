"""What is there: an endpoint, its two slots, and the traffic that each gets."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifeboat.deploy.azure.bundle import SLOTS, TAG
from lifeboat.deploy.azure.client import EVERY, AzureError, step

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

DONE = ("Succeeded", "Failed", "Canceled")
TURN = "lifeboat_turn"  # a tag: which deployment of all it was
Traffic = dict[str, int]


@dataclass(frozen=True)
class Slot:
    """One of an endpoint's deployments.

    Attributes:
        name: ``blue`` or ``green``.
        state: Azure's word, such as ``Succeeded`` or ``Creating``.
        digest: What it holds, as its bundle names it; empty: somebody else deployed it.
        turn: Its number among all deployments, the first being 1.
        model: The model's name and version, or its address in Azure.
    """

    name: str
    state: str
    digest: str
    turn: int
    model: str


@dataclass(frozen=True)
class Endpoint:
    """An endpoint as it is now.

    Attributes:
        name: Its name.
        state: Azure's word, as for a slot.
        uri: Where it is asked.
        slots: Its deployments by name.
        traffic: Percent of the traffic by deployment, none of them 0.
    """

    name: str
    state: str
    uri: str
    slots: dict[str, Slot]
    traffic: Traffic

    def share(self, slot: str) -> int:
        """Percent of the traffic that a slot gets."""
        return self.traffic.get(slot, 0)


def look(client: MLClient, name: str) -> Endpoint | None:
    """The endpoint with its slots; None where there is none. Waits until nobody is changing it any more."""
    from azure.core.exceptions import ResourceNotFoundError

    with step(f"look at endpoint {name}"):
        try:
            endpoint = settled(lambda: client.online_endpoints.get(name))
        except ResourceNotFoundError:
            return None
        traffic = {slot: int(share) for slot, share in (endpoint.traffic or {}).items() if int(share)}
        names = sorted(str(item.name) for item in client.online_deployments.list(name))
        deployments = [settled(lambda slot=slot: client.online_deployments.get(slot, name)) for slot in names]  # type: ignore[misc]
        slots = {item.name: _slot(item) for item in deployments}
        return Endpoint(name, _word(endpoint.provisioning_state), str(endpoint.scoring_uri), slots, traffic)


def settled(get: Callable[[], Any]) -> Any:
    """What ``get`` gives once Azure has ended what it was doing to it."""
    while _word((resource := get()).provisioning_state) not in DONE:
        time.sleep(EVERY)
    return resource


def _slot(deployment: Any) -> Slot:
    tags = deployment.tags or {}
    turn = str(tags.get(TURN, "0"))
    model = "/".join(str(deployment.model or "").rstrip("/").split("/")[-3::2])  # .../models/NAME/versions/VERSION
    return Slot(
        str(deployment.name),
        _word(deployment.provisioning_state),
        str(tags.get(TAG, "")),
        int(turn) if turn.isdecimal() else 0,
        model,
    )


def _word(state: Any) -> str:
    """Azure's word for a state, which the SDK gives as an enum or as it came."""
    return str(getattr(state, "value", state))


def choose(endpoint: Endpoint, digest: str) -> str:
    """The slot for a bundle: the one that holds it already, else one without traffic.

    Raises:
        AzureError: Both serve, and neither holds it.
    """
    slots = endpoint.slots
    holders = [slot for slot in slots.values() if slot.name in SLOTS and slot.digest == digest]
    if holders:
        return max(holders, key=lambda slot: (endpoint.share(slot.name), slot.turn)).name
    idle = [name for name in SLOTS if endpoint.share(name) == 0]
    if not idle:
        raise AzureError(
            f"both slots of {endpoint.name} serve ({shares(endpoint.traffic)}), so none is free: `lifeboat azure "
            "rollback` gives all to the older model; to give all to the newer one, deploy its run again"
        )
    return min(idle, key=lambda name: (slots[name].turn if name in slots else 0, SLOTS.index(name)))


def parted(endpoint: Endpoint, slot: str, share: int) -> Traffic:
    """The endpoint's traffic once a slot has its share; the others keep the rest in the proportion that they have now.

    Raises:
        AzureError: Nobody else has traffic, so nobody could have the rest.
    """
    others = {name: had for name, had in endpoint.traffic.items() if name != slot}
    if share == endpoint.share(slot):
        return endpoint.traffic
    if share < 100 and not others:
        now = "all: deploy another model, or roll back" if endpoint.share(slot) else "none: give it 100 or 0"
        raise AzureError(f"--traffic {share}: no slot but {slot} could have the rest, and {slot} has {now}")
    rest, whole = 100 - share, sum(others.values())
    traffic = {slot: share} | {name: rest * had // whole for name, had in others.items()}
    traffic[max(traffic, key=lambda name: others.get(name, 0))] += 100 - sum(traffic.values())
    return {name: percent for name, percent in traffic.items() if percent}


def set_traffic(client: MLClient, name: str, traffic: Traffic) -> None:
    """Give each slot its percent of the traffic; none at all where ``traffic`` is empty."""
    with step(f"give {shares(traffic)} of the traffic"):
        endpoint = client.online_endpoints.get(name)
        endpoint.traffic = dict(traffic)
        client.online_endpoints.begin_create_or_update(endpoint).result()


def shares(traffic: Traffic) -> str:
    """Traffic in words: ``blue 90 %, green 10 %``."""
    return ", ".join(f"{slot} {share} %" for slot, share in sorted(traffic.items()) if share) or "nobody any"
