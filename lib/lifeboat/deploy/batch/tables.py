"""Trees as tables, for many rows at once: the same sums as the graph's own operator, several times faster.

A tree asks each feature a few questions, so all that matters of a feature's value is between which of the forest's
splits it lies: a small number, its code. For each code of a few features together a table holds, as one bit a leaf,
where a row may still end; the tables' bits taken together leave one leaf (after Lucchese et al., QuickScorer, 2015).
So a tree costs a handful of numpy's operations for thousands of rows, and nothing is asked row by row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from lifeboat.deploy.onnx_graph import MEMBER

LEAVES = 64  # of a tree at most: a bit each
CODES = 2048  # of one table at most: it then stays in the processor's nearest memory
BRUIJN = np.uint64(0x03F79D71B4CB0A89)  # times a power of two, its top six bits say which
SHIFT = np.uint64(58)

Floats = npt.NDArray[np.float64]
Bits = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Feature:
    """How a feature's value becomes a code.

    Attributes:
        index: Which feature.
        cuts: The values that some tree asks about, in order.
        codes: The code of: below the first cut, at it, between it and the second, and so on.
        reach: How many codes there are.
    """

    index: int
    cuts: Floats
    codes: Codes
    reach: int

    def code(self, features: Floats) -> Codes:
        """The code of each row, shape ``(n,)``."""
        values = features[:, self.index]
        at = np.searchsorted(self.cuts, values, "left") + np.searchsorted(self.cuts, values, "right")
        codes: Codes = self.codes[at]
        return codes


@dataclass(frozen=True)
class TreeTables:
    """A tree: for each group of features that it asks, the leaves left by each code; and the leaves' values."""

    bits: list[tuple[int, Bits]]
    values: list[tuple[int, Floats]]  # target, value of each leaf by the top bits of its number


@dataclass(frozen=True)
class Tables:
    """All trees of a model: an object of arrays that can travel to another process."""

    groups: list[list[Feature]]
    trees: list[TreeTables]
    targets: int

    def raw(self, features: Floats, at_once: int = 16_384) -> Floats:
        """What the graph gives for features, shape ``(n, d)``, none NaN: each target's sum, ``(n, targets)``.

        So many rows are taken ``at_once`` as the processor's nearest memory holds.
        """
        sums = np.zeros((self.targets, len(features)))
        for start in range(0, len(features), at_once):
            self._add(features[start : start + at_once], sums[:, start : start + at_once])
        return np.ascontiguousarray(sums.T)

    def _add(self, features: Floats, sums: Floats) -> None:
        codes = [
            np.ravel_multi_index([feature.code(features) for feature in group], [feature.reach for feature in group])
            for group in self.groups
        ]
        left, other = np.empty(len(features), np.uint64), np.empty(len(features), np.uint64)
        value = np.empty(len(features))
        for tree in self.trees:
            (group, table), *rest = tree.bits
            table.take(codes[group], out=left, mode="clip")
            for group, table in rest:
                table.take(codes[group], out=other, mode="clip")
                np.bitwise_and(left, other, out=left)
            np.multiply(left, BRUIJN, out=left)
            np.right_shift(left, SHIFT, out=left)
            for target, values in tree.values:
                values.take(left.view(np.intp), out=value, mode="clip")
                sums[target] += value


@dataclass(frozen=True)
class _Lists:
    """The operator's parallel lists: of its inner nodes and of its leaves."""

    roots: list[int]
    features: list[int]
    splits: Floats
    sets: dict[int, Floats]  # of the nodes that ask for one of a set
    children: tuple[list[tuple[int, bool]], list[tuple[int, bool]]]  # where no, where yes: a node, whether a leaf
    leaf_targets: list[int]
    leaf_values: Floats

    def says_yes(self, node: int, values: Floats) -> npt.NDArray[np.bool_]:
        return np.isin(values, self.sets[node]) if node in self.sets else values <= self.splits[node]


def tables(graph: bytes) -> Tables | None:
    """The trees of a model's graph as tables; None where it is no trees, or one has more than 64 leaves."""
    model = onnx.load_from_string(graph)
    if len(model.graph.node) != 1 or model.graph.node[0].op_type != "TreeEnsemble":
        return None
    named = {item.name: onnx.helper.get_attribute_value(item) for item in model.graph.node[0].attribute}
    lists = _read(named)
    walks = [_walk(lists, root) for root in lists.roots]
    if max(len(leaves) for _, leaves in walks) > LEAVES:
        return None
    features = [_feature(lists, index) for index in sorted(set(lists.features))]
    groups = _grouped(features)
    trees: list[TreeTables] = []
    before: object = None
    for nodes, leaves in walks:
        kind = [(lists.features[n], lists.splits[n], lists.sets.get(n, np.empty(0)).tobytes(), *b) for n, *b in nodes]
        target, values = lists.leaf_targets[leaves[0]], np.zeros(LEAVES)
        with np.errstate(over="ignore"):
            values[(BRUIJN << np.arange(len(leaves), dtype=np.uint64)) >> SHIFT] = lists.leaf_values[leaves]
        if kind == before and target not in [known for known, _ in trees[-1].values]:
            trees[-1].values.append((target, values))  # the same tree once more, for its next class
        else:
            trees.append(TreeTables(_bits(lists, nodes, groups), [(target, values)]))
        before = kind
    return Tables(groups, trees, named["n_targets"])


