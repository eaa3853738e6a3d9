"""`lifeboat new`: what is seen in a table, what is made of it, and the file that is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from lifeboat.cli.app import app
from lifeboat.errors import DataError, ParameterError
from lifeboat.parameters.csv_format import CsvFormat
from lifeboat.parameters.files import Chosen, read_parameters
from lifeboat.parameters.propose import Proposal, Survey, propose, survey, written
from lifeboat.parameters.propose.reading import as_text, guess_format
from lifeboat.parameters.propose.suspects import rates, univariate_auc
from lifeboat.parameters.resolve import resolve
from lifeboat.runner.preflight import check_run

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """``write(lines..., name=...)``: a CSV file with these lines."""

    def put(*lines: str, name: str = "rows.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return put


def columns(*columns: tuple[str, list[Any]]) -> list[str]:
    """Lines of a CSV file from its columns."""
    rows = zip(*[values for _, values in columns], strict=True)
    return [",".join(name for name, _ in columns), *[",".join(str(value) for value in row) for row in rows]]


def proposed(path: Path, label: str = "y", **more: Any) -> Proposal:
    return propose(survey(path), label, **more)


def role(proposal: Proposal, name: str) -> str:
    return next(feature.role for feature in proposal.features if feature.column.name == name)


def reason(proposal: Proposal, name: str) -> str:
    return next(feature.why for feature in proposal.features if feature.column.name == name)


NOISE = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4, 3, 3, 8, 3, 2, 7]
Y = [0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 0]


# --- what is seen


@pytest.mark.parametrize(
    ("values", "type_name"),
    [
        (["1", "-2", " 3"], "INT"),
        (["1", "2147483647", ""], "INT"),
        (["1", "2147483648"], "BIGINT"),
        (["1", "-2147483648"], "INT"),
        (["1", "-2147483649"], "BIGINT"),
        (["1", "2.5", "1e3", ".5", "-7."], "DOUBLE"),
        (["1.0", "2.0"], "DOUBLE"),
        (["true", "False", "TRUE"], "BOOLEAN"),
        (["a", "1"], "STRING"),
        (["007", "123"], "STRING"),
        (["12345678901234567890", "1"], "STRING"),
        (["1e999", "1"], "STRING"),
        (["1e99999", "1"], "STRING"),
        (["٣", "1"], "STRING"),
        (["fal\u017fe", "true"], "STRING"),
        (["2026-11-24", "2026-11-24 10:00:00"], "DATE"),
        (["24.11.2026", "1/2/26"], "DATE"),
        (["", ""], "STRING"),
        (["NA", "NA"], "STRING"),
    ],
)
def test_a_column_has_the_narrowest_type_that_holds_all_its_values(
    write: Write, values: list[str], type_name: str
) -> None:
    assert survey(write(*columns(("a", values), ("b", [1] * len(values))))).columns["a"].type == type_name


def test_gaps_values_and_limits_are_counted(write: Write) -> None:
    seen = survey(write("a,b,c", "1,x,NA", "2,,3.5", ",x,-1", "2,y,?"))
    a, b, c = seen.columns.values()
    assert (seen.rows, seen.unreadable) == (4, 0)
    assert (a.missing, a.values, a.minimum, a.maximum, a.unique) == (1, {"1": 1, "2": 2}, 1, 2, False)
    assert (b.missing, b.values, b.minimum) == (1, {"x": 2, "y": 1}, None)
    assert (c.missing, c.values, c.gap_words, c.type) == (2, {"3.5": 1, "-1": 1}, ("?", "NA"), "DOUBLE")


def test_a_word_for_a_gap_among_words_is_a_word(write: Write) -> None:
    column = survey(write("a,b", "none,1", "some,2")).columns["a"]
    assert (column.missing, column.values, column.gap_words) == (0, {"none": 1, "some": 1}, ())


def test_up_to_a_thousand_different_values_are_kept_and_of_more_none(write: Write) -> None:
    seen = survey(write(*columns(("a", [i % 1000 for i in range(1001)]), ("b", list(range(1001))))))
    assert (len(seen.columns["a"].values), seen.columns["a"].many) == (1000, False)
    assert (seen.columns["b"].values, seen.columns["b"].many) == ({}, True)


def test_lines_with_too_many_or_too_few_values_are_counted_and_left_out(write: Write) -> None:
    seen = survey(write("a,b", "1,2", "1,2,3", "4", "5,6"))
    assert (seen.rows, seen.unreadable, seen.columns["a"].values) == (2, 2, {"1": 1, "5": 1})


def test_a_column_without_a_name_is_refused_by_its_number(write: Write) -> None:
    with pytest.raises(DataError, match=r"rows\.csv: column 1 has no name: give it one in the header"):
        survey(write(",b", "1,2"))


def test_semicolons_tabs_and_bars_are_detected_whatever_stands_in_a_quoted_text(write: Write) -> None:
    assert survey(write("a;b", '1;"x,y,z"', "2;w")).csv.separator == ";"
    assert survey(write("a\tb", "1\t2,5")).csv.separator == "\t"
    assert survey(write("a|b", "1|2")).csv.separator == "|"
    assert survey(write("a", "1")).csv.separator == ","


def test_texts_of_several_lines_are_detected_where_they_make_the_file_whole(write: Write) -> None:
    whole = survey(write("a,b", '1,"one', 'two"', "2,x"))
    assert (whole.csv.multiline, whole.rows, whole.unreadable) == (True, 2, 0)
    each = survey(write("a,b", *[f'{n},"one\ntwo"' for n in range(9)]))
    assert (each.csv.multiline, each.rows, each.unreadable) == (True, 9, 0)
    spoilt = survey(write("a,b", '1,"one', "2,x", "3,y"))
    assert (spoilt.csv.multiline, spoilt.rows, spoilt.unreadable) == (False, 2, 1)


def test_parquet_keeps_its_types_and_nan_is_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    held = {
        "whole": pa.array([1.0, 2.0, float("nan")]),
        "tiny": pa.array([1, 2, None], pa.int8()),
        "long": pa.array([1, 2, 9_000_000_000_000_000_000]),
        "endless": pa.array([1.0, float("inf"), 2.0]),
        "word": pa.array(["a", "", "b"]).dictionary_encode(),
        "list": pa.array([[1], [2], None]),
        "flag": pa.array([True, False, None]),
    }
    pq.write_table(pa.table(held), path)
    seen = survey(path).columns
    assert {name: column.type for name, column in seen.items() if name != "list"} == {
        "whole": "DOUBLE", "tiny": "INT", "long": "BIGINT", "endless": "DOUBLE", "word": "STRING", "flag": "BOOLEAN",
    }  # fmt: skip
    assert {name: column.missing for name, column in seen.items()} == {
        "whole": 1, "tiny": 1, "long": 0, "endless": 0, "word": 1, "list": 1, "flag": 1,
    }  # fmt: skip
    assert seen["list"].type.startswith("list")
    assert seen["endless"].minimum is None


def test_a_parquet_file_s_other_types_are_declared_as_loading_takes_them(tmp_path: Path) -> None:
    held = {
        "price": pa.array(["1.50", None], pa.string()).cast(pa.decimal128(5, 2)),
        "big": pa.array([1, 2], pa.uint32()),
        "when": pa.array([1, 2], pa.timestamp("ns")),
        "nothing": pa.nulls(2),
        "at": pa.array([1, 2], pa.time64("us")),
        "took": pa.array([1, None], pa.duration("s")),
        "half": pa.array([1.5, 2.5], pa.float16()),
        "wide": pa.array([1, 2], pa.decimal256(60, 0)),
    }
    pq.write_table(pa.table(held), tmp_path / "rows.parquet")
    seen = survey(tmp_path / "rows.parquet").columns
    assert {name: column.type for name, column in seen.items()} == {
        "price": "DOUBLE", "big": "BIGINT", "when": "DATE", "nothing": "STRING",
        "at": "time64[us]", "took": "duration[s]", "half": "halffloat", "wide": "decimal256(60, 0)",
    }  # fmt: skip
    assert (seen["price"].missing, seen["price"].maximum, seen["took"].missing) == (1, 1.5, 1)


def test_a_folder_of_files_is_a_single_table(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"part-{number}.csv").write_text(f"a,b\n{number},x\n")
    seen = survey(tmp_path)
    assert (seen.rows, seen.columns["a"].values, seen.columns["a"].unique) == (2, {"1": 1, "2": 1}, True)


def test_a_large_file_is_counted_whole_and_sampled_evenly(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifeboat.reading.text.BLOCK", 2000)
    twice = [i % 4000 for i in range(5000)]  # in other blocks of the file
    path = write(*columns(("id", list(range(5000))), ("twice", twice), ("b", [*[0] * 4999, ""])))
    seen = survey(path, sample=100)
    assert not seen.columns["twice"].unique
    assert (seen.rows, seen.columns["id"].unique, seen.columns["id"].values) == (5000, True, {})
    assert (seen.columns["b"].missing, seen.columns["id"].maximum) == (1, 4999)
    kept = [int(value) for value in seen.sample["id"].to_pylist()]
    assert 100 <= len(kept) <= 200
    assert np.unique(np.diff(kept)).tolist() == [32]


def test_a_block_without_a_value_does_not_change_a_column_s_type(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifeboat.reading.text.BLOCK", 300)
    seen = survey(write(*columns(("late", [*[""] * 200, *range(200)]), ("early", [*range(200), *["NA"] * 200]))))
    assert [(column.type, column.maximum) for column in seen.columns.values()] == [("INT", 199), ("INT", 199)]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a,b"], "rows.csv holds no row: there is nothing to learn from"),
        ([""], "rows.csv has no header: all of its first lines are blank"),
        (["age,Age", "1,2"], "Spark cannot tell the columns 'age', 'Age' apart: rename all but one"),
    ],
)
def test_a_file_that_is_no_table_is_refused(write: Write, lines: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        survey(write(*lines))


# --- the label


def label_of(write: Write, values: list[Any], **more: Any) -> tuple[str, str]:
    """The label that is made of these values: its name and its SQL."""
    noise = [(5 * i + i * i) % 11 / 10 for i in range(len(values))]
    label = proposed(write(*columns(("x", noise), ("y", values))), **more).label
    return label.name, label.sql


def test_a_label_of_0_and_1_stays_as_it_is(write: Write) -> None:
    assert label_of(write, Y) == ("y", "")
    assert label_of(write, Y, positive="1") == ("y", "")
    assert label_of(write, Y, positive="0") == ("y_is_0", "try_cast(y AS DOUBLE) = 0")


def test_of_two_values_the_rarer_is_1_unless_another_is_named(write: Write) -> None:
    values = ["no", "yes", "no"] * 10
    assert label_of(write, values) == ("y_is_yes", "y = 'yes'")
    assert label_of(write, values, positive="no") == ("y_is_no", "y = 'no'")
    assert label_of(write, ["it's", "\\"] * 10, positive="it's") == ("y_is_it_s", "y = 'it\\'s'")
    assert label_of(write, ["it's", "\\"] * 10, positive="\\") == ("y_is", "y = '\\\\'")


def test_true_and_1_mean_yes_however_rare_the_other_is(write: Write) -> None:
    assert label_of(write, ["True", "True", "False"] * 10) == ("y_is_true", "try_cast(y AS BOOLEAN)")
    assert label_of(write, ["1.0", "1.0", "0.0"] * 10) == ("y_is_1_0", "try_cast(y AS DOUBLE) = 1")


def test_a_row_without_a_label_is_neither_0_nor_1(write: Write) -> None:
    proposal = proposed(write(*columns(("x", NOISE), ("y", ["NA", "", 1, 0, 1] * 6))))
    assert str(proposal.label.target[:5].tolist()) == "[nan, nan, 1.0, 0.0, 1.0]"
    assert proposal.label.share == pytest.approx(2 / 3)
    assert "12 rows have no y: notebook 1 will set them aside" in proposal.look


@pytest.mark.parametrize("values", [Y, ["a", "b", "c"] * 10, [1.5, 2.5] * 15])
def test_the_label_s_range_admits_both_its_classes(write: Write, values: list[Any]) -> None:
    proposal = proposed(write(*columns(("x", NOISE), ("y", values))))
    assert proposal.values["ranges"] == {proposal.label.name: [0, 1]}


def test_of_many_classes_the_rarest_stands_against_the_rest_with_a_remark(write: Write) -> None:
    path = write(*columns(("x", NOISE), ("y", ["b", "a", "c"] * 10)))
    proposal = proposed(path)
    assert (proposal.label.name, proposal.label.sql) == ("y_is_c", "y = 'c'")
    assert proposal.look[0].startswith(
        "3 classes, and Lifeboat tells one from the rest: 1 stands for 'c' (10 of 30 rows)"
    )
    assert proposal.label.share == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("values", "positive", "classes"),
    [
        (["died", "lived", "died"], "", ["died", "lived"]),
        (["died", "lived", "died"], "died", ["lived", "died"]),
        ([1, 2, 2], "", ["2", "1"]),
        (["b", "a", "c"], "a", ["not a", "a"]),
        ([0, 1, 0], "", []),  # which is which, the file does not say
        ([0, 1, 0], "0", []),
        (["1.0", "1.0", "0.0"], "", []),
        (["True", "False", "True"], "", []),
    ],
)
def test_classes_are_called_as_the_file_calls_them_where_it_does(
    write: Write, values: list[Any], positive: str, classes: list[str]
) -> None:
    many = values if len(values) > 3 else values * 10
    proposal = proposed(write(*columns(("x", [n * 7 % 11 for n in range(len(many))]), ("y", many))), positive=positive)
    assert proposal.values["class_names"] == classes
    assert parameters(written(proposal, "lifeboat new", "p.yaml"))["class_names"] == classes


@pytest.mark.parametrize(
    ("values", "more", "error", "message"),
    [
        ([1] * 3, {}, DataError, "the label 'y' has one value, '1', in all 3 rows: there is nothing to tell apart"),
        ([""] * 3, {}, DataError, "the label 'y' has no value in all 3 rows"),
        ([f"v{i}" for i in range(101)], {}, DataError, "a text with 101 different values, too many to be classes"),
        (list(range(21)), {}, DataError, "an amount with 21 different values, .* add a column to the file that is 1"),
        (["a", "b"], {"positive": "aa"}, ParameterError, "unknown value of y for --positive 'aa'"),
        (["a", "b"], {"label": "yy"}, ParameterError, "unknown column for --label 'yy': did you mean 'y'?"),
    ],
)
def test_a_column_that_cannot_be_a_label_is_refused(
    write: Write, values: list[Any], more: dict[str, str], error: type[Exception], message: str
) -> None:
    path = write(*columns(("x", list(range(len(values)))), ("y", values)))
    with pytest.raises(error, match=message):
        proposed(path, **more)


# --- the key


@pytest.mark.parametrize(
    ("name", "values", "key"),
    [
        ("passenger_id", [9, 4, 7, *range(100, 127)], "passenger_id"),
        ("code", [f"k{i}" for i in range(30)], "code"),
        ("count", list(range(5, 35)), "count"),  # a number for each row, without a gap
        ("height", [i * i for i in range(30)], "row_id"),  # differs in each row, as measurements do
        ("id", [1, *range(29)], "row_id"),
        ("id", ["", *range(29)], "row_id"),
        ("id", [i + 0.5 for i in range(30)], "row_id"),
    ],
)
def test_the_key_is_a_whole_number_or_text_that_names_each_row(
    write: Write, name: str, values: list[Any], key: str
) -> None:
    proposal = proposed(write(*columns((name, values), ("x", NOISE), ("y", Y))))
    assert (proposal.values["key"], proposal.values["enrich"]) == (key, {"make_key": True} if key == "row_id" else {})
    assert (role(proposal, name) == "key") == (key != "row_id")


def test_a_name_like_id_wins_over_another_that_comes_first(write: Write) -> None:
    lines = columns(
        ("name", [f"n{i}" for i in range(30)]), ("userId", [f"u{i}" for i in range(30)]), ("x", NOISE), ("y", Y)
    )
    assert proposed(write(*lines)).values["key"] == "userId"


def test_a_key_must_name_the_rows_to_predict_too(write: Write) -> None:
    path = write(*columns(("id", list(range(30))), ("x", NOISE), ("y", Y)))
    other = write("id,x", "1,2", "1,3", name="other.csv")
    assert proposed(path, unlabelled=survey(other)).values["enrich"]["make_key"]


# --- the features


def test_numbers_and_categories_are_parted_by_type_and_gaps_are_filled(write: Write) -> None:
    size = [["S", "M", "L", ""][n % 4] for n in NOISE]
    flag = [["true", "false"][n % 2] for n in NOISE]
    doubt = [["true", "false", ""][n % 3] for n in NOISE]
    age = ["" if n == 9 else n + 0.5 for n in NOISE]
    lines = columns(("size", size), ("flag", flag), ("doubt", doubt), ("age", age), ("rank", NOISE), ("y", Y))
    values = proposed(write(*lines)).values
    assert values["numeric"] == ["flag", "age", "rank"]
    assert values["categorical"] == ["size", "doubt"]
    assert values["impute"] == {"size": "mode", "doubt": "mode", "age": "mean"}
    assert values["schema"] == (
        "size STRING, flag BOOLEAN NOT NULL, doubt BOOLEAN, age DOUBLE, rank INT NOT NULL, y INT NOT NULL"
    )
    assert set(values["groups"]) <= {"size", "flag", "doubt", "age", "rank"}


def test_gaps_in_the_rows_to_predict_alone_are_filled_as_well(write: Write) -> None:
    path = write(*columns(("x", NOISE), ("late", Y), ("y", Y)))
    other = survey(write("x,z", "1.5,1", ",1", name="other.csv"))
    proposal = proposed(path, unlabelled=other)
    assert proposal.values["impute"] == {"x": "mean"}
    assert proposal.values["schema"] == "x DOUBLE, y INT NOT NULL"
    assert reason(proposal, "late") == "the rows to predict do not have it"


def test_a_column_that_tells_the_label_by_itself_is_left_out_with_its_reason(write: Write) -> None:
    outcome = [f"w{y}" for y in Y]
    lines = columns(("x", NOISE), ("copy", outcome), ("far", [abs(10 * y - 5.5) for y in Y]), ("y", Y))
    proposal = proposed(write(*lines))
    assert (role(proposal, "copy"), role(proposal, "far"), role(proposal, "x")) == ("out", "out", "numeric")
    assert "by itself it all but tells the label (ROC AUC 1.000)" in reason(proposal, "copy")
    assert any(line.startswith("copy: by itself") for line in proposal.look)


def test_that_a_value_is_missing_can_be_the_leak(write: Write) -> None:
    boat = [7.0 + n if y else "" for n, y in zip(NOISE, Y, strict=True)]
    assert "all but tells the label" in reason(
        proposed(write(*columns(("boat", boat), ("x", NOISE), ("y", Y)))), "boat"
    )


def test_a_column_scored_alone_learns_no_value_by_heart(write: Write) -> None:
    random = np.random.default_rng(7)
    y = random.integers(0, 2, 400)
    lines = columns(
        ("names", [f"n{i // 2}" for i in range(400)]), ("noise", random.normal(size=400)), ("y", y.tolist())
    )
    seen = survey(write(*lines))
    for name in ("names", "noise"):
        assert 0.4 < univariate_auc(seen, seen.columns[name], y.astype(float)) < 0.6


@pytest.mark.parametrize("scaled", [lambda x: x * 1e300, lambda x: 2**53 - 64 + x, lambda x: float("inf") if x else 0])
def test_numbers_that_single_precision_cannot_tell_apart_are_scored_alone_too(
    write: Write, scaled: Callable[[int], float]
) -> None:
    y = np.tile([0, 1], 32)
    seen = survey(write(*columns(("x", [scaled(int(row % 2)) for row in range(64)]), ("y", y.tolist()))))
    assert univariate_auc(seen, seen.columns["x"], y.astype(float)) == 1


def test_where_every_column_tells_the_label_they_are_kept_with_a_remark(write: Write) -> None:
    proposal = proposed(write(*columns(("copy", Y), ("y", Y))))
    assert proposal.values["numeric"] == ["copy"]
    assert any(line.startswith("copy: by itself") for line in proposal.look)


def test_a_column_that_tells_nothing_is_left_out_with_its_reason(write: Write) -> None:
    lines = columns(
        ("same", ["a"] * 30), ("empty", [""] * 30), ("day", [f"2026-11-{n:02}" for n in NOISE]),
        ("note", [f"text {i}" for i in range(29)] + ["text 0"]), ("shop_id", [f"s{n}" for n in NOISE]),
        ("customer_id", [n * 1000 for n in NOISE]), ("x", NOISE), ("y", Y),
    )  # fmt: skip
    proposal = proposed(write(*lines))
    assert reason(proposal, "same") == "its value is always 'a'"
    assert reason(proposal, "empty") == "it has no value"
    assert reason(proposal, "day").startswith("a date")
    assert reason(proposal, "note") == "a text that differs in most rows"
    assert (role(proposal, "shop_id"), role(proposal, "customer_id")) == ("categorical", "numeric")


def test_a_file_without_a_column_to_learn_from_is_refused(write: Write) -> None:
    with pytest.raises(DataError, match=r"no column is left to learn 'y' from \(same: its value is always 'a'\)"):
        proposed(write(*columns(("same", ["a"] * 30), ("y", Y))))


def test_a_large_category_gets_as_many_bins_and_a_larger_is_left_out(write: Write) -> None:
    towns = [f"p{i % 40:02}" for i in range(600)]
    many = [f"m{i % 250}" for i in range(600)]
    lines = columns(("place", towns), ("many", many), ("y", [i * 7 % 3 % 2 for i in range(600)]))
    proposal = proposed(write(*lines))
    assert proposal.values["estimator_params"] == {"maxDepth": 5, "maxBins": 42}
    assert reason(proposal, "many").startswith("250 different texts: too many")


ODD_NAMES = [
    "a.b",
    "ti`ck",
    "x {y}",
    "Größe",
    "100 %",
    "id:1",
    "it's",
    "a\tb",
    "a,  b",
    "# no",
    "$x$",
    "  two",
    "*",
    "- a",
]


def test_every_column_keeps_its_name_whatever_is_in_it(write: Write) -> None:
    odd = [("prediction", NOISE[::-1]), *((f'"{name}"', NOISE) for name in ODD_NAMES)]
    proposal = proposed(write(*columns(*odd, ('"the ""end"""', [1 - y for y in Y]))), 'the "end"', name="odd")
    names = ["prediction", *ODD_NAMES]
    assert (proposal.values["numeric"], proposal.values["label"]) == (names, 'the "end"')
    assert "compute" not in proposal.values["enrich"]
    assert "`ti``ck` INT NOT NULL" in proposal.values["schema"]
    values = check_text(written(proposal, "lifeboat new", "params/odd.yaml"))
    assert {name: values[name] for name in proposal.values} == proposal.values


