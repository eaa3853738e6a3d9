"""Deploy a bundle: into the idle deployment, tested there, and only then given its share of the traffic, at once.

All that a rollout has reached is kept by Azure itself (assets by their content's version, a deployment by its tag, the
traffic), and each step looks before it acts. So a rollout that was interrupted goes on when it is called again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifeboat.deploy.azure.bundle import TAG, load, read_answers
from lifeboat.deploy.azure.client import AzureError, step
from lifeboat.deploy.azure.endpoint import TURN, Asker, Endpoint, Traffic, asker, find, look, set_traffic, shares
from lifeboat.parameters.azure import AzureSettings

if TYPE_CHECKING:
    from azure.ai.ml import MLClient
    from azure.ai.ml.entities import OnlineDeployment

AT_ONCE = 100  # records in a request of the smoke test


@dataclass
class Rollout:
    """One call of ``lifeboat azure deploy``.

    Attributes:
        client: As ``client.connect`` gives it.
        folder: What to serve, as ``bundle.prepare`` leaves it.
        settings: Where and how.
        tell: Is told each step.
    """

    client: MLClient
    folder: Path
    settings: AzureSettings
    tell: Callable[[str], None]
    _made: list[str] = field(default_factory=list, init=False)
    _deployed: str = field(default="", init=False)  # the deployment among what was made
    _seen: Traffic = field(default_factory=dict, init=False)  # the traffic when it was last looked at
    _moved: bool = field(default=False, init=False)  # the traffic, or it was tried

    def deploy(self, create: bool, share: int = 100) -> Endpoint:
        """Serve the folder's model under the endpoint, without a moment in which nobody answers.

        Args:
            create: Make the workspace if it is not there.
            share: Percent of the traffic, 0 to 100, that the folder's model is to have.

        Returns:
            The endpoint, with that share.

        Raises:
            AzureError: A step failed; the message says which and why, where the traffic goes now and what was made.
        """
        try:
            wanted_endpoint, wanted = load(self.folder)
            self._need_workspace(create)
            endpoint = self._find_endpoint()
            wanted.name = endpoint.choose(wanted.tags[TAG])
            endpoint.parted(wanted.name, share)  # a share that cannot be is refused before anything is made
            if endpoint.state != "Succeeded" and not endpoint.deployments:  # one whose making failed is made again
                with self._making(f"endpoint {endpoint.name}"):
                    self.client.online_endpoints.begin_create_or_update(wanted_endpoint).result()
            self._fill(endpoint, wanted)
            return self._move_traffic(wanted.name, share)
        except AzureError as error:
            raise AzureError(f"{error}\n{self._aftermath()}") from error
        except KeyboardInterrupt:
            self.tell("interrupted: `lifeboat azure deploy` goes on from here, `lifeboat azure rollback` goes back")
            raise

    @contextmanager
    def _making(self, item: str) -> Iterator[None]:
        """Remember what is about to be made: if the answer is lost it may be there all the same."""
        self._made.append(item)
        with step(f"make {item}"):
            yield
        self.tell(f"made {item}")

    def _need_workspace(self, create: bool) -> None:
        from azure.ai.ml.entities import Workspace
        from azure.core.exceptions import ResourceNotFoundError

        name = self.settings.workspace
        with step(f"workspace {name}"):
            try:
                self.client.workspaces.get(name)
                return
            except ResourceNotFoundError:
                if not create:
                    raise
        with self._making(f"workspace {name}"):
            self.client.workspaces.begin_create(Workspace(name=name, location=self.settings.location)).result()

    def _find_endpoint(self) -> Endpoint:
        """The endpoint; one without state or deployments where there is none yet."""
        name = self.settings.endpoint
        if endpoint := look(self.client, name):
            return endpoint
        with step(f"look for endpoint {name}"):  # to make one that is there would take its traffic away: ask twice
            names = [str(item.name) for item in self.client.online_endpoints.list()]
        if name in names:
            raise AzureError(f"endpoint {name} is listed, and not found when asked for: wait a minute and call again")
        return Endpoint(name, "", "", {}, {})

    def _fill(self, endpoint: Endpoint, wanted: OnlineDeployment) -> None:
        """Register model and environment if their content is new, and deploy both."""
        there = endpoint.deployments.get(wanted.name)
        whole = there is not None and there.state == "Succeeded"
        if there and whole and there.digest == wanted.tags[TAG]:
            self.tell(f"{wanted.name} holds this model already")
            return
        turn = 1 + max((deployment.turn for deployment in endpoint.deployments.values()), default=0)
        wanted.tags[TURN] = str(turn)
        wanted.model = self._register(self.client.models, wanted.model)
        wanted.environment = self._register(self.client.environments, wanted.environment)
        if there and not whole:  # Azure takes nothing into a deployment whose making failed
            with step(f"delete what failed in deployment {wanted.name}"):
                self.client.online_deployments.begin_delete(name=wanted.name, endpoint_name=endpoint.name).result()
        self._deployed = wanted.name
        with self._making(f"deployment {wanted.name}"):
            self.client.online_deployments.begin_create_or_update(wanted).result()

    def _register(self, assets: Any, wanted: Any) -> str:
        """The address of a model or an environment whose version is its content: made if it is new."""
        from azure.core.exceptions import ResourceNotFoundError

        label = f"{type(wanted).__name__.lower()} {wanted.name}:{wanted.version}"
        with step(f"look for {label}"):
            try:
                return str(assets.get(wanted.name, wanted.version).id)
            except ResourceNotFoundError:
                pass
        with self._making(label):
            return str(assets.create_or_update(wanted).id)

    def _move_traffic(self, deployment: str, share: int) -> Endpoint:
        """Test a deployment, then give it its share of the traffic at once."""
        endpoint = find(self.client, self.settings.endpoint)
        self._seen = endpoint.traffic
        ask = asker(self.client, endpoint, self.settings.request_timeout_ms)
        rows = smoke_test(ask, deployment, self.folder)
        self.tell(f"smoke test of {deployment}: {rows} answers, all of them Spark's")
        traffic = endpoint.parted(deployment, share)
        if traffic != endpoint.traffic:
            self._moved = True
            set_traffic(self.client, endpoint.name, traffic)
        self.tell(f"the traffic: {shares(traffic)}")
        return replace(endpoint, traffic=traffic)

    def _aftermath(self) -> str:
        """After a failure: where the traffic goes and what was made. Nothing is changed: all that serves was tested."""
        lines = [self._traffic_now()]
        if self._made:
            lines.append(f"Begun by this call, and kept as far as it got: {', '.join(self._made)}.")
        if self._deployed:
            lines.append(
                f"A deployment costs money until `lifeboat azure delete --deployment {self._deployed}`; its log: "
                f"az ml online-deployment get-logs -n {self._deployed} -e {self.settings.endpoint}"
            )
        lines.append("Call `lifeboat azure deploy` again when the cause is mended: it goes on from here.")
        return "\n".join(lines)

    def _traffic_now(self) -> str:
        """Where the traffic goes, once Azure has ended what it was told."""
        if not self._moved:
            return f"The traffic was not touched{f': {shares(self._seen)}' if self._seen else ''}."
        try:
            return f"The traffic now: {shares(find(self.client, self.settings.endpoint).traffic)}."
        except AzureError as error:
            return f"Where the traffic goes could not be seen ({error}): `lifeboat azure status` says it."


def smoke_test(ask: Asker, deployment: str, folder: Path) -> int:
    """Ask a deployment about rows whose answers by Spark are known; the number of rows.

    Args:
        ask: Asks the endpoint.
        deployment: Its name.
        folder: A bundle's.

    Raises:
        AzureError: It refuses, does not answer, or answers otherwise than Spark did.
    """
    label = f"smoke test of {deployment}"
    records, expected = read_answers(folder)
    answers: list[Any] = []
    for start in range(0, len(records), AT_ONCE):
        answer = ask.ask(label, {"input_data": records[start : start + AT_ONCE]}, deployment)
        answers += answer.get("predictions", []) if isinstance(answer, dict) else []
    rows = zip(records, answers, expected, strict=False)
    wrong = [f"{record}, {got} instead of {wanted}" for record, got, wanted in rows if got != wanted]
    if wrong or len(answers) != len(expected):
        first = f"; the first: {wrong[0]}" if wrong else ""
        raise AzureError(
            f"{label}: {len(answers)} answers to {len(expected)} rows, {len(wrong)} of them not Spark's{first}"
        )
    return len(records)