def _read(named: dict[str, Any]) -> _Lists:
    modes = numpy_helper.to_array(named["nodes_modes"])
    members = numpy_helper.to_array(named["membership_values"]) if "membership_values" in named else np.empty(0)
    sets = [ended[:-1] for ended in np.split(members, np.flatnonzero(np.isnan(members)) + 1)[:-1]]  # by NaN
    ways = [
        [(node, bool(leaf)) for node, leaf in zip(named[f"nodes_{w}nodeids"], named[f"nodes_{w}leafs"], strict=True)]
        for w in ("false", "true")
    ]
    return _Lists(
        roots=list(named["tree_roots"]),
        features=list(named["nodes_featureids"]),
        splits=numpy_helper.to_array(named["nodes_splits"]),
        sets=dict(zip(np.flatnonzero(modes == MEMBER).tolist(), sets, strict=True)),
        children=(ways[0], ways[1]),
        leaf_targets=list(named["leaf_targetids"]),
        leaf_values=numpy_helper.to_array(named["leaf_weights"]),
    )


def _walk(lists: _Lists, root: int) -> tuple[list[tuple[int, int, int]], list[int]]:
    """A tree's inner nodes, each with the bits of the leaves on its yes and on its no side, and its leaves in order."""
    nodes: list[tuple[int, int, int]] = []
    leaves: list[int] = []

    def below(node: int, is_leaf: bool) -> int:
        if is_leaf:
            leaves.append(node)
            return 1 << (len(leaves) - 1)
        no, yes = (below(*ends[node]) for ends in lists.children)
        nodes.append((node, yes, no))
        return yes | no

    below(root, False)
    return nodes, leaves


def _feature(lists: _Lists, index: int) -> Feature:
    """The codes of a feature: values that every node answers alike share one."""
    nodes = [node for node, feature in enumerate(lists.features) if feature == index]
    bounds = [lists.sets[node] if node in lists.sets else lists.splits[node : node + 1] for node in nodes]
    cuts = np.unique(np.concatenate(bounds))
    values = _between(cuts)
    answers = np.unique(np.array([lists.says_yes(node, values) for node in nodes]), axis=0)
    kinds, codes = np.unique(answers, axis=1, return_inverse=True)
    return Feature(index, cuts, codes.astype(np.intp), kinds.shape[1])


def _between(cuts: Floats) -> Floats:
    """A value below the first cut, the cut itself, one above it, the second cut, and so on."""
    values = np.empty(2 * len(cuts) + 1)
    values[0], values[1::2], values[2::2] = -np.inf, cuts, np.nextafter(cuts, np.inf)
    return values


def _grouped(features: list[Feature]) -> list[list[Feature]]:
    """Features that share a table: as few groups as will do, none with more codes than CODES unless it is one alone."""
    groups: list[list[Feature]] = []
    for feature in sorted(features, key=lambda feature: -feature.reach):
        for group in groups:
            if feature.reach * np.prod([other.reach for other in group]) <= CODES:
                group.append(feature)
                break
        else:
            groups.append([feature])
    return groups


def _bits(lists: _Lists, nodes: list[tuple[int, int, int]], groups: list[list[Feature]]) -> list[tuple[int, Bits]]:
    """For each group that the tree asks, the leaves left by each of its codes."""
    bits: list[tuple[int, Bits]] = []
    everything = np.uint64(nodes[-1][1] | nodes[-1][2])  # the root comes last
    for number, group in enumerate(groups):
        table = np.full((1,), everything)
        for feature in group:
            left = np.full(feature.reach, everything)
            values = np.empty(feature.reach)
            values[feature.codes] = _between(feature.cuts)  # any value of each code will do
            for node, yes, no in nodes:
                if lists.features[node] == feature.index:
                    left &= ~np.where(lists.says_yes(node, values), np.uint64(no), np.uint64(yes))
            table = (table[:, None] & left[None, :]).ravel()
        if (table != everything).any():
            bits.append((number, table))
    return bits
