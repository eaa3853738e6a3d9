"""What would be sent to Azure: put together and checked without a network."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from lifeboat.deploy.azure.bundle import Bundle, check_offline, make_bundle
from lifeboat.parameters.azure import FROM_ENVIRONMENT, AzureSettings
from lifeboat.run import Run, replacing

FOLDER = "azure"  # of a run


def prepare(run: Run, settings: AzureSettings) -> Bundle:
    """Leave all that is sent in the run's folder ``azure``, held against Azure's schemas.

    Args:
        run: The run, with what notebook 5 leaves or is about to leave.
        settings: Where it is to go, and how.

    Raises:
        ParameterError: The YAML does not fit its schema.
        DataError: The run lacks something.
    """
    with replacing(run.path / FOLDER) as folder:
        folder.mkdir(parents=True)
        check_offline(make_bundle(run, settings, folder))
    return Bundle.load(run.path / FOLDER)


def show(run: Run, values: Mapping[str, Any], share: int = 100) -> str:
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
    bundle = prepare(run, AzureSettings.read_dry(values))
    sections = [
        f"# {name}\n{(bundle.folder / name).read_text()}" for name in ("endpoint.yml", "deployment.yml", "conda.yml")
    ]
    then = f"{len(bundle.records)} rows with Spark's answers for the smoke test, then {share} % of the traffic"
    sections.append(f"# both fit Azure's schemas; {then}; nothing was sent")
    if missing:
        sections.append(f"# to send it, still missing: {', '.join(missing)}")
    return "\n".join(sections)
