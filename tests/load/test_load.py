"""Rows are read as they stand, typed or set aside with reasons, and split by a hash of their key."""

from __future__ import annotations

import csv
import gzip
import json
import math
import random
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lifeboat import load, sampling
from lifeboat.errors import DataError, ParameterError
from lifeboat.load.check import REASONS
from lifeboat.parameters.enrich import parse_enrich
from lifeboat.reading import UNREADABLE
from lifeboat.run import write_json
from lifeboat.sampling import HOLDOUT
from lifeboat.spark.session import steps_of_plan

SCHEMA = "id INT NOT NULL, label INT NOT NULL, name STRING NOT NULL, age DOUBLE, port STRING"
RANGES = {"label": [0, 1], "age": [0, 120]}
HEADER = "id,label,name,age,port\n"


def read(spark: SparkSession, folder: Path, lines: str, header: str = HEADER) -> load.check.Checked:
    (folder / "rows.csv").write_text(header + lines)
    raw = load.read_raw(spark, folder / "rows.csv")
    return load.check_rows(raw, load.parse_schema(SCHEMA), "id", RANGES)


def reasons(checked: load.check.Checked) -> dict[str | None, list[str]]:
    """By the key; of those that have none, all together in the order of the file."""
    by_key: dict[str | None, list[str]] = {}
    for row in checked.rejected.orderBy("`lifeboat:line`").collect():
        by_key.setdefault(row["id"], []).extend(row[REASONS])
    return by_key


def test_a_row_that_fits_has_the_schemas_columns_and_types(spark: SparkSession, tmp_path: Path) -> None:
    checked = read(spark, tmp_path, '1,0,"Braund, ""Owen"" Mr. Zoë",22.5,S\n2,1,Laina,,\n')
    assert checked.rows.dtypes == [
        ("id", "int"),
        ("label", "int"),
        ("name", "string"),
        ("age", "double"),
        ("port", "string"),
    ]
    first, second = checked.rows.orderBy("id").collect()
    assert tuple(first) == (1, 0, 'Braund, "Owen" Mr. Zoë', 22.5, "S")
    assert tuple(second) == (2, 1, "Laina", None, None)
    assert checked.rejected.isEmpty()


def test_a_row_that_does_not_fit_is_kept_with_its_reason(spark: SparkSession, tmp_path: Path) -> None:
    checked = read(
        spark,
        tmp_path,
        "1,first,A,1,S\n2,7,B,1,S\n3,0,,1,S\n4,0,D,-4,S\n5,0,E,old,S\n6,0,F,1,S,more\n7,0,G\n,0,H,1,S\n9,2.5,I,1,S\n",
    )
    assert checked.rows.isEmpty()
    assert reasons(checked) == {
        "1": ["label: 'first' is not a whole number"],
        "2": ["label: 7 is outside 0 to 1"],
        "3": ["name: missing"],
        "4": ["age: -4 is outside 0 to 120"],
        "5": ["age: 'old' is not of type double"],
        None: ["has 6 values where the header names 5", "has 3 values where the header names 5", "id: missing"],
        "9": ["label: '2.5' is not a whole number"],
    }


def test_all_errors_of_a_row_are_reported_at_once(spark: SparkSession, tmp_path: Path) -> None:
    checked = read(spark, tmp_path, "1,3,,200,S\n")
    assert reasons(checked) == {"1": ["label: 3 is outside 0 to 1", "name: missing", "age: 200 is outside 0 to 120"]}


def test_both_ends_of_a_range_are_allowed_and_no_number_is_not(spark: SparkSession, tmp_path: Path) -> None:
    checked = read(spark, tmp_path, "1,0,A,0,S\n2,1,B,120,S\n3,1,C,NaN,S\n4,1,D,Infinity,S\n")
    assert sorted(row["id"] for row in checked.rows.collect()) == [1, 2]
    assert set(reasons(checked)) == {"3", "4"}