def test_words_for_gaps_are_named_for_the_columns_that_have_them(write: Write) -> None:
    proposal = proposed(write(*columns(("a.b: c", ["NA", "-", *NOISE[2:]]), ("y", Y))), name="rows")
    assert proposal.values["enrich"]["no_value"] == {"a.b: c": ["-", "NA"]}
    assert (proposal.values["numeric"], proposal.values["impute"]) == (["a.b: c"], {"a.b: c": "mean"})
    assert proposal.values["schema"].startswith("`a.b: c` INT, ")
    assert parameters(written(proposal, "c", "p"))["enrich"] == proposal.values["enrich"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ('"a\u2028b"', "the name of column 1, 'a\\u2028b', has a line's end or NUL in it: rename it"),
        ("lifeboat:x", "'lifeboat:x' starts with 'lifeboat:', as columns do that Lifeboat adds: rename it"),
    ],
)
def test_a_name_that_no_column_can_have_is_refused_with_it(write: Write, name: str, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(f"rows.csv: {message}")):
        proposed(write(*columns((name, NOISE), ("y", Y))))


def test_the_baseline_is_the_column_of_few_values_that_tells_most(write: Write) -> None:
    hint = [f"h{(y + (i % 5 == 0)) % 2}" for i, y in enumerate(Y)]
    values = proposed(write(*columns(("noise", [f"g{n % 3}" for n in NOISE]), ("hint", hint), ("y", Y)))).values
    assert values["baseline"] == "hint"
    assert values["groups"] == ["hint", "noise"]


