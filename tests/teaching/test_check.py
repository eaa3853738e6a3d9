"""What is said of answers of another kind, of exercises that are not there, and of runs that are not finished."""

from __future__ import annotations

import json
import math
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lifeboat.errors import ParameterError
from lifeboat.run import Run
from lifeboat.teaching.exercises import check, feedback, finished_run
from lifeboat.teaching.exercises.check import Mistake, Solution, _cause
from lifeboat.teaching.exercises.errors import NoRunError, UnfitRunError, WrongAnswerError
from lifeboat.teaching.exercises.kinds import Kind, Letters, Named, Number, Several, Whole

WHOLE, NUMBER = Whole("a whole number of rows"), Number("a number", within=0.01, digits=2)
PAIR = Several("a pair", [WHOLE, NUMBER])


@pytest.mark.parametrize(
    ("kind", "answer", "value"),
    [
        (WHOLE, 166, 166),
        (WHOLE, 166.0, 166),
        (WHOLE, np.int64(166), 166),
        (WHOLE, np.array(166), 166),
        (WHOLE, Decimal(166), 166),
        (NUMBER, np.float32(0.5), 0.5),
        (NUMBER, Decimal("0.5"), 0.5),
        (Letters("letters"), "a, B", {"A", "B"}),
        (Letters("letters"), ["B", "a"], {"A", "B"}),
        (Letters("letters"), set(), set()),
        (Letters("letters"), {"B": 2, "A": 1}.keys(), {"A", "B"}),
        (Letters("letters"), {1: "B", 2: "A"}.values(), {"A", "B"}),
        (Letters("letters"), np.array(["B", "A"]), {"A", "B"}),
        (Letters("letters"), pd.Series(["B", "A"]), {"A", "B"}),
        (PAIR, [1, 2], (1, 2.0)),
        (PAIR, np.array([1.0, 2.5]), (1, 2.5)),
        (Several("a list", [WHOLE]), pd.Series([3, 4, 5]), (3, 4, 5)),
        (Several("a list", [WHOLE]), {0: 3, 1: 4}.values(), (3, 4)),
        (Named("a dict", {"x": WHOLE}), {"x": 3.0}, {"x": 3}),
    ],
)
def test_an_answer_is_read_in_whatever_way_it_was_computed(kind: Kind, answer: Any, value: Any) -> None:
    assert kind.read(answer) == value


@pytest.mark.parametrize(
    ("kind", "answer", "message"),
    [
        (WHOLE, 166.4, "This wants a whole number of rows, and got 166.4 (float)."),
        (WHOLE, math.nan, "This wants a whole number of rows, and got nan (float)."),
        (WHOLE, True, "This wants a whole number of rows, and got True (bool)."),
        (WHOLE, "166", "This wants a whole number of rows, and got '166' (str)."),
        (WHOLE, np.array([166]), "This wants a whole number of rows, and got array([166]) (ndarray)."),
        (WHOLE, np.bool_(True), "This wants a whole number of rows, and got np.True_ (bool)."),
        (NUMBER, np.timedelta64(3, "D"), "This wants a number, and got np.timedelta64(3,'D') (timedelta64)."),
        (NUMBER, [10**5000], "This wants a number, and got what is too long to write (list)."),
        (NUMBER, Decimal("sNaN"), "This wants a number, and got Decimal('sNaN') (Decimal)."),
        (NUMBER, pd.Series([0.5, 1.5], name="x"), "This wants a number, and got 0 0.5 1 ...dtype: float64 (Series)."),
        (NUMBER, [0.5], "This wants a number, and got [0.5] (list)."),
        (Letters("letters"), {"AB"}, "This wants letters, and got {'AB'} (set)."),
        (Letters("letters"), 3, "This wants letters, and got 3 (int)."),
        (Letters("letters"), {pd.NA}, "This wants letters, and got {<NA>} (set)."),
        (PAIR, [10**400, 1], f"This wants a pair, and got [1{'0' * 17}...{'0' * 19}, 1] (list)."),
        (PAIR, {1, 2}, "This wants a pair, and got {1, 2} (set)."),
        (PAIR, [1], "This wants a pair, and got [1] (list)."),
        (PAIR, 1, "This wants a pair, and got 1 (int)."),
        (PAIR, [1.5, 2], "This wants a pair, and got [1.5, 2] (list)."),
        (Named("a dict of x", {"x": WHOLE}), {"y": 3}, "This wants a dict of x, and got {'y': 3} (dict)."),
        (Named("a dict of x", {"x": WHOLE}), {"x": "3"}, "This wants a dict of x, and got {'x': '3'} (dict)."),
    ],
)
def test_an_answer_of_another_kind_is_refused_with_what_is_wanted(kind: Kind, answer: Any, message: str) -> None:
    with pytest.raises(WrongAnswerError) as error:
        kind.read(answer)
    assert str(error.value) == message


def test_a_long_answer_is_told_by_its_beginning() -> None:
    with pytest.raises(WrongAnswerError) as error:
        WHOLE.read({f"column {number}": ["a word"] * 9 for number in range(9)})
    assert len(str(error.value)) < 250
    assert str(error.value).endswith(" ... (dict).")
    assert Several("a list", [WHOLE]).shown((0,) * 20 + (7,)) == "0, " * 20 + "..."


