"""A tree of a forest in plain words, grown on rows whose best questions are known."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from pyspark.ml import Pipeline
from pyspark.ml.classification import RandomForestClassifier
from pyspark.ml.feature import StringIndexer, VectorAssembler
from pyspark.sql import SparkSession

from lifeboat.preprocess.column_names import imputed, index
from lifeboat.train_cv.trees import first_tree

SIZE, CITY = imputed("size"), index("city")

# small ones are all of class 0; of the large ones, cities b and d are of class 1
SMALL = [(1.0, city, 0) for city in "abcd" for _ in range(4)]
LARGE = [(3.0, city, int(city in "bd")) for city in "abcd" for _ in range(2)]


def grown(spark: SparkSession, rows: list[tuple[float, str | None, int]]) -> dict[str, Any]:
    df = spark.createDataFrame(rows, f"`{SIZE}` double, city string, y int").coalesce(1)
    stages = [
        StringIndexer(inputCols=["city"], outputCols=[CITY], handleInvalid="keep"),
        VectorAssembler(inputCols=[SIZE, CITY], outputCol="features"),
        RandomForestClassifier(
            labelCol="y", numTrees=1, maxDepth=2, bootstrap=False, featureSubsetStrategy="all", seed=1
        ),
    ]
    with tempfile.TemporaryDirectory(prefix="a folder's ") as folder:
        tree = first_tree(Pipeline(stages=stages).fit(df), Path(folder, "tree"))
        assert not list(Path(folder).iterdir())
    return tree


def test_the_best_question_comes_first_with_its_threshold_half_way_and_cities_by_their_names(
    spark: SparkSession,
) -> None:
    assert grown(spark, SMALL + LARGE) == {
        "feature": "size",
        "threshold": 2.0,
        "left": {"counts": [16, 0]},
        "right": {
            "feature": "city",
            "categories": ["a", "c"],
            "left": {"counts": [4, 0]},
            "right": {"counts": [0, 4]},
        },
    }


def test_a_city_that_nobody_wrote_down_is_called_unseen(spark: SparkSession) -> None:
    node = grown(spark, [*SMALL, *LARGE, (3.0, None, 0), (3.0, None, 0)])["right"]
    assert sorted(node["categories"]) == ["(unseen)", "a", "c"]
    assert node["left"] == {"counts": [6, 0]}


def test_rows_that_no_question_tells_apart_make_one_leaf(spark: SparkSession) -> None:
    assert grown(spark, [(1.0, "a", 0), (1.0, "a", 1), (1.0, "a", 1)]) == {"counts": [1, 2]}