def test_without_a_column_of_few_values_the_column_that_tells_most_is_it_with_a_remark(write: Write) -> None:
    number = [5 * y + n + i / 100 for i, (n, y) in enumerate(zip(NOISE, Y, strict=True))]
    proposal = proposed(write(*columns(("noise", [i / 4 for i in range(30)]), ("v", number), ("y", Y))))
    assert [proposal.values[name] for name in ("baseline", "groups", "compare")] == ["v", ["v"], ["v"]]
    assert proposal.why["baseline"] == (
        "no column has few values: compute one by hand that cuts this in a few, and name it here and in groups"
    )


def test_the_models_are_named_as_they_are_to_be(write: Write) -> None:
    values = proposed(write(*columns(("v", [i / 4 for i in range(40)]), ("y", [0, 1] * 20))), name="mine").values
    assert values["registered_model"] == "mine"


def test_where_a_class_is_rare_accuracy_is_not_the_metric(write: Write) -> None:
    path = write(*columns(("x", [n % 7 for n in range(100)]), ("y", [int(n % 10 == 0) for n in range(100)])))
    proposal = proposed(path)
    assert proposal.values["metric"] == "log_loss"
    assert any("about 10 rows" in line for line in proposal.look)


def test_the_rarer_class_is_counted_whichever_it_is(write: Write) -> None:
    path = write(*columns(("x", [n % 7 for n in range(100)]), ("y", [int(n % 10 > 0) for n in range(100)])))
    proposal = proposed(path, positive="1")
    assert any("one class has about 10 rows" in line for line in proposal.look)
    assert proposal.values["metric"] == "log_loss"