@pytest.mark.parametrize(
    ("answer", "shown"),
    [(15.01, "15"), (-0.0, "0"), (-0.01, "0"), (-0.0252, "-0.0252"), (0.5362, "0.5362"), (math.inf, "inf")],
)
def test_rounding_what_is_shown_makes_no_other_answer_of_it(answer: float, shown: str) -> None:
    assert Number("rows", within=0.02, digits=0).shown(answer) == shown


def test_numbers_are_the_same_within_their_tolerance_and_no_further() -> None:
    assert NUMBER.same(36.67, 36.66)
    assert not NUMBER.same(36.68, 36.66)
    assert NUMBER.same(math.nan, math.nan)
    assert not NUMBER.same(math.nan, 0.0)
    assert not PAIR.same((1, 0.5), (1, 0.6))
    assert not Several("a list", [WHOLE]).same((1, 2), (1, 2, 3))


def test_the_first_mistake_that_fits_is_named_and_else_the_hint_is_given() -> None:
    mistakes = [Mistake(lambda answer: answer > 10, "too large"), Mistake(11, "eleven"), Mistake(3, "three")]
    solution = Solution(7, "So.", mistakes, "look again")
    assert [_cause(WHOLE, answer, solution) for answer in (11, 3, 4)] == ["too large", "three", "look again"]


@pytest.fixture
def run(run_dir: Path) -> Run:
    return Run(run_dir)


def test_a_right_answer_is_printed_with_why_it_matters(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    check("3a", (10, 4), run)
    assert capsys.readouterr().out.startswith("3a: right, 10, 4. Each grid point once a fold, and the winner once more")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (..., "3a: Nothing filled in yet: write your answer in place of `...`"),
        (None, "3a: not yet. The answer is None: the last step of your cell gives nothing back."),
        (
            "ten",
            "3a: not yet. This wants two whole numbers: fits of the classifier, fits of the preprocessing",
        ),
        ((10, 5), "3a: not yet. You have 10, 5. The grid has 3 points, and there are 3 folds."),
    ],
)
def test_whatever_comes_as_an_answer_gets_a_sentence(run: Run, answer: Any, message: str) -> None:
    with pytest.raises(WrongAnswerError) as error:
        feedback("3a", answer, run)
    assert str(error.value).startswith(message)
    assert error.value._render_traceback_() == [str(error.value)]


@pytest.mark.parametrize("name", ["3d", "3", "9a", ""])
def test_an_exercise_that_is_not_there_is_refused(run: Run, name: str) -> None:
    with pytest.raises(ParameterError, match="unknown exercise"):
        feedback(name, 1, run)


@pytest.mark.parametrize(
    ("name", "about", "message"),
    [
        ("1a", {"fraction": 0.2}, "fraction is 0.2: take one between this run's, 0.2, and 1"),
        ("5a", {"column": "Cabin", "group": "A"}, "fills no gap of 'Cabin' by its group's mean"),
    ],
)
def test_a_question_that_a_run_cannot_answer_is_refused(
    run: Run, name: str, about: dict[str, Any], message: str
) -> None:
    with pytest.raises(UnfitRunError, match=message):
        feedback(name, 1, run, **about)


def test_rows_are_not_counted_in_a_run_that_chose_by_another_metric(run_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(run_dir, tmp_path / "run")
    file = tmp_path / "run/03_train_cv/scores.json"
    file.write_text(file.read_text().replace('"metric": "accuracy"', '"metric": "log_loss"'))
    for name in ("3b", "3c"):
        with pytest.raises(UnfitRunError, match="this run chose by log_loss"):
            feedback(name, [1, 2], Run(tmp_path / "run"))


def test_of_settings_with_the_same_mean_one_is_named_as_the_next_best(run_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(run_dir, tmp_path / "run")
    file = tmp_path / "run/03_train_cv/scores.json"
    noted = json.loads(file.read_text())
    noted |= {"scores": [[0.5, 0.6, 0.7], [0.7, 0.5, 0.6], [0.9, 0.9, 0.9]], "best": 2}
    file.write_text(json.dumps(noted))
    sizes = pd.read_parquet(tmp_path / "run/03_train_cv/out_of_fold")["lifeboat:fold"].value_counts().sort_index()
    run = Run(tmp_path / "run")
    assert feedback("3b", sizes * [0.4, 0.3, 0.2], run).startswith("3b: right")
    with pytest.raises(WrongAnswerError, match=r"Several settings have the next best mean\. Take number 0, counted"):
        feedback("3b", sizes * [0.2, 0.4, 0.3], run)


def test_a_run_that_is_not_finished_or_is_stale_is_refused_with_a_sentence(run_dir: Path, tmp_path: Path) -> None:
    copied = tmp_path / "run"
    shutil.copytree(run_dir, copied)
    assert finished_run(copied).path == copied
    (copied / "05_deploy/read.json").write_text('{"01_load/train": "another digest"}')
    with pytest.raises(NoRunError, match=r"05_deploy is stale: 01_load/train changed"):
        finished_run(copied)
    shutil.rmtree(copied / "04_evaluate")
    with pytest.raises(NoRunError, match=r"04_evaluate is not there\. In a terminal, `make run` makes one"):
        finished_run(copied)
