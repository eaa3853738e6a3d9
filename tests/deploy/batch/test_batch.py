"""Whole files: each row gets the scorer's own answer or its reason, and nothing is lost or half written."""

from __future__ import annotations

import contextlib
import gzip
import json
import math
import pickle
import re
from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from hand_made import GOOD, TYPES, by_hand
from lifeboat.cli.app import app
from lifeboat.deploy.batch import files
from lifeboat.deploy.batch.columns import ColumnScorer
from lifeboat.deploy.batch.files import score_file
from lifeboat.deploy.batch.frames import score_frame, score_on_spark
from lifeboat.deploy.parity import arrow_schema, draw, value_pools
from lifeboat.errors import DataError
from lifeboat.load import read_raw
from lifeboat.reading import open_table
from lifeboat.scoring.fields import InputError
from lifeboat.scoring.scorer import Scorer

STAGES = [
    {
        "stage": "TextCategory", "inputs": ["word"], "outputs": ["kind"],
        "pattern": "(a|b)", "categories": {"a": "A"}, "other": "O",
    },
    {"stage": "StringIndexerModel", "inputs": ["kind"], "outputs": ["kind_index"], "labels": ["O", "A"]},
    {"stage": "SumColumns", "inputs": ["amount", "count", "big"], "outputs": ["total"]},
    {"stage": "EqualTo", "inputs": ["total"], "outputs": ["none"], "value": 0.0},
    {
        "stage": "GroupMeanImputerModel", "inputs": ["spare", "kind"], "outputs": ["filled"],
        "means": {"A": 0.25}, "overall": 0.5,
    },
]  # fmt: skip
FEATURES = ["kind_index", "total", "none", "filled", "flag"]