def test_all_that_a_person_must_look_at_is_listed_most_important_first(write: Write) -> None:
    mixed = {f"n{k}": [NOISE[k * (i + 1) % 30] for i in range(30)] for k in (1, 7, 11, 13, 17, 19)}
    table = [
        ("day", [f"{1 + i % 9}/{1 + i % 7}/2024" for i in range(30)]),
        ("same", ["x"] * 30),
        ("copy", ["ab"[y] for y in Y]),
        ("near", ["pq"[y if i % 8 else 1 - y] for i, y in enumerate(Y)]),
        *mixed.items(),
        ("y", ["" if i == 3 else ("no", "yes")[y] for i, y in enumerate(Y)]),
    ]
    assert proposed(write(*columns(*table), "1,2")).look == [
        "1 stands for 'no' (14 of 29 rows), 0 for 'yes'; --positive names another",
        "copy: by itself it all but tells the label (ROC AUC 1.000): is it known before the label is?",
        "one class has about 14 rows: intervals will be wide, and folds may lack it",
        "1 rows have no y: notebook 1 will set them aside",
        "1 lines have too many or too few values: notebook 1 will set them aside",
        "no column names a row: if one should, name it as `key` and drop make_key",
        "day: left out: a date: as a number it would only say how old the data are; compute by hand what may tell "
        "more, such as its month or weekday; split_by could hold out the latest by it, as ISO writes it or made a DATE",
        "same: left out: its value is always 'x'",
        "these tell the label best by themselves (ROC AUC): near 0.88, n19 0.85; are they known before the label is?",
        "n1, n7, n11, n13, n17 and 1 more: few whole numbers, taken as amounts: one that stands for a name is to be "
        "STRING in the schema and stand under categorical",
        "day: read as day/month, and may be month/day",
        "day_date: made so that split_by could hold out the latest rows by it",
    ]


