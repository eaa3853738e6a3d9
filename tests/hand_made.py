"""A portable model made by hand, whose answers can be worked out on paper: no training and no Spark."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from lifeboat.deploy import onnx_graph

TYPES = {"count": "int", "big": "bigint", "amount": "double", "word": "string", "flag": "boolean", "spare": "double"}
GOOD = {"count": 1, "big": 2, "amount": 3.0, "word": "a", "flag": True}


def by_hand(folder: Path, stages: list[dict[str, Any]], features: list[str], **settings: Any) -> Path:
    """Write a logistic model whose margin is the sum of its features, over a column of each type.

    ``amount`` goes from 0 to 10, ``spare`` may be null, and ``ticket`` is known but not used.
    """
    inputs = [
        {"name": n, "type": t, "nullable": n == "spare", "minimum": None, "maximum": None} for n, t in TYPES.items()
    ]
    inputs[2] |= {"minimum": 0, "maximum": 10}
    files = {
        "model.onnx": onnx_graph.graph(onnx_graph.linear(np.ones((1, len(features))), np.zeros(1)), len(features), 1),
        "preprocess.json": json.dumps(stages).encode(),
    }
    manifest = {
        "files": {name: sha256(content).hexdigest() for name, content in files.items()},
        "label": "y",
        "model": {"kind": "logistic", "threshold": 0.5, "thresholds": None, "features": features} | settings,
        "signature": {"inputs": inputs, "known": [*TYPES, "y", "ticket"]},
        "versions": {},
    }
    folder.mkdir(exist_ok=True)
    for name, content in (files | {"manifest.json": json.dumps(manifest).encode()}).items():
        (folder / name).write_bytes(content)
    return folder
