"""A run's folder as notebook 5 leaves it, with a model made by hand: class 1 where ``count`` + ``amount`` exceeds 0."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from fake_azure import FakeAzure
from fake_state import GROUP, SUBSCRIPTION

from hand_made import GOOD, by_hand
from lifeboat.deploy.azure.bundle import prepare
from lifeboat.deploy.azure.client import connect
from lifeboat.deploy.azure.endpoint import Endpoint
from lifeboat.deploy.azure.rollout import Rollout
from lifeboat.parameters.azure import AzureSettings
from lifeboat.run import Run
from lifeboat.scoring import answers, bodies
from lifeboat.scoring.scorer import Scorer

RECORDS = [{**GOOD, "count": -number, "amount": 3.0} for number in range(1, 7)]  # the margins are 2, 1, 0, -1, -2, -3
EXPECTED = [1, 1, 0, 0, 0, 0]
SETTINGS: dict[str, Any] = {
    "subscription_id": SUBSCRIPTION,
    "resource_group": GROUP,
    "workspace": "ship",
    "endpoint": "lifeboat-test",
    "model": "made",
}


def serve_portable(model: Path, code: Path, script: str) -> Callable[[bytes], tuple[int, bytes]]:
    """A container of the fake's that answers with the model that was uploaded, by the code that the server runs."""
    assert (code / script).is_file()
    (manifest,) = model.rglob("manifest.json")
    scorer = Scorer.load(manifest.parent)

    def score(body: bytes) -> tuple[int, bytes]:
        posted = {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
        answer = answers.predict(scorer, bodies.score, posted)
        return answer.status, answer.text.encode()

    return score


class Caller:
    """Deploys and manages as the commands do, and keeps what was told."""

    def __init__(self, azure: FakeAzure, credential: Any, folder: Path, **changed: Any) -> None:
        self.azure, self.credential, self.folder, self.messages = azure, credential, folder, list[str]()
        self.settings = AzureSettings.read({**SETTINGS, **changed}, {})

    def deploy(self, threshold: float = 0.5, create: bool = True, share: int = 100) -> Endpoint:
        run_dir = self.folder / f"run_{threshold}"
        if not run_dir.exists():
            make_run(run_dir, threshold)
        if not (run_dir / "azure").exists():
            prepare(Run(run_dir), self.settings)
        self.messages = []
        client = connect(self.settings, self.credential)
        return Rollout(client, run_dir / "azure", self.settings, self.messages.append).deploy(create, share)

    def manage(self, command: Callable[..., str], **more: Any) -> str:
        return command(connect(self.settings, self.credential), self.settings.endpoint, **more)

    @property
    def states(self) -> dict[str, str]:
        """Azure's word for each deployment."""
        deployments = self.azure.deployments(SETTINGS["endpoint"])
        return {name: deployment["properties"]["provisioningState"] for name, deployment in deployments.items()}

    @property
    def traffic(self) -> dict[str, int]:
        return self.azure.traffic(SETTINGS["endpoint"])


def make_run(
    folder: Path, threshold: float = 0.5, records: list[dict[str, Any]] = RECORDS, expected: list[int] = EXPECTED
) -> Path:
    """A finished run; any threshold from 0.5 to 0.73 answers as expected, and each is another model by its bytes."""
    deployed = folder / "05_deploy"
    deployed.mkdir(parents=True)
    by_hand(deployed / "portable", [], ["count", "amount"], threshold=threshold)
    (deployed / "spark_answers.json").write_text(json.dumps({"records": records, "predictions": expected}))
    (deployed / "deployed.json").write_text(json.dumps({"name": "made"}))
    return folder
