"""A Spark model as MLflow keeps it: written by Spark, read by MLflow."""

from __future__ import annotations

from pathlib import Path

import mlflow
import pytest
from pyspark.ml import Pipeline
from pyspark.ml.classification import RandomForestClassifier
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import SparkSession

from lifeboat.deploy import tracking
from lifeboat.deploy.spark_flavor import save_model
from lifeboat.preprocess import SumColumns, column_names
from lifeboat.scoring.fields import Column
from lifeboat.train_cv import make_estimator

INPUTS = [Column("a", "int", nullable=False), Column("b", "double", nullable=False)]


def test_mlflow_answers_where_the_table_has_a_column_of_the_name_that_it_reads(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_DFS_TMP", str(tmp_path / "tmp"))
    rows = spark.createDataFrame(
        [(float(i * 7 % 5), int(i * 7 % 5 > 2)) for i in range(20)], "prediction double, y int"
    )
    assembler = VectorAssembler(inputCols=["prediction"], outputCol=column_names.FEATURES)
    forest = make_estimator("random_forest", {"numTrees": 1, "maxDepth": 1}, "y", 1)
    model = Pipeline(stages=[assembler, forest]).fit(rows.coalesce(1))
    inputs = [Column("prediction", "double", nullable=False)]
    save_model(model, tmp_path / "model", tracking.signature(inputs, "y"))
    frame = rows.toPandas()
    loaded = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    assert loaded.predict(frame[["prediction"]]) == [float(value > 2) for value in frame["prediction"]]


def test_mlflow_reads_the_model_and_it_answers_alike_in_both_of_its_ways(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_DFS_TMP", str(tmp_path / "tmp"))
    rows = spark.createDataFrame([(i, float(i * 7 % 5), int(i > 9)) for i in range(20)], "a int, b double, y int")
    stages = [SumColumns(inputCols=["a", "b"], outputCol="c"), VectorAssembler(inputCols=["c"], outputCol="features")]
    model = Pipeline(stages=[*stages, RandomForestClassifier(labelCol="y", numTrees=2, seed=1)]).fit(rows)
    labels = [row.prediction for row in model.transform(rows).orderBy("a").collect()]
    assert sorted(set(labels)) == [0.0, 1.0]
    save_model(model, tmp_path / "model", tracking.signature(INPUTS, "y"))
    loaded = mlflow.spark.load_model(str(tmp_path / "model"))
    assert [row.prediction for row in loaded.transform(rows).orderBy("a").collect()] == labels
    assert mlflow.pyfunc.load_model(str(tmp_path / "model")).predict(rows.orderBy("a").toPandas()[["a", "b"]]) == labels
    needed = mlflow.pyfunc.get_model_dependencies(str(tmp_path / "model"))
    assert {line.split("==")[0] for line in Path(needed).read_text().split()} == {"mlflow", "pyspark"}
