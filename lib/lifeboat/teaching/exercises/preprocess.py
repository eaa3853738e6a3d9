"""Exercises on notebook 2: a mean by group, a category from a text, a rate without one's own label."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

import pandas as pd

from lifeboat.run.folder import Run
from lifeboat.teaching.exercises.check import Exercise, Mistake, Solution, rows_of
from lifeboat.teaching.exercises.kinds import Number, Whole


def filled_gap(run: Run, rows: Sequence[tuple[str, float | None]], group: str) -> Solution:
    """What a GroupMeanImputer fills a group's gap with that has no value of its own."""
    known = [(name, value) for name, value in rows if value is not None]
    groups = {name: fmean(value for other, value in known if other == name) for name, _ in known}
    means = list(groups.values())
    of_others = [
        Mistake(mean, f"That is the mean of group {name!r}, and no row of {group!r} belongs to it.")
        for name, mean in groups.items()
        if name != group
    ]
    right = groups.get(group, fmean(value for _, value in known))
    return Solution(
        right,
        f"Group {group!r} has no mean of its own, so it gets that of all known values, `overall`. Without it, a new "
        "group would be an error on the day that it turns up.",
        [
            Mistake(fmean(means), "That is the mean of the groups' means, in which a group with one value counts as "
                    "much as one with many. `overall` is the mean of all known values."),
            Mistake(math.nan, f"A gap that stays a gap: no group mean is known for {group!r}. What is `overall` for?"),
            *of_others,
            Mistake(sum(value for _, value in known) / len(rows),
                    "You have divided by all rows. A gap is no 0: divide by the number of known values."),
        ],
        "Notebook 2 shows what the fitted model remembers: `means`, and `overall` for a group it has not met.",
    )  # fmt: skip


def rows_of_other(run: Run, column: str, pattern: str, groups: dict[str, list[str]]) -> Solution:
    """How many training rows a TextCategory gives the category that stands for every other text."""
    train, everybody = rows_of(run, "train")[column], rows_of(run, "train", "holdout")[column]
    kept = {word for words in groups.values() for word in words}
    right, of_all = (int((~texts.fillna("").str.extract(pattern)[0].isin(kept)).sum()) for texts in (train, everybody))
    words = train.fillna("").str.extract(pattern)[0]
    without = int(words.isna().sum())
    others = ", ".join(sorted(set(words.dropna()) - kept)) or "no other"
    return Solution(
        right,
        f"In {without} of them no word is found; the others have a word that no group names: {others}. They share a "
        "category now, so a text that training never met has one too.",
        [
            Mistake(len(train), "All of them? Then no word was kept: were the `groups` handed to the stage? Without "
                    "any, each word becomes `other`."),
            Mistake(without, f"So many rows have no word at all. There are words that no group names, too: {others}. "
                    "Let the stage do it, and count what it gives."),
            Mistake(of_all, "You have counted the rows held out as well. Take `run.train` alone."),
            Mistake(len(train) - right, "Those are the rows of all named groups. Count the others."),
        ],
        f"`TextCategory(inputCol={column!r}, outputCol=..., pattern=..., groups=..., other=...)`, then count the rows "
        "with the category `other`.",
    )  # fmt: skip


def _rate_tells(rows: pd.DataFrame, column: str, label: str, own: bool) -> float:
    """The correlation of the label with the mean label of the rows that share a value, one's own in it or not."""
    groups = rows.groupby(column, dropna=False)[label]
    ones, n = groups.transform("sum"), groups.transform("count")
    rate = ones / n if own else (ones - rows[label]) / (n - 1).where(n > 1)
    return float(rate.fillna(rows[label].mean()).corr(rows[label]))


def own_label_out(run: Run, column: str) -> Solution:
    """How much the mean label of the others with the same value tells of a training row's label: the correlation."""
    label, train, everybody = run.schema["label"], rows_of(run, "train"), rows_of(run, "train", "holdout")
    with_own = _rate_tells(train, column, label, own=True)
    company = train[train.groupby(column, dropna=False)[label].transform("count") > 1]
    right = _rate_tells(train, column, label, own=False)
    return Solution(
        right,
        f"With each row's own label in it, it was {with_own:.3f}: nearly all of that was the answer itself. (Where two "
        "rows share a value, each rate is the other's label. In a model rather cross-fit, as notebook 2 does: in a "
        "larger group, leaving out one's own label lowers the rate of just those rows whose label is 1.)",
        [
            Mistake(with_own, "Each row's own label is in its rate: of a value that one row has, the rate is the "
                    "label. Take it out: of the sum, and of the number of rows."),
            Mistake(_rate_tells(company, column, label, own=False),
                    "That is so among rows that share their value with another. The rows that are alone in theirs "
                    "get the share of all training rows, and count too."),
            Mistake(_rate_tells(everybody, column, label, own=False),
                    "The hold-out's labels are in these rates. Take `run.train` alone."),
            Mistake(math.nan, "No number comes of a rate that is missing or the same for all. What does a row get that "
                    "is alone in its value? Nobody is left there to divide by."),
        ],
        f"Sum the labels over a window of {column}, take the row's own away, divide by the rows of the window less 1; "
        "where nobody is left, take the mean label of all training rows. Then `F.corr`.",
    )  # fmt: skip


EXERCISES = {
    "a": Exercise(Number("a number", within=0.01, digits=2), filled_gap),
    "b": Exercise(Whole("a whole number of rows"), rows_of_other),
    "c": Exercise(Number("a correlation, a number from -1 to 1", within=0.002, digits=3), own_label_out),
}
