"""The scorer by itself: what it takes, what it refuses, and that it needs no Spark."""

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hand_made import GOOD, by_hand
from lifeboat.scoring.fields import InputError
from lifeboat.scoring.scorer import BrokenModelError, Scorer


def made(folder: Path, stages: list[dict[str, Any]], features: list[str], **settings: Any) -> Scorer:
    return Scorer.load(by_hand(folder, stages, features, **settings))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    return made(tmp_path_factory.mktemp("hand") / "plain", [], ["count", "big", "amount", "flag"])


def margin(scorer: Scorer, record: dict[str, Any]) -> float:
    first, second = scorer.score([record]).probabilities[0]
    return round(math.log(second / first), 9)


def refusal(scorer: Scorer, **changed: Any) -> InputError:
    with pytest.raises(InputError) as caught:
        scorer.score([GOOD | changed])
    return caught.value


def test_the_margin_of_a_known_record_is_the_sum_worked_out_by_hand(plain: Scorer) -> None:
    assert margin(plain, GOOD) == 1 + 2 + 3 + 1


def test_a_whole_number_may_be_written_with_a_point_and_a_number_without(plain: Scorer) -> None:
    assert margin(plain, GOOD | {"count": 1.0, "amount": 3}) == 7
    assert margin(plain, GOOD | {"count": np.int32(1), "amount": np.float32(3), "flag": np.bool_(True)}) == 7


def test_true_is_1_where_a_number_is_wanted_and_1_is_true_where_a_truth_is_as_in_a_file(plain: Scorer) -> None:
    assert margin(plain, GOOD | {"count": True, "flag": 1}) == 7
    assert margin(plain, GOOD | {"count": False, "flag": 0.0}) == 5
    assert margin(plain, GOOD | {"word": 5}) == 7


def test_a_known_column_that_the_model_does_not_use_is_ignored_whatever_it_holds(plain: Scorer) -> None:
    assert margin(plain, GOOD | {"ticket": ["A/5", 1], "y": None}) == 7


def test_a_nullable_column_may_be_left_out_null_or_not_a_number(plain: Scorer) -> None:
    assert [margin(plain, GOOD | extra) for extra in ({}, {"spare": None}, {"spare": math.nan})] == [7, 7, 7]


@pytest.mark.parametrize(
    ("field", "value", "got", "allowed"),
    [
        ("count", None, "nothing (missing or null)", "a whole number from -2147483648 to 2147483647"),
        ("count", 2.5, "2.5 (number)", "a whole number from -2147483648 to 2147483647"),
        ("count", "1", "'1' (text)", "a whole number from -2147483648 to 2147483647"),
        ("count", 2**31, "2147483648 (number)", "a whole number from -2147483648 to 2147483647"),
        ("count", math.inf, "inf (number)", "a whole number from -2147483648 to 2147483647"),
        ("count", math.nan, "nan (number)", "a whole number from -2147483648 to 2147483647"),
        (
            "big",
            2**63,
            "9223372036854775808 (number)",
            "a whole number from -9223372036854775808 to 9223372036854775807",
        ),
        ("amount", -0.001, "-0.001 (number)", "a number from 0 to 10"),
        ("amount", math.nextafter(10, 11), "10.000000000000002 (number)", "a number from 0 to 10"),
        ("amount", math.nan, "nan (number)", "a number from 0 to 10"),
        ("amount", [3.0], "[3.0] (list)", "a number from 0 to 10"),
        ("amount", 10**400, "a whole number of more than 77 digits", "a number from 0 to 10"),
        ("word", 5.5, "5.5 (number)", "text"),
        ("word", "", "'' (text)", "text"),
        ("word", None, "nothing (missing or null)", "text"),
        ("word", math.nan, "nan (number)", "text"),
        ("flag", 2, "2 (number)", "true or false"),
        ("flag", "true", "'true' (text)", "true or false"),
        ("spare", math.inf, "inf (number)", "a number that is finite, or null"),
        ("spare", "1", "'1' (text)", "a number that is finite, or null"),
    ],
)
def test_a_wrong_value_is_refused_with_field_value_and_what_is_allowed(
    plain: Scorer, field: str, value: Any, got: str, allowed: str
) -> None:
    error = refusal(plain, **{field: value})
    assert (error.field, error.got, error.allowed) == (field, got, allowed)
    assert str(error) == f"{field}: got {got}; allowed: {allowed}"


def test_a_missing_column_is_refused_by_its_name(plain: Scorer) -> None:
    with pytest.raises(InputError, match=r"^word: got nothing \(missing or null\)"):
        plain.score([{name: value for name, value in GOOD.items() if name != "word"}])


def test_a_column_that_training_computed_is_asked_for_with_the_way_to_compute_it(plain: Scorer) -> None:
    inputs = [
        column | {"made": "price * pieces", "nullable": True} if column["name"] == "amount" else column
        for column in plain.manifest["signature"]["inputs"]
    ]
    _, (manifest, *rest) = plain.__reduce__()
    scorer = Scorer(manifest | {"signature": manifest["signature"] | {"inputs": inputs}}, *rest)
    assert margin(scorer, GOOD) == 7
    with pytest.raises(InputError, match=r"amount = price \* pieces: send it"):
        scorer.score([{name: value for name, value in GOOD.items() if name != "amount"}])


def test_an_unknown_column_is_refused_with_the_nearest_name(plain: Scorer) -> None:
    error = refusal(plain, ammount=3)
    assert error.field == "ammount"
    assert error.message.startswith("unknown column 'ammount': did you mean 'amount'? Known: amount, big, count")


