"""The folder that is sent to Azure: endpoint and deployment as YAML, code, environment, model, and rows to ask."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from lifeboat.deploy.azure.client import need_sdk
from lifeboat.errors import DataError, ParameterError
from lifeboat.parameters.azure import FROM_ENVIRONMENT, AzureSettings
from lifeboat.run import Run, digest, replacing
from lifeboat.scoring.requirements import INFERENCE_SERVER, ROOM, copy_code, requirements

if TYPE_CHECKING:
    from azure.ai.ml.entities import OnlineDeployment, OnlineEndpoint

DEPLOYMENTS = ("blue", "green")  # of an endpoint; the idle one is deployed into
ENVIRONMENT = "lifeboat-scoring"
TAG = "lifeboat"  # of a deployment: the digest of all that makes it what it is, so that an equal one is known
SCHEMAS = "https://azuremlschemas.azureedge.net/latest"
SCRIPT = "score.py"  # as `azure_entry.py` is called there
ANSWERS = "spark_answers.json"  # records, and what Spark's own model said of them
VERSION_DIGITS = 12


def prepare(run: Run, settings: AzureSettings) -> Path:
    """Leave all that is sent in the run's folder ``azure``, held against Azure's schemas; that folder.

    Args:
        run: The run, with what notebook 5 leaves or is about to leave.
        settings: Where it is to go, and how.

    Raises:
        ParameterError: The YAML does not fit its schema.
        DataError: The run lacks something.
    """
    target = run.path / "azure"
    with replacing(target) as folder:
        folder.mkdir(parents=True)
        make_bundle(run, settings, folder)
        load(folder)
    return target


def make_bundle(run: Run, settings: AzureSettings, folder: Path) -> None:
    """Put together all that a deployment of a run's model needs.

    Args:
        run: The run, with what notebook 5 leaves or is about to leave.
        settings: Where it goes and how.
        folder: Is empty; gets ``endpoint.yml``, ``deployment.yml``, ``conda.yml``, ``code``, ``model`` and
            ``spark_answers.json``. Versions and the deployment's tag are equal where the content is.

    Raises:
        DataError: The run kept no portable model, or no answers of Spark's to hold the deployment against.
    """
    for needed in (run.where("portable") / "manifest.json", run.where("spark_answers")):
        if not needed.exists():
            raise DataError(f"there is no {needed}: run notebooks/05_deploy.ipynb once more for this run")
    shutil.copytree(run.where("portable"), folder / "model")
    shutil.copy(run.where("spark_answers"), folder / ANSWERS)
    copy_code(folder / "code")
    shutil.copy(ROOM / "azure_entry.py", folder / "code" / SCRIPT)
    python = f"python={sys.version_info.major}.{sys.version_info.minor}"
    packages = [python, "pip", {"pip": [INFERENCE_SERVER, *requirements()]}]  # at the versions that were tested here
    conda = _yaml({"name": ENVIRONMENT, "channels": ["conda-forge"], "dependencies": packages})
    (folder / "conda.yml").write_text(conda)
    about = {"name": settings.endpoint, "auth_mode": "key", "tags": {"made_with": "lifeboat"}}  # Azure makes the key
    endpoint = {"$schema": f"{SCHEMAS}/managedOnlineEndpoint.schema.json", **about}
    (folder / "endpoint.yml").write_text(_yaml(endpoint))
    model = digest(folder / "model" / "manifest.json")[:VERSION_DIGITS]  # as `Scorer.digest` and /version say
    deployment = _deployment(settings, model, _version(f"{settings.image}\n{conda}"))
    code = sorted(file for file in (folder / "code").rglob("*") if file.is_file())
    lines = [f"{file.relative_to(folder / 'code').as_posix()} {digest(file)}" for file in code]
    deployment["tags"] = {TAG: _version("\n".join([json.dumps(deployment, sort_keys=True), *lines]))}
    (folder / "deployment.yml").write_text(_yaml(deployment))


def _deployment(settings: AzureSettings, model: str, environment: str) -> dict[str, Any]:
    """One of the endpoint's two deployments as Azure's YAML has it; paths are the bundle's."""
    return {
        "$schema": f"{SCHEMAS}/managedOnlineDeployment.schema.json",
        "name": DEPLOYMENTS[0],  # a rollout takes the idle one
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


def _version(text: str) -> str:
    """A version that is equal where the text is."""
    return hashlib.sha256(text.encode()).hexdigest()[:VERSION_DIGITS]


def _yaml(content: dict[str, Any]) -> str:
    return str(yaml.safe_dump(content, sort_keys=False, width=120))


def load(folder: Path) -> tuple[OnlineEndpoint, OnlineDeployment]:
    """What a bundle's folder says of endpoint and deployment, held against the schemas of Azure's own package.

    No network is needed.

    Raises:
        ParameterError: They do not fit.
        AzureError: That package is not installed.
    """
    need_sdk()
    from azure.ai.ml import load_online_deployment, load_online_endpoint
    from azure.ai.ml.exceptions import ValidationException
    from marshmallow import ValidationError

    read = []
    for load_file, name in ((load_online_endpoint, "endpoint.yml"), (load_online_deployment, "deployment.yml")):
        try:
            read.append(load_file(source=str(folder / name)))
        except (ValidationError, ValidationException) as error:
            raise ParameterError(f"azure: {name} does not fit the schema of Azure's package: {error}") from error
    endpoint, deployment = read
    return endpoint, deployment


def read_answers(folder: Path) -> tuple[list[dict[str, Any]], list[int]]:
    """The rows that a bundle's deployment is asked about, and what Spark's own model said of each."""
    content = json.loads((folder / ANSWERS).read_text())
    return content["records"], content["predictions"]


def dry_run(run: Run, values: Mapping[str, Any], share: int = 100) -> str:
    """The endpoint's and the deployment's YAML as they would be sent, with what is still missing to send them.

    Args:
        run: The run, with what notebook 5 leaves or is about to leave.
        values: What a parameter file says under ``azure:``; subscription, resource group and workspace may lack.
        share: Percent of the traffic that it would get.
    """
    missing = [
        f"{name} (or {variable} in the environment)"
        for name, variable in FROM_ENVIRONMENT.items()
        if not values.get(name) and not os.environ.get(variable)
    ]
    folder = prepare(run, AzureSettings.read_dry(values))
    sections = [f"# {name}\n{(folder / name).read_text()}" for name in ("endpoint.yml", "deployment.yml", "conda.yml")]
    records, _ = read_answers(folder)
    then = f"{len(records)} rows with Spark's answers for the smoke test, then {share} % of the traffic"
    sections.append(f"# both fit Azure's schemas; {then}; nothing was sent")
    if missing:
        sections.append(f"# to send it, still missing: {', '.join(missing)}")
    return "\n".join(sections)
