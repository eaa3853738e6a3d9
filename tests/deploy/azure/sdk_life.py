"""An endpoint's life in the SDK's own calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from azure.ai.ml import MLClient
from azure.ai.ml.constants._endpoint import EndpointInvokeFields
from azure.ai.ml.entities import (
    CodeConfiguration,
    Environment,
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    Model,
)
from fake_azure import FakeAzure

ENTRY = """
import json, os, pathlib

def init():
    global factor
    [file] = pathlib.Path(os.environ["AZUREML_MODEL_DIR"]).rglob("factor.txt")
    factor = int(file.read_text())

def run(body):
    return {"predictions": [factor * value for value in json.loads(body)["data"]]}
"""
CONDA = {"name": "scoring", "dependencies": ["python=3.11", {"pip": ["onnxruntime"]}]}
IMAGE = "mcr.microsoft.com/azureml/minimal-ubuntu22.04-py39-cpu-inference:latest"


class Life:
    """The parts of a deployment on disk, and the calls that make it."""

    def __init__(self, azure: FakeAzure, ml: MLClient, folder: Path) -> None:
        self.azure, self.ml, self.folder = azure, ml, folder
        for name, text in (
            ("code/score.py", ENTRY),
            ("ask.json", '{"data": [1, 2]}'),
            ("conda.yaml", json.dumps(CONDA)),
        ):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        azure.make_workspace("ship")

    def sent(self) -> list[str]:
        """Steps of the requests since this was last asked."""
        steps = self.azure.steps
        self.azure.requests.clear()
        return steps

    def endpoint(self, **more: Any) -> Any:
        wanted = ManagedOnlineEndpoint(name="rescue", auth_mode="key", **more)
        return self.ml.online_endpoints.begin_create_or_update(wanted).result()

    def model(self, factor: int = 2) -> Any:
        folder = self.folder / f"model{factor}"
        folder.mkdir(exist_ok=True)
        (folder / "factor.txt").write_text(str(factor))
        return self.ml.models.create_or_update(
            Model(name="m", version=str(factor), path=str(folder), type="custom_model")
        )

    def environment(self) -> Any:
        wanted = Environment(name="e", version="1", image=IMAGE, conda_file=str(self.folder / "conda.yaml"))
        return self.ml.environments.create_or_update(wanted)

    def deployment(self, name: str, model: str, environment: str) -> Any:
        wanted = ManagedOnlineDeployment(
            name=name,
            endpoint_name="rescue",
            model=model,
            environment=environment,
            code_configuration=CodeConfiguration(code=str(self.folder / "code"), scoring_script="score.py"),
            instance_type="Standard_DS3_v2",
            instance_count=1,
            tags={"of": name},
        )
        return self.ml.online_deployments.begin_create_or_update(wanted).result()

    def slot(self, name: str, factor: int) -> Any:
        return self.deployment(name, self.model(factor).id, self.environment().id)

    def traffic(self, shares: dict[str, int]) -> Any:
        endpoint = self.ml.online_endpoints.get("rescue")
        endpoint.traffic = shares
        return self.ml.online_endpoints.begin_create_or_update(endpoint).result()

    def ask(self, name: str | None = None) -> list[int]:
        EndpointInvokeFields.DEFAULT_HEADER.pop(EndpointInvokeFields.MODEL_DEPLOYMENT, None)  # the SDK never does
        file = str(self.folder / "ask.json")
        answer = self.ml.online_endpoints.invoke("rescue", request_file=file, deployment_name=name)
        return list(json.loads(answer)["predictions"])