def test_in_a_batch_the_message_names_the_record(plain: Scorer) -> None:
    with pytest.raises(InputError, match=r"flag: got 7 \(number\) in record 2; allowed: true or false"):
        plain.score([GOOD, GOOD, GOOD | {"flag": 7}])


def test_no_records_give_no_scores(plain: Scorer) -> None:
    scores = plain.score([])
    assert (scores.predictions.shape, scores.probabilities.shape) == ((0,), (0, 2))


def stage(kind: str, inputs: list[str], output: str, **learned: Any) -> dict[str, Any]:
    return {"stage": kind, "inputs": inputs, "outputs": [output], **learned}


def test_null_is_no_group_and_no_label_even_where_one_is_called_none(tmp_path: Path) -> None:
    kept = stage("GroupMeanImputerModel", ["spare", "spare"], "mean", means={"None": 5.0}, overall=2.0)
    indexed = stage("StringIndexerModel", ["spare"], "index", labels=["x", "None", "y"])
    assert margin(made(tmp_path / "group", [kept], ["mean"]), GOOD) == 2
    assert margin(made(tmp_path / "label", [indexed], ["index"]), GOOD) == 3


def test_only_ascii_letters_make_a_word_as_in_java(tmp_path: Path) -> None:
    title = stage("TextCategory", ["word"], "title", pattern=r"(\w+)\.", categories={"Mr": "Mr"}, other="Other")
    scorer = made(tmp_path / "w", [title, stage("StringIndexerModel", ["title"], "i", labels=["Other", "Mr"])], ["i"])
    assert [margin(scorer, GOOD | {"word": word}) for word in ("éMr.", "Mré.", "Mr.")] == [1, 0, 1]


def test_sums_are_added_from_left_to_right(tmp_path: Path) -> None:
    total = stage("SumColumns", ["amount", "count", "big"], "total")
    whole = made(tmp_path / "sum", [total, stage("EqualTo", ["total"], "same", value=0.0)], ["same"])
    assert margin(whole, GOOD | {"amount": 1e-17, "count": 1, "big": -1}) == 1  # exact arithmetic would say 1e-17


def test_a_margin_must_exceed_the_threshold_s_log_odds(tmp_path: Path) -> None:
    above = made(tmp_path / "a", [], ["amount"], threshold=0.5)
    assert above.score([GOOD | {"amount": 0.0}, GOOD | {"amount": 5e-324}]).predictions.tolist() == [0, 1]


@pytest.mark.parametrize(("threshold", "expected"), [(0.0, 1), (1.0, 0)])
def test_a_threshold_at_either_end_always_says_the_same(tmp_path: Path, threshold: float, expected: int) -> None:
    scorer = made(tmp_path / "t", [], ["amount"], threshold=threshold)
    assert scorer.score([GOOD | {"amount": 10.0}, GOOD | {"amount": 0.0}]).predictions.tolist() == [expected] * 2


def test_one_record_scores_as_it_does_among_many(forest: Path, braund: dict[str, Any], cumings: dict[str, Any]) -> None:
    scorer = Scorer.load(forest)
    records = [braund, cumings, braund | {"Age": None}, braund | {"Name": ""}] * 50
    many = scorer.score(records)
    single = [scorer.score([record]) for record in records]
    assert many.predictions.tolist() == [int(scores.predictions[0]) for scores in single]
    assert np.array_equal(many.probabilities, np.concatenate([scores.probabilities for scores in single]))
    assert many.predictions[:2].tolist() == [0, 1]


@pytest.mark.parametrize("name", ["model.onnx", "preprocess.json"])
def test_an_altered_file_is_refused_by_name(forest: Path, tmp_path: Path, name: str) -> None:
    copy = shutil.copytree(forest, tmp_path / "copy")
    (copy / name).write_bytes((copy / name).read_bytes() + b" ")
    with pytest.raises(BrokenModelError, match=f"{name} in .* is not the file that was exported"):
        Scorer.load(copy)


@pytest.mark.parametrize("name", ["model.onnx", "preprocess.json"])
def test_a_missing_file_is_named(forest: Path, tmp_path: Path, name: str) -> None:
    copy = shutil.copytree(forest, tmp_path / "copy")
    (copy / name).unlink()
    with pytest.raises(BrokenModelError, match=f"copy is not a portable model: cannot read its {name} \\(No such file"):
        Scorer.load(copy)


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        BrokenModelError, match=r"is not a portable model: cannot read its manifest.json \(No such file"
    ):
        Scorer.load(tmp_path)


ALONE = """
import sys, json
for name in ("pyspark", "mlflow", "pandas", "flask", "pyarrow", "matplotlib", "onnx", "sklearn", "scipy"):
    sys.modules[name] = None  # importing it is an error
from lifeboat.scoring.scorer import Scorer
scores = Scorer.load(sys.argv[1]).score(json.loads(sys.argv[2]))
print(json.dumps([scores.predictions.tolist(), scores.probabilities.tolist()]))
"""


def test_it_scores_without_spark_mlflow_or_pandas(
    forest: Path, braund: dict[str, Any], cumings: dict[str, Any]
) -> None:
    result = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, str(forest), json.dumps([braund, cumings])],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    predictions, probabilities = json.loads(result.stdout)
    here = Scorer.load(forest).score([braund, cumings])
    assert predictions == here.predictions.tolist()
    assert probabilities == here.probabilities.tolist()
