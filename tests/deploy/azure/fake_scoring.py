"""The data plane of the fake: containers made of what was uploaded, and the scoring URI for all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fake_endpoints import CRASHED, Endpoints
from fake_state import GROUP, PROVIDER, SUBSCRIPTION, Score, State
from fake_wire import Answer, Refusal, Request

Container = Callable[[Path, Path, str], Score]
"""Starts a container: the model's folder, the code's folder, the entry script's name."""


class Service(Endpoints):
    """The resource manager together with what runs in its deployments."""

    def __init__(self, state: State, takes: int, container: Container, folder: Path) -> None:
        super().__init__(state, takes)
        self.container = container
        self.folder = folder

    def start_container(self, target: str, properties: dict[str, Any]) -> tuple[str, str] | None:
        root = self.folder / str(next(self.state.numbers))
        code = properties.get("codeConfiguration") or {}
        try:
            model = self.download(self.find(properties["model"])["properties"]["modelUri"], root / "model")
            folder = self.download(self.find(code["codeId"])["properties"]["codeUri"], root / "code")
            self.state.running[target] = self.container(model, folder, code["scoringScript"])
        except Exception as crash:
            return "ResourceNotReady", CRASHED.format(f"{type(crash).__name__}: {crash}")
        return None

    def download(self, uri: str, folder: Path) -> Path:
        """Write the blobs below an asset's URI into a folder, as the container's start does."""
        if "/paths/" in uri:
            halves = uri.split("/paths/", 1)
            store = self.find(f"{self.above(uri)}/datastores/{halves[0].rsplit('/', 1)[1]}")["properties"]
            inside = f"/{store['containerName']}/{halves[1].strip('/')}"
        else:
            inside = "/" + uri.split("/", 3)[3].strip("/")
        names = [name for name in self.state.blobs if name.startswith(f"{inside}/")]
        if not names:
            raise FileNotFoundError(f"no blobs below {uri}")
        for name in names:
            file = folder / inside.rsplit("/", 1)[1] / name[len(inside) + 1 :]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(self.state.blobs[name].content)
        return folder if "/paths/" in uri else folder / inside.rsplit("/", 1)[1]

    def above(self, uri: str) -> str:
        name = uri.split("/workspaces/", 1)[1].split("/", 1)[0]
        return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/{PROVIDER}/workspaces/{name}"

    def score(self, request: Request) -> Answer:
        name = request.host.split(".", 1)[0]
        endpoint = next(
            (item for key, item in self.state.resources.items() if key.endswith(f"/onlineendpoints/{name}")), None
        )
        if endpoint is None:
            raise Refusal(Answer(404, b"Not found"))
        if request.headers.get("Authorization") not in {f"Bearer key-of-{name}", "Bearer second"}:
            raise Refusal(Answer(401, b"key_auth_access_denied"))
        traffic = endpoint["properties"]["traffic"]
        most = max((deployment for deployment in traffic if traffic[deployment]), key=traffic.__getitem__, default=None)
        chosen = request.headers.get("azureml-model-deployment") or most
        running = self.state.running.get(f"{endpoint['id']}/deployments/{chosen}".lower())
        if running is None:
            raise Refusal(Answer(404, f"No valid deployments to route to: {chosen}".encode()))
        status, body = running(request.body)
        headers = {"Content-Type": "application/json", "azureml-model-deployment": str(chosen)}
        if status != 200:
            return Answer(424, body, {**headers, "ms-azureml-model-error-statuscode": str(status)})
        return Answer(200, body, headers)
