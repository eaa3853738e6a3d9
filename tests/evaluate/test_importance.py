"""Permutation importance by one Spark transform, against the same done one copy at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import DecisionTreeClassifier, LogisticRegression, RandomForestClassifier
from pyspark.ml.feature import SQLTransformer, VectorAssembler
from pyspark.ml.linalg import Vectors
from pyspark.sql import DataFrame, SparkSession

from lifeboat.errors import DataError, ParameterError
from lifeboat.evaluate import collect_scored, importance, point_metrics
from lifeboat.evaluate.importance import features_of, permutation_importance
from lifeboat.preprocess.column_names import PREDICTION, PROBABILITY, imputed, index

# `strong` decides the label but for one row in ten, `weak` a little, `constant` nothing
ANSWERS = {"probabilityCol": PROBABILITY, "predictionCol": PREDICTION}
ROWS = [(i, int(i % 2 == 0) if i % 10 else i % 20 // 10, float(i % 2), float(i * 7 % 11), 1.0) for i in range(60)]


STRONG = {"strong": ["strong"]}


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame(ROWS, "id int, y int, strong double, weak double, constant double").cache()


@pytest.fixture(scope="module")
def model(rows: DataFrame) -> PipelineModel:
    assembler = VectorAssembler(inputCols=["strong", "weak", "constant"], outputCol="features")
    forest = RandomForestClassifier(labelCol="y", numTrees=3, maxDepth=3, seed=1, **ANSWERS)
    return Pipeline(stages=[assembler, forest]).fit(rows.coalesce(1))


def test_the_rise_is_the_one_of_shuffling_the_raw_column_by_hand(rows: DataFrame, model: PipelineModel) -> None:
    importances = permutation_importance(model, rows, {"weak": ["weak"]}, label="y", key="id", repeats=2, seed=5)
    random = np.random.default_rng(5)
    weak = np.array([row[3] for row in ROWS])
    expected = []
    before = point_metrics(collect_scored(model.transform(rows), "y", key="id"))["log_loss"]
    for _ in range(2):
        shuffled = weak[random.permutation(60)]
        copy = [(i, y, strong, float(w), c) for (i, y, strong, _, c), w in zip(ROWS, shuffled, strict=True)]
        transformed = model.transform(rows.sparkSession.createDataFrame(copy, rows.schema))
        expected.append(point_metrics(collect_scored(transformed, "y", key="id"))["log_loss"] - before)
    assert expected[0] != 0
    assert importances[0].repeats == pytest.approx(tuple(expected), rel=1e-12)
    assert importances[0].mean == pytest.approx(np.mean(expected), rel=1e-12)
    assert importances[0].spread == pytest.approx(abs(expected[0] - expected[1]) / np.sqrt(2), rel=1e-9)


def test_the_strongest_feature_is_first_and_a_constant_is_worth_nothing(rows: DataFrame, model: PipelineModel) -> None:
    importances = permutation_importance(
        model, rows, features_of(model), label="y", key="id", metric="accuracy", repeats=5
    )
    assert importances[0].name == "strong"
    assert importances[0].mean > 0.2  # a fall of accuracy is a positive importance too
    constant = next(feature for feature in importances if feature.name == "constant")
    assert constant.repeats == (0.0,) * 5
    assert constant.spread == 0


@pytest.mark.parametrize("limit", [40, 60])
def test_partitions_and_row_order_do_not_change_it(rows: DataFrame, model: PipelineModel, limit: int) -> None:
    here, there = (
        permutation_importance(
            model, some, {"s": ["strong"], "w": ["weak"]}, label="y", key="id", repeats=3, limit=limit
        )
        for some in (rows, rows.repartition(3, "weak"))
    )
    assert here == there


def test_features_that_say_the_same_are_worth_more_together_than_apart(spark: SparkSession) -> None:
    twins = [(i, i % 2, float(i % 2), float(i % 2)) for i in range(40)]
    df = spark.createDataFrame(twins, "id int, y int, a double, b double").coalesce(1)
    both = VectorAssembler(inputCols=["a", "b"], outputCol="features")
    model = Pipeline(stages=[both, LogisticRegression(labelCol="y", regParam=0.1)]).fit(df)
    groups = {"a": ["a"], "b": ["b"], "a and b": ["a", "b"]}
    importances = permutation_importance(model, df, groups, label="y", key="id", repeats=5)
    assert importances[0].name == "a and b"
    assert importances[0].mean > importances[1].mean + importances[2].mean


def test_features_have_plain_names_and_those_that_say_the_same_are_one_more(spark: SparkSession) -> None:
    df = spark.createDataFrame([(i % 2, float(i), 1.0, 2.0) for i in range(8)], ["y", "a", index("b"), imputed("c")])
    columns = VectorAssembler(inputCols=["a", index("b"), imputed("c")], outputCol="features")
    model = Pipeline(stages=[columns, LogisticRegression(labelCol="y")]).fit(df.coalesce(1))
    each = {"a": ["a"], "b": [index("b")], "c": [imputed("c")]}
    assert features_of(model) == each
    assert features_of(model, ["c", "a"]) == {**each, "c and a": ["a", imputed("c")]}


def test_a_column_that_fills_several_places_is_shuffled_as_one(spark: SparkSession) -> None:
    data = [(i, i % 2, Vectors.dense([i % 2, 1 - i % 2]), float(i)) for i in range(20)]
    df = spark.createDataFrame(data, ["id", "y", "pair", "x"]).coalesce(1)
    keep = SQLTransformer(statement="SELECT *, x AS x2 FROM __THIS__")
    assembler = VectorAssembler(inputCols=["x2", "pair"], outputCol="features")
    tree = DecisionTreeClassifier(labelCol="y", maxDepth=1, seed=1)
    model = Pipeline(stages=[keep, assembler, tree]).fit(df)
    importances = permutation_importance(
        model, df, features_of(model), label="y", key="id", metric="accuracy", repeats=4
    )
    assert [feature.name for feature in importances] == ["pair", "x2"]
    assert importances[0].mean > 0.2
    assert importances[1].repeats == (0.0,) * 4


def test_a_mistake_is_named_before_spark_is_asked(rows: DataFrame, model: PipelineModel) -> None:
    with pytest.raises(ParameterError, match="unknown feature 'stron': did you mean 'strong'"):
        permutation_importance(model, rows, {"s": ["stron"]}, label="y", key="id")
    with pytest.raises(ParameterError, match="write a list of columns"):
        permutation_importance(model, rows, {"s": "strong"}, label="y", key="id")
    with pytest.raises(ParameterError, match="unknown metric 'logloss': did you mean 'log_loss'"):
        permutation_importance(model, rows, STRONG, label="y", key="id", metric="logloss")
    with pytest.raises(ParameterError, match="repeats is 0"):
        permutation_importance(model, rows, STRONG, label="y", key="id", repeats=0)
    with pytest.raises(ParameterError, match="must end with a VectorAssembler and its classifier"):
        permutation_importance(PipelineModel(model.stages[:1]), rows, STRONG, label="y", key="id")


def test_rows_that_define_no_metric_are_refused(rows: DataFrame, model: PipelineModel) -> None:
    with pytest.raises(DataError, match="roc_auc is not defined on these rows"):
        permutation_importance(model, rows.filter("y = 1"), STRONG, label="y", key="id", metric="roc_auc", repeats=1)
    with pytest.raises(DataError, match="no rows to shuffle"):
        permutation_importance(model, rows.filter("y = 7"), STRONG, label="y", key="id")


def test_copies_that_go_by_several_frames_give_the_same_numbers(
    rows: DataFrame, model: PipelineModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = {"label": "y", "key": "id", "repeats": 3, "seed": 5}
    together = permutation_importance(model, rows, features_of(model), **arguments)
    sizes: list[int] = []
    judge = importance._judge

    def counted(classifier: Any, as_they_are: Any, orders: list[Any], *more: Any) -> Any:
        sizes.append(len(orders))
        return judge(classifier, as_they_are, orders, *more)

    monkeypatch.setattr(importance, "VALUES_AT_ONCE", 4 * 60 * 3 + 179)  # four copies of 60 rows of 3 columns
    monkeypatch.setattr(importance, "_judge", counted)
    assert permutation_importance(model, rows, features_of(model), **arguments) == together
    assert sizes == [4, 4, 2]  # the rows as they are, and three times three copies


def test_the_classifier_is_asked_about_each_row_once_however_many_copies_hold_it(
    rows: DataFrame, model: PipelineModel
) -> None:
    classifier, asked = model.stages[-1], []

    class Counting:
        def __getattr__(self, name: str) -> Any:
            return getattr(classifier, name)

        def transform(self, vectors: DataFrame) -> DataFrame:
            asked.append(vectors.count())
            return classifier.transform(vectors)

    four = np.array([[0.0, 1.0, 1.0], [1.0, 1.0, 1.0], [0.0, 2.0, 1.0], [1.0, 2.0, 1.0]])
    labels, as_it_is = np.array([1, 0, 1, 0]), np.arange(4)
    # the first and second, the third and fourth change places: in column 0 the same four rows, in both columns too
    orders = [([], as_it_is), ([0], np.array([1, 0, 3, 2])), ([0, 1], np.array([1, 0, 3, 2]))]
    values = importance._judge(Counting(), four, orders, labels, "accuracy", rows)
    alone = [importance._judge(classifier, four, [order], labels, "accuracy", rows)[0] for order in orders]
    assert asked == [4]
    assert values.tolist() == alone
    assert values[0] != values[1] == values[2]
