"""Would you use it? A rule set before the hold-out is opened, and its answer in one sentence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from lifeboat.errors import ParameterError, unknown
from lifeboat.evaluate.intervals import Interval
from lifeboat.evaluate.metrics import loss_rows, paired_difference
from lifeboat.evaluate.scored import Ints, Scored

PROPER = {"log_loss": "log loss", "brier": "Brier score"}
FEWEST_GROUPS = 20  # of fewer, the interval holds the truth too rarely: `make simulate` counts it
FEWEST_COMMON = 50  # rows on which two models are compared at the least


@dataclass(frozen=True)
class Verdict:
    """What the rule says.

    Attributes:
        promote: Whether the model takes the champion's place.
        alias: The alias it gets: ``champion`` when promoted, else ``challenger``.
        new_reference: Whether the next models are held against this one too: it is promoted, and there is no champion
            or it is surely better than the champion.
        sentence: The answer with its reason and numbers.
        details: The numbers, as JSON can hold them.
    """

    promote: bool
    alias: Literal["champion", "challenger"]
    new_reference: bool
    sentence: str
    details: dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """What is decided before anything is measured.

    Attributes:
        metric: ``log_loss`` or ``brier``: scores that an honest probability minimises.
        margin: How much worse than the champion and the reference a model may be, in the metric's own unit, 0 or more.
        resamples: How many times the groups of rows are drawn anew.
        confidence: The share of draws that an interval holds.
        seed: Of the draws.

    Raises:
        ParameterError: The metric is no proper score, or the margin is below 0.
    """

    metric: str = "log_loss"
    margin: float = 0.01
    resamples: int = 2000
    confidence: float = 0.95
    seed: int = 42

    def __post_init__(self) -> None:
        if self.metric not in PROPER:
            raise ParameterError(unknown("proper score", self.metric, PROPER))
        if not self.margin >= 0:
            raise ParameterError(f"margin is {self.margin}; it takes 0 or more, in the unit of {self.metric}")

    def gain(self, a: Scored, b: Scored) -> Interval:
        """How much better ``a`` is than ``b`` on the same rows."""
        return paired_difference(a, b, self.metric, self.resamples, self.confidence, self.seed)

    def loss(self, scored: Scored) -> float:
        """The metric's value."""
        return float(loss_rows(scored, self.metric).mean())

    def describe(self, gain: Interval) -> str:
        """A gain and its interval, for a sentence."""
        return f"{gain.value:.3f} ({self.confidence * 100:g} % interval {gain.low:.3f} to {gain.high:.3f})"


def verdict(
    candidate: Scored,
    baseline: Scored,
    champion: Scored | None = None,
    reference: Scored | None = None,
    rule: Rule | None = None,
    *,
    baseline_name: str = "the baseline",
) -> Verdict:
    """Promote a model that is surely better than the baseline, and surely not worse than the margin allows.

    Surely better than the baseline: the whole paired interval of the gain lies above 0. Surely not worse than the
    champion, and than the reference: it lies above -margin. The reference is the last model that was promoted as
    surely better than the champion before it; without it, many models could follow that are each a little worse.

    Args:
        candidate: What the new model said of the hold-out.
        baseline: What the baseline said of the same rows.
        champion: What the model in use said of its hold-out; None when there is none.
        reference: What the reference said of its hold-out; None: the champion is the reference.
        rule: What was decided before; None for the defaults.
        baseline_name: What the sentence calls the baseline, such as ``the rule by Sex``.

    Raises:
        DataError: The baseline was judged on other rows.
    """
    rule = rule or Rule()
    over = rule.gain(candidate, baseline)
    incumbents = {} if champion is None else {"the champion": champion}
    if champion is not None and reference is not None and reference is not champion:
        incumbents["the reference"] = reference
    versus: dict[str, Versus] = {}
    reason = too_few_groups(candidate)
    if incumbents and over.low > 0 and not reason:
        versus, reason = compared(candidate, incumbents, rule)
    better = over.low > 0 and not reason
    promote = better and all(pair.gain.low > -rule.margin for pair in versus.values())
    new_reference = promote and (champion is None or versus["the champion"].gain.low > 0)
    clauses = [
        f"its {PROPER[rule.metric]} on {candidate.n} held-out rows, {rule.loss(candidate):.3f}, is "
        + _against_baseline(over, f"{baseline_name} ({rule.loss(baseline):.3f})", rule)
    ]
    if reason:
        clauses.append(f"but {reason}")
    elif better:
        clauses += [pair.clause(rule) for pair in versus.values()] or ["and there is no champion yet"]
    lead = "Promote to champion: " if promote else "Keep as challenger: "
    details = {
        "rule": asdict(rule),
        "rows": candidate.n,
        "groups": candidate.n_kin,
        "loss": {"candidate": rule.loss(candidate), "baseline": rule.loss(baseline)},
        "better_than_baseline_by": over.noted(),
        "incumbents": {
            name.removeprefix("the "): asdict(pair) | {"gain": pair.gain.noted()} for name, pair in versus.items()
        },
        "not_comparable": reason,
    }
    alias: Literal["champion", "challenger"] = "champion" if promote else "challenger"
    return Verdict(promote, alias, new_reference, f"{lead}{', '.join(clauses)}.", details)


