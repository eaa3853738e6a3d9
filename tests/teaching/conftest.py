"""A finished run, and a shell that runs notebooks' cells in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from classroom import Classroom
from finished import make_run
from pyspark.sql import SparkSession

from lifeboat.teaching.exercises.check import MODULES, Exercise


@pytest.fixture(scope="session")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    return make_run(tmp_path_factory.mktemp("run")).path


@pytest.fixture(scope="module")
def classroom(run_dir: Path, spark: SparkSession) -> Iterator[Classroom]:
    """A shell for notebooks; what is right is computed once for each exercise, however many answers are checked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SparkSession, "stop", lambda self: None)  # a notebook stops what the next one still uses
        for module in MODULES.values():
            exercises = import_module(f"lifeboat.teaching.exercises.{module}").EXERCISES
            for letter, exercise in exercises.items():
                patch.setitem(exercises, letter, once(exercise))
        room = Classroom(run_dir)
        yield room
        room.close()


def once(exercise: Exercise) -> Exercise:
    """The exercise, solved the first time alone."""
    solve: Callable[..., Any] = exercise.solve
    kept: list[Any] = []

    def first_time(*run: Any, **about: Any) -> Any:
        if not kept:
            kept.append(solve(*run, **about))
        return kept[0]

    return replace(exercise, solve=first_time)