def test_the_reasons_for_csv_and_for_more_bins_than_spark_s_stand_with_them(write: Write) -> None:
    many = [f"v{i % 40}" for i in range(120)]
    proposal = proposed(write(*columns(("x", NOISE * 4), ("v", many), ("y", Y * 4))))
    assert proposal.values["estimator_params"] == {"maxDepth": 5, "maxBins": 42}
    assert proposal.why["estimator_params"] == "maxBins: the largest category has 40 values"
    assert proposal.why["csv"] == "how the file is written"
    lines = [f'{x},"one\ntwo",{y}' for x, y in zip(NOISE, Y, strict=True)]
    assert proposed(write("x,note,y", *lines)).why["csv"] == (
        "multiline: read so, quoted texts of several lines leave no line unread"
    )


def test_a_value_tells_the_label_s_rate_drawn_towards_that_of_all_by_a_single_row() -> None:
    texts, label = np.array(["a", "a", "b"], dtype=object), np.array([1.0, 1.0, 0.0])
    encoded = rates(texts, label, np.array(["a", "b", "c"], dtype=object))
    assert encoded.tolist() == pytest.approx([(2 + 2 / 3) / 3, (0 + 2 / 3) / 2, 2 / 3])


# --- the file


def parameters(text: str) -> dict[str, Any]:
    return yaml.safe_load(text)  # type: ignore[no-any-return]


