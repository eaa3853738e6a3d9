"""Where it fails: by class, by group, by how sure it is, and by where the line is drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import metrics

from lifeboat.errors import DataError, ParameterError, unknown
from lifeboat.evaluate.intervals import Interval, percentiles, resampled, share_of
from lifeboat.evaluate.metrics import loss_rows
from lifeboat.evaluate.scored import Floats, Ints, Scored, Values

THRESHOLDS = np.arange(101) / 100


def confusion(scored: Scored) -> Ints:
    """Rows counted by what is true (0, 1 down) and what was said (0, 1 across); shape (2, 2)."""
    counts: Ints = metrics.confusion_matrix(scored.label, scored.prediction, labels=[0, 1])
    return counts


@dataclass(frozen=True)
class GroupRow:
    """How the model does in one group of rows.

    Attributes:
        group: Name of the column, or columns, that make the groups.
        value: This group's value; None for rows that have none.
        n: Rows in it.
        positives: Rows in it with label 1.
        accuracy: The share it is right about, with its Wilson interval.
        recall_0: The share of the rows of class 0 that it finds, with its Wilson interval; NaN where there are none.
        recall_1: The same of class 1.
        mean_probability: The mean probability of class 1: far from positives / n, it is wrong about the group.
        brier: The Brier score.
    """

    group: str
    value: Any
    n: int
    positives: int
    accuracy: Interval
    recall_0: Interval
    recall_1: Interval
    mean_probability: float
    brier: float


def by_group(scored: Scored, groups: Mapping[str, Values] | None = None, confidence: float = 0.95) -> list[GroupRow]:
    """Look at the parts that the mean hides.

    Args:
        scored: The rows.
        groups: Name -> each row's value, shape (n,); None for all that ``scored`` has brought along.
        confidence: Of the intervals.

    Returns:
        One row for each value of each group, in order; those without a value last.
    """
    rows = []
    for name, values in (scored.groups if groups is None else groups).items():
        if len(values) != scored.n:
            raise DataError(f"group {name!r} has {len(values)} values for {scored.n} rows: each row needs one")
        rows += [_group_row(scored, name, value, values, confidence) for value in _in_order(values)]
    return rows


def _in_order(values: Values) -> list[Any]:
    known = {value for value in values.tolist() if value is not None}
    return sorted(known) + ([None] if any(value is None for value in values.tolist()) else [])


def _group_row(scored: Scored, name: str, value: Any, values: Values, confidence: float) -> GroupRow:
    inside = np.array([other == value for other in values.tolist()])
    label = scored.label[inside]
    right = (label == scored.prediction[inside]).astype(np.int64)
    kin = scored.kin[inside]
    of_class = [share_of(right[label == number], kin[label == number], confidence) for number in (0, 1)]
    return GroupRow(
        group=name,
        value=value,
        n=int(inside.sum()),
        positives=int(label.sum()),
        accuracy=share_of(right, kin, confidence),
        recall_0=of_class[0],
        recall_1=of_class[1],
        mean_probability=float(scored.probability[inside].mean()),
        brier=float(loss_rows(scored, "brier")[inside].mean()),
    )


def crossed(groups: Mapping[str, Values], names: Sequence[str]) -> Values:
    """Each row's values of several groups as one text, such as ``female, 3``; None where one of them is missing."""
    for name in names:
        if name not in groups:
            raise ParameterError(unknown("group", name, groups))
    parts = zip(*[groups[name].tolist() for name in names], strict=True)
    texts = [None if None in row else ", ".join(str(value) for value in row) for row in parts]
    return np.array(texts, dtype=object)


@dataclass(frozen=True)
class CalibrationBin:
    """Rows with about the same probability: what was said of them, and what came of them.

    Attributes:
        n: Rows in it.
        mean_probability: The mean probability of class 1 that the model gave them.
        rate: The share of them with label 1, with its Wilson interval.
    """

    n: int
    mean_probability: float
    rate: Interval


def calibration(scored: Scored, bins: int = 10, confidence: float = 0.95) -> list[CalibrationBin]:
    """When it says 70 %, is it so in 70 % of the cases?

    The bins are quantiles of the probability, cut where scikit-learn's ``calibration_curve(strategy="quantile")``
    cuts them; equal probabilities stay together, so that there may be fewer bins than asked for.

    Args:
        scored: The rows.
        bins: How many bins to aim at, 1 or more.
        confidence: Of the rates' intervals.
    """
    if bins < 1:
        raise ParameterError(f"bins is {bins}; it takes 1 or more")
    edges = np.percentile(scored.probability, np.linspace(0, 1, bins + 1) * 100)
    places = np.searchsorted(edges[1:-1], scored.probability)
    found = []
    for place in np.unique(places):
        inside = places == place
        rate = share_of(scored.label[inside], scored.kin[inside], confidence)
        found.append(CalibrationBin(int(inside.sum()), float(scored.probability[inside].mean()), rate))
    return found


