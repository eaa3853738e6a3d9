"""Which value counts: explicit before environment before file before default. Only commands know which is which.

A notebook by itself, in JupyterLab or under plain papermill, knows its cell and the environment alone: there the
environment wins (``spark.session.start``, ``deploy.tracking.connect``), and the notebook says so.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lifeboat.errors import redacted
from lifeboat.parameters.field import about, fields_of
from lifeboat.parameters.files import Chosen
from lifeboat.parameters.model import Parameters

DEFAULT, IN_ENVIRONMENT = "default", " in the environment"  # how origins are written
RUN_DIR = "run_dir"  # the runner's to set: the folder that --name names


@dataclass(frozen=True)
class Resolved:
    """What a run takes.

    Attributes:
        values: Every parameter's value.
        origins: Every parameter's name -> where its value is from: ``default``, ``params/titanic.yaml, line 12``,
            ``LIFEBOAT_SPARK in the environment`` or ``-p name=value``.
        chosen: What was given, as it was read.
        environment: Variables -> None for those that must not count, as the command line says otherwise.
    """

    values: dict[str, Any]
    origins: dict[str, str]
    chosen: Chosen
    environment: dict[str, None]

    def origin(self, path: tuple[Any, ...]) -> str:
        """Where a value or a part of it is from."""
        return self.chosen.origin(path) or self.origins.get(str(path[0]), DEFAULT)

    def handed(self) -> dict[str, Any]:
        """What a notebook must be told: all but defaults, which it has, and what the environment tells it."""
        return {name: self.values[name] for name, origin in self.origins.items() if not _by_itself(origin)}


def _by_itself(origin: str) -> bool:
    return origin == DEFAULT or origin.endswith(IN_ENVIRONMENT)


def resolve(chosen: Chosen, name: str = "", environ: Mapping[str, str] | None = None) -> Resolved:
    """Every parameter's value, and where it is from.

    Args:
        chosen: What files and command line give.
        name: What the registered model is called where nothing says: the parameter file's name, as a file is of one
            table.
        environ: The environment; this process's by default.
    """
    environ = os.environ if environ is None else environ
    values = {field_name: field.default for field_name, field in fields_of(Parameters).items()}
    origins = dict.fromkeys(values, DEFAULT)
    if name:
        values["registered_model"], origins["registered_model"] = name, "the parameter file's name"
    if chosen.values.get("label", values["label"]) != values["label"]:
        # the default's classes are another label's
        values["class_names"], origins["class_names"] = [], "the default for another label"
    values |= chosen.values
    origins |= {name: chosen.origin((name,)) for name in chosen.values}
    hidden: dict[str, None] = {}
    for parameter, field in fields_of(Parameters).items():
        variables = about(field, "environment")
        if parameter in chosen.overrides:
            hidden |= dict.fromkeys(variables)
        elif variable := next(filter(environ.get, variables), None):
            values[parameter], origins[parameter] = redacted(environ[variable]), f"{variable}{IN_ENVIRONMENT}"
    return Resolved(values, origins, chosen, hidden)
