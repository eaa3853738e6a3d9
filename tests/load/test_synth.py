"""Made-up rows: like the real ones, the same for one seed, and only whole folders of them."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pyspark.sql import DataFrame, Row, SparkSession
from typer.testing import CliRunner

from lifeboat import load
from lifeboat.cli.app import app
from lifeboat.errors import DataError, ParameterError
from lifeboat.load import synth
from lifeboat.run import project_root

N = 20_000


@pytest.fixture(scope="module")
def params() -> dict[str, Any]:
    return dict(yaml.safe_load((project_root() / "params/titanic.yaml").read_text()))


@pytest.fixture(scope="module")
def real(spark: SparkSession, params: dict[str, Any]) -> DataFrame:
    schema = load.parse_schema(params["schema"])
    return synth.real_rows(spark, params["labelled_path"], schema, params["key"], params["ranges"]).cache()


def made(real: DataFrame, rows: int = N, seed: int = 7, **ranges: list[float]) -> list[Row]:
    return synth.resample(real, rows, "PassengerId", "Survived", seed, ranges).collect()


@pytest.fixture(scope="module")
def rows(real: DataFrame) -> list[Row]:
    return made(real)


def by_name(real: DataFrame) -> dict[str, Row]:
    return {row["Name"]: row for row in real.collect()}  # no two passengers share a name


def assert_share(hits: int, n: int, p: float) -> None:
    """Five standard deviations of a binomial count: a true share fails once in two million times."""
    assert abs(hits - n * p) <= 5 * math.sqrt(n * p * (1 - p)), (hits, n * p)


def test_the_keys_are_1_to_n_and_every_column_keeps_its_name_and_type(real: DataFrame, rows: list[Row]) -> None:
    assert sorted(row["PassengerId"] for row in rows) == list(range(1, N + 1))
    frame = synth.resample(real, 1, "PassengerId", "Survived", 7)
    assert [(f.name, f.dataType) for f in frame.schema] == [(f.name, f.dataType) for f in real.schema]


def test_a_seed_makes_the_same_rows_however_the_real_rows_are_spread_and_another_seed_others(
    real: DataFrame,
) -> None:
    assert made(real.repartition(1), 500) == made(real.repartition(4), 500)
    assert made(real, 500) != made(real, 500, seed=8)


def test_more_rows_begin_with_the_same_rows(real: DataFrame, rows: list[Row]) -> None:
    assert made(real, 500) == rows[:500]


def test_gaps_are_as_frequent_as_in_the_real_rows(real: DataFrame, rows: list[Row]) -> None:
    for column, missing in load.look.count_missing(real).items():
        assert_share(sum(row[column] is None for row in rows), N, missing / 891)


def test_every_real_row_is_drawn_alike_so_rare_titles_stay_rare(real: DataFrame, rows: list[Row]) -> None:
    assert_share(sum("Rev." in row["Name"] for row in rows), N, 6 / 891)
    drawn = {row["Name"] for row in rows}
    assert len(drawn) == 891  # one of them missing among 20,000: 891 * (890 / 891) ** 20000 is 2e-7


def test_a_label_in_twenty_is_turned_round_and_all_else_is_the_drawn_row_s(real: DataFrame, rows: list[Row]) -> None:
    source = by_name(real)
    turned = [row["Survived"] != source[row["Name"]]["Survived"] for row in rows]
    assert {row["Survived"] for row in rows} == {0, 1}
    assert_share(sum(turned), N, 0.05)
    kept = ("Pclass", "Sex", "SibSp", "Parch", "Ticket", "Cabin", "Embarked")
    assert all(row[name] == source[row["Name"]][name] for row in rows for name in kept)


def test_doubles_move_by_a_tenth_at_most_and_the_two_columns_not_together(real: DataFrame, rows: list[Row]) -> None:
    source = by_name(real)
    known = [row for row in rows if row["Age"] is not None and row["Fare"]]
    ages = [row["Age"] / source[row["Name"]]["Age"] - 1 for row in known if row["Age"] not in (0.42, 80.0)]
    assert all(abs(moved) <= 0.1 + 1e-12 for moved in ages)
    assert_share(sum(moved > 0.05 for moved in ages), len(ages), 0.25)
    fares = [row["Fare"] / source[row["Name"]]["Fare"] - 1 for row in known]
    both = sum(row["Age"] > source[row["Name"]]["Age"] and fare > 0 for row, fare in zip(known, fares, strict=True))
    assert_share(both, len(known), 0.25)


def test_a_range_holds_and_without_it_the_real_rows_limits_do(real: DataFrame, rows: list[Row]) -> None:
    ages = [row["Age"] for row in rows if row["Age"] is not None]
    assert (min(ages), max(ages)) == (0.42, 80.0)
    wide = [row["Age"] for row in made(real, Age=[0, 120]) if row["Age"] is not None]
    assert 0 <= min(wide) < 0.42
    assert 80 < max(wide) <= 88


def test_a_file_s_other_columns_come_along_as_text_and_without_a_key_none_is_made(
    spark: SparkSession, tmp_path: Path
) -> None:
    (tmp_path / "delays.csv").write_text("carrier,late,distance\nAA,0,100.0\nBB,1,\n")
    schema = load.parse_schema("id STRING, late INT, distance DOUBLE")
    real = synth.real_rows(spark, tmp_path / "delays.csv", schema, "id", {})
    assert sorted(tuple(row) for row in real.collect()) == [(0, 100.0, "AA"), (1, None, "BB")]
    assert synth.resample(real, 3, "id", "late", 1).columns == ["late", "distance", "carrier"]


def test_many_rows_are_made_in_partitions_of_as_many_as_a_file_may_have(
    real: DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synth, "ROWS_PER_FILE", 300)
    for rows, partitions in ((300, 1), (301, 2), (1000, 4)):
        assert synth.resample(real, rows, "PassengerId", "Survived", 1).rdd.getNumPartitions() == partitions


def test_rows_that_do_not_fit_are_not_drawn_from(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id,y\n1,0\n2,7\n")
    real = synth.real_rows(spark, tmp_path / "rows.csv", load.parse_schema("id INT, y INT"), "id", {"y": [0, 1]})
    assert [row["id"] for row in real.collect()] == [1]


def test_nothing_to_draw_from_or_nothing_to_make_is_refused(real: DataFrame) -> None:
    with pytest.raises(DataError, match="no row to draw from"):
        synth.resample(real.filter("false"), 1, "PassengerId", "Survived", 1)
    with pytest.raises(ParameterError, match="rows is 0; make 1 or more"):
        synth.resample(real, 0, "PassengerId", "Survived", 1)


def test_the_command_writes_a_folder_that_a_run_can_read_and_overwrites_none(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "thousand"
    command = [sys.executable, "-m", "lifeboat", "synth", "titanic", str(out), "--rows", "1000", "--spark", "local[1]"]
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYSPARK_GATEWAY")}
    ran = subprocess.run(command, env=own, capture_output=True, text=True, check=False)  # it starts a Spark of its own
    assert ran.returncode == 0, ran.stderr
    assert "1,000 rows" in ran.stdout
    assert f"lifeboat run params/titanic.yaml -p labelled_path={out}" in ran.stdout
    assert load.read_raw(spark, out).count() == 1000
    assert [path.name for path in tmp_path.iterdir()] == ["thousand"]
    monkeypatch.setattr(type(spark), "stop", lambda self: None)  # the other tests go on with this session
    again = CliRunner().invoke(app, ["synth", "titanic", str(out), "--rows", "2"])
    assert again.exit_code != 0
    assert "is there already" in again.output
    assert load.read_raw(spark, out).count() == 1000
