"""Exercises on notebook 6: what shuffles, and how a salt spreads a frequent value."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifeboat.run.folder import Run
from lifeboat.spark.session import steps_of_plan
from lifeboat.spark.sql import ticked
from lifeboat.teaching.exercises.check import Exercise, Mistake, Solution
from lifeboat.teaching.exercises.kinds import Letters, Whole

SENT = "the small table is sent whole to where the rows are (`BroadcastExchange`), and no row of the large one moves."
BY_ITSELF = "each partition can do this without knowing of the others."
TOGETHER = "rows that belong together, or next to each other, lie in all partitions, and must change places to meet."


def shuffling_lines(run: Run, lines: Mapping[str, Callable[[], DataFrame]]) -> Solution:
    """Which tables take a shuffle: those with an ``Exchange`` in their plan."""
    plans = {letter: steps_of_plan(line()) for letter, line in lines.items()}
    right = frozenset(letter for letter, plan in plans.items() if "Exchange" in plan)
    return Solution(
        right,
        "Rows change places where a result needs rows of more than one partition. That is what costs: count the "
        "`Exchange` of a plan before you count its lines.",
        [
            Mistake(lambda answer: not answer <= plans.keys(), f"The lines are called {', '.join(sorted(plans))}."),
            *(_too_many(letter, "BroadcastExchange" in plans[letter]) for letter in sorted(plans.keys() - right)),
            *(_missing(letter) for letter in sorted(right)),
        ],
        "Ask `steps_of_plan` for each line's steps, and look for `Exchange`.",
    )


def _too_many(letter: str, broadcast: bool) -> Mistake:
    return Mistake(lambda answer: letter in answer, f"{letter} shuffles nothing: {SENT if broadcast else BY_ITSELF}")


def _missing(letter: str) -> Mistake:
    return Mistake(lambda answer: letter not in answer, f"{letter} is missing: {TOGETHER}")


def fullest_pile(run: Run, uneven: str, piles: int, salts: int) -> Solution:
    """How many rows the fullest of some partitions has, where they are cut by an uneven column and a salt."""
    rows, key = run.train, F.col(ticked(run.schema["key"]))
    salt = F.pmod(F.hash(key), F.lit(salts))

    def sizes(*columns: Column) -> list[int]:
        # as Spark cuts: by Murmur3 of the columns, and what is left of it by the number of partitions
        pile = F.pmod(F.hash(*columns), F.lit(piles)).alias("pile")
        return sorted(row["count"] for row in rows.groupBy(pile).count().collect())

    salted, unsalted, by_key = sizes(F.col(ticked(uneven)), salt), sizes(F.col(ticked(uneven))), sizes(key)
    n = sum(salted)
    return Solution(
        salted[-1],
        f"By {uneven} alone the fullest had {unsalted[-1]} of {n} rows. The salt cuts each value into {salts}, and "
        "each piece goes its own way; not quite evenly, as the pieces are few. Whoever wants the sum of a value then "
        "adds up its pieces, as a second, small step.",
        [
            Mistake(unsalted[-1], f"That is the fullest by {uneven} alone. Put the salt beside it: "
                    f"`repartition({piles}, column, salt)`."),
            Mistake(by_key[-1], f"That is the fullest by the key alone, where rows of one {uneven} lie anywhere. Cut "
                    "by the column and the salt."),
            Mistake(sizes(salt)[-1], f"That is by the salt alone. Cut by {uneven} and the salt."),
            Mistake(salted[0], "That is the emptiest. Which has most?"),
            Mistake(n, f"Those are all rows. How many are in the fullest of the {piles} piles?"),
            Mistake(lambda answer: abs(answer - n / piles) < 1, "So it would be if the piles were even. A hash does "
                    "not promise that: count them."),
        ],
        f"`rows.repartition({piles}, column, salt)`, count by `F.spark_partition_id()`, and take the largest.",
    )  # fmt: skip


EXERCISES = {
    "a": Exercise(Letters("a set of the lines' letters, such as {'A', 'B'}"), shuffling_lines),
    "b": Exercise(Whole("a whole number of rows"), fullest_pile),
}