def check_text(text: str) -> dict[str, Any]:
    values = parameters(text)
    return check_run(resolve(Chosen(values), environ={}))


def test_the_file_holds_the_proposal_and_the_checker_takes_it(write: Write) -> None:
    path = write(
        *columns(("a: b #c", NOISE), ("no", ["yes", "no", "-"] * 10), ("id", [str(i) for i in range(30)]), ("y", Y))
    )
    proposal = proposed(path, name="rows")
    text = written(proposal, "lifeboat new rows.csv --label y", "params/rows.yaml")
    assert check_text(text).items() >= {**proposal.values, "registered_model": "rows"}.items()
    assert text.startswith(
        "# yaml-language-server: $schema=schema.json\n"
        "# A first parameter file for rows.csv, written by\n#\n#   lifeboat new rows.csv --label y\n"
    )
    assert all(len(line) < 121 for line in text.splitlines() if "path" not in line)


def test_letters_that_end_a_line_in_yaml_come_back_as_they_were(write: Write) -> None:
    path = write(*columns(("x", NOISE), ("y", ["a\u2028b", "c\x85"] * 15)))
    proposal = proposed(path, positive="c\x85", name="rows")
    assert check_text(written(proposal, "c", "p"))["enrich"]["compute"] == {"y_is_c": "y = 'c\x85'"}


