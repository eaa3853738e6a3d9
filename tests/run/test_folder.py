"""Run folders: a stage's files are there whole or not at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from pyspark.ml import Pipeline
from pyspark.ml.feature import SQLTransformer
from pyspark.sql import SparkSession

from lifeboat.errors import LifeboatError, ParameterError, StageOrderError, StaleError
from lifeboat.run import Run, last_run
from lifeboat.run.inputs import content_digest

KILLED_HALF_WAY = """
import os, signal
from lifeboat.run import Run
(Run("outputs/a").begin("01_load") / "rows.txt").write_text("half")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project."""
    monkeypatch.setenv("LIFEBOAT_HOME", str(tmp_path))
    return tmp_path


def leave(run_dir: str, stage: str, text: str) -> Path:
    run = Run(run_dir)
    out = run.begin(stage)
    (out / "rows.txt").write_text(text)
    return run.commit(out)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_stage_s_folder_is_not_in_its_place_before_commit(home: Path) -> None:
    run = Run("outputs/a")
    out = run.begin("01_load")
    (out / "rows.txt").write_text("whole")
    with pytest.raises(StageOrderError):
        run.folder("01_load")
    place = run.commit(out)
    assert place == run.folder("01_load") == home / "outputs" / "a" / "01_load"
    assert (place / "rows.txt").read_text() == "whole"
    assert names(home / "outputs" / "a") == ["01_load"]


def test_commit_replaces_what_an_earlier_run_left_file_for_file(home: Path) -> None:
    (leave("outputs/a", "01_load", "old") / "only_once.txt").touch()
    place = leave("outputs/a", "01_load", "new")
    assert (place / "rows.txt").read_text() == "new"
    assert names(place) == ["read.json", "rows.txt"]
    assert names(home / "outputs" / "a") == ["01_load"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_stage_killed_half_way_leaves_the_old_folder_and_the_next_starts_empty(home: Path) -> None:
    old = leave("outputs/a", "01_load", "old")
    killed = subprocess.run([sys.executable, "-c", KILLED_HALF_WAY], env=os.environ | {"LIFEBOAT_HOME": str(home)})
    assert killed.returncode == -signal.SIGKILL
    assert (home / "outputs" / "a" / ".01_load.unfinished" / "rows.txt").read_text() == "half"
    assert Run("outputs/a").folder("01_load") == old
    assert (old / "rows.txt").read_text() == "old"
    assert names(Run("outputs/a").begin("01_load")) == []


@pytest.mark.parametrize("killed", ["between the two renames", "while the old folder went"])
def test_commit_mends_what_one_that_was_killed_left(home: Path, killed: str) -> None:
    leave("outputs/a", "01_load", "old").rename(home / "outputs" / "a" / ".01_load.old")
    if killed == "while the old folder went":
        (Run("outputs/a").begin("01_load") / "rows.txt").write_text("newer")
        (home / "outputs" / "a" / ".01_load.unfinished").rename(home / "outputs" / "a" / "01_load")
    place = leave("outputs/a", "01_load", "new")
    assert (place / "rows.txt").read_text() == "new"
    assert names(home / "outputs" / "a") == ["01_load"]


def test_stages_of_one_run_do_not_touch_each_other(home: Path) -> None:
    leave("outputs/a", "01_load", "one")
    run = Run("outputs/a")
    out = run.begin("02_preprocess")
    leave("outputs/a", "01_load", "two")
    (out / "rows.txt").write_text("three")
    run.commit(out)
    assert [(run.folder(s) / "rows.txt").read_text() for s in ("01_load", "02_preprocess")] == [
        "two",
        "three",
    ]


def test_a_stage_that_has_not_run_is_named_with_the_notebook_to_run(home: Path) -> None:
    with pytest.raises(StageOrderError) as caught:
        Run("outputs/a").folder("02_preprocess")
    place = home / "outputs" / "a" / "02_preprocess"
    assert str(caught.value) == (
        f"{place} is not there: run notebooks/02_preprocess.ipynb with run_dir='outputs/a' first"
    )
    assert isinstance(caught.value, LifeboatError)
    assert isinstance(caught.value, FileNotFoundError)


def test_the_last_run_is_the_one_that_deployed_last(home: Path) -> None:
    for name, when in (("b", 3000), ("a", 2000), ("c", 1000)):
        os.utime(leave(f"outputs/{name}", "05_deploy", name), (when, when))
    leave("outputs/d", "04_evaluate", "not there yet")
    assert last_run().path == home / "outputs" / "b"


def test_without_a_deployed_run_the_message_says_how_to_make_one(home: Path) -> None:
    leave("outputs/a", "04_evaluate", "not there yet")
    with pytest.raises(StageOrderError, match=r"^no finished run in .*outputs: start one with `make run`$"):
        last_run()


def rows(*ages: float | None) -> pd.DataFrame:
    return pd.DataFrame({"key": range(len(ages)), "age": ages})


def load(run: Run, train: pd.DataFrame, **more: object) -> None:
    """What notebook 1 does, on rows that pandas has."""
    out = run.begin("01_load")
    run.write(schema={"columns": ["key", "age"]}, **more)
    (out / "train").mkdir()
    half = len(train) // 2
    for name, part in (("b", train[half:]), ("a", train[:half])):
        part.to_parquet(out / "train" / f"{name}.parquet", index=False)
    run.commit(out)


def preprocess(run_dir: str = "outputs/a") -> Run:
    """What notebook 2 does: it reads the training rows."""
    run = Run(run_dir)
    run.find("train")
    out = run.begin("02_preprocess")
    run.write(recipe={"parameters": {"impute": {"age": "mean"}}})
    run.commit(out)
    return run


def test_what_was_read_is_noted_with_its_digest_and_a_new_run_of_the_same_rows_changes_nothing(home: Path) -> None:
    load(Run("outputs/a"), rows(1.0, 2.0, None, 4.0))
    run = preprocess()
    noted = json.loads((run.folder("02_preprocess") / "read.json").read_text())
    assert [*noted] == ["01_load/train"]
    load(Run("outputs/a"), rows(1.0, 2.0, None, 4.0)[::-1])
    assert Run("outputs/a").find("recipe") == home / "outputs/a/02_preprocess/recipe.json"


@pytest.mark.parametrize("changed", [(1.0, 2.0, None, 5.0), (1.0, 2.0, 4.0, None), (1.0, 2.0, None)])
def test_a_notebook_s_files_are_not_read_once_what_it_had_read_has_changed(
    home: Path, changed: tuple[float | None, ...]
) -> None:
    load(Run("outputs/a"), rows(1.0, 2.0, None, 4.0))
    preprocess()
    load(Run("outputs/a"), rows(*changed))
    with pytest.raises(StaleError) as caught:
        Run("outputs/a").find("recipe")
    assert str(caught.value) == (
        f"{home / 'outputs/a/02_preprocess'} is stale: 01_load/train changed after notebooks/02_preprocess.ipynb had "
        "read it. Run that notebook again with run_dir='outputs/a', and those after it"
    )
    preprocess()
    assert Run("outputs/a").find("recipe").is_file()


def test_what_is_as_it_was_left_is_not_hashed_again_and_what_has_another_time_is(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(Run("outputs/a"), rows(1.0, 2.0, None, 4.0))
    preprocess()
    train, hashed = home / "outputs/a/01_load/train", []

    def hashing(path: Path) -> str:
        hashed.append(path)
        return content_digest(path)

    monkeypatch.setattr("lifeboat.run.folder.content_digest", hashing)
    assert ([*Run("outputs/a").stale("02_preprocess")], hashed) == ([], [])
    os.utime(train / "a.parquet", (1, 1))
    assert ([*Run("outputs/a").stale("02_preprocess")], hashed) == ([], [train])
    (train / "b.parquet").unlink()
    assert len([*Run("outputs/a").stale("02_preprocess")]) == 1


def test_whether_a_run_of_rows_is_stale_is_known_without_what_reads_rows(home: Path) -> None:
    load(Run("outputs/a"), rows(1.0, 2.0, None, 4.0))
    preprocess()
    code = (
        "import sys; from lifeboat.run import Run\n"
        "print([*Run('outputs/a').stale('02_preprocess')], {'pandas', 'pyarrow'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[] set()\n"


def test_what_a_notebook_did_not_read_may_change(home: Path) -> None:
    load(Run("outputs/a"), rows(1.0), summary={"parameters": {"seed": 1}})
    preprocess()
    load(Run("outputs/a"), rows(1.0), summary={"parameters": {"seed": 2}})
    assert [*Run("outputs/a").stale("02_preprocess")] == []


def test_a_notebook_whose_predecessor_is_stale_is_stale_and_the_first_to_run_again_is_named(home: Path) -> None:
    load(Run("outputs/a"), rows(1.0, 2.0))
    run = preprocess()
    assert run.find("recipe")
    out = run.begin("03_train_cv")
    run.write(scores={"best": 0})
    run.commit(out)
    load(Run("outputs/a"), rows(1.0, 3.0))
    first, second = Run("outputs/a").stale("03_train_cv")
    assert "02_preprocess is stale" in first
    assert "03_train_cv is stale: 01_load/train changed" in second
    with pytest.raises(StaleError, match="02_preprocess is stale"):
        _ = Run("outputs/a").scores


def test_the_ids_that_a_registry_gives_are_no_change(home: Path) -> None:
    def evaluate(version: str, sentence: str) -> None:
        run = Run("outputs/a")
        out = run.begin("04_evaluate")
        run.write(verdict={"sentence": sentence, "compared_with": {"champion": version}})
        run.commit(out)

    evaluate("1", "Promote it.")
    run = Run("outputs/a")
    assert run.verdict["sentence"] == "Promote it."
    out = run.begin("05_deploy")
    run.write(deployed={"name": "a", "version": 1})
    run.commit(out)
    evaluate("2", "Promote it.")
    assert Run("outputs/a").deployed["name"] == "a"
    evaluate("2", "Keep the champion.")
    with pytest.raises(StaleError, match=r"04_evaluate/verdict\.json changed"):
        _ = Run("outputs/a").deployed


def test_a_byte_of_the_portable_model_makes_what_was_made_with_it_stale(home: Path) -> None:
    run = Run("outputs/a")
    out = run.begin("05_deploy")
    run.where("portable").mkdir()
    (run.where("portable") / "model.onnx").write_bytes(b"abc")
    run.commit(out)
    reader = Run("outputs/a")
    assert reader.portable == home / "outputs/a/05_deploy/portable"
    out = reader.begin("06_scale")
    reader.commit(out)
    (run.where("portable") / "model.onnx").write_bytes(b"abd")
    assert len([*Run("outputs/a").stale("06_scale")]) == 1


def test_files_of_an_earlier_version_which_notes_nothing_are_read(home: Path) -> None:
    load(Run("outputs/a"), rows(1.0))
    run = preprocess()
    (run.folder("02_preprocess") / "read.json").unlink()
    load(Run("outputs/a"), rows(2.0))
    assert Run("outputs/a").find("recipe").is_file()


def test_spark_s_own_notes_beside_a_pipeline_do_not_count(home: Path, spark: SparkSession) -> None:
    def save() -> Run:
        run = Run("outputs/a", spark)
        out = run.begin("02_preprocess")
        run.write(pipeline=Pipeline(stages=[SQLTransformer(statement="SELECT * FROM __THIS__")]), recipe={"a": 1})
        run.commit(out)
        return run

    run = save()
    assert len(run.pipeline.getStages()) == 1
    out = run.begin("03_train_cv")
    run.write(out_of_fold=spark.range(2), scores={"best": 0})
    run.commit(out)
    before = run.where("pipeline").joinpath("metadata").iterdir()
    save()
    assert sorted(before) != []
    assert Run("outputs/a", spark).out_of_fold.count() == 2


def test_rows_are_written_and_read_by_spark_and_a_table_that_a_run_has_not_is_none(
    home: Path, spark: SparkSession
) -> None:
    run = Run("outputs/a", spark)
    out = run.begin("01_load")
    run.write(train=spark.range(3), holdout=spark.range(2), schema={"key": "id"})
    run.commit(out)
    assert (run.train.count(), run.holdout.count(), run.unlabelled, run.schema) == (3, 2, None, {"key": "id"})
    with pytest.raises(ParameterError, match="rows are read by Spark"):
        _ = Run("outputs/a").train


def test_nothing_is_written_into_a_folder_that_is_not_begun_or_under_an_unknown_name(home: Path) -> None:
    run = Run("outputs/a")
    run.begin("01_load")
    with pytest.raises(
        StageOrderError, match=r"recipe belongs into 02_preprocess: call begin\('02_preprocess'\) first"
    ):
        run.write(recipe={})
    with pytest.raises(ParameterError, match="unknown file of a run 'recipes': did you mean 'recipe'"):
        run.write(recipes={})
    assert names(home / "outputs" / "a") == [".01_load.unfinished"]


def test_a_notebook_that_looked_at_its_own_files_and_ran_again_is_not_its_own_predecessor(home: Path) -> None:
    run = Run("outputs/a")
    for best in (0, 1):
        out = run.begin("03_train_cv")
        run.write(scores={"best": best})
        run.commit(out)
        assert run.scores == {"best": best}
    assert [*Run("outputs/a").stale("03_train_cv")] == []
