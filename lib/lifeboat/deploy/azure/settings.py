"""Where a model is to be served on Azure, and how: read from a parameter file and the environment, checked as one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lifeboat.errors import ParameterError, names_credential, redacted_all, unknown

# what no parameter file should hold, as it is shared: the environment wins over the file
FROM_ENVIRONMENT = {
    "subscription_id": "AZURE_SUBSCRIPTION_ID",
    "resource_group": "AZURE_RESOURCE_GROUP",
    "workspace": "AZURE_ML_WORKSPACE",
}
GONE = ("traffic_steps", "requests_a_step", "max_error_share", "max_latency_ms")
GUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
# what nothing that is sent speaks of: a dry run needs none of it
STAND_INS = {"subscription_id": "0" * 8 + "-0000" * 3 + "-" + "0" * 12, "resource_group": "none", "workspace": "none"}


class AzureSettings(BaseModel):
    """Where and how; every field's value in the parameter file is under ``azure:``.

    Attributes:
        subscription_id: A GUID; the environment's ``AZURE_SUBSCRIPTION_ID`` wins.
        resource_group: An existing group; ``AZURE_RESOURCE_GROUP`` wins.
        workspace: Of Azure Machine Learning; ``AZURE_ML_WORKSPACE`` wins.
        location: The region of a workspace that ``--create`` makes.
        endpoint: Its name, one of its kind in a region: 3 to 32 letters, digits and hyphens.
        model: The name to register the model under.
        instance_type: The machines' kind.
        instance_count: How many of them each slot has.
        image: What the environment is built on.
        request_timeout_ms: Milliseconds that the endpoint gives a request.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    subscription_id: Annotated[
        str, Field(pattern=GUID, description="a GUID, such as 00000000-0000-0000-0000-000000000000")
    ]
    resource_group: Annotated[
        str, Field(pattern=r"^[\w.()-]{1,90}$", description="letters, digits and . _ - ( ), at most 90")
    ]
    workspace: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9][\w-]{2,32}$", description="3 to 33 letters, digits, _ and -")
    ]
    location: Annotated[str, Field(pattern=r"^[a-z0-9]+$", description="a region's name, such as westeurope")] = (
        "westeurope"
    )
    endpoint: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z][A-Za-z0-9-]{1,30}[A-Za-z0-9]$",
            description="3 to 32 letters, digits and -, a letter first",
        ),
    ]
    model: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9][\w-]{0,127}$", description="letters, digits, _ and -, at most 128")
    ] = "lifeboat"
    instance_type: Annotated[
        str, Field(pattern=r"^Standard_\w+$", description="a kind of machine, such as Standard_DS3_v2")
    ] = "Standard_DS3_v2"
    instance_count: Annotated[int, Field(ge=1, le=50)] = 1
    image: Annotated[str, Field(pattern=r"^\S+/\S+:\S+$", description="an image with its tag")] = (
        "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest"
    )
    request_timeout_ms: Annotated[int, Field(ge=500, le=180_000)] = 5_000

    @classmethod
    def read_dry(cls, values: Mapping[str, Any]) -> Self:
        """As ``read``, but subscription, resource group and workspace may lack: for a dry run."""
        return cls.read({**STAND_INS, **{name: value for name, value in values.items() if value not in (None, "")}})

    @classmethod
    def read(cls, values: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Self:
        """Check the settings of a parameter file together with the environment.

        Args:
            values: What stands under ``azure:``.
            environ: The environment; this process's by default.

        Raises:
            ParameterError: Anything is missing, unknown, wrong or secret; the message names all of it at once.
        """
        environ = os.environ if environ is None else environ
        overrides = {name: environ[variable] for name, variable in FROM_ENVIRONMENT.items() if environ.get(variable)}
        stands = {name: value for name, value in values.items() if value not in (None, "")}
        try:
            return cls.model_validate({**stands, **overrides})
        except ValidationError as error:
            errors = [_message(detail, cls) for detail in error.errors()]
        head = "a setting will not do" if len(errors) == 1 else f"{len(errors)} settings will not do"
        raise ParameterError(f"azure: {head}; nothing was sent\n" + "\n".join(f"  {text}" for text in errors))


def _message(detail: Any, cls: type[BaseModel]) -> str:
    """One of pydantic's findings as a sentence that names the way out."""
    name = ".".join(map(str, detail["loc"]))
    variable = FROM_ENVIRONMENT.get(name)
    where = f"azure.{name} in the parameter file" + (f", or {variable} in the environment" if variable else "")
    if detail["type"] == "missing":
        return f"{name} is missing: write {where}"
    if name in GONE:
        return f"{name} is gone: leave it out; a slot gets its share at once, as `lifeboat azure deploy --traffic` says"
    if names_credential(name):
        return f"{name}: a secret has no place in a parameter file: sign in by `az login`, or set it in the environment"
    if detail["type"] == "extra_forbidden":
        return unknown("setting", name, cls.model_fields)
    field = cls.model_fields.get(name)
    takes = f"it takes {field.description}" if field and field.description else detail["msg"]
    return f"{name} is {redacted_all(detail['input'])!r}: {takes} ({where})"
