"""Spark's decision trees as one ONNX operator, TreeEnsemble, in double."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from lifeboat.spark.saved_trees import Tree

AT_MOST, MEMBER = 0, 6  # the operator's node modes: value <= split, value in a set

End = tuple[int, bool]  # where a node's way leads: an index, and whether among the leaves
LeafValue = Callable[[dict[str, Any], float, int], float]  # of a leaf, the tree's weight, a target


def vote(leaf: dict[str, Any], weight: float, target: int) -> float:
    """A forest's leaf: the share of its training rows that were of the class ``target``; weights are all 1."""
    counts = leaf["impurityStats"]
    total = 0.0
    for count in counts:  # one by one, as Spark adds them
        total += count
    return counts[target] / total if total else 0.0


def step(leaf: dict[str, Any], weight: float, target: int) -> float:
    """A boosted tree's leaf: what it adds to the margin."""
    return weight * leaf["prediction"]  # type: ignore[no-any-return]


def ensemble(trees: list[Tree], targets: int, value: LeafValue) -> NodeProto:
    """The operator: ``features`` double ``(n, d)`` -> ``raw`` double ``(n, targets)``.

    A leaf of the operator feeds one target only, so each tree stands in it once a target.
    """
    lists = _Lists()
    for tree in trees:
        for target in range(targets):
            lists.add(tree, target, value)
    return helper.make_node(
        "TreeEnsemble", ["features"], ["raw"], domain="ai.onnx.ml", n_targets=targets, **lists.attributes()
    )


@dataclass
class _Lists:
    """The operator's parallel lists, as one entry an inner node and one entry a leaf."""

    roots: list[int] = field(default_factory=list)
    nodes: list[tuple[int, int, float, End, End]] = field(default_factory=list)  # feature, mode, split, both ways
    members: list[float] = field(default_factory=list)
    leaves: list[tuple[int, float]] = field(default_factory=list)  # target, value

    def add(self, tree: Tree, target: int, value: LeafValue) -> None:
        ends: dict[int, End] = {}
        inner = [node for _, node in sorted(tree.nodes.items()) if node["leftChild"] >= 0]
        for index, node in enumerate(inner, start=len(self.nodes)):
            ends[node["id"]] = index, False
        for number, node in sorted(tree.nodes.items()):
            if number not in ends:
                ends[number] = len(self.leaves), True
                self.leaves.append((target, value(node, tree.weight, target)))
        self.roots.append(len(self.nodes))
        for node in inner:
            self._add_split(node["split"], ends[node["leftChild"]], ends[node["rightChild"]])
        if not inner:  # the operator wants an inner node: one whose two ways lead to the only leaf
            self.nodes.append((0, AT_MOST, 0.0, ends[0], ends[0]))

    def _add_split(self, split: dict[str, Any], left: End, right: End) -> None:
        values, categories = split["leftCategoriesOrThreshold"], split["numCategories"]
        if categories < 0:
            self.nodes.append((split["featureIndex"], AT_MOST, values[0], left, right))
            return
        if len(values) > categories // 2:
            # Spark then asks for the smaller set, on the right: it decides where a value outside both goes
            values, left, right = sorted(set(map(float, range(categories))) - set(values)), right, left
        self.members += [*values, math.nan]  # the operator ends each set so
        self.nodes.append((split["featureIndex"], MEMBER, 0.0, left, right))

    def attributes(self) -> dict[str, Any]:
        features, modes, splits, yes, no = zip(*self.nodes, strict=True)
        targets, values = zip(*self.leaves, strict=True)
        members = {"membership_values": _tensor("members", self.members, np.float64)} if self.members else {}
        return members | {
            "tree_roots": self.roots,
            "nodes_featureids": features,
            "nodes_modes": _tensor("modes", modes, np.uint8),
            "nodes_splits": _tensor("splits", splits, np.float64),
            "nodes_truenodeids": [index for index, _ in yes],
            "nodes_trueleafs": [int(leaf) for _, leaf in yes],
            "nodes_falsenodeids": [index for index, _ in no],
            "nodes_falseleafs": [int(leaf) for _, leaf in no],
            "leaf_targetids": targets,
            "leaf_weights": _tensor("leaves", values, np.float64),
            "aggregate_function": 1,  # sum
            "post_transform": 0,  # none
        }


def _tensor(name: str, values: Sequence[float], dtype: Any) -> TensorProto:
    return numpy_helper.from_array(np.array(values, dtype=dtype), name)


def linear(weights: Any, intercepts: Any) -> list[NodeProto]:
    """``features`` double ``(n, d)`` -> ``raw`` double ``(n, k)``, weights being of shape ``(k, d)``."""
    arrays = {"weights": np.ascontiguousarray(weights.T), "intercepts": intercepts}
    constants = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.asarray(array, np.float64), name))
        for name, array in arrays.items()
    ]
    product = helper.make_node("MatMul", ["features", "weights"], ["product"])
    return [*constants, product, helper.make_node("Add", ["product", "intercepts"], ["raw"])]


def graph(nodes: list[NodeProto], features: int, outputs: int) -> bytes:
    """One ONNX model around the nodes; the same nodes give the same bytes."""
    ends = [
        helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, width])
        for name, width in (("features", features), ("raw", outputs))
    ]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 5)]
    model = helper.make_model(
        helper.make_graph(nodes, "model", ends[:1], ends[1:]), producer_name="lifeboat", opset_imports=opsets
    )
    model.ir_version = 10
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)  # type: ignore[no-any-return]
