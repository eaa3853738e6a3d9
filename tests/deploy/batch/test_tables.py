"""Trees as tables: the sums of the graph's own operator, to the last bit."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from hypothesis import given, settings
from hypothesis import strategies as st

from lifeboat.deploy import onnx_graph
from lifeboat.deploy.batch import tables
from lifeboat.spark import saved_trees

WIDTH = 4  # features 0 and 1 are numbers, 2 and 3 categories 0 to 4
SPLITS = [-1.5, 0.0, 0.1, math.nextafter(0.1, 1), 2.0, 1e300]
EVERYWHERE = sorted({edge for s in SPLITS for edge in (s, math.nextafter(s, 9e300), math.nextafter(s, -9e300))})


def by_the_operator(content: bytes, features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return session.run(None, {"features": features})[0]


@st.composite
def trees(draw: st.DrawFn, depth: int = 4) -> saved_trees.Tree:
    nodes: dict[int, dict[str, Any]] = {}

    def grow(left: int) -> int:
        node = len(nodes)
        nodes[node] = {"id": node, "leftChild": -1, "rightChild": -1, "prediction": draw(st.floats(-1, 1))}
        counts = draw(st.lists(st.integers(0, 9), min_size=2, max_size=2))
        nodes[node]["impurityStats"] = [float(count) for count in counts]
        if left and draw(st.integers(0, 5)):
            feature = draw(st.integers(0, WIDTH - 1))
            chosen = (
                [draw(st.sampled_from(SPLITS))]
                if feature < 2
                else sorted(map(float, draw(st.sets(st.integers(0, 4), min_size=1, max_size=4))))
            )
            split = {"featureIndex": feature, "leftCategoriesOrThreshold": chosen}
            nodes[node]["split"] = split | {"numCategories": -1 if feature < 2 else 5}
            nodes[node]["leftChild"], nodes[node]["rightChild"] = grow(left - 1), grow(left - 1)
        return node

    grow(depth)
    return saved_trees.Tree(draw(st.floats(0.1, 1)), nodes)


@settings(max_examples=60)
@given(forest=st.lists(trees(), min_size=1, max_size=4), seed=st.integers(0, 2**32 - 1), boosted=st.booleans())
def test_any_trees_give_the_operator_s_sums_at_each_split_and_one_ulp_beside_it(
    forest: list[saved_trees.Tree], seed: int, boosted: bool
) -> None:
    targets, value = (1, onnx_graph.step) if boosted else (2, onnx_graph.vote)
    content = onnx_graph.graph([onnx_graph.ensemble(forest, targets, value)], WIDTH, targets)
    random = np.random.default_rng(seed)
    numbers, categories = random.choice(EVERYWHERE, (200, 2)), random.choice([-1.0, 0, 1, 2, 3, 4, 5], (200, 2))
    features = np.concatenate([numbers, categories], axis=1)
    made = tables.tables(content)
    assert made is not None
    assert np.array_equal(made.raw(features), by_the_operator(content, features))


def test_a_class_s_copies_of_a_tree_are_walked_once(portable_of: Callable[[str], Path]) -> None:
    made = tables.tables((portable_of("forest") / "model.onnx").read_bytes())
    assert made is not None
    assert len(made.trees) == 15
    assert made.targets == 2


def test_many_rows_in_pieces_are_as_one(portable_of: Callable[[str], Path]) -> None:
    content = (portable_of("houses") / "model.onnx").read_bytes()
    made = tables.tables(content)
    assert made is not None
    random = np.random.default_rng(1)
    columns = [random.integers(0, 42, 1_000), random.uniform(-1, 8, 1_000), *random.integers(0, 7, (2, 1_000))]
    features = np.stack([*columns, 2.0**53 + random.integers(-1, 4, 1_000)], axis=1).astype(np.float64)[
        :, [1, 0, 2, 3, 4]
    ]
    assert np.array_equal(made.raw(features, at_once=77), by_the_operator(content, features))


def chain(length: int) -> saved_trees.Tree:
    """A tree that asks ever larger splits: one more leaf than questions."""
    nodes: dict[int, dict[str, Any]] = {}
    for number in range(length):
        split = {"featureIndex": 0, "leftCategoriesOrThreshold": [float(number)], "numCategories": -1}
        nodes[2 * number] = {
            "id": 2 * number,
            "leftChild": 2 * number + 1,
            "rightChild": 2 * number + 2,
            "split": split,
        }
        nodes[2 * number + 1] = {"id": 2 * number + 1, "leftChild": -1, "prediction": float(number)}
    nodes[2 * length] = {"id": 2 * length, "leftChild": -1, "prediction": float(length)}
    return saved_trees.Tree(1.0, nodes)


def test_64_leaves_are_the_most_a_table_holds_and_what_has_more_is_left_to_the_operator() -> None:
    most, more = (onnx_graph.graph([onnx_graph.ensemble([chain(n)], 1, onnx_graph.step)], 1, 1) for n in (63, 64))
    features = np.arange(-0.5, 66.0, 0.5)[:, None]
    made = tables.tables(most)
    assert made is not None
    assert np.array_equal(made.raw(features), by_the_operator(most, features))
    assert tables.tables(more) is None


def test_a_model_that_is_no_trees_has_no_tables(portable_of: Callable[[str], Path]) -> None:
    assert tables.tables((portable_of("logistic") / "model.onnx").read_bytes()) is None