def test_a_file_is_read_by_a_task_where_it_is_large_though_it_be_one_piece(spark: SparkSession, tmp_path: Path) -> None:
    rng, steps = random.Random(1), []
    for name, lines in (("small", 10), ("large", 50_000)):  # letters in which gzip finds half to leave out
        rows = (f"{n},{rng.randbytes(75).hex()}\n" for n in range(lines))
        (tmp_path / f"{name}.csv.gz").write_bytes(gzip.compress("".join(["id,name\n", *rows]).encode(), 1))
        frame = load.read_raw(spark, tmp_path / f"{name}.csv.gz")
        assert frame.count() == lines
        steps.append("MapInArrow" in steps_of_plan(frame))
    assert steps == [False, True]


def test_every_row_of_a_key_that_stands_twice_is_rejected(spark: SparkSession, tmp_path: Path) -> None:
    checked = read(spark, tmp_path, "1,0,A,1,S\n1,0,B,1,S\n2,0,C,1,S\n")
    assert [row["id"] for row in checked.rows.collect()] == [2]
    assert [row[REASONS] for row in checked.rejected.collect()] == [["id: 1 stands in 2 rows"]] * 2


def test_whole_rows_are_sent_to_meet_by_their_key_only_where_a_key_stands_twice(
    spark: SparkSession, tmp_path: Path
) -> None:
    once, twice = (read(spark, tmp_path, f"1,0,A,1,S\n{key},0,B,1,S\n").rows for key in (2, 1))
    assert ("Window" in steps_of_plan(once), "Window" in steps_of_plan(twice)) == (False, True)


def test_a_rejected_row_keeps_the_files_own_text(spark: SparkSession, tmp_path: Path) -> None:
    rejected = read(spark, tmp_path, '1,first,"A, ""B""",1,S\n').rejected.first()
    assert rejected is not None
    assert (rejected["label"], rejected["name"], rejected["age"]) == ("first", 'A, "B"', "1")


def test_columns_may_stand_in_another_order_and_more_may_be_there(spark: SparkSession, tmp_path: Path) -> None:
    checked = read(spark, tmp_path, "S,1,A,more,22,0\n", header="port,id,name,extra,age,label\n")
    assert [tuple(row) for row in checked.rows.collect()] == [(1, 0, "A", 22.0, "S")]


def test_a_column_that_the_file_lacks_is_named_with_its_nearest(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="unknown column of the schema 'age': did you mean 'aged'"):
        read(spark, tmp_path, "1,0,A,1,S\n", header="id,label,name,aged,port\n")


