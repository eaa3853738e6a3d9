"""Exercises on notebook 4: which share is which, a threshold by its costs, and for whom the model works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lifeboat.preprocess.column_names import PROBABILITY
from lifeboat.run.folder import Run
from lifeboat.teaching.exercises.check import Exercise, Mistake, Solution, rows_of
from lifeboat.teaching.exercises.kinds import Number, Several

Floats = npt.NDArray[np.float64]
THRESHOLDS: Floats = np.arange(101) / 100


def share_recognised(run: Run) -> Solution:
    """Of the held-out rows of class 1, the share that the model calls 1."""
    rows = rows_of(run, "holdout_predictions")
    truth, called = rows["label"] == 1, rows["prediction"] == 1
    hits = int((truth & called).sum())
    return Solution(
        hits / truth.sum(),
        f"It is {hits} of {truth.sum()}, called *recall*. Accuracy has it mixed with the other class, where the model "
        "may do better or worse.",
        [
            Mistake(hits / max(1, called.sum()), f"That is {hits} of {called.sum()}: of those that the model *calls* "
                    "so, the share that is (precision). Of which rows does the question speak?"),
            Mistake(float((truth == called).mean()), "That is the accuracy: of all rows, the share that is right. Take "
                    "the rows of the one class alone."),
            Mistake(float(called.mean()), "That is the share of all rows that the model calls so, right or wrong."),
            Mistake(float(truth.mean()), "That is how frequent the class is. How many of it does the model recognise?"),
            Mistake(1 - hits / truth.sum(), "Those are the ones it misses. The question is about the others."),
            Mistake(hits / len(rows), "You have divided by all held-out rows. Divide by those of the one class."),
            Mistake(float((~truth & ~called).sum() / (~truth).sum()), "That is so of the other class."),
        ],
        "In the confusion matrix: one cell, over the sum of its row of the truth.",
    )  # fmt: skip


def _costs(label: pd.Series, probability: pd.Series, false_alarm: float, miss: float) -> Floats:
    """What the mistakes cost at each threshold."""
    called = probability.to_numpy()[:, None] > THRESHOLDS
    truth = (label == 1).to_numpy()[:, None]
    costs: Floats = false_alarm * (called & ~truth).sum(axis=0) + miss * (~called & truth).sum(axis=0)
    return costs


def _cheapest(costs: Floats) -> int:
    """The index of the cheapest threshold; of equals the nearest to one half."""
    cheapest = np.flatnonzero(costs == costs.min())
    return int(cheapest[np.abs(THRESHOLDS[cheapest] - 0.5).argmin()])


def threshold_by_costs(run: Run, false_alarm: float, miss: float) -> Solution:
    """The cheapest threshold out of fold, and what it and one half cost on the hold-out."""
    label, kept, held = run.schema["label"], rows_of(run, "out_of_fold"), rows_of(run, "holdout_predictions")
    out_of_fold, here = (
        _costs(rows[name], rows[p], false_alarm, miss)
        for rows, name, p in ((kept, label, PROBABILITY), (held, "label", "probability"))
    )
    best, peeked, half = _cheapest(out_of_fold), _cheapest(here), 50
    swapped = _cheapest(_costs(kept[label], kept[PROBABILITY], miss, false_alarm))

    def priced(line: int, costs: np.ndarray = here) -> tuple[float, float, float]:
        return float(THRESHOLDS[line]), float(costs[line]), float(costs[half])

    return Solution(
        priced(best),
        f"The costs alone call for {false_alarm / (false_alarm + miss):.2f}, which no row had a say in. One half is a "
        "habit, and right where both mistakes cost the same.",
        [
            Mistake(lambda answer: answer[0] == THRESHOLDS[swapped] != THRESHOLDS[best],
                    "This line lies where it would if the other mistake were the dear one: the costs are swapped. "
                    "The first is that of calling a 0 a 1."),
            Mistake(priced(best, out_of_fold), "The threshold is right. The costs are those of the out-of-fold rows, "
                    "where it was chosen and so must look good. What does it cost on the hold-out?"),
            Mistake(lambda answer: abs(answer[0] - THRESHOLDS[peeked]) < 0.005 and peeked != best,
                    "This is the cheapest on the hold-out itself: chosen there, it looks better there than it is. "
                    "Choose by the out-of-fold rows, and pay on the hold-out."),
            Mistake((priced(best)[0], *priced(best)[:0:-1]), "The threshold is right, and the two costs are swapped: "
                    "first what it costs, then what one half does."),
            Mistake(lambda answer: abs(answer[0] - THRESHOLDS[best]) < 0.005,
                    "The threshold is right. Its costs on the hold-out are other: `cost_at` with both costs, there."),
        ],
        "`threshold_costs` of the out-of-fold rows with both costs: its `best` is the index of the cheapest. Then "
        "`cost_at` of the hold-out.",
    )  # fmt: skip


def _losses(label: pd.Series, probability: pd.Series) -> pd.Series:
    """Each row's log loss; who is sure and wrong pays 36, as scikit-learn has it."""
    eps = np.finfo(np.float64).eps
    of_truth = probability.where(label == 1, 1 - probability)
    return -np.log(of_truth.clip(eps, 1 - eps))


