"""After a deployment: see what is there, go back, and take it away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lifeboat.deploy.azure.client import AzureError, step
from lifeboat.deploy.azure.slots import Endpoint, Slot, look, set_traffic, shares

if TYPE_CHECKING:
    from azure.ai.ml import MLClient


def find(client: MLClient, name: str) -> Endpoint:
    """The endpoint of that name.

    Raises:
        AzureError: There is none.
    """
    endpoint = look(client, name)
    if endpoint is None:
        raise AzureError(f"there is no endpoint {name!r}: `lifeboat azure deploy` makes it, `endpoint:` names another")
    return endpoint


def status(endpoint: Endpoint) -> str:
    """What is there, for people: a line a slot, and how to ask."""
    lines = [f"endpoint {endpoint.name}: {endpoint.state}", f"{'slot':8}{'traffic':>8}  {'state':12}{'turn':>4}  model"]
    lines += [
        f"{slot.name:8}{endpoint.share(slot.name):>6} %  {slot.state:12}{slot.turn:>4}  {slot.model}"
        for slot in endpoint.slots.values()
    ]
    return "\n".join([*lines, how_to_ask(endpoint)])


def how_to_ask(endpoint: Endpoint) -> str:
    """The scoring URI and a line for the shell; the key is fetched, not shown."""
    fetch = f"az ml online-endpoint get-credentials -n {endpoint.name} --query primaryKey -o tsv"
    ask = (
        f"curl -H \"Authorization: Bearer $({fetch})\" -H 'Content-Type: application/json' -d @rows.json {endpoint.uri}"
    )
    return f"scoring URI: {endpoint.uri}\n{ask}"


def older(endpoint: Endpoint) -> Slot:
    """The slot that served before the newest one.

    Raises:
        AzureError: There is no such slot, or it is not whole.
    """
    slots = sorted(endpoint.slots.values(), key=lambda slot: slot.turn)
    if len(slots) < 2:
        raise AzureError(f"{endpoint.name} has {len(slots)} slot(s): there is none to go back to")
    before = slots[-2]
    if before.state != "Succeeded":
        raise AzureError(f"{before.name} is {before.state}: there is no whole slot to go back to; deploy again")
    return before


def rollback(client: MLClient, name: str) -> str:
    """Give all traffic to the slot that served before the newest; what was done, in words."""
    endpoint = find(client, name)
    before = older(endpoint)
    if endpoint.traffic == {before.name: 100}:
        return f"{before.name} has all the traffic already: nothing to do"
    set_traffic(client, name, {before.name: 100})
    return f"{before.name} ({before.model}) has all the traffic again; before: {shares(endpoint.traffic)}"


def delete(client: MLClient, name: str, slot: str = "") -> str:
    """Delete an endpoint with its slots, or one slot that has no traffic; what was done, in words.

    The registered models and environments stay, and cost nothing but their few bytes.
    """
    endpoint = find(client, name)
    if not slot:
        with step(f"delete endpoint {name}"):
            client.online_endpoints.begin_delete(name=name).result()
        if look(client, name):
            raise AzureError(f"delete endpoint {name}: it is still there, whatever was answered; call again")
        return f"endpoint {name} and its slots ({', '.join(endpoint.slots) or 'none'}) are deleted"
    if slot not in endpoint.slots:
        raise AzureError(f"{name} has no slot {slot!r}; it has: {', '.join(endpoint.slots) or 'none'}")
    if share := endpoint.share(slot):
        raise AzureError(f"{slot} has {share} % of the traffic: `lifeboat azure rollback` first, or deploy another")
    with step(f"delete slot {slot}"):
        client.online_deployments.begin_delete(name=slot, endpoint_name=name).result()
    if slot in find(client, name).slots:
        raise AzureError(f"delete slot {slot}: it is still there, whatever was answered; call again")
    return f"slot {slot} of {name} is deleted"
