"""Exercises on notebook 3: what a grid costs, how many rows a difference is, and which error to choose by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lifeboat.preprocess.column_names import PREDICTION
from lifeboat.run.folder import Run
from lifeboat.sampling import FOLD
from lifeboat.teaching.exercises.check import Exercise, Mistake, Solution, rows_of
from lifeboat.teaching.exercises.errors import UnfitRunError
from lifeboat.teaching.exercises.kinds import Number, Several, Whole


def fits(run: Run) -> Solution:
    """How often a run fitted its classifier, and how often its preprocessing."""
    scores = run.scores
    points, folds = len(scores["points"]), scores["parameters"]["num_folds"]
    models = points * folds
    return Solution(
        (models + 1, folds + 1),
        "Each grid point once a fold, and the winner once more on all rows. What the points share is learned once a "
        "fold, whatever the number of points: that is what `SharedPipeline` saves.",
        [
            Mistake((models, folds), "Those are the fits of cross-validation. And then? The winner is fitted once "
                    "more, with its preprocessing, on all training rows."),
            Mistake((models + 1, models + 1), "So it is with Spark's `Pipeline`. `SharedPipeline` learns the "
                    "preprocessing once a fold, since no grid point changes it."),
            Mistake((models + 1, 1), "Once for all folds would be a leak: what it learned from a fold's rows would "
                    "have a say in judging them."),
            Mistake((models + 1, folds), "The preprocessing of the winner is learned too, on all rows."),
            Mistake((folds + 1, models + 1), "The right two numbers, swapped: first the classifier."),
        ],
        f"The grid has {points} points, and there are {folds} folds. Draw the fits, as in notebook 3, section 3.",
    )  # fmt: skip


def _accuracies(run: Run) -> tuple[npt.NDArray[np.float64], int]:
    """Each grid point's score in each fold, and the index of the chosen point, of a run that chose by accuracy."""
    scores = run.scores
    if (metric := scores["parameters"]["metric"]) != "accuracy":
        raise UnfitRunError(f"this run chose by {metric}: this exercise counts rows, and wants one by accuracy")
    if len(scores["points"]) < 2:
        raise UnfitRunError("this run tried one setting alone: this exercise compares two")
    return np.array(scores["scores"]), int(scores["best"])


def rows_between(run: Run) -> Solution:
    """By how many rows the chosen setting is ahead of the next best, in each fold."""
    scores, best = _accuracies(run)
    others = np.where(np.arange(len(scores)) == best, -np.inf, scores.mean(axis=1))
    second = int(others.argmax())
    gain = scores[best] - scores[second]
    level = [point for point in np.flatnonzero(np.isclose(others, others[second])) if point != second]
    worst = scores[best] - scores[int(scores.mean(axis=1).argmin())]
    sizes = rows_of(run, "out_of_fold")[FOLD].value_counts().sort_index().to_numpy()
    right = gain * sizes
    total = right.round().sum()
    return Solution(
        tuple(right),
        f"The whole lead is {total:.0f} rows of {sizes.sum()}. Whoever reports the better setting as an improvement "
        "reports these, and no more.",
        [
            Mistake(lambda answer: len(answer) != len(sizes), f"There are {len(sizes)} folds: one number for each."),
            Mistake(tuple(gain), "Those are shares. A share of how many rows? Multiply each by its fold's."),
            Mistake(tuple(gain * sizes.sum()), "You have multiplied by all training rows. A fold's score is a share of "
                    "that fold's rows."),
            *(Mistake(tuple((scores[best] - scores[point]) * sizes), "Several settings have the next best mean. Take "
                      f"number {second}, counted from 0.") for point in level),
            Mistake(tuple(-right), "The other way round: above 0 where the chosen setting is ahead."),
            Mistake(tuple(worst * sizes), "That is how far the worst setting lies behind. Take the next best."),
            Mistake(tuple([total] * len(sizes)), "That is the lead in all folds together. Say it fold by fold."),
        ],
        "Take the two settings with the best means; subtract their scores fold by fold; multiply by the fold's rows.",
    )  # fmt: skip


def simplest_within(run: Run) -> Solution:
    """The first grid point within one standard error of the best: read off the folds, and by the rows."""
    scores, _ = _accuracies(run)
    means, folds = scores.mean(axis=1), scores.shape[1]
    best = int(means.argmax())
    kept = rows_of(run, "out_of_fold")
    accuracy = float((kept[PREDICTION] == kept[run.schema["label"]]).mean())
    deviation = scores[best].std(ddof=1)
    by_folds, by_rows = deviation / folds**0.5, (accuracy * (1 - accuracy) / len(kept)) ** 0.5

    def first(error: float) -> int:
        return int(np.flatnonzero(means >= means[best] - error)[0])

    right = first(by_folds), first(by_rows)
    return Solution(
        right,
        f"The folds say {by_folds:.4f}, the rows {by_rows:.4f}. A few folds that agree, or differ, by chance move the "
        "first; the second rests on all rows. One rule, two errors: say which you took.",
        [
            Mistake(right[::-1], "The right two, swapped: first by the folds' standard error, then by the rows'."),
            Mistake((best, best), "That is the best mean both times. The rule takes the first setting of the grid, so "
                    "the simplest, whose mean is no more than one standard error below it."),
            Mistake((0, 0), "That is the simplest of all both times. Is its mean within one standard error of "
                    "the best?"),
            Mistake((right[1], right[1]), "The second is right. For the first, take the standard deviation of the "
                    "folds' scores (`ddof=1`) over the root of their number."),
        ],
        "Numbers of settings, counted from 0 in the order of the grid. Notebook 3, section 4, has "
        "the standard errors.",
    )  # fmt: skip


EXERCISES = {
    "a": Exercise(
        Several("two whole numbers: fits of the classifier, fits of the preprocessing", [Whole("fits"), Whole("fits")]),
        fits,
    ),
    "b": Exercise(Several("a list of numbers of rows, one for each fold", [Number("rows", 0.02, 0)]), rows_between),
    "c": Exercise(
        Several("two whole numbers: the setting by the folds' error, and by the rows'", [Whole("0"), Whole("0")]),
        simplest_within,
    ),
}
