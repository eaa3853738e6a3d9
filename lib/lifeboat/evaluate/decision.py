"""Would you use it? A rule set before the hold-out is opened, what it decides, and the sentence that explains it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from lifeboat.evaluate.intervals import Interval
from lifeboat.evaluate.metrics import loss_rows, paired_difference
from lifeboat.evaluate.scored import Ints, Scored
from lifeboat.parameters.rules import need

PROPER = {"log_loss": "log loss", "brier": "Brier score"}
FEWEST_GROUPS = 20  # of fewer, the interval holds the truth too rarely: `make simulate` counts it
FEWEST_COMMON = 50  # rows on which two models are compared at the least


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
        need("verdict_metric", self.metric)
        need("margin", self.margin)

    def gain(self, a: Scored, b: Scored) -> Interval:
        """How much better ``a`` is than ``b`` on the same rows."""
        return paired_difference(a, b, self.metric, self.resamples, self.confidence, self.seed)


@dataclass(frozen=True)
class Rival:
    """A model or a simple rule to compare a candidate with.

    Attributes:
        name: What the sentence calls it, such as ``the champion`` or ``the rule by Sex``.
        predictions: Its predictions of the hold-out that it was evaluated on.
    """

    name: str
    predictions: Scored


@dataclass(frozen=True)
class Incomparable:
    """A rival that the candidate cannot be compared with.

    Attributes:
        name: The rival's name.
        reason: Why, as a clause.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Comparison:
    """A candidate beside a rival, on the rows that they have in common.

    Attributes:
        name: The rival's name.
        rows: How many rows they have in common.
        loss: The rival's loss on them.
        own_loss: The candidate's loss on them.
        gain: How much better the candidate is.
    """

    name: str
    rows: int
    loss: float
    own_loss: float
    gain: Interval


@dataclass(frozen=True)
class Decision:
    """What the rule decides of a candidate.

    Attributes:
        rule: The rule.
        groups: How many groups of rows the hold-out has.
        baseline: The candidate beside the baseline.
        rivals: The candidate beside the champion, then the reference; empty where there is none, or where nothing
            hangs on them since the candidate fails before.
        alias: The registry's alias for the candidate: ``champion`` where it is promoted.
        new_reference: Whether the next models are held against this one too: it is promoted, and there is no champion
            or it is surely better than the champion.
    """

    rule: Rule
    groups: int
    baseline: Comparison
    rivals: tuple[Comparison | Incomparable, ...]
    alias: Literal["champion", "challenger"]
    new_reference: bool

    @property
    def obstacle(self) -> str:
        """Why the rows cannot settle it, as a clause; empty where they can."""
        reasons = [rival.reason for rival in self.rivals if isinstance(rival, Incomparable)]
        return next(iter(reasons), _too_few(self.groups))

    def noted(self, compared_with: dict[str, str | None] | None) -> dict[str, Any]:
        """The decision, its sentence and its numbers, for ``verdict.json``.

        Args:
            compared_with: The registered model and who held which alias; None: compared with none.
        """
        compared = [rival for rival in self.rivals if isinstance(rival, Comparison)]
        details = {
            "rule": asdict(self.rule),
            "rows": self.baseline.rows,
            "groups": self.groups,
            "loss": {"candidate": self.baseline.own_loss, "baseline": self.baseline.loss},
            "better_than_baseline_by": self.baseline.gain.noted(),
            "incumbents": {
                rival.name.removeprefix("the "): asdict(rival) | {"gain": rival.gain.noted()} for rival in compared
            },
            "not_comparable": self.obstacle,
        }
        return {
            "promote": self.alias == "champion",
            "alias": self.alias,
            "new_reference": self.new_reference,
            "sentence": explain(self),
            "details": details,
            "compared_with": compared_with,
        }


def decide(candidate: Scored, baseline: Rival, rivals: Sequence[Rival], rule: Rule | None = None) -> Decision:
    """Promote a model that is surely better than the baseline, and surely not worse than the margin allows.

    Surely better than the baseline: the whole paired interval of the gain lies above 0. Surely not worse than the
    champion, and than the reference: it lies above -margin. The reference is the last model that was promoted as
    surely better than the champion before it; without it, many models could follow that are each a little worse.

    Args:
        candidate: The new model's predictions of the hold-out.
        baseline: A simple rule's predictions of the same rows.
        rivals: The champion, then the reference where it is another model; empty where there is no champion yet.
        rule: What was decided before; None for the defaults.

    Raises:
        DataError: The baseline was evaluated on other rows.
    """
    rule = rule or Rule()
    over = _compare(candidate, baseline, rule)
    better = over.gain.low > 0 and not _too_few(candidate.n_kin)
    compared = _compare_all(candidate, rivals, rule) if rivals and better else []
    # a rival that cannot be compared with is one that may be better by any amount
    lows = [rival.gain.low if isinstance(rival, Comparison) else -math.inf for rival in compared]
    promoted = better and all(low > -rule.margin for low in lows)
    new_reference = promoted and all(low > 0 for low in lows[:1])
    alias: Literal["champion", "challenger"] = "champion" if promoted else "challenger"
    return Decision(rule, candidate.n_kin, over, tuple(compared), alias, new_reference)