def gain_in_group(run: Run, baseline: str, group: Mapping[str, Any]) -> Solution:
    """By how much the model's log loss beats that of the rule by a column, on the held-out rows of one group."""
    key, label = run.schema["key"], run.schema["label"]
    train, holdout = rows_of(run, "train"), rows_of(run, "holdout")
    counts = train.groupby(baseline)[label].agg(["sum", "count"])
    rates, overall = (counts["sum"] + 1) / (counts["count"] + 2), (train[label].sum() + 1) / (len(train) + 2)

    def gains(rows: pd.DataFrame, probability: pd.Series) -> tuple[float, float, int]:
        rule = rows[baseline].map(rates).fillna(overall)
        gain = _losses(rows[label], rule) - _losses(rows[label], probability)
        inside = (rows[list(group)] == pd.Series(dict(group))).all(axis=1)
        return float(gain[inside].mean()), float(gain.mean()), int(inside.sum())

    held = holdout.merge(rows_of(run, "holdout_predictions")[["key", "probability"]], left_on=key, right_on="key")
    kept = train.merge(rows_of(run, "out_of_fold")[[key, PROBABILITY]], on=key)
    (right, of_all, n), (out_of_fold, *_) = gains(held, held["probability"]), gains(kept, kept[PROBABILITY])
    return Solution(
        right,
        f"On all held-out rows the gain was {of_all:.3f}; on the {n} of this group, {right:.3f}. Out of fold, on more "
        f"rows, it is {out_of_fold:.3f}. A mean says nothing of whom it is made of.",
        [
            Mistake(of_all, "That is the gain on all held-out rows. Keep those of the group alone."),
            Mistake(-right, "The other way round: above 0 where the model is better, so where its log loss is lower."),
            Mistake(out_of_fold, "That is so out of fold. The question is about the hold-out."),
            Mistake(right * n, "That is the sum over the group's rows. Take the mean."),
        ],
        "A row's log loss is minus the logarithm of the probability that its true class got. Take the rule's less the "
        "model's, in the mean over the group's held-out rows.",
    )  # fmt: skip


EXERCISES = {
    "a": Exercise(Number("a share between 0 and 1", within=0.0051, digits=3), share_recognised),
    "b": Exercise(
        Several(
            "three numbers: the threshold, its cost, the cost at one half",
            [Number("a threshold", 0.0001, 2), Number("a cost", 0.01, 0), Number("a cost", 0.01, 0)],
        ),
        threshold_by_costs,
    ),
    "c": Exercise(Number("a difference in log loss", within=0.001, digits=3), gain_in_group),
}