@pytest.fixture(scope="module")
def hand(tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    folder = by_hand(tmp_path_factory.mktemp("batch") / "hand", STAGES, FEATURES)
    return Scorer.load(folder)


def by_the_scorer(scorer: Scorer, record: dict[str, Any]) -> tuple[Any, Any, str | None, bool]:
    """What the server would say of a record, and whether with a warning."""
    try:
        scores = scorer.score([record])
    except InputError as error:
        return (
            None,
            None,
            re.sub(r" \(and (one|\d+) more\)$", "", str(error)),
            False,
        )  # a batch tells the first of a row
    chances = scores.probabilities[0].tolist()
    return int(scores.predictions[0]), chances[1] if len(chances) == 2 else chances, None, bool(scores.unseen)


def answers(table: pa.Table | pa.RecordBatch) -> list[tuple[Any, ...]]:
    rows = table.select(["prediction", "probability", "reason", "warning"]).to_pylist()
    return [(*list(row.values())[:3], row["warning"] is not None) for row in rows]


def good_rows(count: int) -> dict[str, list[Any]]:
    return {name: [GOOD[name]] * count for name in GOOD} | {"spare": [None] * count}


NUMBERS = st.floats(0, 10) | st.sampled_from([0.0, -0.0, 10.5, math.nan, math.inf, 1e308, -1e308])
CELLS = st.one_of(
    st.lists(st.none() | st.integers(-3, 3) | st.integers(-(2**63), 2**63 - 1), min_size=12, max_size=12),
    st.lists(st.none() | NUMBERS, min_size=12, max_size=12),
    st.lists(st.none() | st.sampled_from(["a", "b", "", "ab", "3"]), min_size=12, max_size=12),
    st.lists(st.none() | st.booleans(), min_size=12, max_size=12),
    st.just([[1]] * 12),
)


def typed(scorer: Scorer, record: dict[str, Any]) -> dict[str, Any]:
    """A record of a file, each text that stands for a value of another type as that value."""
    values = dict(record)
    for column in scorer.columns:
        with contextlib.suppress(InputError):
            values[column.name] = column.reader(texts=True)([record[column.name]])[0]
    return values


def keep_all(source: Path) -> list[str]:
    return open_table(source).names


@settings(max_examples=60)
@given(changed=st.dictionaries(st.sampled_from(list(TYPES)), CELLS, max_size=3))
def test_any_table_gets_row_by_row_what_the_scorer_says_of_that_row_alone(
    hand: Scorer, changed: dict[str, list[Any]]
) -> None:
    table = pa.RecordBatch.from_pydict(good_rows(12) | changed)
    answered = ColumnScorer(hand).answer(table, table.schema.names)
    assert repr(answered.select(table.schema.names).to_pylist()) == repr(table.to_pylist())
    assert answers(answered) == [by_the_scorer(hand, typed(hand, record)) for record in table.to_pylist()]


@pytest.mark.parametrize("name", ["forest thresholds 0.35 0.65", "houses", "gbt", "logistic", "multinomial"])
def test_rows_made_to_break_a_trained_model_get_the_scorer_s_answers_to_the_last_bit(
    name: str, portable_of: Callable[[str], Path]
) -> None:
    scorer = Scorer.load(portable_of(name))
    pools, random = value_pools(portable_of(name)), Random(3)
    drawn = {column.name: draw(column, pools[column.name], 400, random) for column in scorer.columns}
    table = pa.RecordBatch.from_pydict(drawn, schema=arrow_schema(scorer.columns))
    answered = ColumnScorer(scorer).answer(table, [])
    assert answers(answered) == [by_the_scorer(scorer, record) for record in table.to_pylist()]


def test_texts_written_once_in_a_dictionary_are_read_as_any_others(hand: Scorer) -> None:
    word = pa.array(["a", "zz", None, "a"]).dictionary_encode()
    table = pa.RecordBatch.from_pydict(good_rows(4) | {"word": word})
    assert [reason for *_, reason, _ in answers(ColumnScorer(hand).answer(table, []))] == [
        None, None, "word: got nothing (missing or null); allowed: text", None,
    ]  # fmt: skip


def test_a_scorer_sent_to_another_process_answers_the_same(hand: Scorer) -> None:
    table = pa.RecordBatch.from_pydict(good_rows(3))
    sent = pickle.loads(pickle.dumps(ColumnScorer(hand)))
    assert sent.answer(table, []).equals(ColumnScorer(hand).answer(table, []))


CSV = """id,count,big,amount,word,flag,spare,ticket
1,1,2,3,a,true,,x
2, 1 ,+2,3e0,a,T,,x
3,1.0,2,3,a,1,,x
4,1,2,old,a,yes,,x
5,1,2,10.1,a,no,,x
6,1,2,3,,0,,x
7,1,2,3,"a ""b"", c",maybe,,x
8,1,2,3,a,true,nan,x
9,1_0,2,3,a,true,,x
10,1,2,3,a,true
11,1,2,,a,true,,x
"""
REASONS = {
    4: "amount: got 'old' (text); allowed: a number from 0 to 10",
    5: "amount: got '10.1' (text); allowed: a number from 0 to 10",
    6: "word: got nothing (missing or null); allowed: text",
    7: "flag: got 'maybe' (text); allowed: true or false",
    8: "spare: got 'nan' (text); allowed: a number that is finite, or null",
    9: "count: got '1_0' (text); allowed: a whole number from -2147483648 to 2147483647",
    10: "line 11: has 6 values where the header names 8: 10,1,2,3,a,true",
    11: "amount: got nothing (missing or null); allowed: a number from 0 to 10",
}


def test_a_csv_file_s_texts_become_their_types_and_those_that_cannot_are_told(hand: Scorer, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(CSV)
    scored = score_file(hand, tmp_path / "in.csv", tmp_path / "out.parquet")
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert (scored.rows, scored.refused) == (11, 8)
    assert [row["id"] for row in rows] == ["1", "2", "3", "4", "5", "6", "7", "8", "9", None, "11"]
    assert [row["reason"] for row in rows] == [REASONS.get(n) for n in range(1, 12)]
    margins = [round(math.log(p / (1 - p)), 9) for row in rows if (p := row["probability"]) is not None]
    assert margins == [8.25, 8.25, 8.25]  # 1 of the word, 6 in all, 0.25 for the gap, 1 of the flag
    assert [row["prediction"] for row in rows if row["reason"] is None] == [1, 1, 1]


def test_one_table_is_answered_alike_in_any_kind_of_file_and_as_records(hand: Scorer, tmp_path: Path) -> None:
    rows = good_rows(4) | {"count": [0, -3, 7, 1], "flag": [True, False, False, True], "word": ["a", "ü,b", "", "ab"]}
    rows |= {"spare": [None, 0.1, math.nan, 1e-300], "amount": [0.1, 10.0, 2.5, 3.0]}
    table = pa.table(rows)
    packed = table.set_column(table.schema.get_field_index("word"), "word", table["word"].dictionary_encode())
    pq.write_table(table, tmp_path / "plain.parquet")
    pq.write_table(packed, tmp_path / "packed.parquet")
    lines = [",".join(rows), *(",".join(map(written, row.values())) for row in table.to_pylist())]
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress("\r\n".join(lines).encode()))
    expected = [by_the_scorer(hand, record)[:2] for record in table.to_pylist()]
    assert [prediction is None for prediction, _ in expected] == [False, False, True, False]  # an empty text is a gap
    for name in ("plain.parquet", "packed.parquet", "rows.csv", "rows.csv.gz"):
        score_file(hand, tmp_path / name, tmp_path / "out.parquet", force=True)
        assert [answer[:2] for answer in answers(pq.read_table(tmp_path / "out.parquet"))] == expected, name


def written(cell: Any) -> str:
    """A cell as CSV has it; a text in quotes."""
    if cell is None or cell != cell:
        return ""
    return f'"{cell}"' if isinstance(cell, str) else str(cell)


@pytest.fixture
def some(tmp_path: Path) -> Path:
    """A parquet file of five rows, of which the third cannot be scored."""
    rows = good_rows(5) | {"amount": [0.0, 1.0, 99.0, 2.0, None], "id": [5, 4, 3, 2, 1], "note": list("vwxyz")}
    pq.write_table(pa.table(rows | {"amount": [0.0, 1.0, 99.0, 2.0, 3.0]}), tmp_path / "in.parquet")
    return tmp_path / "in.parquet"


def test_rows_keep_their_order_through_many_batches_and_threads(
    hand: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lifeboat.reading.batches.ROWS_AT_ONCE", 7)
    pq.write_table(pa.table(good_rows(500) | {"count": range(500), "big": range(0, -500, -1)}), tmp_path / "in.parquet")
    score_file(hand, tmp_path / "in.parquet", tmp_path / "out.parquet", keep=["count"])
    out = pq.read_table(tmp_path / "out.parquet")
    assert out["count"].to_pylist() == list(range(500))
    assert out.column_names == ["count", "prediction", "probability", "reason", "warning"]
    assert len(set(out["probability"].to_pylist())) == 1


def test_spark_writes_the_rows_that_one_machine_writes(
    hand: Scorer, some: Path, tmp_path: Path, spark: SparkSession
) -> None:
    (tmp_path / "in.csv").write_text(CSV)
    for source, order in ((some, "id"), (tmp_path / "in.csv", "reason")):
        alone, together = tmp_path / f"{source.name}.alone.parquet", tmp_path / f"{source.name}.spark"
        counts = score_file(hand, source, alone)
        assert score_on_spark(read_raw(spark, source), hand, source, together, keep_all(source)) == counts
        left, right = pq.read_table(alone), pq.read_table(together)
        kept = [
            *(name for name in left.column_names if source is some or name in ("prediction", "probability", "reason"))
        ]
        order_by = [(order, "ascending"), ("probability", "ascending")]
        assert right.select(kept).sort_by(order_by).to_pylist() == left.select(kept).sort_by(order_by).to_pylist()
        assert right.column_names == left.column_names


def test_a_frame_is_scored_where_it_stands(
    spark: SparkSession, portable_of: Callable[[str], Path], braund: dict[str, Any], cumings: dict[str, Any]
) -> None:
    scorer = Scorer.load(portable_of("multinomial"))
    rows = [braund, cumings, braund | {"Pclass": 4}]
    frame = spark.createDataFrame(pa.Table.from_pylist(rows))
    scored = score_frame(frame, scorer, keep=["Name"])
    assert scored.schema.simpleString() == (
        "struct<Name:string,prediction:int,probability:array<double>,reason:string,warning:string>"
    )
    answered = {row.Name: (*row[1:4], row.warning is not None) for row in scored.filter("reason is null").collect()}
    assert answered == {record["Name"]: by_the_scorer(scorer, record) for record in rows[:2]}
    assert scored.filter("prediction is null").first().reason == by_the_scorer(scorer, rows[2])[2]


def test_beside_a_column_called_as_an_answer_is_the_answers_have_names_of_ours(hand: Scorer, tmp_path: Path) -> None:
    pq.write_table(pa.table(good_rows(1) | {"Reason": ["x"]}), tmp_path / "in.parquet")
    score_file(hand, tmp_path / "in.parquet", tmp_path / "out.parquet", keep=["Reason"])
    names = ["Reason", "lifeboat:prediction", "lifeboat:probability", "lifeboat:reason", "lifeboat:warning"]
    assert pq.read_table(tmp_path / "out.parquet").column_names == names


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_is_there_is_not_replaced_unless_asked(hand: Scorer, some: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    out.write_text("somebody's")
    with pytest.raises(DataError, match=r"out\.parquet' is there already: name another, or replace it with --force"):
        score_file(hand, some, out)
    assert out.read_text() == "somebody's"
    assert score_file(hand, some, out, force=True).rows == 5
    assert pq.read_table(out).num_rows == 5
    assert left_in(tmp_path) == {"in.parquet", "out.parquet"}


def test_a_folder_is_replaced_by_a_file_and_a_file_by_a_folder(
    hand: Scorer, some: Path, tmp_path: Path, spark: SparkSession
) -> None:
    out = tmp_path / "out"
    for _ in range(2):
        score_on_spark(read_raw(spark, some), hand, some, out, force=True)
        assert out.is_dir()
        score_file(hand, some, out, force=True)
        assert out.is_file()
    assert left_in(tmp_path) == {"in.parquet", "out"}


def test_a_source_that_breaks_off_leaves_nothing_and_what_was_there_stays(hand: Scorer, tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out.parquet"
    source.mkdir()
    pq.write_table(pa.table(good_rows(3)), source / "a.parquet")
    whole = (source / "a.parquet").read_bytes()
    (source / "b.parquet").write_bytes(whole[: len(whole) // 2])
    for force in (False, True):
        with pytest.raises(DataError, match=r"b\.parquet cannot be read as parquet: "):
            score_file(hand, source, out, force=force)
        assert left_in(tmp_path) == ({"in", "out.parquet"} if force else {"in"})
        out.write_text("before")
    assert out.read_text() == "before"


def test_files_of_a_folder_are_one_table_or_are_refused(hand: Scorer, tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out.parquet"
    source.mkdir()
    pq.write_table(pa.table(good_rows(2)), source / "a.parquet")
    narrow = pa.table(good_rows(3) | {"count": pa.array([1] * 3, pa.int16())})
    pq.write_table(narrow.select(sorted(narrow.column_names)), source / "b.parquet")
    assert score_file(hand, source, out).rows == 5
    pq.write_table(narrow.drop_columns(["flag"]), source / "c.parquet")
    with pytest.raises(DataError, match=r"c\.parquet lacks 'flag', other than a\.parquet"):
        score_file(hand, source, out, force=True)
    for name, header in (("a.csv", "x,y"), ("b.csv", "y,z")):
        (tmp_path / "texts").mkdir(exist_ok=True)
        (tmp_path / "texts" / name).write_text(f"{header}\n1,2\n")
    with pytest.raises(DataError, match=r"b\.csv lacks 'x' and has 'z' besides, other than a\.csv"):
        score_file(hand, tmp_path / "texts", out, force=True)
    assert pq.read_table(out).num_rows == 5


@pytest.mark.parametrize(
    ("columns", "keep", "message"),
    [
        ({"amount": None, "ammount": [1.0]}, None, "unknown column of the model 'amount': did you mean 'ammount'?"),
        ({}, ["wrod"], "unknown column to keep 'wrod': did you mean 'word'?"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_before_anything_is_written(
    hand: Scorer, tmp_path: Path, columns: dict[str, Any], keep: list[str] | None, message: str
) -> None:
    table = {name: cells for name, cells in (good_rows(1) | columns).items() if cells is not None}
    pq.write_table(pa.table(table), tmp_path / "in.parquet")
    with pytest.raises(DataError) as caught:
        score_file(hand, tmp_path / "in.parquet", tmp_path / "out.parquet", keep)
    assert message in str(caught.value)
    assert left_in(tmp_path) == {"in.parquet"}


def test_a_column_of_a_type_that_cannot_be_is_refused_before_anything_is_written(
    hand: Scorer, tmp_path: Path, spark: SparkSession
) -> None:
    for cells in (
        pa.array([time(1)]),
        pa.array([b"1"]),
        pa.array([[1]]),
        pa.array([timedelta(1)]),
        pa.array([date.max]),
    ):
        pq.write_table(pa.table(good_rows(1) | {"amount": cells}), tmp_path / "in.parquet")
        message = rf"column 'amount' is {re.escape(str(cells.type))[:4]}.* in the file and DOUBLE in the schema: "
        with pytest.raises(DataError, match=message):
            score_file(hand, tmp_path / "in.parquet", tmp_path / "out.parquet")
        with pytest.raises(DataError, match=r"column 'amount' is .* in the file and DOUBLE in the schema: "):
            on_spark(spark, hand, tmp_path / "in.parquet", tmp_path / "out")
    pq.write_table(pa.table(good_rows(1) | {"at": pa.array([time(1)])}), tmp_path / "in.parquet")
    with pytest.raises(DataError, match=r"column 'at' is time64\[us\], which Spark does not read: keep others alone"):
        on_spark(spark, hand, tmp_path / "in.parquet", tmp_path / "out")
    assert not on_spark(spark, hand, tmp_path / "in.parquet", tmp_path / "out", ["count"]).reasons


def on_spark(
    spark: SparkSession, scorer: Scorer, source: Path, target: Path, keep: list[str] | None = None
) -> files.Counts:
    return score_on_spark(read_raw(spark, source), scorer, source, target, keep)


def test_decimals_truths_and_times_with_nanoseconds_are_scored_alike_by_spark_and_without(
    hand: Scorer, tmp_path: Path, spark: SparkSession
) -> None:
    odd = {
        "count": pa.array([Decimal("1.0")] * 2), "big": pa.array([2, 2], pa.uint64()),
        "amount": pa.array([Decimal("3.00"), Decimal("3.50")]), "flag": pa.array([1, 0]),
        "word": pa.array([0, -1], pa.timestamp("ns")), "at": pa.array([0, 1], pa.timestamp("ns")),
    }  # fmt: skip
    pq.write_table(pa.table(good_rows(2) | odd), tmp_path / "in.parquet")
    alone = score_file(hand, tmp_path / "in.parquet", tmp_path / "alone.parquet", keep=["flag"])
    assert not alone.reasons
    assert not on_spark(spark, hand, tmp_path / "in.parquet", tmp_path / "spark", ["flag"]).reasons
    alone, together = (pq.read_table(tmp_path / name) for name in ("alone.parquet", "spark"))
    margins = [round(math.log(p / (1 - p)), 9) for p in alone["probability"].to_pylist()]
    assert margins == [6 + 0.5 + 1, 6.5 + 0.5]  # the sum, the gap of another kind of word, the flag
    assert together.sort_by([("flag", "descending")]).to_pylist() == alone.to_pylist()


def test_paths_that_will_not_do_are_refused(hand: Scorer, some: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "latin.csv").write_bytes("count,big,amount,word,flag,spare\n1,2,3,\xe9,true,\n".encode("latin-1"))
    for source, target, message in (
        (tmp_path / "nowhere.csv", tmp_path / "out", "no file or folder"),
        (some, tmp_path / "no" / "out", "make it first"),
        (some, some, "is a part of what is scored"),
        (tmp_path, tmp_path / "out", "is a part of what is scored"),
        (tmp_path / "empty", tmp_path / "out", "has no file in it"),
        (tmp_path / "latin.csv", tmp_path / "out", r"latin\.csv: byte 39 \(0xE9\) in line 2 is no UTF-8"),
    ):
        with pytest.raises(DataError, match=message):
            score_file(hand, source, target, force=True)
    assert left_in(tmp_path) == {"in.parquet", "empty", "latin.csv"}


def test_the_command_tells_how_many_were_scored_and_how_many_were_not(hand: Scorer, some: Path, tmp_path: Path) -> None:
    model = by_hand(tmp_path / "model", STAGES, FEATURES)
    out = tmp_path / "out.parquet"
    result = CliRunner().invoke(app, ["score", str(model), str(some), str(out), "--keep", "id", "--keep", "note"])
    assert result.exit_code == 4, result.output
    assert result.stdout.splitlines() == [
        f"4 rows scored into {out}",
        "1 rows refused; `reason` says of each why. The commonest:",
        "  1 x amount: got 99.0 (number); allowed: a number from 0 to 10",
    ]
    assert result.stderr.splitlines() == [
        f"{model} is a portable model of format 1: it does not know how raw rows were completed; export it again to "
        "tell it",
        "more than --allow-refused 0: exit status 4",
    ]
    for allowed in ("1", "0.2", "20%"):
        words = ["score", str(model), str(some), str(out), "--force", "--allow-refused", allowed]
        assert CliRunner().invoke(app, [*words, "--keep", "id", "--keep", "note"]).exit_code == 0
    assert pq.read_table(out).column_names == ["id", "note", "prediction", "probability", "reason", "warning"]
    again = CliRunner().invoke(app, ["score", str(model), str(some), str(out)])
    assert again.exit_code == 1
    assert "\nlifeboat: " in again.stderr
    assert "is there already" in again.stderr


def test_the_command_reads_a_csv_file_as_its_options_say(tmp_path: Path) -> None:
    model, out = by_hand(tmp_path / "model", STAGES, FEATURES), tmp_path / "out.parquet"
    text = 'of no account\ncount;big;amount;word;flag;spare;note\n1;2;3;a;true;;"\xe9\nb"\n'
    (tmp_path / "in.csv").write_bytes(text.encode("latin-1"))
    options = ["--separator", ";", "--encoding", "latin-1", "--skip-lines", "1", "--multiline"]
    ran = CliRunner().invoke(app, ["score", str(model), str(tmp_path / "in.csv"), str(out), *options])
    assert ran.exit_code == 0, ran.output
    assert [(row["note"], row["reason"]) for row in pq.read_table(out).to_pylist()] == [("\xe9\nb", None)]


def test_the_command_completes_raw_rows_as_in_training_and_says_where_a_joined_table_has_changed(
    tmp_path: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(spark), "stop", lambda self: None)  # the other tests go on with this session
    model, table, out = by_hand(tmp_path / "model", [], ["amount"]), tmp_path / "amounts.csv", tmp_path / "out.parquet"
    (tmp_path / "in.csv").write_text("count,big,word,flag,spare\n1,2,a,true,\n2,2,a,true,\n")
    table.write_text("count,amount\n1,0\n2,3\n")
    schema = "count INT, big BIGINT, amount DOUBLE, word STRING, flag BOOLEAN, spare DOUBLE"
    joined = {"join": [{"path": str(table), "on": ["count"], "columns": ["amount"]}]}
    manifest = json.loads((model / "manifest.json").read_text())
    manifest["signature"]["inputs"][2]["made"] = f"amount of {table}, found by count"
    enrichment = {"complete": joined, "schema": schema, "tables": {str(table): "another digest"}}
    (model / "manifest.json").write_text(json.dumps(manifest | {"format": 2, "enrichment": enrichment}))
    ran = CliRunner().invoke(app, ["score", str(model), str(tmp_path / "in.csv"), str(out)])
    assert ran.exit_code == 0, ran.output
    assert ran.stderr == f"{table} has changed since the model was trained: what it holds now is used\n"
    chances = [(row["count"], round(row["probability"], 6)) for row in pq.read_table(out).to_pylist()]
    assert chances == [("1", 0.5), ("2", 0.952574)]  # 1 / (1 + e^0), 1 / (1 + e^-3)