def test_rows_to_predict_are_read_without_their_label(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id,name,age,port\n1,A,1,S\n")
    raw = load.read_raw(spark, tmp_path / "rows.csv")
    checked = load.check_rows(raw, load.parse_schema(SCHEMA), "id", RANGES, leave_out=["label"])
    assert [tuple(row) for row in checked.rows.collect()] == [(1, "A", 1.0, "S")]


def test_parquet_is_held_to_the_same_schema(spark: SparkSession, tmp_path: Path) -> None:
    rows = [(1, 0, "A", 1.5, "S"), (2, 5, "B", 1.0, "S")]
    frame = spark.createDataFrame(rows, "id long, label int, name string, age double, port string")
    frame.write.parquet(str(tmp_path / "rows.parquet"))
    checked = load.check_rows(load.read_raw(spark, tmp_path / "rows.parquet"), load.parse_schema(SCHEMA), "id", RANGES)
    assert checked.rows.dtypes[0] == ("id", "int")
    assert [tuple(row) for row in checked.rows.collect()] == [(1, 0, "A", 1.5, "S")]
    assert [row[REASONS] for row in checked.rejected.collect()] == [["label: 5 is outside 0 to 1"]]


def test_a_file_that_is_not_there_is_named_with_where_it_was_looked_for(spark: SparkSession) -> None:
    with pytest.raises(DataError, match=r"no file or folder 'data/nothing.csv' \(looked at /.*data/nothing.csv\)"):
        load.read_raw(spark, "data/nothing.csv")


def test_a_schema_that_cannot_be_read_is_refused_with_its_form(spark: SparkSession) -> None:
    for ddl in ("id WHOLE", "INT", "id INT NOT"):
        with pytest.raises(ParameterError, match="cannot be read: write `name TYPE` or `name TYPE NOT NULL`"):
            load.parse_schema(ddl)


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({"ages": [0, 1]}, "unknown column in ranges 'ages': did you mean 'age'"),
        ({"age": [1]}, r"ranges: 'age' has \[1\]; write \[lowest, highest\] for a numeric column"),
        ({"age": [2, 1]}, r"ranges: 'age' has \[2, 1\]"),
        ({"name": [0, 1]}, "ranges: 'name' has"),
    ],
)
def test_a_range_that_will_not_do_is_refused(spark: SparkSession, ranges: dict[str, list[float]], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        load.schema.check_ranges(load.parse_schema(SCHEMA), ranges)


def test_a_key_that_the_schema_lacks_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(HEADER)
    raw = load.read_raw(spark, tmp_path / "rows.csv")
    with pytest.raises(ParameterError, match="unknown key column 'idd': did you mean 'id'"):
        load.check_rows(raw, load.parse_schema(SCHEMA), "idd", RANGES)


def test_true_is_1_and_7_0_is_7_where_the_schema_wants_a_whole_number(spark: SparkSession, tmp_path: Path) -> None:
    rows = [(1, True, 7.0), (2, False, None), (3, None, 7.5)]
    spark.createDataFrame(rows, "id int, y boolean, x double").write.parquet(str(tmp_path / "rows"))
    checked = load.check_rows(load.read_raw(spark, tmp_path / "rows"), load.parse_schema("id INT, y INT, x INT"), "id")
    assert [tuple(row) for row in checked.rows.orderBy("id").collect()] == [(1, 1, 7), (2, 0, None)]
    assert [row[REASONS] for row in checked.rejected.collect()] == [["x: '7.5' is not a whole number"]]


def test_a_time_has_its_type_too(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id,at,on\n1,2013-01-01 05:00:00,2013-01-01\n2,soon,\n")
    schema = load.parse_schema("id INT, at TIMESTAMP, on DATE")
    checked = load.check_rows(load.read_raw(spark, tmp_path / "rows.csv"), schema, "id")
    assert [str(value) for value in checked.rows.collect()[0]] == ["1", "2013-01-01 05:00:00", "2013-01-01"]
    assert reasons(checked) == {"2": ["at: 'soon' is not a time, as 2024-05-31 18:00:00 is"]}


@pytest.mark.parametrize("ending", ["csv", "parquet", ""])
def test_an_address_is_read_as_its_ending_says(spark: SparkSession, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"rows.{ending}".rstrip(".")
    if ending == "csv":
        path.write_text("id,x\n1,a\n")
    else:
        spark.createDataFrame([(1, "a")], "id int, x string").write.parquet(str(path))
    assert [row["x"] for row in load.read_raw(spark, path.as_uri()).collect()] == ["a"]


def test_a_required_column_may_not_be_null_whatever_the_schema_says(spark: SparkSession) -> None:
    schema = load.parse_schema("id INT, y INT, x INT", required=["id", "", "y"])
    assert [field.nullable for field in schema] == [False, False, True]
    with pytest.raises(ParameterError, match="unknown column that the schema must have 'yy': did you mean 'y'"):
        load.parse_schema("id INT, y INT", required=["yy"])


def test_the_label_is_0_or_1_unless_its_range_says_otherwise(spark: SparkSession) -> None:
    schema = load.parse_schema("id INT, y INT, z BOOLEAN")
    assert load.schema.with_label(schema, "y", {"id": [1, 9]}) == {"y": [0, 1], "id": [1, 9]}
    assert load.schema.with_label(schema, "y", {"y": [1, 1]}) == {"y": [1, 1]}
    with pytest.raises(ParameterError, match="the label 'z' is boolean; write INT: 0 or 1"):
        load.schema.with_label(schema, "z", {})


def test_a_word_for_no_value_is_no_value_in_any_column(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id,age,port\n1,NA,NA\n2,7,NAN\n3,?,\n4,NA\n")
    raw = load.read_raw(spark, tmp_path / "rows.csv")
    raw = load.joins.without_gap_words(raw, parse_enrich({"no_value": ["NA", "?"]}))
    rows = raw.filter(F.col(UNREADABLE).isNull()).orderBy("id").select("age", "port")
    assert [tuple(row) for row in rows.collect()] == [(None, None), ("7", "NAN"), (None, None)]
    assert len(raw.filter(F.col(UNREADABLE).isNotNull()).collect()) == 1


ODD_NAMES = ["a.b", "a`b", "it's", 'say "x"', "two  words", "raw", "typed", "reasons", "{0}", "back\\slash"]


def test_any_name_is_a_column_s_name_as_it_is(spark: SparkSession, tmp_path: Path) -> None:
    rows = {"key": ["1", "2"]} | {name: ["7", "x"] for name in ODD_NAMES}
    pq.write_table(pa.table(rows), tmp_path / "rows.parquet")
    words = ", ".join(f"`{name.replace('`', '``')}` INT NOT NULL" for name in ["key", *ODD_NAMES])
    ranges = {name: [0, 9] for name in ODD_NAMES}
    checked = load.check_rows(load.read_raw(spark, tmp_path / "rows.parquet"), load.parse_schema(words), "key", ranges)
    (fits,), (rejected,) = checked.rows.collect(), checked.rejected.collect()
    assert fits.asDict() == {"key": 1} | dict.fromkeys(ODD_NAMES, 7)
    assert rejected[REASONS] == [f"{name}: 'x' is not a whole number" for name in ODD_NAMES]
    assert {name: rejected[name] for name in ODD_NAMES} == dict.fromkeys(ODD_NAMES, "x")


def test_a_key_is_compared_in_its_type_and_may_not_be_missing(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id,x\n7,1\n07,1\n+7.0,1\n8,1\n")
    checked = load.check_rows(load.read_raw(spark, tmp_path / "rows.csv"), load.parse_schema("id INT, x INT"), "id")
    assert [row.id for row in checked.rows.collect()] == [8]
    assert reasons(checked) == {key: ["id: 7 stands in 3 rows"] for key in ("7", "07", "+7.0")}
    floats = spark.createDataFrame(pa.table({"id": [7.0, math.nan, math.nan, None], "x": [1] * 4}))
    checked = load.check_rows(floats, load.parse_schema("id DOUBLE, x INT"), "id")
    assert [row.id for row in checked.rows.collect()] == [7.0]
    assert [row[REASONS] for row in checked.rejected.collect()] == [["id: missing"]] * 3


def test_rows_without_a_double_key_are_read_once(spark: SparkSession, tmp_path: Path) -> None:
    times = tmp_path / "times"

    def counted(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        with times.open("a") as file:
            file.write("read ")
        yield from batches

    raw = spark.createDataFrame([("1", "a"), ("2", "b")], "id string, x string").coalesce(1)
    schema = load.parse_schema("id INT, x INT")
    checked = load.check_rows(raw.mapInArrow(counted, raw.schema), schema, "id")
    assert (checked.rows.count(), checked.rejected.count()) == (0, 2)
    assert times.read_text() == "read "


def test_no_number_is_no_value_and_outside_no_range(spark: SparkSession, tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1, 2], "x": [math.nan, 9.0], "y": [1.0, math.nan]}), tmp_path / "rows.parquet")
    schema = load.parse_schema("id INT, x DOUBLE, y DOUBLE NOT NULL")
    checked = load.check_rows(load.read_raw(spark, tmp_path / "rows.parquet"), schema, "id", {"x": [0, 10]})
    assert [tuple(row) for row in checked.rows.collect()] == [(1, None, 1.0)]
    assert [row[REASONS] for row in checked.rejected.collect()] == [["y: missing"]]


def test_columns_that_spark_does_not_read_do_not_keep_the_others_from_being_read(
    spark: SparkSession, tmp_path: Path
) -> None:
    held = {
        "id": pa.array([1, 2], pa.uint8()),
        "at": pa.array([0, 1], pa.time64("us")),
        "y": pa.array([0, 2], pa.uint64()),
    }
    pq.write_table(pa.table(held), tmp_path / "rows.parquet")
    raw = load.read_raw(spark, tmp_path / "rows.parquet")
    checked = load.check_rows(raw, load.parse_schema("id INT, y INT"), "id", {"y": [0, 1]})
    assert [tuple(row) for row in checked.rows.collect()] == [(1, 0)]
    checked.rejected.write.parquet(str(tmp_path / "rejected"))
    assert [row.id for row in spark.read.parquet(str(tmp_path / "rejected")).collect()] == [2]


@pytest.mark.parametrize(
    ("kind", "mend"),
    [("FLOAT", "DOUBLE"), ("DECIMAL(3,1)", "DOUBLE"), ("SMALLINT", "INT"), ("TIMESTAMP_NTZ", "TIMESTAMP")],
)
def test_a_type_that_no_column_may_have_is_refused_with_the_type_to_write(
    spark: SparkSession, kind: str, mend: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        load.parse_schema(f"id INT, x {kind}")
    assert str(caught.value) == f"schema: column 'x' is {kind}: write {mend}"


def test_where_no_row_fits_the_commonest_reasons_are_listed_each_with_a_line(
    spark: SparkSession, tmp_path: Path
) -> None:
    bad = read(spark, tmp_path, "1,0,A,old,S\n2,0,B,200,S\n3,0,,1,S\n4,0,D,new,S\n5,0,E\n")
    with pytest.raises(DataError) as caught:
        load.need_rows(bad)
    first, *lines = str(caught.value).splitlines()
    assert first == "no row fits the schema; the commonest reasons, each with one of its lines:"
    assert lines[0] == "  2 x age: 'old' is not of type double (line 2)"
    assert [line.split(" x ")[0] for line in lines] == ["  2", "  1", "  1", "  1"]
    assert "  1 x age: 200 is outside 0 to 120 (line 3)" in lines
    assert "  1 x name: missing (line 4)" in lines
    load.need_rows(read(spark, tmp_path, "1,0,A,1,S\n2,0,B,200,S\n"))


def test_the_rejected_rows_are_a_single_file_with_line_and_reason(spark: SparkSession, tmp_path: Path) -> None:
    checked = read(spark, tmp_path, '1,0,A,1,S\n2,5,"B, C",old,S\n3,0\n')
    checked.rejected.write.parquet(str(tmp_path / "rejected"))
    with load.write_rejected(tmp_path).open(newline="") as file:
        rows = sorted(list(csv.reader(file))[1:], key=lambda row: row[1])
    assert [row[1:] for row in rows] == [
        ["3", "label: 5 is outside 0 to 1; age: 'old' is not of type double", "", "2", "5", "B, C", "old", "S"],
        ["4", rows[1][2], "3,0", "", "", "", "", ""],
    ]
    assert rows[1][2]


def test_rows_of_equal_content_with_a_made_key_stay_on_the_same_side(spark: SparkSession) -> None:
    twins = spark.createDataFrame([(f"c{row % 200}",) for row in range(400)], "c string")
    keyed = load.joins.add_key(twins, "id")
    sides = (
        sampling.mark_holdout(keyed, "id", 0.3, 1)
        .groupBy("c")
        .agg(F.count_distinct(HOLDOUT).alias("sides"), F.count("*"))
    )
    assert {(row[1], row[2]) for row in sides.collect()} == {(1, 2)}


# --- the split


def numbered(spark: SparkSession, n: int, partitions: int) -> DataFrame:
    return spark.range(n).withColumnRenamed("id", "key").repartition(partitions)


def held_out(df: DataFrame, seed: int = 1) -> set[int]:
    return {row["key"] for row in sampling.mark_holdout(df, "key", 0.2, seed).filter(F.col(HOLDOUT)).collect()}


def test_the_hold_out_is_the_same_however_the_rows_are_spread_and_typed(spark: SparkSession) -> None:
    expected = held_out(numbered(spark, 500, 1))
    assert expected == held_out(numbered(spark, 500, 7))
    assert expected == held_out(numbered(spark, 500, 3).withColumn("key", F.col("key").cast("int")))


def test_a_row_stays_where_it_is_when_others_come(spark: SparkSession) -> None:
    assert held_out(numbered(spark, 300, 2)) == {key for key in held_out(numbered(spark, 500, 2)) if key < 300}


def test_another_seed_is_another_split(spark: SparkSession) -> None:
    assert held_out(numbered(spark, 500, 1)) != held_out(numbered(spark, 500, 1), seed=2)


def test_the_hold_out_has_about_the_wanted_share(spark: SparkSession) -> None:
    # 20,000 rows at 0.2: the standard deviation of the share is 0.0028; five of them
    assert abs(len(held_out(numbered(spark, 20_000, 2))) / 20_000 - 0.2) < 0.0142


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 20])
def test_a_hold_out_of_nothing_or_all_is_refused(spark: SparkSession, fraction: float) -> None:
    with pytest.raises(ParameterError, match=f"holdout_fraction is {fraction}; write a number, between 0 and 1"):
        sampling.mark_holdout(numbered(spark, 3, 1), "key", fraction, 1)


def test_split_by_a_column_holds_out_the_latest_and_keeps_equals_together(spark: SparkSession) -> None:
    # eight rows; the latest quarter is two, the second of them the fourth, which three rows share
    days = [(1, 1), (2, 4), (3, 2), (4, 5), (5, 4), (6, 3), (7, 1), (8, 4)]
    df = spark.createDataFrame([(key, f"2024-05-0{day}") for key, day in days], "key int, at string")
    for spread in (df.coalesce(1), df.repartition(4)):
        marked = sampling.mark_holdout(spread, "key", 0.25, 1, "at")
        assert {row["key"] for row in marked.filter(F.col(HOLDOUT)).collect()} == {2, 4, 5, 8}


@settings(max_examples=4)
@given(values=st.lists(st.integers(-9, 9), min_size=2, max_size=30), fraction=st.floats(0.05, 0.95))
def test_the_latest_rows_are_no_fewer_than_wanted_and_no_more_than_ties_make(
    spark: SparkSession, values: list[int], fraction: float
) -> None:
    df = spark.createDataFrame(list(enumerate(values)), "key int, at int")
    wanted = max(1, round(len(values) * fraction))
    first = sorted(values)[-wanted]
    if first == min(values):
        with pytest.raises(DataError, match="are all there are: it has too few values"):
            sampling.mark_holdout(df, "key", fraction, 1, "at")
    else:
        held = sampling.mark_holdout(df, "key", fraction, 1, "at").filter(F.col(HOLDOUT)).collect()
        assert sorted(row["key"] for row in held) == [key for key, value in enumerate(values) if value >= first]


@pytest.mark.parametrize("partitions", [1, 3])
def test_rows_of_a_group_are_held_out_together_and_those_of_none_alone(spark: SparkSession, partitions: int) -> None:
    df = spark.range(400).selectExpr("id AS key", "if(id < 300, concat('g', id % 60), null) AS g")
    marked = sampling.mark_holdout(df.repartition(partitions), "key", 0.25, 1, group_by="g")
    sides = {
        row.g: row
        for row in marked.groupBy("g").agg(F.count_distinct(HOLDOUT).alias("sides"), F.count("*").alias("n")).collect()
    }
    assert {row.sides for g, row in sides.items() if g} == {1}
    assert sides[None].sides == 2
    held = sum(row[HOLDOUT] for row in marked.collect())
    assert 60 < held < 140, "about a quarter of the rows"
    alone = sampling.mark_holdout(df, "key", 0.25, 1)
    assert alone.groupBy("g").agg(F.count_distinct(HOLDOUT).alias("sides")).filter("sides = 2").count() > 30


def test_the_latest_groups_are_held_out_whole(spark: SparkSession) -> None:
    # g1 ends at 3, g2 at 6, g3 at 9; the latest two of nine rows are of g3, whose first row came before all others
    rows = [(1, "g3", 0), (2, "g1", 1), (3, "g1", 2), (4, "g1", 3), (5, "g2", 4), (6, "g2", 5), (7, "g2", 6),
            (8, "g3", 8), (9, "g3", 9)]  # fmt: skip
    df = spark.createDataFrame(rows, "key int, g string, at int")
    held = sampling.mark_holdout(df, "key", 0.2, 1, "at", "g").filter(F.col(HOLDOUT)).collect()
    assert {row.key for row in held} == {1, 8, 9}
    with pytest.raises(DataError, match="the latest 7 rows by 'at' are all there are: groups of 'g' go on to the end"):
        sampling.mark_holdout(df, "key", 0.75, 1, "at", "g")
    with pytest.raises(ParameterError, match="unknown column in group_by 'gg': did you mean 'g'"):
        sampling.mark_holdout(df, "key", 0.2, 1, group_by="gg")


def test_a_split_with_a_single_class_is_refused_with_all_counts(spark: SparkSession) -> None:
    df = spark.createDataFrame([(1, True), (0, True), (0, False), (0, False), (1, True)], f"y int, `{HOLDOUT}` boolean")
    with pytest.raises(DataError) as caught:
        sampling.check_holdout(df, "y")
    assert str(caught.value) == (
        "each part needs rows of both classes, and there are 2 rows to learn from, 0 of them with y = 1; 3 rows held "
        "out, 2 of them with y = 1. Take another holdout_fraction or split_seed, or a split_by and group_by that leave "
        "both in both parts"
    )
    with pytest.raises(DataError, match="0 rows held out, 0 of them with y = 1"):
        sampling.check_holdout(df.filter(~F.col(HOLDOUT)), "y")
    both = spark.createDataFrame([(1, True), (0, True), (0, False), (1, False)], df.schema)
    assert sampling.check_holdout(both, "y") == 4


def test_to_split_by_a_column_that_is_not_there_is_refused(spark: SparkSession) -> None:
    with pytest.raises(ParameterError, match="unknown column in split_by 'kee': did you mean 'key'"):
        sampling.mark_holdout(numbered(spark, 3, 1), "key", 0.5, 1, "kee")


def test_a_sample_of_many_rows_is_chosen_by_the_key_and_of_few_all_are_taken(spark: SparkSession) -> None:
    def sampled(partitions: int, most: int) -> set[int]:
        return {row["key"] for row in sampling.sample(numbered(spark, 4000, partitions), "key", most).collect()}

    assert len(sampled(1, 4000)) == 4000
    # 1,000 of 4,000: the standard deviation is 27; five of them
    assert abs(len(sampled(1, 1000)) - 1000) < 137
    assert sampled(1, 1000) == sampled(7, 1000)
    # its own salt: it is not the rows that a hold-out or a fold takes, nor those of a salt left out
    few = sampling.sample(numbered(spark, 30, 1), "key", 6, rows=30)
    assert sorted(row["key"] for row in few.collect()) == [4, 6, 7, 9, 10, 17]


@settings(max_examples=5)
@given(keys=st.sets(st.text(max_size=8), min_size=1, max_size=40), salt=st.text(max_size=5))
def test_a_share_lies_in_0_to_1_and_only_key_and_salt_decide_it(spark: SparkSession, keys: set[str], salt: str) -> None:
    df = spark.createDataFrame([(key,) for key in keys], "key string")

    def shares(frame: DataFrame) -> dict[str, float]:
        return {row[0]: row[1] for row in frame.select("key", sampling.share("key", salt)).collect()}

    expected = shares(df.coalesce(1))
    assert all(0 <= share < 1 for share in expected.values())
    assert expected == shares(df.repartition(3))


# --- looking at rows


def test_gaps_of_all_columns_are_counted_in_a_single_pass(spark: SparkSession) -> None:
    df = spark.createDataFrame([(1, None, "a"), (2, None, None), (3, 1.0, "b")], "id int, x double, s string")
    assert load.look.count_missing(df) == {"id": 0, "x": 2, "s": 1}


def test_rates_with_and_without_a_value_are_counted_for_all_columns_at_once(spark: SparkSession) -> None:
    rows = [(1, None, "a"), (0, None, "b"), (0, 1.0, "c"), (1, 2.0, "d"), (1, 3.0, "e")]
    df = spark.createDataFrame(rows, "y int, x double, s string")
    assert load.look.missing_rates(df, "y", ["x", "s"]) == {
        "x": {"known": (2, 3), "missing": (1, 2)},
        "s": {"known": (3, 5), "missing": (0, 0)},
    }
    assert load.look.missing_rates(df, "y", []) == {}


def test_rates_are_counts_in_order_of_the_value_with_gaps_by_name(spark: SparkSession) -> None:
    rows = [("b", 1), ("b", 0), ("a", 1), (None, 0)]
    df = spark.createDataFrame(rows, "g string, y int")
    assert load.look.rates(df, "y", "g") == [("a", 1, 1, 1), ("b", 1, 2, 2), ("missing", 0, 1, 1)]
    assert load.look.rates(df, "y", F.col("y") + 1) == [("1", 0, 2, 2), ("2", 2, 2, 2)]


def test_rows_of_few_groups_are_worth_few_rows(spark: SparkSession) -> None:
    # ten days of a hundred rows each, every second day all ones: worth nine rows, as if each day were one
    df = spark.range(1000).selectExpr("id AS key", "id div 100 AS day", "cast((id div 100) % 2 AS int) AS y", "1 AS g")
    assert load.look.rates(df, "y", "g", sampling.belongs_to("key", "day")) == [("1", 500, 1000, pytest.approx(9))]
    assert load.look.rates(df, "y", "g", sampling.belongs_to("key")) == [("1", 500, 1000, 1000)]


def test_the_schema_is_described_for_later_stages(spark: SparkSession, tmp_path: Path) -> None:
    described = load.describe(load.parse_schema("id INT NOT NULL, age DOUBLE"), "id", "label", {"age": [0, 9]})
    write_json(tmp_path / "schema.json", described)
    assert json.loads((tmp_path / "schema.json").read_text()) == {
        "key": "id",
        "label": "label",
        "columns": [
            {"name": "id", "type": "int", "nullable": False, "minimum": None, "maximum": None},
            {"name": "age", "type": "double", "nullable": True, "minimum": 0, "maximum": 9},
        ],
    }


def test_json_is_written_for_people(tmp_path: Path) -> None:
    write_json(tmp_path / "names.json", {"größe": [1]})
    assert (tmp_path / "names.json").read_text(encoding="utf-8") == '{\n  "größe": [\n    1\n  ]\n}\n'


def test_a_number_that_is_not_defined_is_not_written_as_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "metrics.json", {"roc_auc": math.nan})
    assert not (tmp_path / "metrics.json").exists()


@pytest.fixture
def not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if no address lay on this machine: only Spark can look there."""
    monkeypatch.setattr("lifeboat.load.read.local_path", lambda address: None)


def test_csv_files_at_an_address_are_read_as_those_on_this_machine(
    spark: SparkSession, tmp_path: Path, not_here: None
) -> None:
    (tmp_path / "a.csv").write_text('id;name\n1;"x;y"\n2;z;more\n')
    (tmp_path / "b.csv").write_text("name;id\nü;3\n")
    raw = load.read_raw(spark, f"{tmp_path.as_uri()}/*.csv", {"separator": ";"})
    rows = raw.orderBy("`lifeboat:file`", "`lifeboat:line`").collect()
    assert [(row["id"], row["name"], row["lifeboat:line"]) for row in rows] == [
        ("1", "x;y", 2), (None, None, 3), ("3", "ü", 2),
    ]  # fmt: skip
    assert [row[UNREADABLE] for row in rows] == [None, "2;z;more", None]
    assert [Path(row["lifeboat:file"]).name for row in rows] == ["a.csv", "a.csv", "b.csv"]


def test_files_at_an_address_with_other_columns_or_none_at_all_are_refused(
    spark: SparkSession, tmp_path: Path, not_here: None
) -> None:
    (tmp_path / "a.csv").write_text("id,name\n1,x\n")
    (tmp_path / "b.csv").write_text("id\n1\n")
    with pytest.raises(DataError, match=r"b\.csv lacks 'name', other than .*a\.csv"):
        load.read_raw(spark, f"{tmp_path.as_uri()}/*.csv")
    (tmp_path / "c.csv").write_text("id,id\n1,1\n")
    with pytest.raises(DataError, match="id"):
        load.read_raw(spark, f"{tmp_path.as_uri()}/c.csv")
