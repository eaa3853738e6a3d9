"""An endpoint: its two deployments, the traffic that each gets, and what may be done to it once it is there."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lifeboat.deploy.azure.bundle import DEPLOYMENTS, TAG
from lifeboat.deploy.azure.client import EVERY, AzureError, step
from lifeboat.spark.environment import spare_loopback

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

DONE = ("Succeeded", "Failed", "Canceled")
SHOWN = 1_000  # characters of an answer that is none
PATIENCE = 2.0  # times the endpoint's own limit, until a request is given up from here
TURN = "lifeboat_turn"  # a tag: which deployment of all it was
Traffic = dict[str, int]


@dataclass(frozen=True)
class Deployment:
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
        state: Azure's word, as for a deployment; empty: there is none yet.
        uri: Where it is asked.
        deployments: Its deployments by name.
        traffic: Percent of the traffic by deployment, none of them 0.
    """

    name: str
    state: str
    uri: str
    deployments: dict[str, Deployment]
    traffic: Traffic

    def choose(self, digest: str) -> str:
        """The deployment for a bundle: the one that holds it already, else one without traffic, the older first.

        Raises:
            AzureError: Both serve, and neither holds it.
        """
        holders = [name for name in DEPLOYMENTS if name in self.deployments and self.deployments[name].digest == digest]
        idle = [name for name in DEPLOYMENTS if name not in self.traffic]
        if not holders and not idle:
            raise AzureError(
                f"both deployments of {self.name} serve ({shares(self.traffic)}), so none is free: `lifeboat azure "
                "rollback` gives all to the older model; to give all to the newer one, deploy its run again"
            )
        turns = {name: deployment.turn for name, deployment in self.deployments.items()}
        return min(holders or idle, key=lambda name: turns.get(name, 0))

    def parted(self, deployment: str, share: int) -> Traffic:
        """The traffic once a deployment has its share; the others keep the rest in the proportion they have now.

        Raises:
            AzureError: Nobody else has traffic, so nobody could have the rest.
        """
        others = {name: had for name, had in self.traffic.items() if name != deployment}
        if share == self.traffic.get(deployment, 0):
            return self.traffic
        if share < 100 and not others:
            now = "all: deploy another model, or roll back" if self.traffic else "none: give it 100 or 0"
            raise AzureError(
                f"--traffic {share}: no deployment but {deployment} could have the rest, and {deployment} has {now}"
            )
        rest, whole = 100 - share, sum(others.values())
        traffic = {deployment: share} | {name: rest * had // whole for name, had in others.items()}
        traffic[max(traffic, key=lambda name: others.get(name, 0))] += 100 - sum(traffic.values())
        return {name: percent for name, percent in traffic.items() if percent}

    def how_to_ask(self) -> str:
        """The scoring URI and a line for the shell; the key is fetched, not shown."""
        fetch = f"az ml online-endpoint get-credentials -n {self.name} --query primaryKey -o tsv"
        head = f"-H \"Authorization: Bearer $({fetch})\" -H 'Content-Type: application/json'"
        return f"scoring URI: {self.uri}\ncurl {head} -d @rows.json {self.uri}"

    def table(self) -> str:
        """What is there, for people: a line a deployment, and how to ask."""
        lines = [f"endpoint {self.name}: {self.state}", f"{'name':8}{'traffic':>8}  {'state':12}{'turn':>4}  model"]
        lines += [
            f"{name:8}{self.traffic.get(name, 0):>6} %  {deployment.state:12}{deployment.turn:>4}  {deployment.model}"
            for name, deployment in self.deployments.items()
        ]
        return "\n".join([*lines, self.how_to_ask()])


def shares(traffic: Traffic) -> str:
    """Traffic in words: ``blue 90 %, green 10 %``."""
    return ", ".join(f"{name} {share} %" for name, share in sorted(traffic.items())) or "nobody any"


def look(client: MLClient, name: str) -> Endpoint | None:
    """The endpoint with its deployments; None where there is none. Waits until nobody is changing it any more."""
    from azure.core.exceptions import ResourceNotFoundError

    with step(f"look at endpoint {name}"):
        while True:
            try:
                endpoint = client.online_endpoints.get(name)
                present = [_deployment(resource) for resource in client.online_deployments.list(name)]
            except ResourceNotFoundError:
                return None
            state = _word(endpoint.provisioning_state)
            if all(word in DONE for word in (state, *(deployment.state for deployment in present))):
                break
            time.sleep(EVERY)
    traffic = {deployment: int(share) for deployment, share in (endpoint.traffic or {}).items() if int(share)}
    deployments = {
        deployment.name: deployment for deployment in sorted(present, key=lambda deployment: deployment.name)
    }
    return Endpoint(name, state, str(endpoint.scoring_uri), deployments, traffic)


def _deployment(resource: Any) -> Deployment:
    tags = resource.tags or {}
    model = "/".join(str(resource.model or "").rstrip("/").split("/")[-3::2])  # .../models/NAME/versions/VERSION
    state = _word(resource.provisioning_state)
    return Deployment(str(resource.name), state, str(tags.get(TAG, "")), int(tags.get(TURN, 0)), model)


def _word(state: Any) -> str:
    """Azure's word for a state, which the SDK gives as an enum or as it came."""
    return str(getattr(state, "value", state))


def find(client: MLClient, name: str) -> Endpoint:
    """The endpoint of that name.

    Raises:
        AzureError: There is none.
    """
    endpoint = look(client, name)
    if endpoint is None:
        raise AzureError(f"there is no endpoint {name!r}: `lifeboat azure deploy` makes it, `endpoint:` names another")
    return endpoint


def set_traffic(client: MLClient, name: str, traffic: Traffic) -> None:
    """Give each deployment its percent of the traffic; none at all where ``traffic`` is empty."""
    with step(f"give {shares(traffic)} of the traffic"):
        endpoint = client.online_endpoints.get(name)
        endpoint.traffic = dict(traffic)
        client.online_endpoints.begin_create_or_update(endpoint).result()


def rollback(client: MLClient, name: str) -> str:
    """Give all traffic to the deployment that served before the newest; what was done, in words.

    Raises:
        AzureError: There is no such deployment, or it is not whole.
    """
    endpoint = find(client, name)
    deployments = sorted(endpoint.deployments.values(), key=lambda deployment: deployment.turn)
    if len(deployments) < 2:
        raise AzureError(f"{name} has {len(deployments)} deployment(s): there is none to go back to")
    before = deployments[-2]
    if before.state != "Succeeded":
        raise AzureError(f"{before.name} is {before.state}: there is no whole deployment to go back to; deploy again")
    if endpoint.traffic == {before.name: 100}:
        return f"{before.name} has all the traffic already: nothing to do"
    set_traffic(client, name, {before.name: 100})
    return f"{before.name} ({before.model}) has all the traffic again; before: {shares(endpoint.traffic)}"


def delete(client: MLClient, name: str, deployment: str = "") -> str:
    """Delete an endpoint with its deployments, or one that has no traffic; what was done, in words.

    The registered models and environments stay, and cost nothing but their few bytes.

    Raises:
        AzureError: There is none of that name, it has traffic, or it is still there afterwards.
    """
    endpoint = find(client, name)
    names = ", ".join(endpoint.deployments) or "none"
    if deployment and deployment not in endpoint.deployments:
        raise AzureError(f"{name} has no deployment {deployment!r}; it has: {names}")
    if share := endpoint.traffic.get(deployment):
        raise AzureError(
            f"{deployment} has {share} % of the traffic: `lifeboat azure rollback` first, or deploy another"
        )
    label = f"deployment {deployment} of {name}" if deployment else f"endpoint {name}"
    with step(f"delete {label}"):
        if deployment:
            client.online_deployments.begin_delete(name=deployment, endpoint_name=name).result()
        else:
            client.online_endpoints.begin_delete(name=name).result()
    left = look(client, name)
    if left and (not deployment or deployment in left.deployments):
        raise AzureError(f"delete {label}: it is still there, whatever was answered; call again")
    return f"{label} is deleted" if deployment else f"{label} and its deployments ({names}) are deleted"


@dataclass(frozen=True)
class Asker:
    """Asks one endpoint; holds the key, and shows it nowhere.

    Attributes:
        uri: Where.
        timeout: Seconds until a request is given up.
    """

    uri: str
    timeout: float
    _key: str = field(repr=False)

    def ask(self, label: str, body: Any, deployment: str = "") -> Any:
        """Send a body to a deployment, or to whichever the traffic's shares pick; what it answers.

        Args:
            label: What an error starts with.
            body: What is sent, as JSON.
            deployment: Its name; empty: as the traffic goes.

        Raises:
            AzureError: It refuses, gives no answer in time, or one that is no JSON.
        """
        import requests

        spare_loopback()
        chosen = {"azureml-model-deployment": deployment} if deployment else {}
        headers = {"Authorization": f"Bearer {self._key}"} | chosen
        with step(label):
            answer = requests.post(self.uri, json=body, headers=headers, timeout=self.timeout)
        if answer.status_code != 200:
            raise AzureError(f"{label}: status {answer.status_code}, {answer.text[:SHOWN]}")
        try:
            return answer.json()
        except ValueError:
            raise AzureError(
                f"{label}: an answer that is none of the model's ({answer.text[:SHOWN]}); a proxy?"
            ) from None


def asker(client: MLClient, endpoint: Endpoint, timeout_ms: int) -> Asker:
    """An Asker with the endpoint's key; ``timeout_ms`` are the milliseconds that the endpoint gives a request."""
    with step(f"fetch the key of {endpoint.name}"):
        key = str(client.online_endpoints.get_keys(endpoint.name).primary_key)
        return Asker(endpoint.uri, PATIENCE * timeout_ms / 1000, key)
