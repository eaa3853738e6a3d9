"""Check an answer: say why it is right, or where a wrong one comes from."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lifeboat.errors import ParameterError, unknown
from lifeboat.run.folder import STAGES, Run
from lifeboat.teaching.class_folder import report
from lifeboat.teaching.exercises.errors import NoRunError, WrongAnswerError
from lifeboat.teaching.exercises.kinds import Kind

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# the notebook's number -> the module of its exercises
MODULES = {
    "0": "spark",
    "1": "load",
    "2": "preprocess",
    "3": "train_cv",
    "4": "evaluate",
    "5": "deploy",
    "6": "scale",
}
UNFILLED = "Nothing filled in yet: write your answer in place of `...` in the cell above, run it, then this again."
NO_VALUE = "The answer is None: the last step of your cell gives nothing back. A check wants the value itself."
# what only the types of Spark have -> what is said of them
DESCRIBED = {
    "sparkSession": "The answer is a table of Spark, a description of rows that nobody computed yet: bring its value "
    "by an action.",
    "getItem": "The answer is a column of Spark, which describes values and has none: put it into a table, and bring "
    "the value by an action.",
}


@dataclass(frozen=True)
class Mistake:
    """A way to go wrong that leads to a known answer.

    Attributes:
        answer: The answer it leads to; or a function that recognises such answers.
        hint: What went wrong, and where to look.
    """

    answer: Any
    hint: str


@dataclass(frozen=True)
class Solution:
    """What is right in a run.

    Attributes:
        answer: The right answer.
        why: Why it matters, as a sentence or two.
        mistakes: Known ways to go wrong; the first that fits is named.
        hint: What to do about any other answer.
    """

    answer: Any
    why: str
    mistakes: Sequence[Mistake]
    hint: str


@dataclass(frozen=True)
class Exercise:
    """An exercise: what an answer looks like, and what is right.

    Attributes:
        kind: How answers are read and compared.
        solve: From a run, and what the notebook says by keyword, to what is right there.
    """

    kind: Kind
    solve: Callable[..., Solution]


def rows_of(run: Run, *names: str) -> pd.DataFrame:
    """Rows of a run, read without Spark: so a check does not go the learner's own way."""
    return pd.concat([pd.read_parquet(run.find(name)) for name in names], ignore_index=True)


def finished_run(run_dir: str | Path, session: SparkSession | None = None) -> Run:
    """A run whose five notebooks have left their folders, none of them stale.

    Args:
        run_dir: Its folder; a relative path starts at the project's root.
        session: Spark, to read its rows as Spark's tables.

    Raises:
        NoRunError: There is none; the message says how to get one.
    """
    run = Run(run_dir, session)
    missing = [stage for stage in STAGES if not (run.path / stage).is_dir()]
    if missing:
        raise NoRunError(
            f"No finished run in {run.path}: {', '.join(missing)} is not there. In a terminal, `make run` makes one in "
            "outputs/titanic (some minutes); or write the folder of another one into run_dir."
        )
    if stale := next(run.stale(STAGES[-1]), None):
        raise NoRunError(f"{stale}.")
    return run


def find_exercise(name: str) -> Exercise:
    """The exercise of a name such as ``1a``: the notebook's number and a letter.

    Raises:
        ParameterError: There is none.
    """
    exercises: dict[str, Exercise] = {}
    if module := MODULES.get(name[:1]):
        exercises = importlib.import_module(f"lifeboat.teaching.exercises.{module}").EXERCISES
    if name[1:] not in exercises:
        known = [f"{name[:1]}{letter}" for letter in exercises] or [f"{number}a" for number in MODULES]
        raise ParameterError(unknown("exercise", name, known))
    return exercises[name[1:]]


def feedback(name: str, answer: Any, run: Run, **about: Any) -> str:
    """What is said of a right answer.

    Args:
        name: The exercise, such as ``1a``.
        answer: The learner's.
        run: A finished run; what is right is computed from it.
        about: What the exercise speaks about, such as ``column="Age"``: as its notebook says it.

    Raises:
        WrongAnswerError: It is not right yet; the message says what is wrong and where to look.
        UnfitRunError: The run has not what the exercise is about.
        ParameterError: There is no such exercise.
    """
    exercise = find_exercise(name)
    if answer is ...:
        raise WrongAnswerError(f"{name}: {UNFILLED}")
    if answer is None:
        raise WrongAnswerError(f"{name}: not yet. {NO_VALUE}", NO_VALUE)
    for attribute, described in DESCRIBED.items():
        if hasattr(type(answer), attribute):
            raise WrongAnswerError(f"{name}: not yet. {described}", described)
    kind = exercise.kind
    try:
        value = kind.read(answer)
    except WrongAnswerError as error:
        raise WrongAnswerError(f"{name}: not yet. {error}", f"Not {kind.wanted}.") from None
    solution = exercise.solve(run, **about)
    if kind.same(value, solution.answer):
        return f"{name}: right, {kind.shown(value)}. {solution.why}"
    cause = _cause(kind, value, solution)
    raise WrongAnswerError(f"{name}: not yet. You have {kind.shown(value)}. {cause}", cause)


def _cause(kind: Kind, value: Any, solution: Solution) -> str:
    """The hint of the first known mistake that leads to an answer, else the one for all others."""
    for mistake in solution.mistakes:
        known = mistake.answer
        if known(value) if callable(known) else kind.same(value, known):
            return mistake.hint
    return solution.hint


def check(name: str, answer: Any, run: Run, **about: Any) -> None:
    """Print what is said of an answer, as ``feedback`` gives it; a wrong one stops the cell with its message alone.

    Where the environment names a class's folder, a line on it goes there; a cell that nobody filled in is no answer.
    """
    try:
        right = feedback(name, answer, run, **about)
    except WrongAnswerError as error:
        if error.cause:
            report(name, False, error.cause)
        raise
    report(name, True)
    print(right)
