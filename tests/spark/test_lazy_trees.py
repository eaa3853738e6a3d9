"""A forest's trees stay in Spark until somebody asks for them."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.ml.classification import GBTClassifier, RandomForestClassifier
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import DataFrame, SparkSession


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    table = [(1.0, 2.0, 0), (3.0, 4.0, 1), (5.0, 6.0, 1), (7.0, 8.0, 0)] * 5
    return spark.createDataFrame(table, "x double, y double, label int").coalesce(1)


@pytest.mark.parametrize("classifier", [RandomForestClassifier, GBTClassifier])
def test_the_trees_of_a_model_are_made_in_python_when_they_are_asked_for(classifier: Any, rows: DataFrame) -> None:
    three = {"numTrees": 3} if classifier is RandomForestClassifier else {"maxIter": 3}
    model = classifier(**three).fit(VectorAssembler(inputCols=["x", "y"], outputCol="features").transform(rows))
    assert "trees" not in vars(model)  # where Python keeps a property that was asked for
    assert len(model.trees) == 3
