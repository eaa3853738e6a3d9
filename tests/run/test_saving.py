"""What we save and load of a pipeline is what Spark itself saves and loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import RandomForestClassifier
from pyspark.ml.feature import StringIndexer, VectorAssembler
from pyspark.sql import DataFrame, SparkSession

from lifeboat.preprocess.copies import CopyColumns
from lifeboat.preprocess.stages import SumColumns
from lifeboat.run.saving import load_pipeline, save_pipeline


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    table = [(1.0, 2.0, "a", 0), (3.0, 4.0, "b", 1), (5.0, 6.0, "a", 1), (7.0, 8.0, "b", 0)] * 5
    return spark.createDataFrame(table, "x double, y double, city string, label int").coalesce(1)


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    # eleven stages: from the tenth on their folders' numbers have two digits
    copies = [CopyColumns(inputCols=["x"], outputCols=[f"copy {number}"]) for number in range(7)]
    forest = RandomForestClassifier(numTrees=3, maxDepth=2, seed=1)
    return Pipeline(
        stages=[
            *copies,
            SumColumns(inputCols=["x", "y"], outputCol="sum"),
            StringIndexer(inputCols=["city"], outputCols=["index"]),
            VectorAssembler(inputCols=["sum", "index"], outputCol="features"),
            forest,
        ]
    )


def folders(path: Path) -> list[str]:
    return sorted(folder.relative_to(path).as_posix() for folder in path.rglob("*") if folder.is_dir())


def metadata(path: Path) -> dict[str, dict[str, Any]]:
    lines = {file.parent.relative_to(path).as_posix(): file.read_text() for file in path.rglob("metadata/part-*")}
    return {folder: json.loads(line) | {"timestamp": "now"} for folder, line in lines.items()}


@pytest.fixture(params=[False, True], ids=["unfitted", "fitted"])
def saved(request: pytest.FixtureRequest, pipeline: Pipeline, rows: DataFrame) -> Pipeline | PipelineModel:
    return pipeline.fit(rows) if request.param else pipeline


def test_a_pipeline_lies_on_disk_as_sparks_own_writer_lays_it(saved: Pipeline | PipelineModel, tmp_path: Path) -> None:
    save_pipeline(saved, str(tmp_path / "ours"))
    saved.write().save(str(tmp_path / "its own"))
    assert folders(tmp_path / "ours") == folders(tmp_path / "its own")
    assert metadata(tmp_path / "ours") == metadata(tmp_path / "its own")
    assert len(metadata(tmp_path / "ours")) >= 12


def test_a_saved_model_answers_as_the_one_that_was_fitted(pipeline: Pipeline, rows: DataFrame, tmp_path: Path) -> None:
    fitted = pipeline.fit(rows)
    save_pipeline(fitted, str(tmp_path / "model"))
    loaded = PipelineModel.load(str(tmp_path / "model"))
    answers = [model.transform(rows).select("probability", "prediction").collect() for model in (fitted, loaded)]
    assert answers[0] == answers[1]


def test_a_pipeline_of_sparks_own_stages_alone_is_saved_for_scala_too(rows: DataFrame, tmp_path: Path) -> None:
    save_pipeline(Pipeline(stages=[StringIndexer(inputCols=["city"], outputCols=["i"])]), str(tmp_path / "saved"))
    assert metadata(tmp_path / "saved")["metadata"]["class"] == "org.apache.spark.ml.Pipeline"


def test_what_lies_there_already_is_not_overwritten(pipeline: Pipeline, tmp_path: Path) -> None:
    save_pipeline(pipeline, str(tmp_path / "saved"))
    with pytest.raises(Exception, match="PATH_ALREADY_EXISTS"):
        save_pipeline(Pipeline(stages=[*pipeline.getStages()]), str(tmp_path / "saved"))


def test_a_pipeline_is_loaded_as_spark_itself_loads_it(saved: Pipeline | PipelineModel, tmp_path: Path) -> None:
    save_pipeline(saved, str(tmp_path / "saved"))
    kind = type(saved)
    ours, its_own = load_pipeline(kind, tmp_path / "saved"), kind.load(str(tmp_path / "saved"))
    assert ours.uid == its_own.uid == saved.uid
    assert told(ours) == told(its_own)
    assert len(told(ours)) == 11


def told(pipeline: Pipeline | PipelineModel) -> list[tuple[Any, ...]]:
    stages: list[Any] = pipeline.getStages() if isinstance(pipeline, Pipeline) else pipeline.stages
    # what an output is called where nobody says it is made up anew for each object
    defaults = [
        {param.name: value for param, value in stage._defaultParamMap.items() if not str(value).endswith("__output")}
        for stage in stages
    ]
    values = [{param.name: value for param, value in stage._paramMap.items()} for stage in stages]
    return [(type(stage), stage.uid, *params) for stage, *params in zip(stages, values, defaults, strict=True)]


def test_a_pipeline_that_java_wrote_is_loaded_by_java(rows: DataFrame, tmp_path: Path) -> None:
    indexer = StringIndexer(inputCols=["city"], outputCols=["index"])
    save_pipeline(Pipeline(stages=[indexer]).fit(rows), str(tmp_path / "saved"))
    loaded: Any = load_pipeline(PipelineModel, tmp_path / "saved").stages[0]
    assert loaded.labels == ["a", "b"]
