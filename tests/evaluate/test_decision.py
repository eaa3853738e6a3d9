"""Who is promoted, who is the reference, and the sentence that explains it, against values worked out by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from lifeboat.errors import DataError, ParameterError
from lifeboat.evaluate import Scored, paired_difference
from lifeboat.evaluate.decision import Comparison, Decision, Incomparable, Rival, Rule, decide, explain
from lifeboat.evaluate.intervals import Interval

LABEL = [0, 1] * 50
BRIER = Rule(metric="brier", margin=0.02, resamples=50)


def texts(*values: object) -> np.ndarray:
    return np.array(values, dtype=object)


def model(wrong: int, sure: float, n: int = 100) -> Scored:
    """So many rows, of which the last ``wrong`` are called wrongly, each with the probability ``sure``."""
    label = [0, 1] * (n // 2)
    called = np.array([true if row < n - wrong else 1 - true for row, true in enumerate(label)])
    return Scored(label, np.where(called == 1, sure, 1 - sure), called)


COIN = Rival("the baseline", model(0, 0.5))


def champion(predictions: Scored) -> Rival:
    return Rival("the champion", predictions)


def reference(predictions: Scored) -> Rival:
    return Rival("the reference", predictions)


def kept(scored: Scored, keys: object) -> Scored:
    """The same with these keys."""
    return Scored(scored.label, scored.probability, scored.prediction, key=texts(*keys), kin=scored.kin)


def outcome(decision: Decision) -> tuple[str, bool]:
    return decision.alias, decision.new_reference


# --- what is decided --------------------------------------------------------------------------------------------


def test_better_than_the_baseline_with_no_champion_is_promoted_and_is_the_reference() -> None:
    decision = decide(model(0, 0.9), Rival("the women-only rule", COIN.predictions), [], Rule(resamples=100))
    assert outcome(decision) == ("champion", True)
    # every row gains ln 0.9 - ln 0.5 = 0.588
    assert explain(decision) == (
        "Promote to champion: its log loss on 100 held-out rows, 0.105, is better than that of the women-only rule "
        "(0.693) by 0.588 (95 % interval 0.588 to 0.588), and there is no champion yet."
    )
    gain = pytest.approx(math.log(0.9 / 0.5))
    assert decision.baseline == Comparison(
        "the women-only rule", 100, pytest.approx(-math.log(0.5)), pytest.approx(-math.log(0.9)), Interval(*[gain] * 3)
    )
    assert (decision.rivals, decision.groups) == ((), 100)


def test_without_a_rule_the_default_is_taken() -> None:
    assert decide(model(0, 0.9), COIN, []).rule == Rule("log_loss", 0.01, 2000, 0.95, 42)


def test_not_surely_better_than_the_baseline_stays_a_challenger_and_no_rival_is_looked_at() -> None:
    decision = decide(model(26, 0.9), COIN, [champion(model(50, 0.9))], Rule(resamples=200))
    low, high = decision.baseline.gain.low, decision.baseline.gain.high
    assert low < 0 < high
    assert (outcome(decision), decision.rivals) == (("challenger", False), ())
    # 0.588 - 0.26 x ln 9 = 0.0165
    assert explain(decision) == (
        "Keep as challenger: its log loss on 100 held-out rows, 0.677, is not surely better than that of the baseline "
        f"(0.693): the gain is 0.017 (95 % interval {low:.3f} to {high:.3f}), which holds 0."
    )


def test_as_good_as_the_baseline_is_not_surely_better() -> None:
    decision = decide(model(0, 0.9), Rival("a twin", model(0, 0.9)), [], BRIER)
    assert decision.baseline.gain == Interval(0, 0, 0)
    assert outcome(decision) == ("challenger", False)
    assert explain(decision).endswith("the gain is 0.000 (95 % interval 0.000 to 0.000), which holds 0.")


def test_worse_than_the_baseline_is_told_as_worse() -> None:
    decision = decide(model(100, 0.9), COIN, [], Rule(metric="brier", resamples=50, confidence=0.9))
    assert outcome(decision) == ("challenger", False)
    assert explain(decision) == (
        "Keep as challenger: its Brier score on 100 held-out rows, 0.810, is worse than that of the baseline (0.250) "
        "by 0.560 (90 % interval 0.560 to 0.560)."
    )


def test_worse_than_the_champion_by_more_than_the_margin_stays_a_challenger() -> None:
    decision = decide(model(0, 0.8), COIN, [champion(model(0, 0.9))], BRIER)
    assert outcome(decision) == ("challenger", False)
    assert explain(decision) == (
        "Keep as challenger: its Brier score on 100 held-out rows, 0.040, is better than that of the baseline (0.250) "
        "by 0.210 (95 % interval 0.210 to 0.210), but worse than that of the champion (0.010 on 100 common rows) by "
        "0.030 (95 % interval 0.030 to 0.030)."
    )
    loss, own_loss, gain = map(pytest.approx, (0.01, 0.04, -0.03))
    assert decision.rivals == (Comparison("the champion", 100, loss, own_loss, Interval(gain, gain, gain)),)


def test_surely_not_worse_than_the_champion_by_the_margin_is_promoted_and_is_no_new_reference() -> None:
    # 0.15 ** 2 - 0.1 ** 2 = 0.0125, less than the margin of 0.02
    decision = decide(model(0, 0.85), COIN, [champion(model(0, 0.9))], BRIER)
    assert outcome(decision) == ("champion", False)
    assert explain(decision).endswith(
        ", and surely not worse than that of the champion (0.010 on 100 common rows) by the margin of 0.02: the gain "
        "is -0.013 (95 % interval -0.013 to -0.013)."
    )


def test_perhaps_worse_than_the_champion_by_more_than_the_margin_stays_a_challenger() -> None:
    # two more of a hundred wrong: a loss of 0.016 in the mean, which may as well be 0.04
    candidate, other = model(12, 0.9), model(10, 0.9)
    decision = decide(candidate, COIN, [champion(other)], replace(BRIER, resamples=500))
    (rival,) = decision.rivals
    assert isinstance(rival, Comparison)
    assert rival.gain.low < -0.02 < rival.gain.value < rival.gain.high
    assert outcome(decision) == ("challenger", False)
    assert (
        "but perhaps worse than that of the champion (0.090 on 100 common rows) by more than the margin of 0.02: "
        f"the gain is -0.016 (95 % interval {rival.gain.low:.3f} to {rival.gain.high:.3f})."
    ) in explain(decision)


def test_perhaps_better_than_the_champion_is_promoted_and_is_no_new_reference() -> None:
    decision = decide(model(10, 0.9), COIN, [champion(model(12, 0.9))], replace(BRIER, resamples=500))
    (rival,) = decision.rivals
    assert isinstance(rival, Comparison)
    assert -0.02 < rival.gain.low <= 0 < rival.gain.value
    assert outcome(decision) == ("champion", False)


def test_as_good_as_the_champion_is_promoted_but_for_a_margin_of_nothing() -> None:
    good = model(0, 0.9)
    assert outcome(decide(good, COIN, [champion(good)], BRIER)) == ("champion", False)
    decision = decide(good, COIN, [champion(good)], replace(BRIER, margin=0))
    assert outcome(decision) == ("challenger", False)
    assert explain(decision).endswith(
        ", but perhaps worse than that of the champion (0.010 on 100 common rows) by more than the margin of 0: the "
        "gain is 0.000 (95 % interval 0.000 to 0.000)."
    )


def test_a_little_worse_again_and_again_is_stopped_by_the_reference() -> None:
    first, second, third = model(0, 0.9), model(0, 0.86), model(0, 0.82)  # losses of 0.01, 0.0196 and 0.0324
    assert outcome(decide(second, COIN, [champion(first)], BRIER)) == ("champion", False)
    assert outcome(decide(third, COIN, [champion(second)], BRIER)) == ("champion", False)
    decision = decide(third, COIN, [champion(second), reference(first)], BRIER)
    assert outcome(decision) == ("challenger", False)
    assert explain(decision).endswith(
        ", and surely not worse than that of the champion (0.020 on 100 common rows) by the margin of 0.02: the gain "
        "is -0.013 (95 % interval -0.013 to -0.013), but worse than that of the reference (0.010 on 100 common rows) "
        "by 0.022 (95 % interval 0.022 to 0.022)."
    )


def test_better_than_the_champion_is_promoted_and_is_the_new_reference() -> None:
    decision = decide(model(0, 0.9), COIN, [champion(model(0, 0.8))], BRIER)
    assert outcome(decision) == ("champion", True)
    assert explain(decision).endswith(
        ", and better than that of the champion (0.040 on 100 common rows) by 0.030 (95 % interval 0.030 to 0.030)."
    )


def test_the_new_reference_is_surely_better_than_the_champion_whatever_it_is_beside_the_reference() -> None:
    best, good, fair = model(0, 0.9), model(0, 0.87), model(0, 0.85)  # losses of 0.01, 0.0169 and 0.0225
    assert outcome(decide(good, COIN, [champion(fair), reference(best)], BRIER)) == ("champion", True)
    assert outcome(decide(good, COIN, [champion(best), reference(fair)], BRIER)) == ("champion", False)
    worst = model(0, 0.8)  # 0.04: better than a coin, and the margin of 0.02 says no to it
    assert outcome(decide(worst, COIN, [champion(model(0, 0.75)), reference(best)], BRIER)) == ("challenger", False)
    assert outcome(decide(worst, COIN, [champion(best), reference(model(0, 0.75))], BRIER)) == ("challenger", False)


# --- which rows -------------------------------------------------------------------------------------------------


def test_the_baseline_is_of_the_same_rows() -> None:
    with pytest.raises(DataError, match="judged on different rows"):
        decide(model(0, 0.9), Rival("the baseline", model(0, 0.5, n=80)), [], BRIER)


def test_models_are_compared_on_the_rows_that_all_were_judged_on() -> None:
    candidate, other = kept(model(0, 0.9), range(100)), kept(model(0, 0.8), range(40, 140))
    decision = decide(candidate, COIN, [champion(other)], BRIER)
    assert outcome(decision) == ("champion", True)
    assert "(0.040 on 60 common rows)" in explain(decision)
    for n, keys in ((48, range(52, 152)), (0, ["0", *map(str, range(1, 100))])):
        apart = decide(candidate, COIN, [champion(kept(model(0, 0.8), keys))], replace(BRIER, margin=math.inf))
        reason = (
            f"it cannot be compared with the champion: {n} rows have the same key and label in all hold-outs "
            "(the candidate on 100, the champion on 100), and at least 50 and half of the smallest are "
            "needed; split as before (split_seed, split_by, group_by, holdout_fraction), or move the alias 'champion' "
            "by hand"
        )
        assert outcome(apart) == ("challenger", False)
        assert apart.rivals == (Incomparable("the champion", reason),)
        assert explain(apart) == (
            "Keep as challenger: its Brier score on 100 held-out rows, 0.010, is better than that of the baseline "
            f"(0.250) by 0.240 (95 % interval 0.240 to 0.240), but {reason}."
        )


@pytest.mark.parametrize(
    ("n", "first", "of", "comparable"),
    [
        (100, 50, 100, True),  # fifty rows in common, and half of the smallest
        (98, 49, 98, False),  # half of the smallest, but forty-nine rows
        (120, 60, 160, True),  # half of the smallest, whichever of the two it is
        (160, 100, 120, True),
        (120, 62, 160, False),  # fifty-eight rows, and less than half
        (160, 102, 120, False),
    ],
)
def test_fifty_rows_and_half_of_the_smallest_hold_out_are_needed(n: int, first: int, of: int, comparable: bool) -> None:
    candidate, other = kept(model(0, 0.9, n), range(n)), kept(model(0, 0.9, of), range(first, first + of))
    if first % 2:  # so that labels are as they were
        other = kept(Scored(1 - other.label, 1 - other.probability, 1 - other.prediction), range(first, first + of))
    baseline = Rival("a coin", model(0, 0.5, n))
    (rival,) = decide(candidate, baseline, [champion(other)], BRIER).rivals
    assert isinstance(rival, Comparison) == comparable
    assert not comparable or rival.rows == n - first


def test_all_three_are_compared_on_the_rows_that_all_have() -> None:
    candidate = kept(model(0, 0.9), range(100))
    here, there = kept(model(0, 0.8), range(20, 120)), kept(model(0, 0.7), range(-20, 80))
    decision = decide(candidate, COIN, [champion(here), reference(there)], BRIER)
    assert [(rival.name, rival.rows) for rival in decision.rivals if isinstance(rival, Comparison)] == [
        ("the champion", 60), ("the reference", 60),
    ]  # fmt: skip
    assert [round(rival.loss, 3) for rival in decision.rivals if isinstance(rival, Comparison)] == [0.04, 0.09]
    apart = decide(candidate, COIN, [champion(here), reference(kept(model(0, 0.7), range(-40, 60)))], BRIER)
    (rival,) = apart.rivals
    assert isinstance(rival, Incomparable)
    assert (
        "compared with the champion: 40 rows have the same key and label in all hold-outs (the candidate on 100, "
        "the champion on 100, the reference on 100), and"
    ) in rival.reason


def test_rows_whose_label_has_changed_are_not_the_same_rows() -> None:
    other = model(0, 0.8)
    changed = other.label.copy()
    changed[:30] = 1 - changed[:30]
    changed_rows = Scored(changed, other.probability, other.prediction)
    decision = decide(model(0, 0.9), COIN, [champion(changed_rows)], BRIER)
    assert "(0.040 on 70 common rows)" in explain(decision)


def test_the_rows_in_common_come_in_the_candidate_s_order() -> None:
    candidate, other = kept(model(10, 0.9), range(100)), kept(model(10, 0.9), range(100))
    (rival,) = decide(candidate, COIN, [champion(other.taken(np.arange(100)[::-1]))], BRIER).rivals
    assert isinstance(rival, Comparison)
    assert rival.gain == Interval(0, 0, 0)
    random = np.random.default_rng(1)
    sure, surer = (Scored(LABEL, np.where(LABEL, p, 1 - p), LABEL) for p in random.uniform(0.6, 1, (2, 100)))
    (rival,) = decide(surer, COIN, [champion(sure)], BRIER).rivals
    assert isinstance(rival, Comparison)
    assert rival.gain == paired_difference(surer, sure, "brier", 50)


def test_fewer_than_twenty_groups_cannot_settle_anything() -> None:
    good = model(0, 0.9)
    of_groups = {n: Scored(good.label, good.probability, good.prediction, kin=np.arange(100) % n) for n in (19, 20)}
    enough = decide(of_groups[20], COIN, [], BRIER)
    assert (outcome(enough), enough.obstacle) == (("champion", True), "")
    decision = decide(of_groups[19], COIN, [champion(good)], BRIER)
    assert (outcome(decision), decision.rivals, decision.groups) == (("challenger", False), (), 19)
    assert explain(decision).endswith(
        ", but 19 groups of rows cannot settle it: an interval drawn from fewer than 20 holds the truth too rarely."
    )


def test_nor_can_fewer_than_twenty_groups_of_the_rows_in_common() -> None:
    good = model(0, 0.9)
    kin = [*range(100, 140), *(row % 19 for row in range(60))]  # the last sixty rows are of nineteen groups
    candidate = kept(Scored(good.label, good.probability, good.prediction, kin=np.array(kin)), range(100))
    decision = decide(candidate, COIN, [champion(kept(model(0, 0.8), range(40, 140)))], BRIER)
    assert (outcome(decision), decision.groups) == (("challenger", False), 59)
    assert explain(decision).endswith(
        ", but on the 60 rows in common with the champion, 19 groups of rows cannot settle it: an interval drawn from "
        "fewer than 20 holds the truth too rarely."
    )


def test_a_rule_takes_a_proper_score_and_a_margin_of_0_or_more() -> None:
    with pytest.raises(ParameterError, match=r"unknown value of verdict_metric 'accuracy'.* Known: brier, log_loss"):
        Rule(metric="accuracy")
    with pytest.raises(ParameterError, match=r"margin is -0\.1; write a number, 0 or more"):
        Rule(margin=-0.1)


# --- the sentence, of numbers that are made up ------------------------------------------------------------------

BETTER = Comparison("the coin", 200, 0.5, 0.25, Interval(0.25, 0.125, 0.375))


@pytest.mark.parametrize(
    ("gain", "expected"),
    [
        (Interval(0.25, 0.001, 0.5), "and better than R by 0.250 (80 % interval 0.001 to 0.500)"),
        (Interval(0.01, 0, 0.5),
         "and surely not worse than R by the margin of 0.05: the gain is 0.010 (80 % interval 0.000 to 0.500)"),
        (Interval(-0.02, -0.049, -0.01),
         "and surely not worse than R by the margin of 0.05: the gain is -0.020 (80 % interval -0.049 to -0.010)"),
        (Interval(-0.02, -0.05, 0),
         "but perhaps worse than R by more than the margin of 0.05: "
         "the gain is -0.020 (80 % interval -0.050 to 0.000)"),
        (Interval(-0.02, -0.05, -0.001), "but worse than R by 0.020 (80 % interval 0.001 to 0.050)"),
    ],
)  # fmt: skip
def test_a_rival_is_told_with_the_end_of_the_interval_that_decides(gain: Interval, expected: str) -> None:
    rival = Comparison("the champion", 150, 0.375, 0.25, gain)
    decision = Decision(Rule("brier", 0.05, confidence=0.8), 30, BETTER, (rival,), "champion", False)
    assert explain(decision) == (
        "Promote to champion: its Brier score on 200 held-out rows, 0.250, is better than that of the coin (0.500) by "
        "0.250 (80 % interval 0.125 to 0.375), "
        + expected.replace("R", "that of the champion (0.375 on 150 common rows)") + "."
    )  # fmt: skip


@pytest.mark.parametrize(
    ("gain", "expected"),
    [
        (Interval(0.25, 0.001, 0.5),
         "better than R by 0.250 (80 % interval 0.001 to 0.500), and there is no champion yet"),
        (Interval(0.25, 0, 0.5),
         "not surely better than R: the gain is 0.250 (80 % interval 0.000 to 0.500), which holds 0"),
        (Interval(-0.25, -0.5, 0),
         "not surely better than R: the gain is -0.250 (80 % interval -0.500 to 0.000), which holds 0"),
        (Interval(-0.25, -0.5, -0.001), "worse than R by 0.250 (80 % interval 0.001 to 0.500)"),
    ],
)  # fmt: skip
def test_so_is_the_baseline(gain: Interval, expected: str) -> None:
    decision = Decision(Rule(confidence=0.8), 30, replace(BETTER, gain=gain), (), "challenger", False)
    assert explain(decision) == (
        "Keep as challenger: its log loss on 200 held-out rows, 0.250, is "
        + expected.replace("R", "that of the coin (0.500)") + "."
    )  # fmt: skip


# --- verdict.json -----------------------------------------------------------------------------------------------


def test_what_is_noted_has_the_decision_its_sentence_and_its_numbers_as_json_can_hold_them() -> None:
    rival = Comparison("the champion", 150, 0.375, 0.25, Interval(0.125, 0.0625, 0.25))
    decision = Decision(Rule("brier", 0.05, 100, 0.8, 7), 30, BETTER, (rival,), "champion", True)
    compared_with = {"model": "titanic", "champion": "3", "reference": "2"}
    noted = decision.noted(compared_with)
    assert json.loads(json.dumps(noted, allow_nan=False)) == noted
    assert noted == {
        "promote": True,
        "alias": "champion",
        "new_reference": True,
        "sentence": explain(decision),
        "details": {
            "rule": {"metric": "brier", "margin": 0.05, "resamples": 100, "confidence": 0.8, "seed": 7},
            "rows": 200,
            "groups": 30,
            "loss": {"candidate": 0.25, "baseline": 0.5},
            "better_than_baseline_by": {"value": 0.25, "low": 0.125, "high": 0.375},
            "incumbents": {
                "champion": {
                    "name": "the champion", "rows": 150, "loss": 0.375, "own_loss": 0.25,
                    "gain": {"value": 0.125, "low": 0.0625, "high": 0.25},
                },
            },
            "not_comparable": "",
        },
        "compared_with": compared_with,
    }  # fmt: skip


def test_what_cannot_be_compared_is_noted_with_its_reason() -> None:
    apart = Incomparable("the champion", "it is of other rows")
    noted = Decision(Rule(), 30, BETTER, (apart,), "challenger", False).noted(None)
    assert (noted["promote"], noted["compared_with"]) == (False, None)
    assert (noted["details"]["incumbents"], noted["details"]["not_comparable"]) == ({}, "it is of other rows")
    assert "(95 % interval 0.125 to 0.375), but it is of other rows." in noted["sentence"]
    few = Decision(Rule(), 19, BETTER, (), "challenger", False).noted(None)
    assert few["details"]["not_comparable"].startswith("19 groups of rows cannot settle it")
