"""Metrics, intervals, baselines and parts of the rows, against values worked out by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.ml.linalg import Vectors
from pyspark.sql import SparkSession
from sklearn import calibration as sk_calibration
from sklearn import metrics as sk

from lifeboat.errors import DataError, ParameterError
from lifeboat.evaluate import Scored, bootstrap, collect_scored, paired_difference, point_metrics
from lifeboat.evaluate.intervals import Interval, percentiles, resampled, share_of, wilson, worth
from lifeboat.evaluate.metrics import drawn_metrics, loss_rows, point_metric, undefined
from lifeboat.evaluate.scored import GroupRates, group_rates
from lifeboat.evaluate.slices import by_group, calibration, confusion
from lifeboat.evaluate.thresholds import cheapest_threshold, cost_at, honest_threshold, threshold_costs
from lifeboat.preprocess.column_names import PREDICTION, PROBABILITY

QUICKLY = settings(max_examples=60)
COLUMNS = ["id", "label", PROBABILITY, PREDICTION]
FOUR = Scored([1, 0, 1, 0], [0.9, 0.2, 0.4, 0.6], [1, 0, 0, 1])


def texts(*values: object) -> np.ndarray:
    return np.array(values, dtype=object)


def rows_of(*label: int, **groups: np.ndarray) -> Scored:
    """Rows with these labels and groups, of which a coin speaks."""
    return Scored(list(label), [0.5] * len(label), [0] * len(label), groups=groups)


@st.composite
def scored_rows(draw: st.DrawFn) -> Scored:
    n = draw(st.integers(2, 25))
    label = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    # few different values: ties are where a ranking goes wrong
    tenths = draw(st.lists(st.integers(0, 10), min_size=n, max_size=n))
    probability = np.array(tenths) / 10
    return Scored(label, probability, (probability > 0.5).astype(int))


# --- the rows ---------------------------------------------------------------------------------------------------


def test_scored_says_which_array_is_too_short() -> None:
    with pytest.raises(DataError, match="probability has 1 values and label 2"):
        Scored([0, 1], [0.5], [0, 1])
    with pytest.raises(DataError, match="Sex has 1 values and label 2"):
        Scored([0, 1], [0.5, 0.5], [0, 1], groups={"Sex": texts("male")})


def test_scored_refuses_rows_that_cannot_be_judged() -> None:
    with pytest.raises(DataError, match="there are no rows to evaluate"):
        Scored([], [], [])
    with pytest.raises(DataError, match="label holds 2 in 1 of 2 rows; only 0 and 1"):
        Scored([0, 2], [0.5, 0.5], [0, 1])
    with pytest.raises(DataError, match="label holds null in 1 of 2 rows"):
        Scored([0, math.nan], [0.5, 0.5], [0, 1])
    with pytest.raises(DataError, match="not between 0 and 1"):
        Scored([0, 1], [0.5, 1.5], [0, 1])
    with pytest.raises(DataError, match="not between 0 and 1"):
        Scored([0, 1], [0.5, math.nan], [0, 1])


def test_a_spark_frame_is_collected_in_key_order_with_its_groups_aligned(spark: SparkSession) -> None:
    rows = [
        (3, 1, Vectors.dense(0.25, 0.75), 1.0, "female", None),
        (1, 0, Vectors.dense(0.5, 0.5), 0.0, "male", 3),
        (2, 0, Vectors.sparse(2, [1], [1.0]), 1.0, None, 1),
    ]
    df = spark.createDataFrame(rows, [*COLUMNS, "Sex", "Pclass"])
    scored = collect_scored(df.repartition(3), "label", key="id", groups=["Sex", "Pclass"])
    assert scored.key is not None
    assert scored.key.tolist() == [1, 2, 3]
    assert scored.label.tolist() == [0, 0, 1]
    assert scored.probability.tolist() == [0.5, 1.0, 0.75]
    assert scored.prediction.tolist() == [0, 1, 1]
    assert scored.groups["Sex"].tolist() == ["male", None, "female"]
    assert scored.groups["Pclass"].tolist() == [3, 1, None]
    assert (scored.n, scored.n_total) == (3, 3)
    assert scored.label.dtype == np.int64
    assert scored.probability.dtype == np.float64


def test_a_probability_that_is_a_plain_number_is_taken_as_it_is(spark: SparkSession) -> None:
    df = spark.createDataFrame([(2, 1, 0.75, 1.0), (1, 0, 0.25, 0.0)], COLUMNS)
    scored = collect_scored(df, "label", key="id")
    assert (scored.probability.tolist(), scored.label.tolist()) == ([0.25, 0.75], [0, 1])


def test_more_rows_than_the_limit_give_the_same_sample_however_they_are_spread(spark: SparkSession) -> None:
    rows = [(i, i % 2, Vectors.dense(0.5, 0.5), 0.0) for i in range(100)]
    df = spark.createDataFrame(rows, COLUMNS)
    here, there = (collect_scored(df.repartition(n), "label", key="id", limit=10) for n in (1, 4))
    assert here.n_total == 100
    assert 0 < here.n < 25, "about ten"
    assert here.same_rows(there)
    assert here.key is not None
    assert here.key.tolist() == sorted(here.key.tolist())
    assert here.key.tolist() != list(range(here.n))


def test_a_missing_column_is_named_with_the_nearest(spark: SparkSession) -> None:
    df = spark.createDataFrame([(1, 0)], "id int, label int")
    with pytest.raises(DataError, match="unknown column 'lable': did you mean 'label'"):
        collect_scored(df, "lable", key="id")
    with pytest.raises(DataError, match="unknown column 'lifeboat:probability'"):
        collect_scored(df, "label", key="id")
    rows = spark.createDataFrame([(1, 0, Vectors.dense(0.5, 0.5), 0.0)], COLUMNS)
    with pytest.raises(DataError, match="unknown column 'idd'"):
        collect_scored(rows, "label", key="id", group_by="idd")


# --- metrics and intervals --------------------------------------------------------------------------------------


def test_metrics_of_four_rows_are_those_worked_out_by_hand() -> None:
    # ranked 0.9 (1), 0.6 (0), 0.4 (1), 0.2 (0): three of four pairs in order; precision 1/1 and 2/3 where a 1 is found
    assert point_metrics(FOUR) == pytest.approx(
        {
            "accuracy": 0.5,
            "roc_auc": 0.75,
            "pr_auc": (1 + 2 / 3) / 2,
            "brier": (0.01 + 0.04 + 0.36 + 0.36) / 4,
            "log_loss": -(math.log(0.9) + math.log(0.8) + 2 * math.log(0.4)) / 4,
        },
        rel=1e-12,
    )
    assert undefined(FOUR) == {}


def test_rows_of_one_class_have_no_ranking_and_the_reason_is_told() -> None:
    positives = Scored([1, 1], [0.5, 0.2], [0, 0])
    values = point_metrics(positives)
    assert math.isnan(values["roc_auc"])
    assert math.isnan(values["pr_auc"])
    assert values["accuracy"] == 0
    assert values["log_loss"] == pytest.approx(-(math.log(0.5) + math.log(0.2)) / 2)
    assert undefined(positives)["roc_auc"] == "all 2 rows have label 1: to rank, there must be rows of both classes"
    intervals = bootstrap(positives, resamples=20)
    assert str(intervals["roc_auc"]) == "not defined"
    assert intervals["accuracy"] == Interval(0.0, 0.0, 0.0)


@given(scored_rows())
@QUICKLY
def test_the_means_of_row_losses_are_the_metrics_of_scikit_learn(scored: Scored) -> None:
    values = point_metrics(scored)
    assert loss_rows(scored, "log_loss").mean() == pytest.approx(values["log_loss"], rel=1e-12)
    assert loss_rows(scored, "brier").mean() == pytest.approx(values["brier"], rel=1e-12)
    assert 1 - loss_rows(scored, "accuracy").mean() == pytest.approx(values["accuracy"], rel=1e-12)


@given(scored_rows(), st.integers(0, 1000))
@QUICKLY
def test_a_draw_has_the_metrics_that_scikit_learn_gives_its_rows_written_out(scored: Scored, seed: int) -> None:
    times = next(resampled(scored.n, 1, seed))
    rows = np.repeat(np.arange(scored.n), times)
    label, probability = scored.label[rows], scored.probability[rows]
    drawn = {name: float(values[0]) for name, values in drawn_metrics(scored, 1, seed).items()}
    assert drawn["accuracy"] == pytest.approx(sk.accuracy_score(label, scored.prediction[rows]), rel=1e-12)
    assert drawn["brier"] == pytest.approx(((label - probability) ** 2).mean(), rel=1e-12)
    assert drawn["log_loss"] == pytest.approx(sk.log_loss(label, probability, labels=[0, 1]), rel=1e-12)
    if len(set(label)) == 2:
        assert drawn["roc_auc"] == pytest.approx(sk.roc_auc_score(label, probability), rel=1e-12)
        assert drawn["pr_auc"] == pytest.approx(sk.average_precision_score(label, probability), rel=1e-12)
    else:
        assert math.isnan(drawn["roc_auc"])


def test_a_bootstrap_interval_holds_the_value_and_widens_with_confidence() -> None:
    random = np.random.default_rng(7)
    label = (random.random(178) < 0.4).astype(int)
    probability = np.clip(0.3 + 0.3 * label + random.normal(0, 0.2, 178), 0.01, 0.99)
    scored = Scored(label, probability, (probability > 0.5).astype(int))
    narrow, wide = (bootstrap(scored, 500, confidence) for confidence in (0.5, 0.95))
    for name, value in point_metrics(scored).items():
        assert wide[name].low < narrow[name].low < value < narrow[name].high < wide[name].high
        assert wide[name].value == value
    # 142 of 178 are right; the 95 % of 500 draws of this seed, near the normal approximation's 0.739 to 0.857
    ends = pytest.approx(0.7411764996243775, rel=1e-12), pytest.approx(152 / 178, rel=1e-12)
    assert wide["accuracy"] == Interval(142 / 178, *ends)
    assert bootstrap(scored, 500, 0.95) == wide
    assert bootstrap(scored, 500, 0.95, seed=1) != wide


def test_percentiles_leave_out_an_equal_share_on_either_side_and_always_hold_the_value() -> None:
    draws = np.array([*range(101), math.nan], dtype=float)
    many = 10**9
    assert percentiles(50.0, draws, 0.9, many) == Interval(50.0, pytest.approx(5.0), pytest.approx(95.0))
    assert percentiles(99.0, draws, 0.9, many).high == 99
    assert percentiles(1.0, draws, 0.9, many).low == 1
    with pytest.raises(ParameterError, match="confidence is 95; write a number, between 0 and 1"):
        percentiles(50.0, draws, 95, many)
    with pytest.raises(ParameterError, match="resamples is 0"):
        next(resampled(3, 0, 1))


def test_the_fewer_groups_there_are_the_less_is_left_out_of_an_interval() -> None:
    draws = np.linspace(0, 1, 10_001)
    # of 20 groups: sqrt(20 / 19) x 2.0930 (Student's t, 19 degrees of freedom, 97.5 %) = 2.1474; the normal
    # distribution has 0.01588 below -2.1474
    interval = percentiles(0.5, draws, 0.95, 20)
    assert (interval.low, interval.high) == (pytest.approx(0.01588, abs=2e-5), pytest.approx(1 - 0.01588, abs=2e-5))
    assert percentiles(0.5, draws, 0.95, 10**9).low == pytest.approx(0.025)
    alone = percentiles(0.5, draws, 0.95, 1)
    assert math.isnan(alone.low), "one group alone says nothing of how groups differ"


def test_rows_of_one_group_are_drawn_together_and_those_of_none_by_themselves() -> None:
    pairs = Scored([1, 0, 1, 0], [0.9, 0.8, 0.9, 0.8], [1, 1, 1, 1], kin=texts("a", "b", "a", "b"))
    assert (pairs.kin.tolist(), pairs.n_kin) == ([0, 1, 0, 1], 2)
    assert (FOUR.kin.tolist(), FOUR.n_kin) == ([0, 1, 2, 3], 4)
    # group a is right in both rows, b in none: a draw has a twice, both, or b twice, and never a quarter of the rows
    drawn = {float((times[pairs.kin] @ [1, 0, 1, 0]) / times[pairs.kin].sum()) for times in resampled(2, 200, 1)}
    assert drawn == {0.0, 0.5, 1.0}
    assert bootstrap(pairs, 200)["accuracy"] == Interval(0.5, 0.0, 1.0)


def test_a_hundred_copies_of_a_row_are_worth_one() -> None:
    # ten groups of a hundred equal rows each, half of them right: as sure as ten rows, 9 / 10 of them for the spread
    # between groups is taken over the number of groups less one
    right = np.repeat([0, 1] * 5, 100)
    kin = np.repeat(np.arange(10), 100)
    assert worth(right, kin) == pytest.approx(9)
    assert share_of(right, kin) == wilson(4.5, 9)
    alone = np.arange(1000)
    assert share_of(right, alone) == wilson(500, 1000)
    assert worth(np.ones(1000, dtype=int), kin) == 10, "all alike: no more than the groups there are"


def test_a_model_is_exactly_as_good_as_itself() -> None:
    for metric in ("log_loss", "brier", "accuracy"):
        assert paired_difference(FOUR, FOUR, metric, 50) == Interval(0.0, 0.0, 0.0)


def test_the_difference_is_positive_where_the_first_model_is_better() -> None:
    a = Scored([1, 0], [0.8, 0.2], [1, 0])
    b = Scored([1, 0], [0.5, 0.5], [0, 0])
    # every row gains the same, so every draw does
    assert paired_difference(a, b, "brier", 50) == Interval(*[pytest.approx(0.25 - 0.04)] * 3)
    assert paired_difference(b, a, "log_loss", 50) == Interval(*[pytest.approx(math.log(0.5 / 0.8))] * 3)
    assert paired_difference(a, b, "accuracy", 50).value == 0.5


def test_an_unknown_metric_is_refused_with_the_nearest_known() -> None:
    with pytest.raises(ParameterError, match="unknown metric 'acuracy': did you mean 'accuracy'"):
        point_metric(FOUR, "acuracy")


def test_a_paired_difference_takes_the_same_rows_and_a_mean_metric_only() -> None:
    other = Scored([0, 1, 0, 1], FOUR.probability, FOUR.prediction)
    with pytest.raises(DataError, match="judged on different rows"):
        paired_difference(FOUR, other)
    with pytest.raises(ParameterError, match="unknown metric that is a mean over rows 'roc_auc'"):
        paired_difference(FOUR, FOUR, "roc_auc")
    mine, yours = (Scored([1, 0], [0.5, 0.5], [0, 0], key=texts(*keys)) for keys in ((1, 2), (1, 3)))
    with pytest.raises(DataError, match="judged on different rows"):
        paired_difference(mine, yours)


def test_the_wilson_interval_of_five_in_ten_is_the_one_by_hand() -> None:
    z = 1.959963984540054
    half = z * math.sqrt(0.25 / 10 + z * z / 400) / (1 + z * z / 10)
    assert wilson(5, 10) == Interval(0.5, pytest.approx(0.5 - half), pytest.approx(0.5 + half))
    assert wilson(0, 10).low == 0
    assert wilson(0, 10).high == pytest.approx(z * z / (10 + z * z))
    assert math.isnan(wilson(0, 0).value)


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@QUICKLY
def test_a_wilson_interval_holds_its_share_and_stays_between_0_and_1(counts: tuple[int, int]) -> None:
    interval = wilson(*counts)
    assert 0 <= interval.low <= interval.value + 1e-12
    assert interval.value - 1e-12 <= interval.high <= 1


# --- baselines --------------------------------------------------------------------------------------------------


def test_group_rates_are_smoothed_and_unseen_groups_get_the_overall_rate(spark: SparkSession) -> None:
    rows = [("female", 1), ("female", 1), ("female", 0), ("male", 0), ("male", 0), (None, 1), ("male", None)]
    train = spark.createDataFrame(rows, "Sex string, Survived int")
    rule = group_rates(train, "Survived", "Sex")
    assert rule.rates == {"female": 3 / 5, "male": 1 / 4, None: 2 / 3}
    assert rule.overall == 4 / 8
    scored = rule.score(rows_of(0, 1, 0, 1, Sex=texts("male", "female", "unseen", None)))
    assert scored.probability.tolist() == [1 / 4, 3 / 5, 1 / 2, 2 / 3]
    assert scored.prediction.tolist() == [0, 1, 0, 1]


def test_without_a_column_the_majority_rule_says_the_same_of_all(spark: SparkSession) -> None:
    train = spark.createDataFrame([(1.0,), (0.0,), (0.0,)], "y double")
    scored = group_rates(train, "y").score(rows_of(1, 0))
    assert scored.probability.tolist() == [2 / 5, 2 / 5]
    assert scored.prediction.tolist() == [0, 0]


def test_a_baseline_that_was_never_surprised_still_has_a_finite_log_loss(spark: SparkSession) -> None:
    train = spark.createDataFrame([("a", 1)] * 8, "g string, y int")
    scored = group_rates(train, "y", "g").score(rows_of(0, g=texts("a")))
    assert point_metrics(scored)["log_loss"] == pytest.approx(-math.log(1 / 10))


def test_group_rates_say_what_they_miss(spark: SparkSession) -> None:
    train = spark.createDataFrame([("a", None)], "g string, y int")
    with pytest.raises(DataError, match="no training row has a label in 'y'"):
        group_rates(train, "y", "g")
    with pytest.raises(DataError, match="unknown column 'G'"):
        group_rates(train, "y", "G")
    with pytest.raises(ParameterError, match="unknown group 'Sex': did you mean 'sex'"):
        GroupRates("Sex", {}, 0.5).score(rows_of(1, sex=texts("male")))


# --- parts of the rows ------------------------------------------------------------------------------------------


def test_confusion_counts_what_is_true_down_and_what_was_said_across() -> None:
    scored = Scored([0, 0, 0, 1, 1], [0.5] * 5, [0, 0, 1, 0, 1])
    assert confusion(scored).tolist() == [[2, 1], [1, 1]]
    assert confusion(Scored([1], [0.9], [1])).tolist() == [[0, 0], [0, 1]]


def test_each_group_has_the_numbers_of_its_own_rows() -> None:
    groups = {"Sex": texts("male", "female", "male", None)}
    rows = by_group(Scored(FOUR.label, FOUR.probability, FOUR.prediction, groups=groups), ["Sex"])
    assert [(row.value, row.n, row.positives) for row in rows] == [("female", 1, 0), ("male", 2, 2), (None, 1, 0)]
    female, male, nobody = rows
    assert male.accuracy == wilson(1, 2)
    assert male.recall_1 == wilson(1, 2)
    assert math.isnan(male.recall_0.value)
    assert male.mean_probability == pytest.approx(0.65)
    assert male.brier == pytest.approx((0.01 + 0.36) / 2)
    assert (female.recall_0, nobody.recall_0) == (wilson(1, 1), wilson(0, 1))


def test_what_is_found_of_a_class_in_a_group_has_the_interval_of_what_its_rows_are_worth() -> None:
    # of four rows of class 1, two stand for one person
    kin, groups = texts("a", "a", "b", "c", "d"), {"all": texts(*"xxxxx")}
    scored = Scored([1, 1, 1, 1, 0], [0.9, 0.9, 0.1, 0.9, 0.2], [1, 1, 0, 1, 0], kin=kin, groups=groups)
    (row,) = by_group(scored, ["all"], confidence=0.8)
    assert row.recall_1 == share_of(np.array([1, 1, 0, 1]), np.array([0, 0, 1, 2]), 0.8)
    assert row.recall_0 == wilson(1, 1, 0.8)
    assert row.accuracy == share_of(np.array([1, 1, 0, 1, 1]), np.array([0, 0, 1, 2, 3]), 0.8)


def test_several_groups_are_crossed_too_and_those_without_a_value_come_last() -> None:
    groups = {"Sex": texts("male", "female", None), "Pclass": texts(3, None, 1)}
    scored = Scored([0, 1, 1], [0.1, 0.9, 0.9], [0, 1, 1], groups=groups)
    assert [(row.group, row.value, row.positives) for row in by_group(scored, ["Sex", "Pclass"])] == [
        ("Sex", "female", 1), ("Sex", "male", 0), ("Sex", None, 1), ("Pclass", 1, 1), ("Pclass", 3, 0),
        ("Pclass", None, 1), ("Sex and Pclass", "male, 3", 0), ("Sex and Pclass", None, 2),
    ]  # fmt: skip
    assert [row.group for row in by_group(scored, ["Pclass"])] == ["Pclass"] * 3
    with pytest.raises(ParameterError, match="unknown group 'sex': did you mean 'Sex'"):
        by_group(scored, ["sex"])


def test_calibration_bins_hold_equal_shares_of_the_rows() -> None:
    scored = Scored([0, 1, 1, 1], [0.1, 0.3, 0.6, 0.8], [0, 0, 1, 1])
    low, high = calibration(scored, 2)
    assert (low.n, low.mean_probability, low.rate) == (2, pytest.approx(0.2), wilson(1, 2))
    assert (high.n, high.mean_probability, high.rate) == (2, pytest.approx(0.7), wilson(2, 2))
    with pytest.raises(ParameterError, match="bins is 0"):
        calibration(scored, 0)


@given(scored_rows(), st.integers(1, 6))
@QUICKLY
def test_calibration_cuts_where_scikit_learn_cuts(scored: Scored, bins: int) -> None:
    curve = calibration(scored, bins)
    rate, mean = sk_calibration.calibration_curve(scored.label, scored.probability, n_bins=bins, strategy="quantile")
    assert [row.rate.value for row in curve] == pytest.approx(rate.tolist(), rel=1e-12)
    assert [row.mean_probability for row in curve] == pytest.approx(mean.tolist(), rel=1e-12)
    assert sum(row.n for row in curve) == scored.n


def test_each_threshold_costs_its_false_alarms_and_its_misses() -> None:
    costs = threshold_costs(FOUR, cost_false_positive=1, cost_false_negative=3)
    at = {round(float(t), 2): i for i, t in enumerate(costs.threshold)}
    counted = {t: (costs.false_positives[i], costs.false_negatives[i], costs.cost[i]) for t, i in at.items()}
    assert counted[0.0] == (2, 0, 2)
    assert counted[0.2] == (1, 0, 1)  # not over the threshold is 0, as in Spark
    assert counted[0.4] == (1, 1, 4)
    assert counted[0.5] == (1, 1, 4)
    assert counted[0.6] == (0, 1, 3)
    assert counted[1.0] == (0, 2, 6)
    assert costs.threshold[costs.best] == 0.39  # of 0.2 to 0.39, all costing 1, the nearest to 0.5
    with pytest.raises(ParameterError, match="cost_false_negative is -1"):
        threshold_costs(FOUR, 1, -1)


def test_where_no_cost_is_named_each_mistake_costs_one() -> None:
    assert threshold_costs(FOUR).cost[[0, 50, 100]].tolist() == [2, 2, 2]
    assert [cost_at(FOUR, threshold) for threshold in (0.0, 0.2, 0.5, 0.6)] == [2, 1, 2, 1]


def test_rows_drawn_anew_cost_what_they_would_cost_written_out() -> None:
    spread = cheapest_threshold(FOUR, 1, 3, resamples=9, confidence=0.5, seed=5)
    written = []
    for times in resampled(4, 9, 5):
        rows = np.repeat(np.arange(4), times)
        costs = threshold_costs(FOUR.taken(rows), 1, 3)
        written.append(costs.threshold[costs.best])
    assert len(set(written)) > 1, "draws that differ"
    assert spread == percentiles(0.39, np.array(written), 0.5, 4)


def test_the_cheapest_threshold_of_kin_is_drawn_by_kin() -> None:
    alike = Scored(FOUR.label, FOUR.probability, FOUR.prediction, kin=texts(*"aabb"))
    # both pairs, or the second alone: 0.39; the first alone: 0.5. Row by row, other draws would have 0.6
    assert cheapest_threshold(alike, 1, 3, 200) == Interval(0.39, 0.39, 0.5)
    assert cheapest_threshold(FOUR, 1, 3, 200).high == 0.6
    alone = Scored(FOUR.label, FOUR.probability, FOUR.prediction, kin=texts(*"aaaa"))
    assert math.isnan(cheapest_threshold(alone, 1, 3, 20).low), "one group cannot be drawn anew"


@given(scored_rows(), st.integers(0, 100), st.integers(0, 3), st.integers(0, 3))
@QUICKLY
def test_a_cost_at_a_threshold_is_that_of_its_line_in_the_table(scored: Scored, at: int, alarm: int, miss: int) -> None:
    costs = threshold_costs(scored, alarm, miss)
    assert cost_at(scored, at / 100, alarm, miss) == costs.cost[at]
    called = scored.probability > at / 100
    assert costs.false_positives[at] == sum(called & (scored.label == 0))
    assert costs.false_negatives[at] == sum(~called & (scored.label == 1))
    assert costs.cost[at] == alarm * costs.false_positives[at] + miss * costs.false_negatives[at]


def test_where_probabilities_are_honest_the_costs_alone_say_the_threshold() -> None:
    assert honest_threshold(1, 2) == 1 / 3
    assert honest_threshold(3, 1) == 0.75
    assert (honest_threshold(0, 5), honest_threshold(5, 0), honest_threshold(0, 0)) == (0, 1, 0.5)
    with pytest.raises(ParameterError, match="cost_false_positive is nan"):
        honest_threshold(math.nan, 1)
    # of four rows with probability 0.25 and four with 0.5, as many are 1 as that says
    honest = Scored([1, 0, 0, 0, 1, 1, 0, 0], [0.25] * 4 + [0.5] * 4, [0] * 8)
    for alarm, miss in ((1, 2), (2, 1), (1, 5), (1, 1)):
        lowest = threshold_costs(honest, alarm, miss).cost.min()
        assert cost_at(honest, honest_threshold(alarm, miss), alarm, miss) == lowest


def surely_better_than_an_equal(by_rows: bool) -> float:
    """How often one of two models that are as good as each other is surely better, of 300 pairs on 20 groups of 15.

    How sure a model is of the truth is the same in all rows of a group.
    """
    random, count = np.random.default_rng(3), 0
    kin = np.repeat(np.arange(20), 15)
    for _ in range(300):
        label = random.integers(0, 2, 300)
        a, b = (0.5 + (label - 0.5) * random.uniform(0, 1, 20)[kin] for _ in range(2))
        models = [Scored(label, p, (p > 0.5).astype(int), kin=None if by_rows else kin) for p in (a, b)]
        count += paired_difference(*models, "brier", 200).low > 0
    return count / 300


def test_where_groups_are_drawn_a_model_is_rarely_surely_better_than_its_equal() -> None:
    # nominal 2.5 %; the standard deviation of 300 trials at 4 % is 1.1 %
    assert surely_better_than_an_equal(by_rows=False) <= 0.06
    assert surely_better_than_an_equal(by_rows=True) > 0.15, "rows drawn one by one: far too sure"


def test_what_is_not_defined_is_noted_as_null_with_its_reason() -> None:
    assert Interval(0.5, 0.25, 0.75).noted("none") == {"value": 0.5, "low": 0.25, "high": 0.75}
    positives = Scored([1, 1], [0.5, 0.2], [0, 0])
    noted = bootstrap(positives, 3)["roc_auc"].noted(undefined(positives)["roc_auc"])
    reason = "all 2 rows have label 1: to rank, there must be rows of both classes"
    assert noted == {"value": None, "low": None, "high": None, "reason": reason}
    assert json.dumps(noted, allow_nan=False)
