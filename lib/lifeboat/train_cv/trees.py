"""Look into a fitted forest: one of its trees as plain dicts, its features and categories by their names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pyspark.ml import PipelineModel

from lifeboat.preprocess.column_names import plain_name
from lifeboat.spark.saved_trees import Tree, assembler_and_classifier, indexed, trees_of


def first_tree(model: PipelineModel, scratch: Path) -> dict[str, Any]:
    """The first tree of a fitted pipeline that ends in an assembler and a forest of trees.

    Args:
        model: The fitted pipeline.
        scratch: A folder to write into and to remove, where executors see it too: a part of the run's.

    Returns:
        A node ``{"feature", "threshold" or "categories", "left", "right"}``, left being yes; or a leaf
        ``{"counts": [rows of class 0, rows of class 1]}``.
    """
    assembler, forest = assembler_and_classifier(model)
    labels = {index: [*values, "(unseen)"] for _, index, values in indexed(*model.stages)}
    return _node(trees_of(forest, scratch)[0], 0, assembler.getInputCols(), labels)


def _node(tree: Tree, number: int, features: list[str], labels: dict[str, list[str]]) -> dict[str, Any]:
    node = tree.nodes[number]
    if node["leftChild"] < 0:
        return {"counts": [round(count) for count in node["impurityStats"]]}
    split, column = node["split"], features[node["split"]["featureIndex"]]
    left, right = (_node(tree, node[side], features, labels) for side in ("leftChild", "rightChild"))
    if split["numCategories"] < 0:
        question: dict[str, Any] = {"threshold": split["leftCategoriesOrThreshold"][0]}
    else:
        question = {"categories": [labels[column][int(i)] for i in split["leftCategoriesOrThreshold"]]}
    return {"feature": plain_name(column), **question, "left": left, "right": right}
