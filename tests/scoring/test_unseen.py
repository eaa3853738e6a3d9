"""Values that training never met are answered, or refused where that is wished, and never in silence."""

from __future__ import annotations

import json
import logging
import pickle
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from hand_made import GOOD, by_hand
from lifeboat.cli.app import app
from lifeboat.deploy.batch.columns import ColumnScorer
from lifeboat.deploy.batch.frames import score_frame
from lifeboat.deploy.server.app import create_app
from lifeboat.deploy.server.models import Model, Models
from lifeboat.scoring.fields import InputError
from lifeboat.scoring.scorer import Scorer
from lifeboat.scoring.steps import Values
from lifeboat.scoring.unseen import Lookup, UnseenError

STAGES = [
    {"stage": "ModeImputerModel", "inputs": ["word"], "outputs": ["filled"], "mode": "male"},
    {"stage": "StringIndexerModel", "inputs": ["filled"], "outputs": ["sex"], "labels": ["male", "female"]},
    {"stage": "StringIndexerModel", "inputs": ["count"], "outputs": ["class"], "labels": ["3", "1"]},
    {"stage": "BooleanText", "inputs": ["flag"], "outputs": ["flag_text"]},
    {"stage": "StringIndexerModel", "inputs": ["flag_text"], "outputs": ["flag_index"], "labels": ["true"]},
    {
        "stage": "GroupMeanImputerModel", "inputs": ["spare", "big"], "outputs": ["whole"],
        "means": {"2": 0.25}, "overall": 0.5,
    },
]  # fmt: skip
FEATURES = ["sex", "class", "flag_index", "whole"]
SEEN = GOOD | {"word": "female", "count": 3}
MALE = {"row": 0, "field": "word", "value": "Male", "known": ["male", "female"], "nearest": "male"}
CAPITALS = "word: 'Male' was never seen in training; nearest: 'male'"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return by_hand(tmp_path_factory.mktemp("unseen") / "hand", STAGES, FEATURES)


@pytest.fixture
def scorer(folder: Path) -> Scorer:
    return Scorer.load(folder)


def warnings(scorer: Scorer, *records: dict[str, Any]) -> list[tuple[Any, ...]]:
    entries = scorer.score(records).unseen.entries
    return [(entry["row"], entry["field"], entry["value"], entry["nearest"]) for entry in entries]


def test_what_training_met_and_what_is_missing_is_answered_without_a_word(scorer: Scorer) -> None:
    scores = scorer.score([SEEN, SEEN | {"word": "male", "count": 1, "spare": 7.5, "big": 9}])
    assert not scores.unseen
    assert Lookup("word", "word", ("a",)).misses({"word": Values([None, "a"])}) is None


def test_a_text_in_other_letters_is_answered_with_row_field_value_and_what_is_nearest(scorer: Scorer) -> None:
    scores = scorer.score([SEEN | {"word": "Male"}])
    assert scores.unseen.entries == (MALE,)
    assert scores.unseen.count == 1
    assert len(scores.predictions) == 1


def test_numbers_truths_and_groups_that_fill_gaps_are_told_of_too(scorer: Scorer) -> None:
    assert warnings(scorer, SEEN, SEEN | {"count": 2}) == [(1, "count", 2, "3")]
    assert warnings(scorer, SEEN | {"flag": False}) == [(0, "flag", "false", None)]
    assert warnings(scorer, SEEN | {"big": 40, "spare": 1.0}) == [], "nothing was to be filled"
    assert warnings(scorer, SEEN | {"big": 40}, SEEN) == [(0, "big", 40, "2")]
    assert warnings(scorer, SEEN | {"word": "??", "count": 0}) == [(0, "word", "??", None), (0, "count", 0, "1")]


def test_a_column_that_two_stages_look_up_is_told_of_once(tmp_path: Path) -> None:
    stages = [
        {"stage": "CopyColumns", "inputs": ["word"], "outputs": ["copy"]},
        {"stage": "StringIndexerModel", "inputs": ["copy"], "outputs": ["index"], "labels": ["a"]},
        {
            "stage": "GroupMeanImputerModel", "inputs": ["spare", "copy"], "outputs": ["whole"],
            "means": {"a": 0.25}, "overall": 0.5,
        },
    ]  # fmt: skip
    scorer = Scorer.load(by_hand(tmp_path / "twice", stages, ["index", "whole"]))
    assert warnings(scorer, GOOD | {"word": "b"}, GOOD) == [(0, "word", "b", None)]


