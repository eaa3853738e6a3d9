"""Where it fails: by class, by group, and by how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lifeboat.errors import ParameterError, unknown
from lifeboat.evaluate.intervals import Interval, share_of
from lifeboat.evaluate.metrics import loss_rows
from lifeboat.evaluate.scored import Ints, Scored


def confusion(scored: Scored) -> Ints:
    """Rows counted by what is true (0, 1 down) and what was said (0, 1 across); shape (2, 2)."""
    from sklearn import metrics  # takes a second to import

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


def by_group(scored: Scored, names: Sequence[str], confidence: float = 0.95) -> list[GroupRow]:
    """Look at the parts that the mean hides: each group by itself, and of several groups all crossings too.

    Args:
        scored: The rows.
        names: Of its ``groups``.
        confidence: Of the intervals.

    Returns:
        One row for each value of each group, in order; those without a value last. Then, of several groups, one for
        each of their crossings, such as ``female, 3`` of ``Sex and Pclass``, None where one of the values is missing.

    Raises:
        ParameterError: ``scored`` has no group of that name.
    """
    for name in names:
        if name not in scored.groups:
            raise ParameterError(unknown("group", name, scored.groups))
    groups = {name: scored.groups[name].tolist() for name in names}
    if len(groups) > 1:
        rows = list(zip(*groups.values(), strict=True))
        groups[" and ".join(names)] = [None if None in row else ", ".join(map(str, row)) for row in rows]
    return [
        _group_row(scored, name, value, np.array([other == value for other in values]), confidence)
        for name, values in groups.items()
        for value in sorted(set(values), key=lambda value: (value is None, value))
    ]


def _group_row(scored: Scored, name: str, value: Any, inside: npt.NDArray[np.bool_], confidence: float) -> GroupRow:
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
    numbers = np.searchsorted(edges[1:-1], scored.probability)
    filled = []
    for number in np.unique(numbers):
        inside = numbers == number
        rate = share_of(scored.label[inside], scored.kin[inside], confidence)
        filled.append(CalibrationBin(int(inside.sum()), float(scored.probability[inside].mean()), rate))
    return filled