@dataclass(frozen=True, eq=False)
class ThresholdCosts:
    """What each threshold costs. A row is called 1 where its probability is over the threshold, as in Spark.

    Attributes:
        threshold: 0, 0.01 ... 1; shape (101,), as the others.
        false_positives: Rows of class 0 called 1.
        false_negatives: Rows of class 1 called 0.
        cost: What both cost together, in the unit of the costs given.
    """

    threshold: Floats
    false_positives: Ints
    false_negatives: Ints
    cost: Floats

    @property
    def best(self) -> int:
        """Index of the cheapest threshold; of equals the nearest to 0.5."""
        cheapest = np.flatnonzero(self.cost == self.cost.min())
        return int(cheapest[np.abs(self.threshold[cheapest] - 0.5).argmin()])


def threshold_costs(
    scored: Scored, cost_false_positive: float = 1.0, cost_false_negative: float = 1.0
) -> ThresholdCosts:
    """Slide the threshold from 0 to 1 and count what its mistakes cost.

    To choose a threshold for use, ask the out-of-fold predictions: one chosen on the hold-out looks too good there.

    Args:
        scored: The rows.
        cost_false_positive: Cost of calling a 0 a 1, 0 or more, in any unit.
        cost_false_negative: Cost of calling a 1 a 0, in the same unit.
    """
    _check_costs(cost_false_positive, cost_false_negative)
    return _costs(_places(scored), np.ones(scored.n), cost_false_positive, cost_false_negative)


def _places(scored: Scored) -> Ints:
    """For each row the first threshold from which on it is called 0; those of class 1 counted on behind the last."""
    places: Ints = np.searchsorted(THRESHOLDS, scored.probability, side="left")
    return places + len(THRESHOLDS) * scored.label


def _costs(
    places: Ints, times: npt.NDArray[Any], cost_false_positive: float, cost_false_negative: float
) -> ThresholdCosts:
    """The costs at each threshold, of rows that are drawn so many times each."""
    zeros, ones = np.bincount(places, weights=times, minlength=2 * len(THRESHOLDS)).reshape(2, -1).cumsum(axis=1)
    alarms, missed = zeros[-1] - zeros, ones
    cost = cost_false_positive * alarms + cost_false_negative * missed
    return ThresholdCosts(THRESHOLDS, alarms.astype(np.int64), missed.astype(np.int64), cost)


def _check_costs(cost_false_positive: float, cost_false_negative: float) -> None:
    for name, value in {"false_positive": cost_false_positive, "false_negative": cost_false_negative}.items():
        if not (value >= 0 and math.isfinite(value)):
            raise ParameterError(f"cost_{name} is {value}; a cost is 0 or more")


def cost_at(
    scored: Scored, threshold: float, cost_false_positive: float = 1.0, cost_false_negative: float = 1.0
) -> float:
    """What the mistakes cost at any one threshold, in the unit of the costs; see ``threshold_costs``."""
    _check_costs(cost_false_positive, cost_false_negative)
    called = scored.probability > threshold
    alarms, missed = int((called & (scored.label == 0)).sum()), int((~called & (scored.label == 1)).sum())
    return cost_false_positive * alarms + cost_false_negative * missed


def cheapest_threshold(
    scored: Scored,
    cost_false_positive: float = 1.0,
    cost_false_negative: float = 1.0,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 42,
) -> Interval:
    """Where ``threshold_costs`` are lowest, and where they would be on rows drawn anew: how far chance moves the best.

    Args:
        scored: The rows; those of one group (``kin``) are drawn together.
        cost_false_positive: Cost of calling a 0 a 1, 0 or more, in any unit.
        cost_false_negative: Cost of calling a 1 a 0, in the same unit.
        resamples: How many times the groups are drawn anew.
        confidence: The share of draws that the interval holds.
        seed: Of the draws.
    """
    costs = threshold_costs(scored, cost_false_positive, cost_false_negative)
    places = _places(scored)
    drawn = (
        _costs(places, times[scored.kin], cost_false_positive, cost_false_negative)
        for times in resampled(scored.n_kin, resamples, seed)
    )
    draws = np.array([one.threshold[one.best] for one in drawn])
    return percentiles(float(costs.threshold[costs.best]), draws, confidence, scored.n_kin)


def honest_threshold(cost_false_positive: float = 1.0, cost_false_negative: float = 1.0) -> float:
    """Where both mistakes cost the same in the mean, if probabilities are honest (Elkan 2001, equation 2).

    With probability p of class 1, calling a row 1 costs (1 - p) times the one, calling it 0 p times the other. No row
    is needed to know it. Where neither costs anything, any threshold will do: one half.
    """
    _check_costs(cost_false_positive, cost_false_negative)
    both = cost_false_positive + cost_false_negative
    return cost_false_positive / both if both else 0.5
