"""How often the interval holds the truth, and how often the verdict lets a model in that it should not.

Models are made up: each row has a true probability, and a model says it with an error, part of which the rows of one
group share. How wrong a model is in the mean is known exactly, so each verdict can be held against the truth.

    make simulate
"""

from __future__ import annotations

from functools import partial
from multiprocessing import Pool

import numpy as np

from lifeboat.evaluate import Scored
from lifeboat.evaluate.decision import Rival, Rule, decide

CONFIDENCE, MARGIN, TRIALS, CHAINS, CHALLENGERS = 0.95, 0.01, 4000, 2000, 20
RULE = Rule(margin=MARGIN, resamples=400, confidence=CONFIDENCE)
ROWS_A_GROUP = 10
SHARED = 0.7  # of the error's variance, what the rows of a group share
ALIKE = 0.98  # how the errors of two models correlate that learned from the same rows
ERRORS = np.linspace(0, 2, 81)  # standard deviations of a model's error, in logits
Numbers = np.ndarray


def logistic(x: Numbers) -> Numbers:
    """The probability of a logit."""
    return 1 / (1 + np.exp(-x))


def mean_losses() -> Numbers:
    """The log loss in the mean of a model with each of the ``ERRORS``: by far more rows than any hold-out has."""
    random = np.random.default_rng(0)
    true, error = random.normal(0, 1.5, 400_000), random.normal(0, 1, 400_000)
    share = logistic(true)
    said = [np.clip(logistic(true + size * error), 1e-12, 1 - 1e-12) for size in ERRORS]
    return np.array([-(share * np.log(p) + (1 - share) * np.log(1 - p)).mean() for p in said])


LOSSES = mean_losses()


class Rows:
    """A hold-out drawn anew: true logits, labels and, for models, errors that rows of a group share."""

    def __init__(self, groups: int, alone: bool, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        sizes = np.ones(groups, int) if alone else 1 + self.random.poisson(ROWS_A_GROUP - 1, groups)
        self.kin = np.repeat(np.arange(groups), sizes)
        self.true = self.errors() * 1.5
        self.label = (self.random.random(len(self.kin)) < logistic(self.true)).astype(int)

    def errors(self) -> Numbers:
        """One error for each row, of variance 1."""
        shared = self.random.normal(0, 1, self.kin[-1] + 1)[self.kin]
        return SHARED**0.5 * shared + (1 - SHARED) ** 0.5 * self.random.normal(0, 1, len(self.kin))

    def judged(self, loss: float, error: Numbers, by_rows: bool = False) -> Scored:
        """What a model with this error, and this log loss in the mean, says of the rows."""
        said = logistic(self.true + np.interp(loss, LOSSES, ERRORS) * error)
        return Scored(self.label, said, (said > 0.5).astype(int), kin=None if by_rows else self.kin)


def interval_of_equals(groups: int, alone: bool, by_rows: bool, seed: int) -> tuple[bool, bool]:
    """Of two models as good as each other: whether the gain's interval holds 0, and whether one is surely better."""
    rows = Rows(groups, alone, seed)
    gain = RULE.gain(*(rows.judged(LOSSES[30], rows.errors(), by_rows) for _ in range(2)))
    return bool(gain.low <= 0 <= gain.high), bool(gain.low > 0)


def passes_at_the_margin(groups: int, alone: bool, by_rows: bool, seed: int) -> bool:
    """Whether a model that is worse than the reference by the margin exactly is surely not worse by the margin."""
    rows = Rows(groups, alone, seed)
    worse, reference = (rows.judged(LOSSES[30] + more, rows.errors(), by_rows) for more in (MARGIN, 0))
    return bool(RULE.gain(worse, reference).low > -MARGIN)


def drift(rows_held_out: int, with_reference: bool, seed: int) -> float:
    """After twenty challengers, each a third of a margin worse than the champion: how much worse it is, in margins.

    All learned from the same rows, so that most of their errors are alike.
    """
    rows, rule = Rows(rows_held_out, alone=True, seed=seed), Rule(margin=MARGIN, resamples=100)
    baseline, alike = Rival("the baseline", rows.judged(LOSSES[-1], rows.errors())), rows.errors()

    def fitted(loss: float) -> Scored:
        return rows.judged(loss, ALIKE * alike + (1 - ALIKE**2) ** 0.5 * rows.errors())

    first = loss = float(LOSSES[20])
    champion = reference = fitted(loss)
    for _ in range(CHALLENGERS):
        challenger = fitted(loss + MARGIN / 3)
        rivals = [Rival("the champion", champion)]
        if with_reference and reference is not champion:
            rivals.append(Rival("the reference", reference))
        decision = decide(challenger, baseline, rivals, rule)
        if decision.alias == "champion":
            champion, loss = challenger, loss + MARGIN / 3
            reference = challenger if decision.new_reference else reference
    return (loss - first) / MARGIN


def main() -> None:
    """Print the table."""
    with Pool() as pool:
        print(
            f"{TRIALS} trials each; an interval is to hold {CONFIDENCE:.0%}, so {(1 - CONFIDENCE) / 2:.1%} is nominal"
        )
        print(f"{'rows':32}{'holds 0':>10}{'beats its equal':>18}{'passes at the margin':>23}")
        kinds = [(f"{n} groups, drawn by group", n, False, False) for n in (5, 10, 20, 50, 200)]
        kinds += [("50 groups, drawn by row", 50, False, True)]
        kinds += [(f"{n} rows, each alone", n, True, False) for n in (50, 166)]
        for name, *kind in kinds:
            equals = pool.map(partial(interval_of_equals, *kind), range(TRIALS), chunksize=100)
            holds, beats = np.mean(equals, axis=0)
            passes = np.mean(pool.map(partial(passes_at_the_margin, *kind), range(TRIALS), chunksize=100))
            print(f"{name:32}{holds:>10.1%}{beats:>18.1%}{passes:>23.1%}", flush=True)
        print(f"\n{CHAINS} chains of {CHALLENGERS} challengers, each a third of a margin worse than the champion")
        print(f"{'held-out rows':>14}{'reference':>11}{'within one margin':>19}{'mean drift, in margins':>24}")
        for n, with_reference in ((166, True), (166, False), (1000, True), (1000, False)):
            ends = np.array(pool.map(partial(drift, n, with_reference), range(CHAINS), chunksize=20))
            told = f"{(ends <= 1 + 1e-9).mean():>19.1%}{ends.mean():>24.2f}"
            print(f"{n:>14}{'yes' if with_reference else 'no':>11}{told}", flush=True)


if __name__ == "__main__":
    main()