def _compare(candidate: Scored, rival: Rival, rule: Rule) -> Comparison:
    loss, own_loss = (float(loss_rows(model, rule.metric).mean()) for model in (rival.predictions, candidate))
    return Comparison(rival.name, candidate.n, loss, own_loss, rule.gain(candidate, rival.predictions))


def _compare_all(candidate: Scored, rivals: Sequence[Rival], rule: Rule) -> Sequence[Comparison | Incomparable]:
    """The candidate beside each rival, on the rows that all have in common; or the reason why that cannot be.

    Rows are the same where key and label are. A hold-out by hash grows with the table and keeps its rows, so that
    models evaluated on a smaller table still share most rows with those of a larger one.
    """
    models, champion = [candidate, *(rival.predictions for rival in rivals)], rivals[0].name
    positions = _common_rows(models)
    n = len(positions[0])
    if n < FEWEST_COMMON or 2 * n < min(model.n for model in models):
        names = ["the candidate", *(rival.name for rival in rivals)]
        rows = ", ".join(f"{name} on {model.n}" for name, model in zip(names, models, strict=True))
        reason = (
            f"it cannot be compared with {champion}: {n} rows have the same key and label in all hold-outs ({rows}), "
            f"and at least {FEWEST_COMMON} and half of the smallest are needed; split as before (split_seed, split_by, "
            "group_by, holdout_fraction), or move the alias 'champion' by hand"
        )
        return [Incomparable(champion, reason)]
    own, *others = (model.taken(rows) for model, rows in zip(models, positions, strict=True))
    if reason := _too_few(own.n_kin):
        return [Incomparable(champion, f"on the {n} rows in common with {champion}, {reason}")]
    return [_compare(own, Rival(rival.name, other), rule) for rival, other in zip(rivals, others, strict=True)]


def _common_rows(models: Sequence[Scored]) -> list[Ints]:
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


def _too_few(groups: int) -> str:
    """Why so many groups of rows cannot settle anything, as a clause; empty where they can."""
    if groups >= FEWEST_GROUPS:
        return ""
    return (
        f"{groups} groups of rows cannot settle it: an interval drawn from fewer than {FEWEST_GROUPS} holds "
        "the truth too rarely"
    )


def explain(decision: Decision) -> str:
    """The decision in one sentence, with its reason and its numbers."""
    rule, baseline = decision.rule, decision.baseline
    lead = "Promote to champion" if decision.alias == "champion" else "Keep as challenger"
    score = f"its {PROPER[rule.metric]} on {baseline.rows} held-out rows, {baseline.own_loss:.3f}, is"
    clauses = [f"{score} {_beside_baseline(baseline, rule)}"]
    if decision.obstacle:
        clauses.append(f"but {decision.obstacle}")
    elif baseline.gain.low > 0:
        compared = [_beside_rival(rival, rule) for rival in decision.rivals if isinstance(rival, Comparison)]
        clauses += compared or ["and there is no champion yet"]
    return f"{lead}: {', '.join(clauses)}."


def _beside_baseline(baseline: Comparison, rule: Rule) -> str:
    gain, other = baseline.gain, f"that of {baseline.name} ({baseline.loss:.3f})"
    if gain.low > 0:
        return f"better than {other} by {_amount(gain, rule)}"
    if gain.high < 0:
        return f"worse than {other} by {_amount(_turned(gain), rule)}"
    return f"not surely better than {other}: the gain is {_amount(gain, rule)}, which holds 0"


def _beside_rival(rival: Comparison, rule: Rule) -> str:
    gain, other = rival.gain, f"that of {rival.name} ({rival.loss:.3f} on {rival.rows} common rows)"
    margin = f"the margin of {rule.margin:g}: the gain is {_amount(gain, rule)}"
    if gain.low > 0:
        return f"and better than {other} by {_amount(gain, rule)}"
    if gain.low > -rule.margin:
        return f"and surely not worse than {other} by {margin}"
    if gain.high < 0:
        return f"but worse than {other} by {_amount(_turned(gain), rule)}"
    return f"but perhaps worse than {other} by more than {margin}"


def _amount(gain: Interval, rule: Rule) -> str:
    return f"{gain.value:.3f} ({rule.confidence * 100:g} % interval {gain.low:.3f} to {gain.high:.3f})"


def _turned(gain: Interval) -> Interval:
    return Interval(-gain.value, -gain.high, -gain.low)
