"""The trees of a fitted Spark model, as its own writer saves them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq


@dataclass(frozen=True)
class Tree:
    """One tree as Spark saves it: its weight and its nodes by id, where id 0 is the root."""

    weight: float
    nodes: dict[int, dict[str, Any]]


def trees_of(classifier: Any, scratch: Path) -> list[Tree]:
    """The trees of a fitted forest or of boosted trees, in Spark's order, by Spark's own writer.

    Args:
        classifier: Spark's fitted model.
        scratch: A folder to write into and to remove, which the driver and all executors see under this path; it works
            on a cluster and under Spark Connect too.
    """
    path = scratch.absolute().as_posix()  # not as_uri(): Spark takes its %20 for three letters
    classifier.write().overwrite().save(f"file://{'' if path.startswith('/') else '/'}{path}")
    weights = {row["_1"]: row["_3"] for row in pq.read_table(scratch / "treesMetadata").to_pylist()}
    nodes: dict[int, dict[int, dict[str, Any]]] = {tree: {} for tree in sorted(weights)}
    for row in pq.read_table(scratch / "data").to_pylist():
        nodes[row["treeID"]][row["nodeData"]["id"]] = row["nodeData"]
    shutil.rmtree(scratch)
    return [Tree(weights[tree], nodes[tree]) for tree in nodes]
