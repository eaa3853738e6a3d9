"""How sure a number is: rows that belong together drawn anew together, and shares with the interval of Wilson."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import special  # type: ignore[import-untyped, unused-ignore]

from lifeboat.evaluate.scored import Floats, Ints
from lifeboat.parameters.rules import need
from lifeboat.sampling import worth_of


@dataclass(frozen=True)
class Interval:
    """A value and the interval that it could as well have lain in; NaN where it is not defined.

    >>> f"{Interval(0.8125, 0.75, 0.868):.2f}"
    '0.81 (0.75 to 0.87)'
    """

    value: float
    low: float
    high: float

    def __format__(self, spec: str) -> str:
        if math.isnan(self.value):
            return "not defined"
        spec = spec or ".3f"
        return f"{self.value:{spec}} ({self.low:{spec}} to {self.high:{spec}})"

    def __str__(self) -> str:
        return format(self, "")

    def noted(self, reason: str = "") -> dict[str, float | str | None]:
        """As JSON can hold it: what is not defined is null, with the reason beside it."""
        ends = {"value": self.value, "low": self.low, "high": self.high}
        known = {name: None if math.isnan(value) else value for name, value in ends.items()}
        missing = {"reason": reason or "the draws do not define it: too few groups, or rows of one class"}
        return known | (missing if None in known.values() else {})


NOT_DEFINED = Interval(math.nan, math.nan, math.nan)


def resampled(groups: int, resamples: int, seed: int) -> Iterator[Ints]:
    """How often each group of rows is drawn, with replacement, in each of ``resamples`` draws of as many groups.

    Rows of one group are drawn together (the cluster bootstrap: Davison and Hinkley 1997, section 3.8). Where each row
    is a group of its own, it is the ordinary bootstrap.

    Yields:
        Counts, shape (groups,).
    """
    need("resamples", resamples)
    random = np.random.default_rng(seed)
    for _ in range(resamples):
        yield np.bincount(random.integers(groups, size=groups), minlength=groups)


def percentiles(value: float, draws: Floats, confidence: float, groups: int) -> Interval:
    """The interval that leaves out an equal share of ``draws`` on either side; NaN draws do not count.

    What is left out is less than (1 - confidence) / 2: few groups vary less when drawn anew than the groups of the
    world do, and their own spread is not surely known. Both are made good as in the 'expanded percentile interval'
    (Hesterberg 2015, 'What Teachers Should Know About the Bootstrap', section 5.3); from some hundred groups on it
    makes no difference. The interval always holds the value, however few the draws.

    Args:
        value: The number itself, of the rows as they are.
        draws: The same of rows drawn anew, shape (resamples,).
        confidence: The share of draws that the interval is to hold, between 0 and 1.
        groups: How many groups were drawn from.
    """
    need("confidence", confidence)
    known = draws[~np.isnan(draws)]
    if math.isnan(value) or known.size == 0 or groups < 2:
        return Interval(value, math.nan, math.nan)
    farther = math.sqrt(groups / (groups - 1)) * float(special.stdtrit(groups - 1, (1 + confidence) / 2))
    left_out = float(special.ndtr(-farther))
    low, high = np.quantile(known, [left_out, 1 - left_out])
    return Interval(value, min(value, float(low)), max(value, float(high)))


def wilson(successes: float, n: float, confidence: float = 0.95) -> Interval:
    """A share and its Wilson score interval (Wilson 1927), which holds for few rows and for shares near 0 and 1.

    Args:
        successes: How many of the rows.
        n: The rows, or as many as they are worth (see ``worth``).
        confidence: The share of such intervals that hold the true share.
    """
    if n == 0:
        return NOT_DEFINED
    share, z = successes / n, float(special.ndtri((1 + confidence) / 2))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Interval(share, min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half)))


def share_of(right: Ints, kin: Ints, confidence: float = 0.95) -> Interval:
    """The share of rows that are 1, with a Wilson interval for as many rows as these are worth.

    Args:
        right: 0 or 1, shape (n,).
        kin: The number of each row's group, shape (n,).
        confidence: The share of such intervals that hold the true share.
    """
    n = len(right)
    if n == 0:
        return NOT_DEFINED
    rows = worth(right, kin)
    return wilson(float(right.mean()) * rows, rows, confidence)


def worth(values: Ints, kin: Ints) -> float:
    """How many rows that each stand alone tell as much about the share of ones as these, which come in groups.

    Args:
        values: 0 or 1, shape (n,).
        kin: The number of each row's group, shape (n,).
    """
    _, groups = np.unique(kin, return_inverse=True)
    sizes, positives = np.bincount(groups), np.bincount(groups, weights=values)
    squares = float(np.square(positives - sizes * values.mean()).sum())
    return worth_of(len(values), len(sizes), float(values.mean()), squares)
