"""Rows get a key, other tables' columns and computed ones before they are held to their schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lifeboat import load
from lifeboat.errors import DataError, ParameterError
from lifeboat.load.enrichment import Enrichment
from lifeboat.parameters.enrich import Join, parse_enrich
from lifeboat.reading import OURS

SCHEMA = "id INT NOT NULL, late INT, delay DOUBLE"


def as_csv(spark: SparkSession, folder: Path, text: str, name: str = "rows.csv") -> DataFrame:
    (folder / name).write_text(text)
    return load.read_raw(spark, folder / name)


def values(df: DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in df.orderBy(df.columns[0]).select(*columns).collect()]


# --- all of it


def needing(spec: dict[str, Any], key: str = "") -> Enrichment:
    return Enrichment(enrich=parse_enrich(spec), key=key)


def test_nothing_is_needed_by_default(rows: DataFrame) -> None:
    assert needing({}) == needing({"make_key": False}) == Enrichment()
    assert load.enrich(rows, load.parse_schema(SCHEMA), Enrichment()) is rows


def test_a_key_is_made_first_then_tables_are_joined_then_columns_computed(rows: DataFrame, tmp_path: Path) -> None:
    (tmp_path / "planes.csv").write_text("plane,seats\nA,NA\nB,50\n")
    spec = {
        "no_value": ["NA"],
        "join": [{"path": str(tmp_path / "planes.csv"), "on": ["plane"]}],
        "compute": {"large": "seats >= 50", "named": "length(key) = 20"},
        "make_key": True,
    }
    enrichment = needing(spec, "key")
    assert (enrichment.enrich.words("any"), enrichment.made_key) == (("NA",), "key")
    completed = load.enrich(rows, load.parse_schema("seats INT", made_key="key"), enrichment)
    assert values(completed, "large", "named") == [(None, 1), (1, 1), (None, 1), (None, 1), (None, 1)]
    assert completed.select("key").exceptAll(load.joins.add_key(rows, "key").select("key")).isEmpty(), (
        "of the file's columns"
    )


# --- join


def join(path: Path, *on: str, **more: Any) -> Join:
    return parse_enrich({"join": [{"path": str(path), "on": list(on), **more}]}).join[0]


@pytest.fixture
def rows(spark: SparkSession, tmp_path: Path) -> DataFrame:
    return as_csv(spark, tmp_path, "id,plane,hour\n1,A,7\n2,B,7\n3,,8\n4,A,8\n5,C,\n")


def test_each_row_gets_its_partners_columns_and_none_is_lost_or_comes_twice(
    spark: SparkSession, rows: DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "planes.csv").write_text("plane,id,seats\nA,9,55\nB,8,\nD,7,1\n,6,99\n")
    joined = load.joins.add_joined(
        rows, join(tmp_path / "planes.csv", "plane", columns=["id", "seats"], rename={"id": "nr"})
    )
    assert joined.columns == ["id", "plane", "hour", *OURS.names, "nr", "seats"]
    assert values(joined, "id", "nr", "seats") == [
        ("1", "9", "55"), ("2", "8", None), ("3", None, None), ("4", "9", "55"), ("5", None, None),
    ]  # fmt: skip


def test_without_columns_all_are_taken_and_a_table_is_joined_by_several_columns(
    spark: SparkSession, rows: DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "w.csv").write_text("at,plane,wind\n7,A,1.5\n8,A,2.5\n8,B,3.5\n")
    joined = load.joins.add_joined(rows, join(tmp_path / "w.csv", "plane", "hour", rename={"at": "hour"}))
    assert values(joined, "wind") == [("1.5",), (None,), (None,), ("2.5",), (None,)]


@pytest.mark.parametrize("kind", ["int", "bigint", "double", "string"])
def test_values_meet_whether_they_came_as_text_or_typed(
    spark: SparkSession, rows: DataFrame, tmp_path: Path, kind: str
) -> None:
    table = spark.createDataFrame([(7, "a"), (9, "b")], "hour int, word string").withColumn(
        "hour", F.col("hour").cast(kind)
    )
    table.write.parquet(str(tmp_path / "words"))
    joined = load.joins.add_joined(rows, join(tmp_path / "words", "hour"))
    assert values(joined, "word") == [("a",), ("a",), (None,), (None,), (None,)]


def test_a_gap_of_a_table_may_have_a_word_of_its_own(spark: SparkSession, rows: DataFrame, tmp_path: Path) -> None:
    (tmp_path / "planes.csv").write_text("plane,seats\nA,NA\nB,50\n")
    joined = load.joins.add_joined(rows, join(tmp_path / "planes.csv", "plane"), parse_enrich({"no_value": ["NA"]}))
    assert values(joined, "seats") == [(None,), ("50",), (None,), (None,), (None,)]


def test_two_rows_of_a_table_for_the_same_row_are_an_error_that_shows_them(
    spark: SparkSession, rows: DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "planes.csv").write_text("plane,hour,seats\nA,7,1\nB,7,2\nB,7,3\nB,8,4\n")
    with pytest.raises(DataError, match=r"planes\.csv: plane = B, hour = 7 stands in 2 rows; each row must find one"):
        load.joins.add_joined(rows, join(tmp_path / "planes.csv", "plane", "hour"))


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        ("plane,seats\nA,1,2\nB,1\n", {}, r"planes\.csv: line 2: has 3 values where the header names 2: 'A,1,2'"),
        ("plain,seats\nA,1\n", {}, r"unknown column in on \(.*planes\.csv\) 'plane': did you mean 'plain'"),
        ("plane,seats\nA,1\n", {"columns": ["seat"]}, "unknown column 'seat': did you mean 'seats'"),
        ("plane,seats\nA,1\n", {"rename": {"seat": "s"}}, "unknown column 'seat': did you mean 'seats'"),
        ("plane,Hour\nA,1\n", {}, "rename: there is a column 'Hour' already; take another name"),
        ("plane,seats\nA,1\n", {"rename": {"seats": "id"}}, "rename: there is a column 'id' already"),
    ],
)
def test_a_table_that_cannot_be_joined_is_named_with_the_reason(
    spark: SparkSession, rows: DataFrame, tmp_path: Path, text: str, more: dict[str, Any], message: str
) -> None:
    (tmp_path / "planes.csv").write_text(text)
    with pytest.raises((DataError, ParameterError), match=message):
        load.joins.add_joined(rows, join(tmp_path / "planes.csv", "plane", **more))


def test_rows_that_lack_the_column_to_join_on_are_named_too(
    spark: SparkSession, rows: DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text("planet,x\nA,1\n")
    with pytest.raises(DataError, match=r"unknown column in on \(the rows\) 'planet': did you mean 'plane'"):
        load.joins.add_joined(rows, join(tmp_path / "t.csv", "planet"))


def test_a_file_is_enriched_only_by_what_makes_the_columns_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "planes.csv").write_text("tail,year\nN1,1999\n")
    (tmp_path / "ports.csv").write_text("origin,city\nJFK,New York\n")
    table, other = str(tmp_path / "planes.csv"), str(tmp_path / "ports.csv")
    compute = {"age": "2013 - year", "old": "AGE > 20", "other": "1"}
    join = [{"path": table, "on": ["tail"]}, {"path": other, "on": ["origin"]}]
    enrichment = load.read_enrichment({}, {"join": join, "compute": compute, "make_key": True}, "id STRING", "id")
    part = enrichment.only(["old", "tail"], ["tail", "origin"])
    assert (list(part.enrich.compute), [*part.tables], part.made_key) == (["age", "old"], [table, other], "")
    assert [taken.path for taken in part.enrich.join] == [table]
    part = enrichment.only(["city", "id", "old"], ["tail", "origin", "old"])
    assert (list(part.enrich.compute), [taken.path for taken in part.enrich.join]) == ([], [other])
    assert part.made_key == "id"
    assert Enrichment.read(enrichment.written()) == enrichment
    assert enrichment.of_column("age") == {"made": "2013 - year"}
    assert enrichment.of_column("year") == {"made": f"year of {table}, found by tail"}
    assert enrichment.of_column("id") == {"made": "a hash of the row's content"}
    (tmp_path / "planes.csv").write_text("tail,year\nN1,2000\n")
    assert enrichment.changed_tables() == [table]


def test_a_model_of_before_calls_it_complete() -> None:
    written = {"csv": {}, "complete": {"no_value": ["NA"]}, "schema": "id INT", "key": "id", "tables": {}}
    assert Enrichment.read(written).enrich.words("any") == ("NA",)
    assert Enrichment.read({}) == Enrichment()


# --- compute


def computed(df: DataFrame, compute: dict[str, str], schema: str = SCHEMA) -> DataFrame:
    return load.joins.add_computed(df, load.parse_schema(schema), compute)


def test_a_column_is_computed_from_typed_values_and_true_becomes_1(spark: SparkSession, tmp_path: Path) -> None:
    # as texts, '9' > '15' and '100' < '15'
    raw = as_csv(spark, tmp_path, "id,delay\n1,9\n2,15.5\n3,100\n4,\n5,soon\n")
    rows = computed(raw, {"late": "delay > 15"})
    assert values(rows, "late") == [(0,), (1,), (1,), (None,), (None,)]
    assert values(rows, "delay") == [("9",), ("15.5",), ("100",), (None,), ("soon",)], "the file's text is still there"


def test_an_expression_may_use_columns_that_the_schema_leaves_out_and_those_before_it(
    spark: SparkSession, tmp_path: Path
) -> None:
    raw = as_csv(spark, tmp_path, "id,from,minutes\n1,EWR,20\n2,JFK,x\n")
    rows = computed(raw, {"delay": "try_cast(minutes AS DOUBLE)", "late": "delay > 15", "name": "`from` || '-' || id"})
    assert values(rows, "delay", "late", "name") == [(20.0, 1, "EWR-1"), (None, None, "JFK-2")]


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        ({"late": "dela > 15"}, r"compute: late: 'dela > 15' cannot be computed: .*dela"),
        ({"late": "delay >"}, "compute: late: 'delay >' cannot be computed"),
        ({"Delay": "1"}, "compute: there is a column 'Delay' already; take another name"),
    ],
)
def test_an_expression_that_cannot_be_computed_is_named(
    spark: SparkSession, tmp_path: Path, compute: dict[str, str], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        computed(as_csv(spark, tmp_path, "id,delay\n1,9\n"), compute)


def test_a_row_without_a_label_is_rejected_with_the_reason(spark: SparkSession, tmp_path: Path) -> None:
    raw = as_csv(spark, tmp_path, "id,delay\n1,20\n2,\n")
    schema = load.parse_schema(SCHEMA, required=["late", ""])
    enrichment = needing({"compute": {"late": "delay > 15"}})
    checked = load.check_rows(load.enrich(raw, schema, enrichment), schema, "id")
    assert values(checked.rows, "id", "late", "delay") == [(1, 1, 20.0)]
    assert values(checked.rejected, "id", "`lifeboat:reasons`") == [("2", ["late: missing"])]


def test_rows_to_predict_go_without_the_computed_label(spark: SparkSession, tmp_path: Path) -> None:
    raw = as_csv(spark, tmp_path, "id,at\n1,20\n")
    enrichment = needing({"compute": {"late": "gone > 1", "hour": "at + 1"}})
    completed = load.enrich(raw, load.parse_schema("id INT, late INT"), enrichment, leave_out=["late"])
    assert completed.drop(*OURS.names).columns == ["id", "at", "hour"]


# --- a key


def keyed(df: DataFrame) -> dict[str, Any]:
    return {row["key"]: row["x"] for row in load.joins.add_key(df, "key").collect()}


def test_a_made_key_names_each_row_and_equal_rows_are_counted(spark: SparkSession, tmp_path: Path) -> None:
    keys = keyed(as_csv(spark, tmp_path, "x,y\n1,a\n2,a\n1,a\n1,\n1,a\n"))
    assert len(keys) == 5
    assert sorted(key.partition("-")[2] for key in keys) == ["", "", "", "2", "3"]
    assert len({key.partition("-")[0] for key in keys}) == 3


def test_a_made_key_depends_on_the_rows_content_alone(spark: SparkSession) -> None:
    rows = [(n % 40, None if n % 3 else "word", n / 7) for n in range(100)]
    df = spark.createDataFrame(rows, "x int, y string, z double")
    keys = keyed(df.coalesce(1))
    assert keys == keyed(df.repartition(5, "z"))
    assert keys == keyed(df.select("z", "x", "y"))
    assert keys.items() <= keyed(df.union(spark.createDataFrame([(1, "more", 0.5)], df.schema))).items()


def test_gaps_in_different_columns_are_different_contents(spark: SparkSession) -> None:
    assert (
        len(
            {
                key.partition("-")[0]
                for key in keyed(spark.createDataFrame([("a", None), (None, "a")], "x string, y string"))
            }
        )
        == 2
    )


def test_a_made_key_need_not_stand_in_the_schema(spark: SparkSession, tmp_path: Path) -> None:
    raw = as_csv(spark, tmp_path, "delay\n1\n2\n2\n")
    enrichment = needing({"make_key": True}, "nr")
    schema = load.parse_schema("delay DOUBLE", made_key=enrichment.made_key)
    checked = load.check_rows(load.enrich(raw, schema, enrichment), schema, "nr")
    assert checked.rows.dtypes == [("nr", "string"), ("delay", "double")]
    assert checked.rows.select("nr").distinct().count() == 3
    assert load.describe(schema, "nr", "y", {})["columns"][0]["nullable"] is False


def test_a_made_key_does_not_take_another_columns_name(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="the key to make: there is a column 'ID' already"):
        load.joins.add_key(as_csv(spark, tmp_path, "id,delay\n1,9\n"), "ID")


def test_a_dot_may_stand_in_a_column_s_name(spark: SparkSession, tmp_path: Path) -> None:
    rows = load.joins.add_key(as_csv(spark, tmp_path, "a.b,c\n1,2\n"), "key")
    result = load.joins.add_computed(rows, load.parse_schema("c INT"), {"sum": "`a.b` + c"})
    assert [row["sum"] for row in result.collect()] == [3]
