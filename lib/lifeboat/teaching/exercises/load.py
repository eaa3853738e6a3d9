"""Exercises on notebook 1: the hold-out, the rejected, what is missing."""

from __future__ import annotations

from typing import Any

import pandas as pd
from pyspark.sql import functions as F

from lifeboat import sampling
from lifeboat.run.folder import Run
from lifeboat.teaching.exercises.check import Exercise, Mistake, Solution, rows_of
from lifeboat.teaching.exercises.errors import UnfitRunError
from lifeboat.teaching.exercises.kinds import Named, Several, Whole


def larger_holdout(run: Run, fraction: float) -> Solution:
    """How many of the rows that the run held out are held out too where ``fraction`` of all are."""
    parameters, key = run.parameters["01"], run.schema["key"]
    before = parameters["holdout_fraction"]
    if not before < fraction < 1:
        raise UnfitRunError(f"fraction is {fraction}: take one between this run's, {before}, and 1")
    held = len(rows_of(run, "holdout"))
    how = {name: parameters[name] for name in ("split_by", "group_by")}
    rows = run.train.unionByName(run.holdout)
    marked = sampling.mark_holdout(rows, key, fraction, parameters["split_seed"], **how)
    now = marked.filter(F.col(sampling.HOLDOUT)).count()
    by_chance, spread = held * fraction, (held * fraction * (1 - fraction)) ** 0.5
    return Solution(
        held,
        "All of them: a row's number stays as it is, and only the bar that it is held against moves up. "
        "So a hold-out can grow, and nobody who was held out is ever learned from.",
        [
            Mistake(now, f"So many are held out at {fraction}. Of these, count those that were held out before: "
                    "intersect both by their key."),
            Mistake(lambda answer: abs(answer - by_chance) < 4 * spread,
                    f"That is about {fraction:.0%} of those held out before: as many as chance leaves where lots are "
                    "drawn anew. Does the row's number move, or the bar? With the same seed, only the bar does."),
        ],
        "Mark the same rows twice by `mark_holdout`, with the run's split_seed both times; count the keys in both.",
    )  # fmt: skip


def rejected_rows(run: Run, column: str, limits: list[float]) -> Solution:
    """How many labelled rows are rejected where a column must lie between two limits."""
    train, everybody = (rows_of(run, *names)[column].astype(float) for names in (["train"], ["train", "holdout"]))
    outside, of_train = (int((~values.between(*limits) & values.notna()).sum()) for values in (everybody, train))
    return Solution(
        outside,
        "Each of them is kept with its reason. A range is a claim about the rows: whether such a value is an error or "
        "a fact, somebody who knows the data has to say.",
        [
            Mistake(0, f"Nothing was rejected: was the range of {column} handed to `check_rows`? Without it, types "
                    "alone are checked. And look at `rejected`, not at `rows`."),
            Mistake(of_train, "That is so of the training rows. The question is about all labelled rows: those held "
                    "out are read and checked too."),
            Mistake(len(everybody) - outside, "So many rows are kept. Count the others: `rejected`."),
            Mistake(len(everybody), "Those are all labelled rows. Count the rejected among them."),
        ],
        f"Put `run.train` and `run.holdout` together, and check them by a range of {column} from {limits[0]:g} to "
        f"{limits[1]:g}.",
    )  # fmt: skip


Counts = dict[str, tuple[int, int]]


def _rates(rows: pd.DataFrame, column: str, label: str) -> Counts:
    """``known`` and ``missing`` -> (rows with label 1, rows)."""
    gap = rows[column].isna()
    sides = {"known": rows[~gap], "missing": rows[gap]}
    return {name: (int((side[label] == 1).sum()), len(side)) for name, side in sides.items()}


def missing_within(run: Run, column: str, by: str, value: Any) -> Solution:
    """How often the label is 1 where a column is known and where it is missing, in one group of the training rows."""
    label = run.schema["label"]
    train, everybody = rows_of(run, "train"), rows_of(run, "train", "holdout")
    right, of_all = _rates(train[train[by] == value], column, label), _rates(train, column, label)
    with_holdout = _rates(everybody[everybody[by] == value], column, label)
    within, overall = (
        " against ".join(f"{ones / rows:.0%}" if rows else "nobody" for ones, rows in counts.values())
        for counts in (right, of_all)
    )
    return Solution(
        right,
        f"Within the group that is {within}; among all training rows it was {overall}. What a gap tells may be what "
        f"another column tells already: compare within its groups.",
        [
            Mistake({"known": right["missing"], "missing": right["known"]},
                    "Both sides are there, but swapped: which condition holds where there is no value?"),
            Mistake(with_holdout, "You have looked at the hold-out: these counts have its labels in them. Take "
                    "`run.train` alone."),
            Mistake(of_all, f"Those are all training rows. Keep those with {by} = {value} first."),
            Mistake({name: counts[::-1] for name, counts in right.items()},
                    "In each pair, first the rows with label 1, then all rows."),
            Mistake({name: (rows - ones, rows) for name, (ones, rows) in right.items()},
                    "You have counted the rows with label 0. The first number is how many have label 1."),
        ],
        f"Filter the training rows by {by} = {value}; `load.look.missing_rates` gives both pairs for {column}.",
    )  # fmt: skip


_PAIR = Several("(rows with label 1, rows)", [Whole("rows with label 1"), Whole("rows")])
EXERCISES = {
    "a": Exercise(Whole("a whole number of rows"), larger_holdout),
    "b": Exercise(Whole("a whole number of rows"), rejected_rows),
    "c": Exercise(
        Named("a dict with known and missing, each a pair (rows with label 1, rows)",
              {"known": _PAIR, "missing": _PAIR}),
        missing_within,
    ),
}  # fmt: skip
