"""Deploy a bundle: into the idle slot, tested there, and only then given its share of the traffic, at once.

All that a deployment has reached is kept by Azure itself (assets by their content's version, a slot by its tag, the
traffic), and each step looks before it acts. So a deployment that was interrupted goes on when it is called again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lifeboat.deploy.azure.bundle import TAG, Bundle
from lifeboat.deploy.azure.client import AzureError, step
from lifeboat.deploy.azure.slots import TURN, Endpoint, Traffic, choose, look, parted, set_traffic, shares
from lifeboat.deploy.azure.smoke import asker, smoke_test
from lifeboat.parameters.azure import AzureSettings

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

Tell = Callable[[str], None]


@dataclass
class Deployment:
    """One call of ``deploy``: what it was given, and what it has made so far."""

    client: MLClient
    bundle: Bundle
    settings: AzureSettings
    tell: Tell
    made: list[str] = field(default_factory=list)
    seen: Traffic = field(default_factory=dict)  # how the traffic was parted when it was last looked at
    moved: bool = False  # the traffic, or it was tried

    @contextmanager
    def making(self, item: str) -> Iterator[None]:
        """Remember what is about to be made: if the answer is lost it may be there all the same."""
        self.made.append(item)
        with step(f"make {item}"):
            yield
        self.tell(f"made {item}")


def deploy(
    client: MLClient, bundle: Bundle, settings: AzureSettings, create: bool, tell: Tell, share: int = 100
) -> Endpoint:
    """Serve a bundle's model under an endpoint, without a moment in which nobody answers.

    Args:
        client: As ``client.connect`` gives it.
        bundle: What to serve.
        settings: Where and how.
        create: Make the workspace if it is not there.
        tell: Is told each step.
        share: Percent of the traffic, 0 to 100, that the bundle's model is to have.

    Returns:
        The endpoint, with that share.

    Raises:
        AzureError: A step failed; the message says which and why, where the traffic goes now and what was made.
    """
    this = Deployment(client, bundle, settings, tell)
    try:
        find_workspace(this, create)
        endpoint = find_endpoint(this)
        slot = choose(endpoint, bundle.digest)
        parted(endpoint, slot, share)  # a share that cannot be is refused before anything is made
        make_endpoint(this, endpoint)
        fill_slot(this, endpoint, slot)
        return move_traffic(this, slot, share)
    except AzureError as error:
        raise AzureError(f"{error}\n{aftermath(this)}") from error
    except KeyboardInterrupt:
        tell("interrupted: `lifeboat azure deploy` goes on from here, `lifeboat azure rollback` goes back")
        raise


def find_workspace(this: Deployment, create: bool) -> None:
    """Get the workspace, or make it."""
    from azure.ai.ml.entities import Workspace
    from azure.core.exceptions import ResourceNotFoundError

    name = this.settings.workspace
    with step(f"workspace {name}"):
        try:
            this.client.workspaces.get(name)
            return
        except ResourceNotFoundError:
            if not create:
                raise
    with this.making(f"workspace {name}"):
        this.client.workspaces.begin_create(Workspace(name=name, location=this.settings.location)).result()


def find_endpoint(this: Deployment) -> Endpoint:
    """The endpoint; one without state or slots where there is none yet."""
    name = this.settings.endpoint
    endpoint = look(this.client, name)
    if endpoint is None:
        with step(f"look for endpoint {name}"):  # to make one that is there would take its traffic away: ask twice
            names = [str(item.name) for item in this.client.online_endpoints.list()]
        if name in names:
            raise AzureError(f"endpoint {name} is listed, and not found when asked for: wait a minute and call again")
    return endpoint or Endpoint(name, "", "", {}, {})


def make_endpoint(this: Deployment, endpoint: Endpoint) -> None:
    """Make the endpoint unless it is there; one whose making failed is made again."""
    from azure.ai.ml import load_online_endpoint

    if endpoint.state == "Succeeded" or endpoint.slots:
        return
    with this.making(f"endpoint {endpoint.name}"):
        wanted = load_online_endpoint(source=str(this.bundle.folder / "endpoint.yml"))
        this.client.online_endpoints.begin_create_or_update(wanted).result()


def fill_slot(this: Deployment, endpoint: Endpoint, slot: str) -> None:
    """Register model and environment if their content is new, and deploy both into a slot."""
    from azure.ai.ml import load_online_deployment

    there = endpoint.slots.get(slot)
    if there and there.digest == this.bundle.digest and there.state == "Succeeded":
        this.tell(f"{slot} holds this model already")
        return
    source = str(this.bundle.folder / "deployment.yml")
    wanted = load_online_deployment(source=source, params_override=[{"name": slot}])
    turn = 1 + max((other.turn for other in endpoint.slots.values()), default=0)
    wanted.tags = {TAG: this.bundle.digest, TURN: str(turn)}
    wanted.model = register(this, this.client.models, wanted.model)
    wanted.environment = register(this, this.client.environments, wanted.environment)
    if there and there.state != "Succeeded":  # Azure takes nothing into a slot whose making failed
        with step(f"delete what failed in slot {slot}"):
            this.client.online_deployments.begin_delete(name=slot, endpoint_name=endpoint.name).result()
    with this.making(f"slot {slot}"):
        this.client.online_deployments.begin_create_or_update(wanted).result()


def register(this: Deployment, assets: Any, wanted: Any) -> str:
    """The address of a model or an environment whose version is its content: made if it is new."""
    from azure.core.exceptions import ResourceNotFoundError

    label = f"{type(wanted).__name__.lower()} {wanted.name}:{wanted.version}"
    with step(f"look for {label}"):
        try:
            return str(assets.get(wanted.name, wanted.version).id)
        except ResourceNotFoundError:
            pass
    with this.making(label):
        return str(assets.create_or_update(wanted).id)


def move_traffic(this: Deployment, slot: str, share: int) -> Endpoint:
    """Test a slot, then give it its share of the traffic at once."""
    endpoint = look(this.client, this.settings.endpoint)
    if endpoint is None or slot not in endpoint.slots:
        raise AzureError(f"deploy into {slot}: Azure said it is done, and does not find it; call again")
    this.seen = endpoint.traffic
    ask = asker(this.client, endpoint, this.settings)
    this.tell(f"smoke test of {slot}: {smoke_test(ask, slot, this.bundle)} answers, all of them Spark's")
    traffic = parted(endpoint, slot, share)
    if traffic != endpoint.traffic:
        this.moved = True
        set_traffic(this.client, endpoint.name, traffic)
    this.tell(f"the traffic: {shares(traffic)}")
    return replace(endpoint, traffic=traffic)


def aftermath(this: Deployment) -> str:
    """After a failure: where the traffic goes and what was made. Nothing is changed: all that serves was tested."""
    name = this.settings.endpoint
    lines = [traffic_now(this)]
    if this.made:
        lines.append(f"Begun by this call, and kept as far as it got: {', '.join(this.made)}.")
        if slots := [item.removeprefix("slot ") for item in this.made if item.startswith("slot ")]:
            lines.append(
                f"A slot costs money until `lifeboat azure delete --slot {slots[0]}`; "
                f"its log: az ml online-deployment get-logs -n {slots[0]} -e {name}"
            )
    lines.append("Call `lifeboat azure deploy` again when the cause is mended: it goes on from here.")
    return "\n".join(lines)


def traffic_now(this: Deployment) -> str:
    """Where the traffic goes, once Azure has ended what it was told."""
    if not this.moved:
        return f"The traffic was not touched: {shares(this.seen)}." if this.seen else "The traffic was not touched."
    try:
        endpoint = look(this.client, this.settings.endpoint)
    except AzureError as error:
        return f"Where the traffic goes could not be seen ({error}): `lifeboat azure status` says it."
    return f"The traffic now: {shares(endpoint.traffic if endpoint else {})}."
