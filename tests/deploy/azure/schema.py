"""Is a request's body what the service's published schema says? Judged by the models of that schema in the SDK itself.

azure-ai-ml carries the schema of Microsoft.MachineLearningServices once, as generated from its TypeSpec (2025-12-01),
and labels each operation's requests with the version that the operation was made for. So names, types, required
fields and enum values are held against 2025-12-01, whatever the request's own ``api-version`` is. The resource
manager's template deployments (2020-06-01) have generated models of their own version.
"""

from __future__ import annotations

import datetime
import enum
import types
import typing
from functools import cache
from typing import Any

from azure.ai.ml._restclient.arm_ml_service import models
from azure.ai.ml._restclient.arm_ml_service._utils.model_base import Model
from azure.ai.ml._vendor.azure_resources import models as templates
from fake_wire import Request

BODIES: dict[str, Any] = {
    "endpoint.put": models.OnlineEndpoint,
    "deployment.put": models.OnlineDeployment,
    "model.put": models.ModelVersion,
    "environment.put": models.EnvironmentVersion,
    "code.put": models.CodeVersion,
    "code.upload": models.PendingUploadRequestDto,
    "template.put": templates.Deployment,
    "datastore.secrets": {"expirableSecret": bool, "expireAfterHours": int},  # the SDK's own: not in the schema
}
SDKS_OWN = {"code.put.properties.properties.hash_version: 202208 is not str"}
"""Departures that the SDK makes by itself and the service takes."""
PLAIN = {"str": str, "int": int, "bool": bool, "float": float, "object": object}


def errors(request: Request) -> list[str]:
    """All that is wrong with a request's body, each as a sentence that begins with the place; empty if nothing is.

    A body that no model is known for is a fault. What goes to the blobs and to the scoring URI has no such schema.
    """
    if request.json is None or request.step.startswith(("blob.", "score")):
        return []
    model = BODIES.get(request.step)
    if model is None:
        return [f"{request.step}: no schema is known for this body"]
    if isinstance(model, dict):
        return _fields(request.json, model, set(), request.step)
    if issubclass(model, Model):
        return [item for item in _check(request.json, model, request.step) if item not in SDKS_OWN]
    return _check_template(request.json, model.__name__, request.step)


def _check(value: Any, kind: Any, path: str) -> list[str]:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any or kind is object:
        return []
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in inner:
            return []
        enums = [arg for arg in inner if isinstance(arg, type) and issubclass(arg, enum.Enum)]
        choices = enums or [arg for arg in inner if arg is not type(None)]
        tried = [_check(value, arg, path) for arg in choices]
        return min(tried, key=len)
    if origin is typing.Literal:
        return [] if value in [getattr(arg, "value", arg) for arg in inner] else [f"{path}: {value!r} is not {inner}"]
    if origin is dict:
        if not isinstance(value, dict):
            return [f"{path}: {value!r} is not an object"]
        return [error for name, item in value.items() for error in _check(item, inner[1], f"{path}.{name}")]
    if origin is list:
        if not isinstance(value, list):
            return [f"{path}: {value!r} is not a list"]
        return [error for i, item in enumerate(value) for error in _check(item, inner[0], f"{path}[{i}]")]
    if issubclass(kind, Model):
        return _check_model(value, kind, path)
    return _check_plain(value, kind, path)


def _check_plain(value: Any, kind: type, path: str) -> list[str]:
    if issubclass(kind, enum.Enum):
        allowed = [item.value for item in kind]
        return [] if value in allowed else [f"{path}: {value!r} is none of {allowed}"]
    wanted: Any = str if issubclass(kind, (datetime.date, datetime.timedelta)) else kind
    wanted = (int, float) if wanted is float else wanted
    right = isinstance(value, wanted) and not (isinstance(value, bool) and kind is not bool)
    return [] if right else [f"{path}: {value!r} is not {kind.__name__}"]


def _check_model(value: Any, model: type[Model], path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: {value!r} is not an object"]
    for rest in _rest_fields(model).values():
        if rest._is_discriminator and "__mapping__" in vars(model):
            chosen = vars(model)["__mapping__"].get(value.get(rest._rest_name))
            if chosen is None:
                return [f"{path}.{rest._rest_name}: {value.get(rest._rest_name)!r} is no known kind"]
            if chosen is not model:
                return _check_model(value, chosen, path)
    fields, required, read_only = _shape(model)
    wrong = [f"{path}.{name}: only the service sets it" for name in value if name in read_only]
    return wrong + _fields(value, fields, required, path)


def _fields(value: dict[str, Any], fields: dict[str, Any], required: set[str], path: str) -> list[str]:
    missing = [f"{path}.{name}: is required" for name in sorted(required) if value.get(name) is None]
    unknown = [f"{path}.{name}: is not in the schema" for name in value if name not in fields]
    known = [(name, item) for name, item in value.items() if name in fields and not (item is None and name in required)]
    return [
        *missing,
        *unknown,
        *(error for name, item in known for error in _check(item, fields[name], f"{path}.{name}")),
    ]


def _rest_fields(model: type[Model]) -> dict[str, Any]:
    """The class's fields by attribute name; the class itself knows them once an instance was made."""
    model.__new__(model)
    return model._attr_to_rest_field


@cache
def _shape(model: type[Model]) -> tuple[dict[str, Any], set[str], set[str]]:
    """A model's fields with their types, those that a request must have, and those that it must not have."""
    hints = typing.get_type_hints(model, localns={"_models": models})
    fields, required, read_only = {}, set(), set()
    for name, rest in _rest_fields(model).items():
        fields[rest._rest_name] = hints[name]
        if rest._visibility == ["read"]:
            read_only.add(rest._rest_name)
        elif type(None) not in typing.get_args(hints[name]):
            required.add(rest._rest_name)
    return fields, required, read_only


def _check_template(value: Any, kind: str, path: str) -> list[str]:
    """The older generated models: ``_attribute_map`` names key and type, ``_validation`` what is required."""
    if kind in PLAIN:
        return _check(value, PLAIN[kind], path)
    if kind[0] in "[{":
        rows = value.items() if kind[0] == "{" else enumerate(value)
        return [error for name, item in rows for error in _check_template(item, kind[1:-1], f"{path}.{name}")]
    model = getattr(templates, kind)
    if issubclass(model, enum.Enum):
        return _check_plain(value, model, path)
    fields = {entry["key"]: entry["type"] for entry in model._attribute_map.values()}
    rules = {model._attribute_map[name]["key"]: rule for name, rule in model._validation.items()}
    wrong = [f"{path}.{key}: is required" for key, rule in rules.items() if rule.get("required") and key not in value]
    wrong += [f"{path}.{key}: only the service sets it" for key in value if rules.get(key, {}).get("readonly")]
    wrong += [f"{path}.{key}: is not in the schema" for key in value if key not in fields]
    known = [(key, item) for key, item in value.items() if key in fields and item is not None]
    return wrong + [error for key, item in known for error in _check_template(item, fields[key], f"{path}.{key}")]
