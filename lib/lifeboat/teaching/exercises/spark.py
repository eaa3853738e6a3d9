"""Exercises on notebook 0: what makes Spark work, and how many jobs a question takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pyspark.sql import functions as F

from lifeboat.run.folder import Run
from lifeboat.spark.session import count_jobs
from lifeboat.spark.sql import ticked
from lifeboat.teaching.exercises.check import Exercise, Mistake, Solution
from lifeboat.teaching.exercises.errors import UnfitRunError
from lifeboat.teaching.exercises.kinds import Letters, Whole

CACHED = (
    "it gives back a table that is to be kept *once* its rows have been computed. `cache` is lazy: the next action "
    "fills it."
)
DESCRIBED = (
    "it gives back a table, which only describes rows. Counting the rows of groups makes a table of counts; nobody "
    "has wanted to see it yet."
)


def working_lines(run: Run, lines: Mapping[str, Callable[[], Any]]) -> Solution:
    """Which lines of code make Spark work: those that give back something else than a table."""
    results = {letter: line() for letter, line in lines.items()}
    tables = {letter: result for letter, result in results.items() if hasattr(result, "sparkSession")}
    cached = {letter for letter, table in tables.items() if table.storageLevel.useMemory}
    for letter in cached:
        tables[letter].unpersist()
    right = frozenset(results.keys() - tables.keys())
    mistakes = [
        Mistake(lambda answer: not answer <= results.keys(), f"The lines are called {', '.join(sorted(results))}."),
        *(_too_many(letter, CACHED if letter in cached else DESCRIBED) for letter in sorted(tables)),
        *(_missing(letter, type(results[letter]).__name__) for letter in sorted(right)),
    ]
    return Solution(
        right,
        "What gives back rows, a number or a file is an action, and makes Spark work. What gives back a table is a "
        "transformation: it waits, so that Spark can look at all steps before it does one.",
        mistakes,
        "Look at what each line gives back: a table, or something else?",
    )


def _too_many(letter: str, reason: str) -> Mistake:
    return Mistake(lambda answer: letter in answer, f"{letter} runs no job: {reason}")


def _missing(letter: str, kind: str) -> Mistake:
    hint = f"{letter} is missing: it gives back no table but a value in your Python ({kind}). Spark had to work for it."
    return Mistake(lambda answer: letter not in answer, hint)


def jobs_saved(run: Run, amount: str) -> Solution:
    """How many jobs fewer one action takes than three that ask for as much."""
    rows, label = run.train, ticked(run.schema["label"])
    mean, ones = F.avg(ticked(amount)), F.count_if(F.col(label) == 1)

    def each() -> None:
        rows.count()
        rows.agg(mean).collect()
        rows.filter(F.col(label) == 1).count()

    session = rows.sparkSession
    apart, at_once = count_jobs(session, each), count_jobs(session, rows.agg(F.count("*"), mean, ones).collect)
    if apart is None or at_once is None:
        raise UnfitRunError("Spark Connect does not say how many jobs it runs: start Spark by local[2] for this one")
    return Solution(
        apart - at_once,
        f"Three actions took {apart} jobs, one took {at_once}. Each action reads the table from its first step on, so "
        "ask for all that you want of it in one.",
        [
            Mistake(0, "No job more and none fewer? A question that only describes runs no job either way: see to it "
                    "that each ends in an action, inside what `count_jobs` is handed."),
            Mistake(apart, f"So many jobs do the three actions take. How many fewer are the {at_once} of the one?"),
            Mistake(at_once, f"So many jobs does the one action take. Three actions became one, but an action is one "
                    f"job or more: count the jobs of the three, and subtract {at_once} from that."),
            Mistake(at_once - apart, "The right size, and the wrong way round: how many *fewer* does the one take?"),
        ],
        "Count the jobs of the three actions together, then those of one `agg` with three columns, and subtract.",
    )  # fmt: skip


EXERCISES = {
    "a": Exercise(Letters("a set of the lines' letters, such as {'A', 'B'}"), working_lines),
    "b": Exercise(Whole("a whole number of jobs"), jobs_saved),
}
