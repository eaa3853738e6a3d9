"""Where the line between the classes is drawn: what each threshold costs, and how surely one is the cheapest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lifeboat.evaluate.intervals import Interval, percentiles, resampled
from lifeboat.evaluate.scored import Floats, Ints, Scored
from lifeboat.parameters.rules import need

THRESHOLDS = np.arange(101) / 100


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
    return _costs(_bins(scored), np.ones(scored.n), cost_false_positive, cost_false_negative)


def _bins(scored: Scored) -> Ints:
    """For each row the first threshold from which on it is called 0; those of class 1 counted on behind the last."""
    bins: Ints = np.searchsorted(THRESHOLDS, scored.probability, side="left")
    return bins + len(THRESHOLDS) * scored.label


def _costs(
    bins: Ints, times: npt.NDArray[Any], cost_false_positive: float, cost_false_negative: float
) -> ThresholdCosts:
    """The costs at each threshold, of rows that are drawn so many times each."""
    negatives, positives = np.bincount(bins, weights=times, minlength=2 * len(THRESHOLDS)).reshape(2, -1).cumsum(axis=1)
    alarms, missed = negatives[-1] - negatives, positives
    cost = cost_false_positive * alarms + cost_false_negative * missed
    return ThresholdCosts(THRESHOLDS, alarms.astype(np.int64), missed.astype(np.int64), cost)


def _check_costs(cost_false_positive: float, cost_false_negative: float) -> None:
    need("cost_false_positive", cost_false_positive)
    need("cost_false_negative", cost_false_negative)


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
    bins = _bins(scored)
    drawn = (
        _costs(bins, times[scored.kin], cost_false_positive, cost_false_negative)
        for times in resampled(scored.n_kin, resamples, seed)
    )
    draws = np.array([draw.threshold[draw.best] for draw in drawn])
    return percentiles(float(costs.threshold[costs.best]), draws, confidence, scored.n_kin)


def honest_threshold(cost_false_positive: float = 1.0, cost_false_negative: float = 1.0) -> float:
    """Where both mistakes cost the same in the mean, if probabilities are honest (Elkan 2001, equation 2).

    With probability p of class 1, calling a row 1 costs (1 - p) times the one, calling it 0 p times the other. No row
    is needed to know it. Where neither costs anything, any threshold will do: one half.
    """
    _check_costs(cost_false_positive, cost_false_negative)
    both = cost_false_positive + cost_false_negative
    return cost_false_positive / both if both else 0.5
