"""Trees as an ONNX graph, held against values worked out by hand."""

import math
from typing import Any

import numpy as np
import onnxruntime
import pytest

from lifeboat.deploy.onnx_graph import ensemble, graph, linear, step, vote
from lifeboat.spark.saved_trees import Tree


def node(id: int, left: int = -1, right: int = -1, split: Any = None, **leaf: Any) -> dict[str, Any]:
    feature, values, categories = split or (-1, [], -1)
    return {
        "id": id,
        "leftChild": left,
        "rightChild": right,
        "split": {"featureIndex": feature, "leftCategoriesOrThreshold": values, "numCategories": categories},
        **leaf,
    }


def stump(split: Any, left: float, right: float) -> Tree:
    nodes = [node(0, 1, 2, split, prediction=0.0), node(1, prediction=left), node(2, prediction=right)]
    return Tree(1.0, dict(enumerate(nodes)))


def run(content: bytes, rows: list[list[float]]) -> list[list[float]]:
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(None, {"features": np.array(rows, dtype=np.float64)})[0].tolist()


def margins(tree: Tree, values: list[float]) -> list[float]:
    return [row[0] for row in run(graph([ensemble([tree], 1, step)], 1, 1), [[value] for value in values])]


def test_a_value_on_the_threshold_goes_left_and_one_ulp_above_goes_right() -> None:
    tree = stump((0, [14.45625], -1), 10.0, 20.0)
    assert margins(tree, [14.45625, math.nextafter(14.45625, 99), math.nextafter(14.45625, 0)]) == [10.0, 20.0, 10.0]


def test_a_category_of_the_left_set_goes_left_and_any_other_right() -> None:
    tree = stump((0, [0.0, 3.0], 6), 10.0, 20.0)
    assert margins(tree, [0, 1, 2, 3, 4, 5, 6]) == [10, 20, 20, 10, 20, 20, 20]


def test_a_value_outside_all_categories_goes_left_where_the_left_set_is_the_larger() -> None:
    tree = stump((0, [0.0, 1.0, 2.0, 4.0], 6), 10.0, 20.0)
    assert margins(tree, [0, 1, 2, 3, 4, 5, 6]) == [10, 10, 10, 20, 10, 20, 10]


def test_a_set_of_one_category_and_one_of_seventy_are_told_apart() -> None:
    assert margins(stump((0, [2.0], 5), 10.0, 20.0), [0, 1, 2, 3, 4]) == [20, 20, 10, 20, 20]
    even = [float(value) for value in range(0, 140, 2)]
    assert margins(stump((0, even, 141), 10.0, 20.0), [0, 1, 63, 64, 65, 138, 139, 140]) == [
        10, 20, 20, 10, 20, 10, 20, 20,
    ]  # fmt: skip


def test_a_tree_that_is_one_leaf_says_the_same_to_everybody() -> None:
    assert margins(Tree(0.5, {0: node(0, prediction=3.0)}), [-1.0, 0.0, 1.0]) == [1.5, 1.5, 1.5]


def test_votes_are_the_leaf_s_shares_summed_over_trees() -> None:
    first = [node(0, 1, 2, (0, [1.0], -1)), node(1, impurityStats=[3.0, 1.0]), node(2, impurityStats=[0.0, 2.0])]
    second = [node(0, impurityStats=[1.0, 1.0])]
    trees = [Tree(1.0, dict(enumerate(first))), Tree(1.0, dict(enumerate(second)))]
    assert run(graph([ensemble(trees, 2, vote)], 1, 2), [[1.0], [1.5]]) == [[1.25, 0.75], [0.5, 1.5]]


def test_an_empty_leaf_votes_for_nobody() -> None:
    assert vote({"impurityStats": [0.0, 0.0]}, 1.0, 1) == 0.0


@pytest.mark.parametrize(("weights", "expected"), [([[2.0, -1.0]], [[3.5]]), ([[1.0, 0.0], [0.0, 1.0]], [[2.5, 1.5]])])
def test_a_linear_graph_is_the_weighted_sum_and_the_intercept(weights: Any, expected: Any) -> None:
    nodes = linear(np.array(weights), np.array([0.5] * len(weights)))
    assert run(graph(nodes, 2, len(weights)), [[2.0, 1.0]]) == expected
