"""What earlier versions left can be read: pipelines by Spark alone, portable models, and the files of a run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lifeboat.deploy import tracking
from lifeboat.evaluate import Scored
from lifeboat.run import Run
from lifeboat.scoring.scorer import Scorer

BEFORE = Path(__file__).parents[1] / "data" / "before"
ANSWERS = json.loads((BEFORE / "run/05_deploy/spark_answers.json").read_text())

# it knows Spark, and nothing of ours but what the saved stages name
SPARK_ALONE = """
import json, sys
from pyspark.ml import Pipeline, PipelineModel
from pyspark.sql import SparkSession

before, after = sys.argv[1:]
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", False).getOrCreate()
assert not [name for name in sys.modules if name.partition(".")[0] == "lifeboat"]
records = json.load(open(f"{before}/run/05_deploy/spark_answers.json"))["records"]
columns = json.load(open(f"{before}/run/01_load/schema.json"))["columns"]
asked = [column for column in columns if column["name"] in records[0]]
schema = ", ".join(f"{column['name']} {column['type']}" for column in asked)
rows = spark.createDataFrame([[record[column["name"]] for column in asked] for record in records], schema).coalesce(1)
pipeline = Pipeline.load(f"{before}/pipeline")
pipeline.write().save(f"{after}/pipeline")
model = PipelineModel.load(f"{before}/model")
model.write().save(f"{after}/model")
models = [model, PipelineModel.load(f"{before}/spark_flavor/sparkml")]
said = [[int(row["lifeboat:prediction"]) for row in model.transform(rows).collect()] for model in models]
print(json.dumps({"unfitted": [type(stage).__name__ for stage in pipeline.getStages()], "said": said}))
spark.stop()
"""


@pytest.fixture(scope="module")
def read(kernels: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Where a process with Spark alone saved what it had read, and what it said of the rows."""
    after = tmp_path_factory.mktemp("after")
    done = subprocess.run(
        [sys.executable, "-c", SPARK_ALONE, str(BEFORE), str(after)],
        env=kernels | {"PYSPARK_PYTHON": sys.executable},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return after, json.loads(done.stdout.splitlines()[-1])


def classes(saved: Path) -> list[str]:
    """The path of each stage's class as a saved pipeline has it, in the stages' order."""
    notes = sorted(saved.glob("stages/*/metadata/part-*"))
    return [json.loads(note.read_text())["class"] for note in notes]


def test_spark_alone_reads_a_pipeline_that_is_not_fitted(read: tuple[Path, dict[str, Any]]) -> None:
    assert read[1]["unfitted"][0] == "Title"
    assert "lifeboat.titanic.Title" in classes(BEFORE / "pipeline")


def test_spark_alone_reads_fitted_models_and_they_answer_as_they_did(read: tuple[Path, dict[str, Any]]) -> None:
    assert read[1]["said"] == [ANSWERS["predictions"]] * 2
    assert set(ANSWERS["predictions"]) == {0, 1}


@pytest.mark.parametrize("saved", ["pipeline", "model"])
def test_what_is_saved_again_names_the_classes_that_it_named_before(
    read: tuple[Path, dict[str, Any]], saved: str
) -> None:
    assert classes(BEFORE / saved) == classes(read[0] / saved) != []


@pytest.mark.parametrize("portable", ["portable-1", "portable-2"])
def test_portable_models_of_both_formats_answer_as_spark_did(portable: str) -> None:
    assert Scorer.load(BEFORE / portable).score(ANSWERS["records"]).predictions.tolist() == ANSWERS["predictions"]


def test_a_run_s_own_files_are_read() -> None:
    run = Run(BEFORE / "run")
    verdict = run.verdict
    assert verdict["alias"] == "champion"
    judged = Scored.read(run.find("holdout_predictions"))
    assert len(judged.label) == verdict["details"]["rows"]
    assert tracking.parameters_of(run)["03.estimator"] == '"random_forest"'