@dataclass(frozen=True)
class Versus:
    """A candidate beside a model that serves or served, on the rows that all were judged on.

    Attributes:
        name: What the sentence calls the other.
        rows: How many rows all have in common.
        loss: The other's loss on them.
        own_loss: The candidate's loss on them.
        gain: How much better the candidate is.
    """

    name: str
    rows: int
    loss: float
    own_loss: float
    gain: Interval

    def clause(self, rule: Rule) -> str:
        """The comparison as a clause."""
        other = f"that of {self.name} ({self.loss:.3f} on {self.rows} common rows)"
        if self.gain.low > 0:
            return f"and better than {other} by {rule.describe(self.gain)}"
        if self.gain.low > -rule.margin:
            gain = rule.describe(self.gain)
            return f"and surely not worse than {other} by the margin of {rule.margin:g}: the gain is {gain}"
        if self.gain.high < 0:
            return f"but worse than {other} by {rule.describe(_turned(self.gain))}"
        return (
            f"but perhaps worse than {other} by more than the margin of {rule.margin:g}: "
            f"the gain is {rule.describe(self.gain)}"
        )


def too_few_groups(candidate: Scored) -> str:
    """Why these rows cannot settle anything, as a clause; empty where they can."""
    if candidate.n_kin >= FEWEST_GROUPS:
        return ""
    return (
        f"{candidate.n_kin} groups of rows cannot settle it: an interval drawn from fewer than {FEWEST_GROUPS} holds "
        "the truth too rarely"
    )


def compared(candidate: Scored, incumbents: dict[str, Scored], rule: Rule) -> tuple[dict[str, Versus], str]:
    """The candidate beside each incumbent, on the rows that all have in common; or the reason why that cannot be.

    Rows are the same where key and label are. A hold-out by hash grows with the table and keeps its rows, so that
    models judged on a smaller table still share most rows with those of a larger one.
    """
    models = {"the candidate": candidate, **incumbents}
    positions = common_rows(list(models.values()))
    n, smallest = len(positions[0]), min(model.n for model in models.values())
    if n < FEWEST_COMMON or 2 * n < smallest:
        rows = ", ".join(f"{name} on {model.n}" for name, model in models.items())
        return {}, (
            f"it cannot be compared with the champion: {n} rows have the same key and label in all hold-outs ({rows}), "
            f"and at least {FEWEST_COMMON} and half of the smallest are needed; split as before (split_seed, split_by, "
            "group_by, holdout_fraction), or move the alias 'champion' by hand"
        )
    own, *others = (model.taken(rows) for model, rows in zip(models.values(), positions, strict=True))
    if reason := too_few_groups(own):
        return {}, f"on the {n} rows in common with the champion, {reason}"
    versus = {
        name: Versus(name, n, rule.loss(other), rule.loss(own), rule.gain(own, other))
        for name, other in zip(incumbents, others, strict=True)
    }
    return versus, ""


def common_rows(models: list[Scored]) -> list[Ints]:
    """For each, the places of the rows whose key and label all of them have, in the order of the first."""
    keys = [np.arange(model.n) if model.key is None else model.key for model in models]
    indexes = [
        pd.MultiIndex.from_arrays([pd.Index(key, dtype=object), model.label])
        for key, model in zip(keys, models, strict=True)
    ]
    common = indexes[0]
    for index in indexes[1:]:
        common = common[common.isin(index)]
    return [np.asarray(index.get_indexer(common)) for index in indexes]


def _against_baseline(gain: Interval, name: str, rule: Rule) -> str:
    if gain.low > 0:
        return f"better than that of {name} by {rule.describe(gain)}"
    if gain.high < 0:
        return f"worse than that of {name} by {rule.describe(_turned(gain))}"
    return f"not surely better than that of {name}: the gain is {rule.describe(gain)}, which holds 0"


def _turned(gain: Interval) -> Interval:
    return Interval(-gain.value, -gain.high, -gain.low)