def test_no_default_that_speaks_of_the_passengers_is_left(write: Write) -> None:
    values = check_text(written(proposed(write(*columns(("x", NOISE), ("y", Y))), name="rows"), "c", "p"))
    assert not [word for word in ("Title", "Ticket", "Survived", "Sex", "Braund", "titanic") if word in str(values)]


def test_a_column_left_out_stands_in_the_file_with_its_reason(write: Write) -> None:
    proposal = proposed(write(*columns(("x", NOISE), ("copy", Y), ("y", Y))))
    lines = written(proposal, "c", "p").splitlines()
    index = lines.index("  # - copy")
    assert lines[index - 1].startswith("  - x ")
    assert "by itself it all but tells the label" in lines[index + 1]


CELLS = st.one_of(
    st.integers(-(10**12), 10**12).map(str),
    st.sampled_from(["", "NA", "a", "b", "true", "false", "2026-01-01", "0.5", "it's", "x: y # z", "007"]),
    st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters='",'), max_size=5),
)
NAMES = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters='",\r\n\0'), min_size=1, max_size=8
).filter(
    lambda name: len(name.splitlines()) == 1  # the others are refused, and tested by themselves
)


@st.composite
def tables(draw: st.DrawFn) -> list[str]:
    """The label's name and a table's lines; the label, its last column, has two values at least."""
    names = draw(st.lists(NAMES, min_size=3, max_size=5, unique_by=lambda name: name.lower()))
    few = [draw(st.lists(CELLS, min_size=2, max_size=4, unique=True)) for _ in names[1:]]
    classes = draw(
        st.lists(CELLS.filter(lambda cell: cell.strip() not in ("", "NA")), min_size=2, max_size=3, unique=True)
    )
    rows = draw(st.lists(st.tuples(*map(st.sampled_from, few)), min_size=4, max_size=30))
    labelled = [(*row, classes[at % len(classes)]) for at, row in enumerate(rows)]
    quoted = ['"' + '","'.join(row) + '"' for row in [tuple(names), *labelled]]
    return [names[-1], *quoted]


def test_any_small_table_gives_a_file_that_the_checker_takes_or_a_plain_refusal(tmp_path: Path) -> None:
    refusals, files = list[str](), list[str]()

    @given(tables())
    @settings(max_examples=60)
    def taken_or_refused(lines: list[str]) -> None:
        label, *rows = lines
        path = tmp_path / "any.csv"
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
        try:
            seen: Survey = survey(path)
            proposal = propose(seen, label, name="any")
        except (DataError, ParameterError) as error:
            refusals.append(str(error))
            return
        files.append(written(proposal, "lifeboat new", "params/any.yaml"))
        values = check_text(files[-1])
        assert {name: values[name] for name in proposal.values} == proposal.values

    taken_or_refused()
    assert len(files) >= 40, f"too many refusals for a test of files: {refusals}"


# --- the command


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Write) -> Path:
    monkeypatch.setenv("LIFEBOAT_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params").mkdir()
    write(*columns(("x", NOISE), ("kind", ["cat", "dog"] * 15), ("y", Y)), name="My Data.csv")
    return tmp_path


def lifeboat(*words: str) -> Any:
    return CliRunner().invoke(app, ["new", *words])


