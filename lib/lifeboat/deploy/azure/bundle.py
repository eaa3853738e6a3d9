"""The folder that is sent to Azure: endpoint and deployment as YAML, code, environment, model, and rows to ask."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from lifeboat.deploy.azure.client import need_sdk
from lifeboat.errors import DataError, ParameterError
from lifeboat.parameters.azure import AzureSettings
from lifeboat.run import Run, digest
from lifeboat.scoring.requirements import INFERENCE_SERVER, ROOM, copy_code, requirements

SLOTS = ("blue", "green")
ENVIRONMENT, TAG = "lifeboat-scoring", "lifeboat"
SCHEMAS = "https://azuremlschemas.azureedge.net/latest"
ENTRY, SCRIPT = "azure_entry.py", "score.py"  # as it is called here, and there
ANSWERS = "spark_answers.json"  # records, and what Spark's own model said of them
VERSION_DIGITS = 12


@dataclass(frozen=True)
class Bundle:
    """What is sent, and what tells it from another.

    Attributes:
        folder: Holds ``endpoint.yml``, ``deployment.yml``, ``conda.yml``, ``code``, ``model`` and what Spark answered.
        model: The model's version: of equal content it is equal.
        environment: The environment's version, likewise.
        digest: Of all that makes a deployment what it is; kept as its tag, so that an equal one is known.
    """

    folder: Path
    model: str
    environment: str
    digest: str

    @classmethod
    def load(cls, folder: Path) -> Bundle:
        """The bundle that ``make_bundle`` left in a folder."""
        content = yaml.safe_load((folder / "deployment.yml").read_text())
        return cls(folder, content["model"]["version"], content["environment"]["version"], content["tags"][TAG])

    @cached_property
    def _answers(self) -> dict[str, Any]:
        answers: dict[str, Any] = json.loads((self.folder / ANSWERS).read_text())
        return answers

    @property
    def records(self) -> list[dict[str, Any]]:
        """Rows to ask about."""
        return list(self._answers["records"])

    @property
    def expected(self) -> list[int]:
        """What Spark's own model said of each."""
        return list(self._answers["predictions"])


def make_bundle(run: Run, settings: AzureSettings, folder: Path) -> Bundle:
    """Put together all that a deployment of a run's model needs, into an empty folder.

    Args:
        run: The run, with what notebook 5 leaves or is about to leave.
        settings: Where it goes and how.
        folder: An empty folder.

    Raises:
        DataError: The run kept no portable model, or no answers of Spark's to hold the deployment against.
    """
    for needed in (run.where("portable") / "manifest.json", run.where("spark_answers")):
        if not needed.exists():
            raise DataError(f"there is no {needed}: run notebooks/05_deploy.ipynb once more for this run")
    shutil.copytree(run.where("portable"), folder / "model")
    shutil.copy(run.where("spark_answers"), folder / ANSWERS)
    copy_code(folder / "code")
    shutil.copy(ROOM / ENTRY, folder / "code" / SCRIPT)
    (folder / "conda.yml").write_text(_yaml(conda()))
    model = digest(folder / "model" / "manifest.json")[:VERSION_DIGITS]  # as `Scorer.digest` and /version say
    environment = _sha(f"{settings.image}\n{(folder / 'conda.yml').read_text()}")[:VERSION_DIGITS]
    (folder / "endpoint.yml").write_text(_yaml(endpoint(settings)))
    content = deployment(settings, model, environment)
    whole = _sha(json.dumps(content, sort_keys=True) + code_digest(folder / "code"))[:VERSION_DIGITS]
    content["tags"] = {TAG: whole}
    (folder / "deployment.yml").write_text(_yaml(content))
    return Bundle.load(folder)


def endpoint(settings: AzureSettings) -> dict[str, Any]:
    """The endpoint as Azure's YAML has it: asked with a key, which Azure makes and keeps."""
    about = {"name": settings.endpoint, "auth_mode": "key", "tags": {"made_with": "lifeboat"}}
    return {"$schema": f"{SCHEMAS}/managedOnlineEndpoint.schema.json", **about}


def deployment(settings: AzureSettings, model: str, environment: str) -> dict[str, Any]:
    """One of the endpoint's two deployments as Azure's YAML has it; paths are the bundle's."""
    return {
        "$schema": f"{SCHEMAS}/managedOnlineDeployment.schema.json",
        "name": SLOTS[0],  # a deployment takes the idle one
        "endpoint_name": settings.endpoint,
        "model": {"name": settings.model, "version": model, "type": "custom_model", "path": "model"},
        "environment": {
            "name": ENVIRONMENT,
            "version": environment,
            "image": settings.image,
            "conda_file": "conda.yml",
        },
        "code_configuration": {"code": "code", "scoring_script": SCRIPT},
        "instance_type": settings.instance_type,
        "instance_count": settings.instance_count,
        "request_settings": {"request_timeout_ms": settings.request_timeout_ms},
    }


def conda() -> dict[str, Any]:
    """What the environment has: Python, and what a scoring process needs at the versions that were tested here."""
    python = f"python={sys.version_info.major}.{sys.version_info.minor}"
    packages = [python, "pip", {"pip": [INFERENCE_SERVER, *requirements()]}]
    return {"name": ENVIRONMENT, "channels": ["conda-forge"], "dependencies": packages}


def check_offline(bundle: Bundle) -> None:
    """Hold both YAML files against the schemas of Azure's own package, without a network.

    Raises:
        ParameterError: They do not fit.
        AzureError: That package is not installed.
    """
    need_sdk()
    from azure.ai.ml import load_online_deployment, load_online_endpoint
    from azure.ai.ml.exceptions import ValidationException
    from marshmallow import ValidationError

    for load, name in ((load_online_endpoint, "endpoint.yml"), (load_online_deployment, "deployment.yml")):
        try:
            load(source=str(bundle.folder / name))
        except (ValidationError, ValidationException) as error:
            raise ParameterError(f"azure: {name} does not fit the schema of Azure's package: {error}") from error


def code_digest(folder: Path) -> str:
    """The SHA-256 of a folder's files and of their names, in hexadecimal digits."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    lines = [f"{file.relative_to(folder).as_posix()} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files]
    return _sha("\n".join(lines))


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _yaml(content: dict[str, Any]) -> str:
    return str(yaml.safe_dump(content, sort_keys=False, width=120))
