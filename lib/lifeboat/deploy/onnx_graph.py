"""Spark's decision trees as one ONNX operator, TreeEnsemble, in double."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from lifeboat.spark.saved_trees import Tree

AT_MOST, MEMBER = 0, 6  # the operator's node modes: value <= split, value in a set

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
    """The operator's parallel lists: one entry an inner node, one entry a leaf."""

    roots: list[int] = field(default_factory=list)
    features: list[int] = field(default_factory=list)
    modes: list[int] = field(default_factory=list)
    splits: list[float] = field(default_factory=list)
    members: list[float] = field(default_factory=list)
    children: dict[bool, list[tuple[int, bool]]] = field(default_factory=lambda: {True: [], False: []})
    leaf_targets: list[int] = field(default_factory=list)
    leaf_values: list[float] = field(default_factory=list)

    def add(self, tree: Tree, target: int, value: LeafValue) -> None:
        positions: dict[int, tuple[int, bool]] = {}  # node -> its index, and whether among the leaves
        inner = [node for _, node in sorted(tree.nodes.items()) if node["leftChild"] >= 0]
        for index, node in enumerate(inner, start=len(self.features)):
            positions[node["id"]] = index, False
        for number, node in sorted(tree.nodes.items()):
            if number not in positions:
                positions[number] = len(self.leaf_values), True
                self.leaf_targets.append(target)
                self.leaf_values.append(value(node, tree.weight, target))
        self.roots.append(len(self.features))
        for node in inner:
            self._add_split(node["split"], positions[node["leftChild"]], positions[node["rightChild"]])
        if not inner:  # the operator wants an inner node: one whose two ways lead to the only leaf
            self._append(0, AT_MOST, 0.0, positions[0], positions[0])

    def _add_split(self, split: dict[str, Any], left: tuple[int, bool], right: tuple[int, bool]) -> None:
        values, categories = split["leftCategoriesOrThreshold"], split["numCategories"]
        if categories < 0:
            self._append(split["featureIndex"], AT_MOST, values[0], left, right)
            return
        if len(values) > categories // 2:
            # Spark then asks for the smaller set, on the right: it decides where a value outside both goes
            values, left, right = sorted(set(map(float, range(categories))) - set(values)), right, left
        self.members += [*values, math.nan]  # the operator ends each set so
        self._append(split["featureIndex"], MEMBER, 0.0, left, right)

    def _append(self, feature: int, mode: int, split: float, yes: tuple[int, bool], no: tuple[int, bool]) -> None:
        self.features.append(feature)
        self.modes.append(mode)
        self.splits.append(split)
        self.children[True].append(yes)
        self.children[False].append(no)

    def attributes(self) -> dict[str, Any]:
        names = {True: "true", False: "false"}
        children = {f"nodes_{names[way]}nodeids": [i for i, _ in ends] for way, ends in self.children.items()}
        children |= {f"nodes_{names[way]}leafs": [int(leaf) for _, leaf in ends] for way, ends in self.children.items()}
        members = {"membership_values": _tensor("members", self.members, np.float64)} if self.members else {}
        return (
            children
            | members
            | {
                "tree_roots": self.roots,
                "nodes_featureids": self.features,
                "nodes_modes": _tensor("modes", self.modes, np.uint8),
                "nodes_splits": _tensor("splits", self.splits, np.float64),
                "leaf_targetids": self.leaf_targets,
                "leaf_weights": _tensor("leaves", self.leaf_values, np.float64),
                "aggregate_function": 1,  # sum
                "post_transform": 0,  # none
            }
        )


def _tensor(name: str, values: list[Any], dtype: Any) -> TensorProto:
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