def test_the_command_writes_a_file_named_as_the_data_and_prints_the_next_steps(home: Path) -> None:
    ran = lifeboat("My Data.csv", "--label", "y")
    assert ran.exit_code == 0, ran.output
    assert ran.stdout.splitlines() == [
        "My Data.csv: 30 rows, 3 columns",
        "label     y = 1 where y is 1: 50.0% of the rows",
        "key       row_id: no column names a row: a key is made from the row's content",
        "features  1 numeric, 1 categorical, 0 left out",
        "baseline  x: of the columns with few values, the one that tells most by itself",
        "Look at",
        "  - one class has about 15 rows: intervals will be wide, and folds may lack it",
        "  - no column names a row: if one should, name it as `key` and drop make_key",
        "  - x: few whole numbers, taken as amounts: one that stands for a name is to be STRING in the schema and "
        "stand under categorical",
        "Written   params/my_data.yaml: read it, change it, then",
        "  lifeboat run params/my_data.yaml",
    ]
    values = check_run(resolve(read_parameters([home / "params/my_data.yaml"]), environ={}))
    assert (values["labelled_path"], values["registered_model"]) == ("My Data.csv", "my_data")
    assert not list((home / "params").glob(".*"))


def test_a_file_that_is_there_is_kept_unless_forced(home: Path) -> None:
    mine = home / "params" / "my_data.yaml"
    mine.write_text("seed: 7\n")
    ran = lifeboat("My Data.csv", "--label", "y")
    assert ran.exit_code == 2
    assert ran.stderr == (
        "lifeboat: params/my_data.yaml is there already: give another name by --out, or write over it by --force\n"
    )
    assert mine.read_text() == "seed: 7\n"
    assert lifeboat("My Data.csv", "--label", "y", "--out", "mine.yaml").exit_code == 0
    assert (home / "mine.yaml").is_file()
    assert lifeboat("My Data.csv", "--label", "y", "--force").exit_code == 0
    assert "label: y" in mine.read_text()


def test_the_csv_format_is_printed_and_stands_in_file_and_command(home: Path) -> None:
    lines = ["of no account", "x;y", *(f"{x};{y}" for x, y in zip(NOISE, Y, strict=True))]
    (home / "odd.txt").write_text("\n".join(lines), encoding="latin-1")
    options = ["--separator", ";", "--encoding", "latin-1", "--skip-lines", "1", "--no-multiline"]
    ran = lifeboat("odd.txt", "--label", "y", *options)
    assert ran.exit_code == 0, ran.output
    assert ran.stdout.splitlines()[1] == "csv       separator: ';', encoding: 'iso8859-1', skip_lines: 1"
    text = (home / "params/odd.yaml").read_text()
    command = "lifeboat new odd.txt --label y --separator ';' --encoding latin-1 --skip-lines 1 --no-multiline"
    assert f"#   {command}\n" in text
    assert parameters(text)["csv"] == {"separator": ";", "encoding": "iso8859-1", "skip_lines": 1}


@pytest.mark.parametrize(
    ("words", "status", "error"),
    [
        (["My Data.csv", "--label", "z"], 2, "unknown column for --label 'z': Known: kind, x, y"),
        (["My Data.csv", "--label", "kinds"], 2, "did you mean 'kind'?"),
        (["no.csv", "--label", "y"], 1, "no file or folder 'no.csv'"),
        (["My Data.csv", "--label", "y", "--unlabelled", "no.csv"], 1, "no file or folder 'no.csv'"),
    ],
)
def test_a_mistake_ends_in_plain_words_and_writes_nothing(
    home: Path, words: list[str], status: int, error: str
) -> None:
    ran = lifeboat(*words)
    assert ran.exit_code == status
    assert ran.stderr.startswith("lifeboat: ")
    assert error in ran.stderr
    assert not list((home / "params").iterdir())


def test_no_lines_less_than_none_can_be_skipped(home: Path) -> None:
    ran = lifeboat("My Data.csv", "--label", "y", "--skip-lines", "-1")
    assert ran.exit_code == 2
    assert "greater than or equal to 0" in " ".join(ran.stderr.split())


def test_the_command_that_made_a_file_stands_in_it(home: Path, write: Write) -> None:
    write("x,kind", "1,cat", name="new.csv")
    assert lifeboat("My Data.csv", "--label", "y", "--positive", "0", "--unlabelled", "new.csv").exit_code == 0
    text = (home / "params/my_data.yaml").read_text()
    assert "#   lifeboat new 'My Data.csv' --label y --positive 0 --unlabelled new.csv\n" in text
    assert parameters(text)["unlabelled_path"] == "new.csv"


def test_nan_is_a_gap_among_numbers_and_a_word_among_texts() -> None:
    assert as_text(pa.array([1.5, float("nan")])).to_pylist() == ["1.5", None]
    assert as_text(pa.array(["nan", "x", ""])).to_pylist() == ["nan", "x", None]


def test_commas_in_the_texts_of_a_table_with_semicolons_are_no_sign_of_texts_over_several_lines(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a;b\n1,5;x\n2;y, z\n")
    assert guess_format(tmp_path / "rows.csv", CsvFormat()) == CsvFormat(separator=";")
