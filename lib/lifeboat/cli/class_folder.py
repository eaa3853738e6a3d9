"""``lifeboat class``: where a class stands."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def class_folder(
    folder: Annotated[Path, typer.Argument(envvar="LIFEBOAT_CLASS_FOLDER", help="What the checks write to.")],
) -> None:
    """Show what a class's checks wrote into FOLDER: each exercise's most frequent mistake, and who is stuck where."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from lifeboat.errors import DataError
    from lifeboat.teaching.class_folder import read_lines, stuck, tallies

    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}: name the one that LIFEBOAT_CLASS_FOLDER names for the class")
    lines = read_lines(folder)
    if not lines:
        return typer.echo(f"No check has written to {folder} yet.")
    console = Console(width=None if sys.stdout.isatty() else 160)
    exercises = Table("exercise", "tried", "passed", "had it", "most frequent cause", show_lines=True)
    for tally in tallies(lines):
        numbers = [tally.tried, tally.passed, tally.had_cause]
        exercises.add_row(tally.exercise, *map(str, numbers), Text(tally.cause))
    console.print(exercises)
    waiting = Table("stuck", "exercise", "answers", "since", "cause of the last", show_lines=True)
    for each in stuck(lines):
        since = f"{each.since.astimezone():%H:%M}"
        waiting.add_row(str(each.learner), each.exercise, str(each.answers), since, Text(each.cause))
    console.print(waiting if waiting.rows else "Nobody is stuck.")
