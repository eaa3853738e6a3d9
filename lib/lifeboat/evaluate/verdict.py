"""Would you use it? A rule set before the hold-out is opened, and its answer in one sentence."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from lifeboat.errors import ParameterError, unknown
from lifeboat.evaluate.metrics import Interval, loss_rows, paired_difference
from lifeboat.evaluate.scored import Scored

PROPER = {"log_loss": "log loss", "brier": "Brier score"}


@dataclass(frozen=True)
class Verdict:
    """What the rule says.

    Attributes:
        promote: Whether the model takes the champion's place.
        alias: The alias it gets: ``champion`` when promoted, else ``challenger``.
        sentence: The answer with its reason and numbers.
        details: The numbers, as JSON can hold them.
    """

    promote: bool
    alias: Literal["champion", "challenger"]
    sentence: str
    details: dict[str, Any]


def verdict(
    candidate: Scored,
    baseline: Scored,
    champion: Scored | None = None,
    metric: str = "log_loss",
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 42,
    *,
    baseline_name: str = "the baseline",
    champion_name: str = "the champion",
    champion_comparable: bool = True,
    champion_reason: str = "it was judged on other rows",
) -> Verdict:
    """Promote a model that is surely better than the baseline and not surely worse than the champion.

    Surely: the whole paired bootstrap interval of the difference lies on one side of 0.

    Args:
        candidate: What the new model said of the hold-out.
        baseline: What the baseline said of the same rows.
        champion: What the model in use said of the same rows; None when there is none, or when it cannot be had.
        metric: ``log_loss`` or ``brier``: scores that an honest probability minimises.
        resamples: How many times the rows are drawn anew.
        confidence: The share of draws that an interval holds.
        seed: Of the draws.
        baseline_name: What the sentence calls the baseline, such as ``the rule by Sex``.
        champion_name: What the sentence calls the champion.
        champion_comparable: False when a champion is there and cannot be compared. Found out by itself when
            ``champion`` has other rows.
        champion_reason: Why it cannot, as a clause.

    Raises:
        DataError: The baseline was judged on other rows.
        ParameterError: The metric is not a proper score.
    """
    if metric not in PROPER:
        raise ParameterError(unknown("proper score", metric, PROPER))
    losses = {"candidate": candidate, "baseline": baseline}
    over = paired_difference(candidate, baseline, metric, resamples, confidence, seed)
    comparable = champion_comparable and (champion is None or candidate.same_rows(champion))
    versus = None
    if champion is not None and comparable:
        losses["champion"] = champion
        versus = paired_difference(candidate, champion, metric, resamples, confidence, seed)
    means = {name: float(loss_rows(scored, metric).mean()) for name, scored in losses.items()}
    promote = over.low > 0 and comparable and (versus is None or versus.high >= 0)
    share = f"{confidence * 100:g} %"
    parts = [
        f"its {PROPER[metric]} on {candidate.n} held-out rows, {means['candidate']:.3f}, is "
        + _against_baseline(over, share, f"{baseline_name} ({means['baseline']:.3f})")
    ]
    if over.low > 0 and comparable:
        name = f"{champion_name} ({means.get('champion', 0):.3f})"
        parts.append(_against_champion(versus, share, name))
    elif over.low > 0:
        parts.append(
            f"but {champion_name} cannot be compared, because {champion_reason}; to promote it all the same, "
            f"score {champion_name} on these rows or move the alias 'champion' by hand"
        )
    lead = "Promote to champion: " if promote else "Keep as challenger: "
    details = {
        "metric": metric,
        "rows": candidate.n,
        "confidence": confidence,
        "resamples": resamples,
        "loss": means,
        "better_than_baseline_by": asdict(over),
        "better_than_champion_by": asdict(versus) if versus else None,
        "champion_comparable": comparable,
    }
    return Verdict(promote, "champion" if promote else "challenger", f"{lead}{', '.join(parts)}.", details)


def _against_baseline(gain: Interval, share: str, name: str) -> str:
    if gain.low > 0:
        return f"better than that of {name} by {_numbers(gain, share)}"
    if gain.high < 0:
        return f"worse than that of {name} by {_numbers(_turned(gain), share)}"
    return f"not surely better than that of {name}: the gain is {_numbers(gain, share)}, which holds 0"


def _against_champion(gain: Interval | None, share: str, name: str) -> str:
    if gain is None:
        return "and there is no champion yet"
    if gain.high < 0:
        return f"but worse than that of {name} by {_numbers(_turned(gain), share)}"
    if gain.low > 0:
        return f"and better than that of {name} by {_numbers(gain, share)}"
    return f"and not surely worse than that of {name}: the gain is {_numbers(gain, share)}"


def _numbers(gain: Interval, share: str) -> str:
    return f"{gain.value:.3f} ({share} interval {gain.low:.3f} to {gain.high:.3f})"


def _turned(gain: Interval) -> Interval:
    return Interval(-gain.value, -gain.high, -gain.low)