def test_of_a_text_that_a_stage_reads_a_category_out_of_the_category_counts(tmp_path: Path) -> None:
    stages = [
        {
            "stage": "TextCategory", "inputs": ["word"], "outputs": ["kind"],
            "pattern": "(a|b)", "categories": {"a": "A", "b": "B"}, "other": "O",
        },
        {"stage": "StringIndexerModel", "inputs": ["kind"], "outputs": ["index"], "labels": ["A", "O"]},
    ]  # fmt: skip
    scorer = Scorer.load(by_hand(tmp_path / "category", stages, ["index"]))
    assert warnings(scorer, GOOD | {"word": "xxa"}, GOOD | {"word": "??"}) == []
    assert warnings(scorer, GOOD | {"word": "b"}) == [(0, "word", "B", None)]


def test_ten_labels_at_the_most_the_nearest_first_and_a_hundred_entries_with_the_count_of_all(tmp_path: Path) -> None:
    labels = [f"port {number}" for number in range(3000)]
    stages = [{"stage": "StringIndexerModel", "inputs": ["word"], "outputs": ["index"], "labels": labels}]
    scorer = Scorer.load(by_hand(tmp_path / "many", stages, ["index"]))
    unseen = scorer.score([GOOD | {"word": " PORT 2999"}] * 250).unseen
    assert unseen.count == 250
    assert [entry["row"] for entry in unseen.entries] == list(range(100))
    assert len(unseen.entries[0]["known"]) == 10
    assert unseen.entries[0]["nearest"] == "port 2999"
    assert Lookup("count", "count", ("7", "100", "3")).nearest(90) == ["100", "7", "3"]


def test_a_value_as_long_as_a_book_is_told_of_in_short(scorer: Scorer) -> None:
    ((_, _, value, nearest),) = warnings(scorer, SEEN | {"word": "m" * 1_000_000})
    assert len(value) < 100
    assert nearest is None


def test_where_it_is_refused_the_sentence_names_value_and_what_is_known(folder: Path) -> None:
    scorer = Scorer.load(folder, "refuse")
    assert len(scorer.score([SEEN]).predictions) == 1
    with pytest.raises(InputError) as caught:
        scorer.score([SEEN, SEEN | {"word": "Male"}])
    assert (caught.value.field, caught.value.got) == ("word", "'Male' (text)")
    assert caught.value.message == (
        "word: got 'Male' (text) in record 1, which training has never seen; known: 'male', 'female'"
    )
    assert pickle.loads(pickle.dumps(scorer)).refuses_unseen, "a model that travels keeps what it was told"


def test_the_option_wins_over_the_environment_and_that_over_the_model(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = tmp_path / "strict"
    strict.mkdir()
    for file in folder.iterdir():
        (strict / file.name).write_bytes(file.read_bytes())
    manifest = json.loads((folder / "manifest.json").read_text())
    (strict / "manifest.json").write_text(json.dumps(manifest | {"unseen": "refuse"}))
    assert [Scorer.load(path).refuses_unseen for path in (folder, strict)] == [False, True]
    assert not Scorer.load(strict, "warn").refuses_unseen
    monkeypatch.setenv("LIFEBOAT_UNSEEN", "refuse")
    assert [Scorer.load(folder).refuses_unseen, Scorer.load(folder, "warn").refuses_unseen] == [True, False]
    with pytest.raises(UnseenError, match=r"unseen is 'ignore'; write warn \(answer, and say so\) or refuse"):
        Scorer.load(folder, "ignore")


def test_a_lookup_that_has_met_very_many_strange_values_stays_small() -> None:
    lookup = Lookup("count", "count", tuple(map(str, range(101))))
    for number in range(210_000):
        assert lookup.sentence(f"v{number}") == f"count: 'v{number}' was never seen in training"
    assert len(pickle.dumps(lookup)) < 8_000_000  # it travels to other processes with the model


def split(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"columns": list(rows[0]), "data": [list(row.values()) for row in rows]}


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/invocations", lambda rows: {"dataframe_records": rows}),
        ("/invocations", lambda rows: {"dataframe_split": split(rows)}),
        ("/score", lambda rows: {"input_data": split(rows)}),
        ("/score", split),
        ("/score", lambda rows: rows),
    ],
)
def test_every_form_of_request_has_the_warnings_beside_the_predictions_and_the_log_a_count(
    scorer: Scorer, capfd: pytest.CaptureFixture[str], path: str, form: Any
) -> None:
    client = create_app(Models(Model.of(scorer))).test_client()
    answer = client.post(path, json=form([SEEN, SEEN | {"word": "Male"}])).get_json()
    assert answer.keys() == {"predictions", "warnings", "warning_count"}
    assert (len(answer["predictions"]), answer["warning_count"]) == (2, 1)
    assert answer["warnings"] == [MALE | {"row": 1}]
    assert json.loads(capfd.readouterr().err)["unseen"] == {"word": 1}
    assert client.post(path, json=form([SEEN])).get_json().keys() == {"predictions"}
    assert "unseen" not in json.loads(capfd.readouterr().err)


