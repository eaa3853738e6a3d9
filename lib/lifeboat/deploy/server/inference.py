"""The Open Inference Protocol (version 2), which KServe, Triton and others speak: tensors by column."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from lifeboat.scoring import answers
from lifeboat.scoring.answers import Answer
from lifeboat.scoring.bodies import Record
from lifeboat.scoring.fields import InputError, in_words
from lifeboat.scoring.scorer import Scorer, Scores

DATATYPES = {"int": "INT32", "bigint": "INT64", "double": "FP64", "string": "BYTES", "boolean": "BOOL"}
KNOWN = (
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "BYTES",
)  # fmt: skip
PREDICTIONS, PROBABILITIES = "predictions", "probabilities"
OUTPUTS = (PREDICTIONS, PROBABILITIES)
KEYS = frozenset({"id", "parameters", "inputs", "outputs"})


@dataclass(frozen=True)
class Inference:
    """What a request asks: records, the outputs wanted, and an id to give back or None."""

    records: list[Record]
    outputs: list[str]
    id: str | None


def metadata(scorer: Scorer, name: str, version: str) -> dict[str, Any]:
    """What ``GET /v2/models/NAME`` answers: tensors in and out."""
    return {
        "name": name,
        "versions": [version],
        "platform": "lifeboat",
        "inputs": [_tensor(column.name, DATATYPES[column.type], [-1]) for column in scorer.columns],
        "outputs": [_tensor(PREDICTIONS, "INT64", [-1]), _tensor(PROBABILITIES, "FP64", [-1, -1])],
    }


def _tensor(name: str, datatype: str, shape: list[int]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape}


def read(body: Any, with_probabilities: bool) -> Inference:
    """What a body of ``POST /v2/models/NAME/infer`` asks: one tensor a column, each of one value a row.

    Raises:
        InputError: Another shape.
    """
    if not isinstance(body, dict) or "inputs" not in body or not body.keys() <= KEYS:
        raise InputError("body", in_words(body), "an object with inputs and perhaps id, parameters, outputs")
    if not isinstance(name := body.get("id", ""), str):
        raise InputError("id", in_words(name), "text")
    tensors = body["inputs"]
    if not isinstance(tensors, list) or not tensors:
        raise InputError("inputs", in_words(tensors), "a list of tensors, one a column")
    columns: dict[str, list[Any]] = {}
    for index, tensor in enumerate(tensors):
        column, values = _column(tensor, f"inputs[{index}]")
        if column in columns:
            raise InputError(f"inputs[{index}].name", in_words(column), "each column once")
        if columns and len(values) != (rows := len(next(iter(columns.values())))):
            raise InputError(f"inputs[{index}].shape", f"{len(values)} rows", f"{rows}, as the other columns")
        columns[column] = values
    records = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    wanted = _outputs(body.get("outputs"))
    if with_probabilities and PROBABILITIES not in wanted:
        wanted = [*wanted, PROBABILITIES]
    return Inference(records, wanted, body.get("id"))


def _column(tensor: Any, where: str) -> tuple[str, list[Any]]:
    """A tensor's name and its values, one a row."""
    if not isinstance(tensor, dict) or not {"name", "shape", "datatype", "data"} <= tensor.keys():
        raise InputError(where, in_words(tensor), "a tensor: an object with name, shape, datatype and data")
    name, shape, datatype, data = (tensor[key] for key in ("name", "shape", "datatype", "data"))
    if not isinstance(name, str):
        raise InputError(f"{where}.name", in_words(name), "a column's name")
    if datatype not in KNOWN:
        raise InputError(f"{where}.datatype", in_words(datatype), ", ".join(KNOWN))
    whole = isinstance(shape, list) and all(type(size) is int and size >= 0 for size in shape)
    if not whole or not shape or any(size != 1 for size in shape[1:]):
        raise InputError(f"{where}.shape", in_words(shape), "[rows] or [rows, 1]")
    if not isinstance(data, list):
        raise InputError(f"{where}.data", in_words(data), "a list of values")
    values = data
    for _ in shape[1:]:
        if values and all(isinstance(value, list) and len(value) == 1 for value in values):
            values = [value[0] for value in values]  # nested as the shape is; or flat
    if len(values) != prod(shape):
        raise InputError(f"{where}.data", f"{len(values)} values", f"{prod(shape)}, as its shape says")
    return name, values


def _outputs(wanted: Any) -> list[str]:
    if wanted is None or wanted == []:
        return [PREDICTIONS]
    if not isinstance(wanted, list):
        raise InputError("outputs", in_words(wanted), "a list of objects with a name")
    names = [output.get("name") if isinstance(output, dict) else None for output in wanted]
    for index, name in enumerate(names):
        if name not in OUTPUTS or names.index(name) < index:
            raise InputError(
                f"outputs[{index}]", in_words(wanted[index]), f"a name, each once, of {', '.join(OUTPUTS)}"
            )
    return [str(name) for name in names]


def answer(scores: Scores, inference: Inference, name: str, version: str) -> Answer:
    """The tensors that were wanted; what training never met stands in ``parameters``."""
    rows, classes = scores.probabilities.shape
    tensors: Mapping[str, dict[str, Any]] = {
        PREDICTIONS: _tensor(PREDICTIONS, "INT64", [rows]) | {"data": scores.predictions.tolist()},
        PROBABILITIES: _tensor(PROBABILITIES, "FP64", [rows, classes]),
    }
    if PROBABILITIES in inference.outputs:
        tensors[PROBABILITIES]["data"] = [number for row in answers.probabilities(scores) for number in row]
    content: dict[str, Any] = {"model_name": name, "model_version": version}
    content |= {} if inference.id is None else {"id": inference.id}
    content["outputs"] = [tensors[output] for output in inference.outputs]
    if unseen := scores.unseen:
        noted = answers.warnings(unseen)
        content["parameters"] = {"warning_count": noted["warning_count"], "warnings": json.dumps(noted["warnings"])}
    return Answer(200, json.dumps(content, separators=(",", ":")) + "\n", rows, unseen.fields)
