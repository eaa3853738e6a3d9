"""The server's description of itself, OpenAPI 3.1: of the same columns that check each request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lifeboat
from lifeboat.deploy.server.inference import KNOWN, OUTPUTS
from lifeboat.deploy.server.models import Model
from lifeboat.deploy.server.settings import Settings
from lifeboat.scoring.declared import SPANS, WHOLES
from lifeboat.scoring.example import usual_record, usual_value
from lifeboat.scoring.fields import Column

Schema = dict[str, Any]
REFUSALS = {
    "400": "The body is not JSON, or names a key twice.",
    "408": "The body stopped coming.",
    "413": "More bytes or rows than a request may hold.",
    "415": "The body is not declared to be JSON, or is compressed.",
    "422": "At least one row does not fit: nothing was scored, and `details` says which.",
    "503": "Too many requests at once, or no model is ready: come back after `Retry-After` seconds.",
}
LARGEST = SPANS["double"][1]


def document(model: Model, settings: Settings) -> Schema:
    """The whole description."""
    secured: Schema = {"security": [{"token": []}]} if settings.token else {}
    paths = {**_predicting(), **_operations(), **_open_inference(model)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{model.name}: predicts {model.scorer.manifest['label']}",
            "version": lifeboat.__version__,
            "description": f"Model {model.version}. A request holds at most {settings.limits.rows} rows and "
            f"{settings.limits.body} bytes.",
        },
        "paths": paths,
        "components": {
            "schemas": _schemas(model),
            "responses": {code: _json(text, _ref("Error")) for code, text in REFUSALS.items()},
            "parameters": {
                "proba": {
                    "name": "proba", "in": "query", "description": "Whether to answer each class's probability too.",
                    "schema": {"type": "boolean", "default": False},
                }
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}} if settings.token else {},
        },
        **secured,
    }  # fmt: skip


def record_schema(columns: list[Column], known: list[str]) -> Schema:
    """What one record may hold: every record that fits it is answered, but for numbers whose sum is none."""
    unused = {name: {"description": "Known, and not used."} for name in known}
    return {
        "type": "object",
        "properties": unused | {column.name: column_schema(column) for column in columns},
        "required": [column.name for column in columns if column.made or not column.nullable],
        "additionalProperties": False,
        "examples": [usual_record(columns)],
    }


def column_schema(column: Column) -> Schema:
    """What one column may hold."""
    kind = {"double": "number", "string": "string", "boolean": "boolean"}.get(column.type, "integer")
    schema: Schema = {"type": [kind, "null"] if column.nullable else kind}
    if column.type in SPANS:
        low, high = column.span()
        whole = column.type in WHOLES
        schema |= {"minimum": int(low) if whole else low} if whole or low > -LARGEST else {}
        schema |= {"maximum": int(high) if whole else high} if whole or high < LARGEST else {}
    if column.type == "string" and not column.nullable:
        schema |= {"minLength": 1} | ({"not": {"enum": sorted(column.gaps)}} if column.gaps else {})
    meaning = [column.allowed(), f"in {column.unit}" if column.unit else "", column.made and f"= {column.made}"]
    title = {"title": column.title} if column.title else {}
    return title | schema | {"description": "; ".join(filter(None, meaning)), "examples": [usual_value(column)]}


def _schemas(model: Model) -> Schema:
    columns = model.scorer.columns
    record = record_schema(columns, model.scorer.manifest["signature"]["known"])
    by_column = {name: {"type": "array", "items": schema} for name, schema in record["properties"].items()}
    text, number = {"type": "string"}, {"type": "number"}
    row = {"type": ["integer", "null"], "description": "The record's number, from 0."}
    detail = _object({"row": row, "field": text, "got": {"type": ["string", "null"]}, "allowed": text})
    warning: Schema = {"row": {"type": "integer"}, "field": text, "value": {}, "known": _list(text)}
    warning["nearest"] = {"type": ["string", "null"]}
    named = _list({"enum": list(record["properties"])}) | {"uniqueItems": True}
    tensor: Schema = {"name": {"enum": list(record["properties"])}, "datatype": {"enum": list(KNOWN)}}
    tensor |= {"shape": _list({"type": "integer", "minimum": 0}) | {"minItems": 1}, "data": {"type": "array"}}
    output = {"name": {"enum": list(OUTPUTS)}, "datatype": text, "shape": _list({"type": "integer"})}
    return {
        "Record": record,
        "Records": _list(_ref("Record")),
        "Split": _object({"columns": named, "data": _list({"type": "array"})}, optional={"index": {"type": "array"}}),
        "Columns": record | {"properties": by_column, "examples": []},
        "Answer": _object(
            {"predictions": _list({"type": "integer"})},
            optional={
                "probabilities": _list(_list(number)),
                "warnings": _list(_object(warning)),
                "warning_count": {"type": "integer"},
            },
        ),
        "Error": _object({"error": text, "details": _list(detail)}),
        "Tensor": _object(tensor, optional={"parameters": {"type": "object"}}),
        "Inference": _object(
            {"inputs": _list(_ref("Tensor")) | {"minItems": 1}},
            optional={
                "id": text,
                "parameters": {"type": "object"},
                "outputs": _list(_object({"name": {"enum": list(OUTPUTS)}}, optional={"parameters": {}})),
            },
        ),
        "Inferred": _object(
            {
                "model_name": text, "model_version": text,
                "outputs": _list(_object(output | {"data": _list(number)})),
            },
            optional={"id": text, "parameters": {"type": "object"}},
        ),
    }  # fmt: skip


def _predicting() -> Schema:
    records, split = [_ref("Records"), _ref("Split"), _ref("Record")], _ref("Split")
    either = {"anyOf": [_ref("Records"), _ref("Columns"), _ref("Record")]}
    forms = {
        "dataframe_split": split, "dataframe_records": _ref("Records"), "inputs": either, "instances": either,
    }  # fmt: skip
    no_params = {"params": {"type": ["object", "null"], "maxProperties": 0}}
    mlflow = [_object({name: schema}, optional=no_params) for name, schema in forms.items()]
    azure = _object({"input_data": {"anyOf": records}})
    return {
        "/score": {"post": _operation("Predict, from any form", {"anyOf": [*records, azure, *mlflow]}, "Answer")},
        "/invocations": {"post": _operation("Predict, from MLflow's forms", {"anyOf": mlflow}, "Answer")},
    }


def _open_inference(model: Model) -> Schema:
    name = _path_parameter("name", model.name)
    version = _path_parameter("version", model.version)
    ready = _json("It is ready.", {"type": "object"})
    paths: Schema = {
        "/v2": {"get": _get("What the server is", {"type": "object"})},
        "/v2/health/live": {"get": _get("Whether the server lives", {"type": "object"})},
        "/v2/health/ready": {"get": _get("Whether a model is ready", {"type": "object"}, unready=True)},
    }
    for path, parameters in (
        ("/v2/models/{name}", [name]),
        ("/v2/models/{name}/versions/{version}", [name, version]),
    ):
        infer = _operation("Predict, from tensors", _ref("Inference"), "Inferred")
        paths[path] = {"get": _get("The model's tensors", {"type": "object"}), "parameters": parameters}
        get_ready = _get("Whether the model is ready", {"type": "object"}, unready=True)
        get_ready["responses"]["200"] = ready
        paths[f"{path}/ready"] = {"get": get_ready, "parameters": parameters}
        paths[f"{path}/infer"] = {"post": infer, "parameters": parameters}
    return paths


def _operations() -> Schema:
    texts: Mapping[str, tuple[str, bool]] = {
        "/livez": ("Whether the process lives", False),
        "/readyz": ("Whether to send requests here: a model has answered its own example correctly", True),
        "/ping": ("As /livez", False),
        "/health": ("As /livez", False),
        "/version": ("What answers: the model's name, digest, label and columns", False),
        "/openapi.json": ("This description", False),
    }
    paths = {path: {"get": _get(text, {"type": "object"}, unready)} for path, (text, unready) in texts.items()}
    counts = {"description": "Prometheus' text form.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    metrics = {"summary": "Counts of all workers", "responses": {"200": counts, "default": _refusal()}}
    return paths | {"/metrics": {"get": metrics}}


def _operation(summary: str, body: Schema, answer: str) -> Schema:
    return {
        "summary": summary,
        "parameters": [{"$ref": "#/components/parameters/proba"}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": _json("A prediction a row, in their order.", _ref(answer)),
            **{code: {"$ref": f"#/components/responses/{code}"} for code in REFUSALS},
            "default": _refusal(),
        },
    }


def _get(summary: str, schema: Schema, unready: bool = False) -> Schema:
    unavailable = {"503": {"$ref": "#/components/responses/503"}} if unready else {}
    return {"summary": summary, "responses": {"200": _json(summary, schema), **unavailable, "default": _refusal()}}


def _refusal() -> Schema:
    return _json("Another refusal: a path that is not there, a method, a token.", _ref("Error"))


def _json(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _path_parameter(name: str, value: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, "example": value}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _object(properties: Schema, optional: Schema | None = None) -> Schema:
    """An object of these properties, the optional ones perhaps, and no others."""
    return {
        "type": "object",
        "properties": properties | (optional or {}),
        "required": list(properties),
        "additionalProperties": False,
    }