def test_a_file_s_rows_have_the_warning_beside_the_prediction_or_as_the_reason(
    folder: Path, spark: SparkSession
) -> None:
    table = pa.RecordBatch.from_pylist(
        [SEEN | {"spare": None}, SEEN | {"word": "Male", "count": 2, "spare": 1.0}, SEEN | {"amount": 99.0}]
    )
    both = f"{CAPITALS}; count: 2 was never seen in training; nearest: '3'"
    warned = ColumnScorer(Scorer.load(folder)).answer(table, []).to_pylist()
    assert [row["warning"] for row in warned] == [None, both, None]
    assert [row["prediction"] is None for row in warned] == [False, False, True]
    refused = ColumnScorer(Scorer.load(folder, "refuse")).answer(table, []).to_pylist()
    assert [row["warning"] for row in refused] == [None] * 3
    assert [row["reason"] for row in refused][:2] == [None, both]
    frame = spark.createDataFrame(pa.Table.from_batches([table]).to_pandas())
    strict = score_frame(frame, Scorer.load(folder, "refuse"), keep=["word"]).collect()
    assert sorted(str(row.reason) for row in strict) == sorted(str(row["reason"]) for row in refused)


def test_the_command_writes_the_column_and_ends_with_a_line_that_counts_or_refuses_where_told(
    folder: Path, tmp_path: Path
) -> None:
    source = tmp_path / "rows.parquet"
    rows = [SEEN | {"spare": None}] + [SEEN | {"word": "Male", "spare": None}] * 4
    pq.write_table(pa.Table.from_pylist(rows), source)
    done = CliRunner().invoke(app, ["score", str(folder), str(source), str(tmp_path / "out.parquet")])
    assert done.exit_code == 0, done.output
    assert "4 of the rows scored have values never seen in training; `warning` names them:\n" in done.output
    assert f"  4 x {CAPITALS}\n" in done.output
    assert pq.read_table(tmp_path / "out.parquet")["warning"].to_pylist() == [None, *[CAPITALS] * 4]
    strict = ["score", str(folder), str(source), str(tmp_path / "strict.parquet"), "--unseen", "refuse"]
    done = CliRunner().invoke(app, strict)
    assert done.exit_code == 4
    assert f"  4 x {CAPITALS}\n" in done.output
    done = CliRunner().invoke(app, [*strict[:3], str(tmp_path / "no.parquet"), "--unseen", "maybe"])
    assert done.exit_code == 1
    assert "unseen is 'maybe'" in done.output
    assert not (tmp_path / "no.parquet").exists()


def test_mlflow_s_own_way_answers_and_warns_in_its_log(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    import pandas as pd
    from mlflow.pyfunc.model import PythonModelContext

    from lifeboat.scoring.pyfunc import PortableModel

    model = PortableModel()
    model.load_context(PythonModelContext({"portable": str(folder)}, {}))
    with caplog.at_level(logging.WARNING):
        assert len(model.predict(None, pd.DataFrame([SEEN | {"word": "Male"}]))) == 1
    assert caplog.messages == ["warning: 1 value was never seen in training (word)"]


def test_a_mean_of_all_rows_knows_no_groups_and_warns_of_none(tmp_path: Path) -> None:
    mean = {"stage": "GroupMeanImputerModel", "inputs": ["spare"], "outputs": ["whole"], "means": {}, "overall": 0.5}
    scorer = Scorer.load(by_hand(tmp_path / "hand", [*STAGES[:5], mean], FEATURES))
    assert warnings(scorer, SEEN | {"spare": None}, SEEN | {"spare": None, "big": 99}) == []
