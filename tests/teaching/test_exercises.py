"""Every solved exercise is right, every unsolved one says what to do, and a wrong answer gets its cause."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from classroom import Classroom
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from wrong_answers import NAMED, ODD, OTHERS, RARER, STILL_RIGHT

from lifeboat.run import Run
from lifeboat.teaching.exercises import feedback
from lifeboat.teaching.exercises.check import find_exercise
from lifeboat.teaching.exercises.errors import WrongAnswerError
from lifeboat.teaching.exercises.kinds import Kind, Letters, Named, Number, Several, Whole

ROOT = Path(__file__).parents[2]
NOTEBOOKS = [path.stem for path in sorted((ROOT / "notebooks/solutions").glob("*.ipynb"))]


def exercises(notebook: str) -> list[str]:
    """The names of a notebook's exercises."""
    return [f"{int(notebook[:2])}{letter}" for letter in ("ab" if notebook[:2] in ("00", "06") else "abc")]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_an_unsolved_notebook_stops_at_nothing_but_its_checks_and_each_says_what_to_do(
    classroom: Classroom, notebook: str
) -> None:
    ran = classroom.run(ROOT / "notebooks/exercises" / f"{notebook}.ipynb")
    stopped = {cell.id: str(cell.error) for cell in ran if cell.error}
    assert list(stopped) == [f"{name[1]}-check" for name in exercises(notebook)]
    for name, message in zip(exercises(notebook), stopped.values(), strict=True):
        assert message.startswith(f"{name}: Nothing filled in yet: write your answer")


@pytest.fixture(scope="module", params=NOTEBOOKS)
def solved(request: pytest.FixtureRequest, classroom: Classroom) -> tuple[str, Classroom]:
    """A notebook's name, and the shell in which its solved cells have run."""
    ran = classroom.run(ROOT / "notebooks/solutions" / f"{request.param}.ipynb")
    assert [(cell.id, cell.error) for cell in ran if cell.error] == []
    verdicts = [cell.printed for cell in ran if cell.id.endswith("-check")]
    assert [text.split(",")[0] for text in verdicts] == [f"{name}: right" for name in exercises(request.param)]
    return request.param, classroom


def test_a_solved_notebook_is_right_and_wrong_answers_get_a_message_that_names_their_cause(
    solved: tuple[str, Classroom],
) -> None:
    notebook, classroom = solved
    for name in exercises(notebook):
        assert len(NAMED[name]) == 2
        for answer, cause in [*NAMED[name], *RARER.get(name, [])]:
            error = classroom.check_answer(name[1], answer).error
            assert isinstance(error, WrongAnswerError), f"{name}: {answer}: {error!r}"
            assert cause in str(error), f"{name}: {answer}"
            assert str(error).startswith(f"{name}: not yet. ")


def test_three_more_wrong_answers_to_each_exercise_are_not_right_either(solved: tuple[str, Classroom]) -> None:
    notebook, classroom = solved
    for name in exercises(notebook):
        assert len(OTHERS[name]) >= 3
        for answer in [*OTHERS[name], *ODD]:
            error = classroom.check_answer(name[1], answer).error
            assert isinstance(error, WrongAnswerError), f"{name}: {answer}: {error!r}"
            assert str(error).startswith(f"{name}: not yet. ")
            assert len(str(error)) < 1000, f"{name}: {answer}"


def test_an_answer_is_right_in_whatever_form_it_comes(solved: tuple[str, Classroom]) -> None:
    notebook, classroom = solved
    for name in exercises(notebook):
        for answer in STILL_RIGHT[name]:
            ran = classroom.check_answer(name[1], answer)
            assert ran.error is None, f"{name}: {answer}: {ran.error!r}"
            assert ran.printed.startswith(f"{name}: right, ")


def beside(kind: Kind, answer: Any) -> Iterator[Any]:
    """Answers of the same kind next to one: a row more, a line less, one of several a little off."""
    if isinstance(kind, Whole):
        yield from (answer - 1, answer + 1)
    elif isinstance(kind, Number):
        yield from (answer - 2.5 * kind.within, answer + 2.5 * kind.within)
    elif isinstance(kind, Letters):
        yield from (set(answer) ^ {letter} for letter in "ABCDE")
    elif isinstance(kind, Several):
        for place, value in enumerate(answer):
            single = kind.kinds[place if len(kind.kinds) > 1 else 0]
            yield from ([*answer[:place], other, *answer[place + 1 :]] for other in beside(single, value))
    elif isinstance(kind, Named):
        for name, value in answer.items():
            yield from ({**answer, name: other} for other in beside(kind.kinds[name], value))


def test_no_answer_next_to_the_right_one_is_right(solved: tuple[str, Classroom]) -> None:
    notebook, classroom = solved
    for name in exercises(notebook):
        kind = find_exercise(name).kind
        near = list(beside(kind, kind.read(classroom.names[name[1]]["right"])))
        assert len(near) >= 2
        for answer in near:
            error = classroom.check_answer(name[1], repr(answer)).error
            assert isinstance(error, WrongAnswerError), f"{name}: {answer}: {error!r}"


def test_a_table_or_a_column_of_spark_is_no_answer_yet(run_dir: Path, spark: SparkSession) -> None:
    for answer, described in [(spark.range(3), "a table of Spark"), (F.max("Fare"), "a column of Spark")]:
        with pytest.raises(WrongAnswerError, match=rf"1b: not yet\. The answer is {described}"):
            feedback("1b", answer, Run(run_dir, spark), column="Fare", limits=[0, 1])
