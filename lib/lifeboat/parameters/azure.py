"""Where a model is to be served on Azure, and how: the parameter ``azure``, completed by the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, StrictInt, StrictStr, ValidationError

from lifeboat.errors import ParameterError, names_credential
from lifeboat.parameters.field import KNOWN, Path, about, parameter, sentences

GONE = ("traffic_steps", "requests_a_step", "max_error_share", "max_latency_ms")
GUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
# what nothing that is sent speaks of: a dry run needs none of it
STAND_INS = {"subscription_id": "0" * 8 + "-0000" * 3 + "-" + "0" * 12, "resource_group": "none", "workspace": "none"}


class AzureSettings(BaseModel):
    """Where and how; every field's value in the parameter file is under ``azure:``."""

    model_config = KNOWN | {"frozen": True}

    subscription_id: StrictStr = parameter(
        ..., "the subscription; the environment wins, as a file is shared", pattern=GUID,
        form="a GUID, such as 00000000-0000-0000-0000-000000000000", environment="AZURE_SUBSCRIPTION_ID",
    )  # fmt: skip
    resource_group: StrictStr = parameter(
        ..., "an existing group", pattern=r"^[\w.()-]{1,90}$",
        form="letters, digits and . _ - ( ), at most 90", environment="AZURE_RESOURCE_GROUP",
    )  # fmt: skip
    workspace: StrictStr = parameter(
        ..., "of Azure Machine Learning", pattern=r"^[A-Za-z0-9][\w-]{2,32}$",
        form="3 to 33 letters, digits, _ and -", environment="AZURE_ML_WORKSPACE",
    )  # fmt: skip
    location: StrictStr = parameter(
        "westeurope", "the region of a workspace that `--create` makes", pattern=r"^[a-z0-9]+$",
        form="a region's name, such as westeurope",
    )  # fmt: skip
    endpoint: StrictStr = parameter(
        ..., "its name, one of its kind in a region", pattern=r"^[A-Za-z][A-Za-z0-9-]{1,30}[A-Za-z0-9]$",
        form="3 to 32 letters, digits and -, a letter first",
    )  # fmt: skip
    model: StrictStr = parameter(
        "lifeboat", "the name to register the model under", pattern=r"^[A-Za-z0-9][\w-]{0,127}$",
        form="letters, digits, _ and -, at most 128",
    )  # fmt: skip
    instance_type: StrictStr = parameter(
        "Standard_DS3_v2", "the machines' kind", pattern=r"^Standard_\w+$",
        form="a kind of machine, such as Standard_DS3_v2",
    )  # fmt: skip
    instance_count: StrictInt = parameter(1, "how many machines each deployment has", ge=1, le=50)
    image: StrictStr = parameter(
        "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest", "what the environment is built on",
        pattern=r"^\S+/\S+:\S+$", form="an image with its tag",
    )  # fmt: skip
    request_timeout_ms: StrictInt = parameter(
        5_000, "milliseconds that the endpoint gives a request", ge=500, le=180_000
    )

    @staticmethod
    def why_not(name: str) -> str:
        """What a person must know of a name that is none; empty where there is nothing but the names there are."""
        if name in GONE:
            return "it is gone: leave it out; a model has its share at once, as `lifeboat azure deploy --traffic` says"
        if names_credential(name):
            return "a secret has no place in a parameter file: sign in by `az login`, or set it in the environment"
        return ""

    @classmethod
    def read_dry(cls, values: Mapping[str, Any]) -> Self:
        """As ``read``, but subscription, resource group and workspace may lack: for a dry run."""
        return cls.read({**STAND_INS, **{name: value for name, value in values.items() if value not in (None, "")}})

    @classmethod
    def read(cls, values: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Self:
        """Check the settings of a parameter file together with the environment.

        Args:
            values: What stands under ``azure:``.
            environ: The environment; this process's by default. It wins over the file.

        Raises:
            ParameterError: Anything is missing, unknown, wrong or secret; the message names all of it at once.
        """
        environ = os.environ if environ is None else environ
        stands = {name: value for name, value in values.items() if value not in (None, "")}
        stands |= {name: environ[variable] for name, variable in FROM_ENVIRONMENT.items() if environ.get(variable)}
        try:
            return cls.model_validate(stands)
        except ValidationError as error:
            errors = [text + _or_variable(path) for path, text in sentences(error, cls, "azure")]
        head = "a setting will not do" if len(errors) == 1 else f"{len(errors)} settings will not do"
        raise ParameterError(f"azure: {head}; nothing was sent\n" + "\n".join(f"  {text}" for text in errors))


FROM_ENVIRONMENT = {
    name: about(field, "environment")
    for name, field in AzureSettings.model_fields.items()
    if about(field, "environment")
}


def _or_variable(path: Path) -> str:
    variable = FROM_ENVIRONMENT.get(str(path[-1]))
    return f", or set {variable} in the environment" if variable else ""
