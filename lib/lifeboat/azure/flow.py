"""Deploy a bundle: into the idle slot, tested there, then the traffic in steps; whatever fails, the traffic goes back.

All that a deployment has reached is kept by Azure itself (assets by their content's version, a slot by its tag, the
traffic), and each step looks before it acts. So a deployment that was interrupted goes on when it is called again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lifeboat.azure.bundle import TAG, Bundle
from lifeboat.azure.client import AzureError, said
from lifeboat.azure.settings import AzureSettings
from lifeboat.azure.slots import TURN, Endpoint, Traffic, choose, look, set_traffic, shares
from lifeboat.azure.smoke import asker, smoke_test, watch

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
    before: Traffic | None = None  # what to put back; None: the traffic was not touched

    @contextmanager
    def making(self, what: str) -> Iterator[None]:
        """Remember what is about to be made: if the answer is lost it may be there all the same."""
        self.made.append(what)
        with said(f"make {what}"):
            yield
        self.tell(f"made {what}")


def deploy(client: MLClient, bundle: Bundle, settings: AzureSettings, create: bool, tell: Tell) -> Endpoint:
    """Serve a bundle's model under an endpoint, without a moment in which nobody answers.

    Args:
        client: As ``client.connect`` gives it.
        bundle: What to serve.
        settings: Where and how.
        create: Make the workspace if it is not there.
        tell: Is told each step.

    Returns:
        The endpoint, all of whose traffic goes to the bundle's model.

    Raises:
        AzureError: A step failed; the message says which and why, where the traffic goes now and what was made.
    """
    this = Deployment(client, bundle, settings, tell)
    try:
        find_workspace(this, create)
        endpoint = find_endpoint(this)
        slot = fill_slot(this, endpoint)
        return move_traffic(this, slot)
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
    with said(f"workspace {name}"):
        try:
            this.client.workspaces.get(name)
            return
        except ResourceNotFoundError:
            if not create:
                raise
    with this.making(f"workspace {name}"):
        this.client.workspaces.begin_create(Workspace(name=name, location=this.settings.location)).result()


def find_endpoint(this: Deployment) -> Endpoint:
    """Get the endpoint, or make it; one whose making failed is made again."""
    from azure.ai.ml import load_online_endpoint

    name = this.settings.endpoint
    found = look(this.client, name)
    if found is None:
        with said(f"look for endpoint {name}"):  # to make one that is there would take its traffic away: ask twice
            names = [str(one.name) for one in this.client.online_endpoints.list()]
        if name in names:
            raise AzureError(f"endpoint {name} is listed, and not found when asked for: wait a minute and call again")
    if found is None or (found.state != "Succeeded" and not found.slots):
        with this.making(f"endpoint {name}"):
            wanted = load_online_endpoint(source=str(this.bundle.folder / "endpoint.yml"))
            this.client.online_endpoints.begin_create_or_update(wanted).result()
        found = look(this.client, name)
    if found is None:
        raise AzureError(f"make endpoint {name}: Azure said it is made, and does not find it; call again")
    return found


def fill_slot(this: Deployment, endpoint: Endpoint) -> str:
    """Register model and environment if their content is new, and deploy both into a slot; its name."""
    from azure.ai.ml import load_online_deployment

    slot = choose(endpoint, this.bundle.digest)
    there = endpoint.slots.get(slot)
    if there and there.digest == this.bundle.digest and there.state == "Succeeded":
        this.tell(f"{slot} holds this model already")
        return slot
    source = str(this.bundle.folder / "deployment.yml")
    wanted = load_online_deployment(source=source, params_override=[{"name": slot}])
    turn = 1 + max((one.turn for one in endpoint.slots.values()), default=0)
    wanted.tags = {TAG: this.bundle.digest, TURN: str(turn)}
    wanted.model = register(this, this.client.models, wanted.model)
    wanted.environment = register(this, this.client.environments, wanted.environment)
    if there and there.state != "Succeeded":  # Azure takes nothing into a slot whose making failed
        with said(f"delete what failed in slot {slot}"):
            this.client.online_deployments.begin_delete(name=slot, endpoint_name=endpoint.name).result()
    with this.making(f"slot {slot}"):
        this.client.online_deployments.begin_create_or_update(wanted).result()
    return slot


def register(this: Deployment, assets: Any, wanted: Any) -> str:
    """The address of a model or an environment whose version is its content: made if it is new."""
    from azure.core.exceptions import ResourceNotFoundError

    what = f"{type(wanted).__name__.lower()} {wanted.name}:{wanted.version}"
    with said(f"look for {what}"):
        try:
            return str(assets.get(wanted.name, wanted.version).id)
        except ResourceNotFoundError:
            pass
    with this.making(what):
        return str(assets.create_or_update(wanted).id)


def move_traffic(this: Deployment, slot: str) -> Endpoint:
    """Test a slot, then give it the traffic in steps, each held until its requests were answered well."""
    endpoint = look(this.client, this.settings.endpoint)
    if endpoint is None or slot not in endpoint.slots:
        raise AzureError(f"deploy into {slot}: Azure said it is done, and does not find it; call again")
    others = {name: share for name, share in endpoint.traffic.items() if name != slot}
    now = endpoint.share(slot)
    rest = {max(others, key=lambda name: others[name]): 100} if others else {}
    if now and others:  # an interrupted deployment gave it some: if it fails now, it is to have none
        this.before = rest
    ask = asker(this.client, endpoint, this.settings)
    this.tell(f"smoke test of {slot}: {smoke_test(ask, slot, this.bundle)} answers, all of them Spark's")
    this.before = rest or endpoint.traffic
    # with nobody to move the traffic from, there is one step; after an interruption, the step it stood at comes again
    steps = [step for step in this.settings.traffic_steps if step >= max(now, 1)] if others else [100]
    for step in steps:
        if step != now:
            set_traffic(this.client, endpoint.name, parted(slot, step, rest))
        with_it = watch(ask, this.bundle, this.settings)
        this.tell(f"{slot} gets {step} % of the traffic: {with_it}")
    return replace(endpoint, traffic={slot: 100})


def parted(slot: str, share: int, rest: Traffic) -> Traffic:
    """Traffic with so much for a slot, and what is left for the one that had it all."""
    return {slot: share} | {name: 100 - share for name in rest if share < 100}


def aftermath(this: Deployment) -> str:
    """After a failure: put the traffic back if it was touched, and say where it goes and what was made."""
    name = this.settings.endpoint
    lines = []
    if this.before is None:
        lines.append("The traffic was not touched.")
    else:
        try:
            set_traffic(this.client, name, this.before)
            lines.append(f"The traffic was put back: {shares(this.before)}.")
        except AzureError as error:
            lines.append(
                f"The traffic could not be put back to {shares(this.before)} ({error}): "
                "see `lifeboat azure status`, then `lifeboat azure rollback`."
            )
    if this.made:
        lines.append(f"Begun by this call, and kept as far as it got: {', '.join(this.made)}.")
        if slots := [what.removeprefix("slot ") for what in this.made if what.startswith("slot ")]:
            lines.append(
                f"A slot costs money until `lifeboat azure delete --slot {slots[0]}`; "
                f"its log: az ml online-deployment get-logs -n {slots[0]} -e {name}"
            )
    lines.append("Call `lifeboat azure deploy` again when the cause is mended: it goes on from here.")
    return "\n".join(lines)
