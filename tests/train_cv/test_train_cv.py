"""Cross-validation: folds by hash, what is shared is fitted once, and the scores are Spark's own."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import LogisticRegression, RandomForestClassifier
from pyspark.ml.feature import StringIndexer, TargetEncoder, VectorAssembler
from pyspark.ml.functions import vector_to_array
from pyspark.ml.tuning import CrossValidator
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lifeboat import sampling, train_cv
from lifeboat.errors import DataError, ParameterError
from lifeboat.preprocess import GroupMeanImputer, column_names
from lifeboat.sampling import repartition_by_key
from lifeboat.spark.session import count_jobs
from lifeboat.train_cv.shared_pipeline import SharedPipeline, columns_read


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    """Ninety rows: the label follows x, with some noise; a fifth of the x are missing."""
    made = [
        (i, "ab"[i % 2], None if i % 5 == 0 else float((i * 37) % 100), float((i * 17) % 10), int((i * 37) % 100 > 45))
        for i in range(90)
    ]
    noisy = [(i, g, x, z, 1 - y if i % 11 == 0 else y) for i, g, x, z, y in made]
    df = spark.createDataFrame(noisy, "id int, g string, x double, z double, y int")
    return repartition_by_key(sampling.add_folds(df, "id", 3, 7), "id", 90).cache()


def stages(last: Any) -> list[Any]:
    return [
        GroupMeanImputer(inputCol="x", outputCol="x_imputed", groupCol="g"),
        VectorAssembler(inputCols=["x_imputed", "z"], outputCol=column_names.FEATURES),
        last,
    ]


def forest(**params: Any) -> RandomForestClassifier:
    return RandomForestClassifier(
        labelCol="y", numTrees=3, maxDepth=3, seed=5, **column_names.CLASSIFIER_COLUMNS, **params
    )


def validator(pipeline: Pipeline, grid: list[Any], metric: str = "accuracy", parallelism: int = 1) -> CrossValidator:
    return CrossValidator(
        estimator=pipeline,
        estimatorParamMaps=grid,
        evaluator=train_cv.make_evaluator(metric, "y"),
        numFolds=3,
        foldCol=sampling.FOLD,
        seed=1,
        parallelism=parallelism,
    )


# --- cross_validate against Spark's own CrossValidator


@pytest.fixture(scope="module")
def validated(rows: DataFrame) -> tuple[train_cv.CrossValidated, CrossValidator]:
    classifier = forest()
    grid = train_cv.make_grid(classifier, {"numTrees": [1, 3], "maxDepth": [1, 3]})
    cv = validator(SharedPipeline(stages=stages(classifier)), grid, parallelism=2)
    return train_cv.cross_validate(cv, rows, "id"), validator(Pipeline(stages=stages(classifier)), grid)


def test_the_mean_scores_and_the_choice_are_those_of_sparks_own_fit(
    rows: DataFrame, validated: tuple[train_cv.CrossValidated, CrossValidator]
) -> None:
    ours, plain = validated
    sparks = plain.fit(rows)
    assert [ours.mean(point) for point in range(4)] == pytest.approx(sparks.avgMetrics, abs=0, rel=1e-15)
    assert ours.best == max(range(4), key=lambda point: sparks.avgMetrics[point])
    assert probabilities(ours.model, rows) == probabilities(sparks.bestModel, rows)


def probabilities(model: Any, df: DataFrame) -> list[list[float]]:
    return [
        row[0] for row in model.transform(df).orderBy("id").select(vector_to_array(column_names.PROBABILITY)).collect()
    ]


def test_the_grid_is_every_combination_the_last_name_changing_fastest(
    validated: tuple[train_cv.CrossValidated, CrossValidator],
) -> None:
    assert validated[0].points == [
        {"numTrees": 1, "maxDepth": 1},
        {"numTrees": 1, "maxDepth": 3},
        {"numTrees": 3, "maxDepth": 1},
        {"numTrees": 3, "maxDepth": 3},
    ]


def test_every_row_is_predicted_once_by_a_model_that_never_saw_its_fold(
    rows: DataFrame, validated: tuple[train_cv.CrossValidated, CrossValidator]
) -> None:
    ours = validated[0]
    kept = ours.out_of_fold.orderBy("id").collect()
    assert [row["id"] for row in kept] == list(range(90))
    for fold in range(3):
        point = ours.points[ours.best]
        alone = Pipeline(stages=stages(forest().copy().setParams(labelCol="y", seed=5, **point)))
        predicted = alone.fit(rows.filter(F.col(sampling.FOLD) != fold)).transform(
            rows.filter(F.col(sampling.FOLD) == fold)
        )
        assert [row[column_names.PROBABILITY] for row in kept if row[sampling.FOLD] == fold] == [
            row[column_names.PROBABILITY] for row in predicted.orderBy("id").collect()
        ]
        mine = [row[column_names.PREDICTION] == row["y"] for row in kept if row[sampling.FOLD] == fold]
        assert sum(mine) / len(mine) == pytest.approx(ours.scores[ours.best][fold], rel=1e-15)


def test_progress_is_told_after_every_fit(rows: DataFrame) -> None:
    calls: list[tuple[int, int, str]] = []
    classifier = LogisticRegression(labelCol="y", maxIter=1, **column_names.CLASSIFIER_COLUMNS)
    grid = train_cv.make_grid(classifier, {"regParam": [0.0, 0.1]})
    cv = validator(SharedPipeline(stages=stages(classifier)), grid)
    train_cv.cross_validate(cv, rows, "id", progress=lambda *call: calls.append(call))
    assert [done for done, _, _ in calls] == [1, 2, 3, 4, 5, 6, 7]
    assert {total for _, total, _ in calls} == {7}
    assert calls[2][2] == "fold 2 of 3, grid point 1 of 2"


@pytest.mark.parametrize(("bins", "fits"), [(32, False), (40, False), (41, True)])
def test_a_category_with_more_values_than_trees_have_bins_is_named_before_a_tree_is_grown(
    spark: SparkSession, bins: int, fits: bool
) -> None:
    rows = spark.createDataFrame([(f"v{i % 40}", i % 2) for i in range(80)], "`lifeboat:imputed:port` string, y int")
    index = StringIndexer(inputCol="lifeboat:imputed:port", outputCol="i", handleInvalid="keep")
    last = forest(maxBins=bins)
    way = SharedPipeline(stages=[index, VectorAssembler(inputCols=["i"], outputCol=column_names.FEATURES), last])
    if fits:
        assert len(list(way.fitMultiple(rows, [{last.maxDepth: 1}]))) == 1
    else:
        with pytest.raises(ParameterError, match=rf"maxBins is {bins}, port has 40 values: write maxBins: 64, or"):
            way.fitMultiple(rows, [{last.maxDepth: 1}])


def test_a_fold_without_rows_is_named_before_anything_is_fitted(rows: DataFrame) -> None:
    cv = validator(SharedPipeline(stages=stages(forest())), [{}])
    with pytest.raises(DataError, match=r"0 rows in fold 0, 0 of them with y = 1; .* Take fewer folds"):
        train_cv.cross_validate(cv, rows.filter(F.col(sampling.FOLD) > 0), "id")


def test_a_fold_of_one_class_is_refused_before_anything_is_fitted(rows: DataFrame) -> None:
    cv = validator(SharedPipeline(stages=stages(forest())), [{}])
    uneven = rows.filter((F.col(sampling.FOLD) != 1) | (F.col("y") == 0))
    n = uneven.filter(F.col(sampling.FOLD) == 1).count()
    with pytest.raises(DataError, match=rf"{n} rows in fold 1, 0 of them with y = 1;"):
        train_cv.cross_validate(cv, uneven, "id")


def test_rows_of_a_group_are_in_one_fold_and_too_few_groups_are_refused(rows: DataFrame) -> None:
    grouped = rows.drop(sampling.FOLD).withColumn("day", F.col("id") % 30)
    folds = sampling.add_folds(grouped, "id", 3, 7, "day")
    assert folds.groupBy("day").agg(F.count_distinct(sampling.FOLD).alias("n")).filter("n > 1").isEmpty()
    assert sampling.check_folds(folds, "y", 3) == 90
    with pytest.raises(DataError, match="a group_by of more and smaller groups"):
        sampling.check_folds(sampling.add_folds(rows.drop(sampling.FOLD), "id", 3, 7, "g"), "y", 3)


# --- cross_fit


def test_no_row_has_a_say_in_what_an_encoder_says_of_it(spark: SparkSession) -> None:
    data = [(1, 0.0, 1, 0), (2, 0.0, 1, 0), (3, 1.0, 0, 0), (4, 0.0, 0, 1), (5, 1.0, 1, 1), (6, 2.0, 0, 1)]
    rows = spark.createDataFrame(data, f"id int, ticket double, y int, `{sampling.FOLD}` int")
    encoder = TargetEncoder(inputCol="ticket", outputCol="rate", labelCol="y", handleInvalid="keep")
    encoded = train_cv.cross_fit(encoder, rows)
    assert encoded.columns == [*rows.columns, "rate"]
    # ticket 0 is 1 and 1 in fold 0, and 0 in fold 1; ticket 2 is in fold 1 alone: it gets the rate of all fold 0
    assert [(row["id"], row["rate"]) for row in encoded.collect()] == [
        (1, 0.0), (2, 0.0), (3, 1.0), (4, 1.0), (5, 0.0), (6, pytest.approx(2 / 3)),
    ]  # fmt: skip


def test_cross_fitting_in_one_fold_is_refused(rows: DataFrame) -> None:
    single = rows.filter(F.col(sampling.FOLD) == 1)
    with pytest.raises(DataError, match=r"rows of the folds \[1\]; it takes two or more"):
        train_cv.cross_fit(forest(), single)


# --- SharedPipeline


def test_shared_stages_are_fitted_once_and_the_models_are_the_same(rows: DataFrame, spark: SparkSession) -> None:
    classifier = LogisticRegression(labelCol="y", maxIter=2, **column_names.CLASSIFIER_COLUMNS)
    grid = train_cv.make_grid(classifier, {"regParam": [0.0, 0.1, 1.0]})
    shared, plain = SharedPipeline(stages=stages(classifier)), Pipeline(stages=stages(classifier))
    models: dict[str, dict[int, PipelineModel]] = {}
    jobs = {
        name: count_jobs(spark, lambda way=way, name=name: models.update({name: dict(way.fitMultiple(rows, grid))}))
        for name, way in (("shared", shared), ("plain", plain))
    }
    assert jobs["shared"] < jobs["plain"]  # type: ignore[operator]
    for index in range(3):
        assert probabilities(models["shared"][index], rows) == probabilities(models["plain"][index], rows)


def test_a_grid_over_the_preprocessing_fits_it_for_each_point(rows: DataFrame) -> None:
    pipeline = SharedPipeline(
        stages=stages(LogisticRegression(labelCol="y", maxIter=2, **column_names.CLASSIFIER_COLUMNS))
    )
    imputer = pipeline.getStages()[0]
    models = dict(pipeline.fitMultiple(rows, [{imputer.groupCol: "g"}, {imputer.groupCol: ""}]))
    assert sorted(models[0].stages[0].getOrDefault("means")) == ["a", "b"]
    assert sorted(models[1].stages[0].getOrDefault("means")) == [""]


def test_what_was_kept_for_the_fits_is_let_go_after_the_last(rows: DataFrame, spark: SparkSession) -> None:
    def kept() -> set[int]:
        return set(spark.sparkContext._jsc.getPersistentRDDs().keySet())

    classifier = LogisticRegression(labelCol="y", maxIter=1, **column_names.CLASSIFIER_COLUMNS)
    grid = train_cv.make_grid(classifier, {"regParam": [0.0, 0.1]})
    rows.count()
    before = kept()
    fits = SharedPipeline(stages=stages(classifier)).fitMultiple(rows, grid)
    next(fits)
    assert len(kept() - before) == 1
    next(fits)
    assert kept() <= before


def test_a_predictor_reads_its_features_its_label_and_its_weight_if_any(spark: SparkSession) -> None:
    df = spark.createDataFrame([], "id int, features double, y int, w double")
    plain, weighted = (LogisticRegression(labelCol="y"), LogisticRegression(labelCol="y", weightCol="w"))
    assert columns_read(df, plain) == ["features", "y"]
    assert columns_read(df, weighted) == ["features", "y", "w"]


# --- choosing


@pytest.mark.parametrize(
    ("scores", "larger", "rule", "chosen"),
    [
        ([[0.8, 0.8], [0.9, 0.7]], True, "best_mean", 0),  # equal means: the first
        ([[0.7, 0.8], [0.9, 0.8]], True, "best_mean", 1),
        ([[0.5, 0.6], [0.4, 0.5]], False, "best_mean", 1),
        # best mean 0.85, standard error 0.05: the first within it has 0.81
        ([[0.70, 0.72], [0.80, 0.82], [0.80, 0.90]], True, "one_standard_error", 1),
        ([[0.70, 0.72], [0.70, 0.78], [0.80, 0.90]], True, "one_standard_error", 2),
        # a loss: best 0.45 +- 0.05, so 0.49 will do
        ([[0.48, 0.50], [0.40, 0.50]], False, "one_standard_error", 0),
    ],
)
def test_a_point_is_chosen_by_the_rule(scores: list[list[float]], larger: bool, rule: str, chosen: int) -> None:
    assert train_cv.cross_validation.choose_point(scores, larger, rule) == chosen


def test_a_standard_error_is_the_spread_over_the_root_of_the_folds() -> None:
    validated = train_cv.CrossValidated([{}], [[0.7, 0.8, 0.9]], True, 0, None, None)  # type: ignore[arg-type]
    assert validated.mean(0) == pytest.approx(0.8)
    assert validated.standard_error(0) == pytest.approx(0.1 / math.sqrt(3))


def test_a_rule_that_is_none_is_refused(rows: DataFrame) -> None:
    cv = validator(SharedPipeline(stages=stages(forest())), [{}])
    with pytest.raises(ParameterError, match="unknown value of choose 'best': did you mean 'best_mean'"):
        train_cv.cross_validate(cv, rows, "id", choose="best")


# --- estimators, grids, metrics, folds by name


@pytest.mark.parametrize(
    ("name", "params", "kind"),
    [
        ("random_forest", {"numTrees": 7, "thresholds": [0.4, 0.6]}, "RandomForestClassifier"),
        ("gbt", {"maxIter": 3, "stepSize": 1}, "GBTClassifier"),
        ("logistic_regression", {"regParam": 1, "standardization": False}, "LogisticRegression"),
    ],
)
def test_an_estimator_is_made_by_its_name_with_its_params(
    spark: SparkSession, name: str, params: dict[str, Any], kind: str
) -> None:
    made = train_cv.make_estimator(name, params, "y", seed=9)
    assert type(made).__name__ == kind
    assert made.getOrDefault("labelCol") == "y"
    assert {key: made.getOrDefault(key) for key in column_names.CLASSIFIER_COLUMNS} == column_names.CLASSIFIER_COLUMNS
    assert {key: made.getOrDefault(key) for key in params} == params
    assert not made.hasParam("seed") or made.getOrDefault("seed") == 9


def test_a_forest_keeps_which_node_a_row_has_come_to_unless_told_otherwise(spark: SparkSession) -> None:
    for params, kept in (({}, True), ({"cacheNodeIds": False}, False)):
        assert train_cv.make_estimator("random_forest", params, "y", seed=9).getOrDefault("cacheNodeIds") is kept


def test_a_forest_that_keeps_it_has_the_same_trees(rows: DataFrame) -> None:
    def trees(kept: bool) -> str:
        classifier = train_cv.make_estimator("random_forest", {"numTrees": 4, "cacheNodeIds": kept}, "y", seed=1)
        return Pipeline(stages=stages(classifier)).fit(rows.repartition(3, "id")).stages[-1].toDebugString

    assert trees(True).partition("\n")[2] == trees(False).partition("\n")[2]


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("forest", {}, "unknown value of estimator 'forest'.* Known: gbt, logistic_regression, random_forest"),
        ("random_forest", {"numTree": 3}, "unknown Param of RandomForestClassifier 'numTree': did you mean 'numTrees'"),
        ("random_forest", {"numTrees": "many"}, "RandomForestClassifier.numTrees cannot be 'many'"),
        ("random_forest", {"numTrees": 2.5}, "RandomForestClassifier.numTrees cannot be 2.5"),
    ],
)
def test_an_estimator_that_cannot_be_is_refused(
    spark: SparkSession, name: str, params: dict[str, Any], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        train_cv.make_estimator(name, params, "y", seed=1)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"numTrees": 100}, r"grid.numTrees is 100, a whole number; write {Param: \[values\]}"),
        ({"numTrees": []}, "grid.numTrees is \\[\\]"),
        ({"depth": [1]}, "unknown Param of RandomForestClassifier 'depth'"),
        ({"maxDepth": [1, "two"]}, "maxDepth cannot be 'two'"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(spark: SparkSession, grid: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        train_cv.make_grid(forest(), grid)


def test_an_empty_grid_is_one_point(spark: SparkSession) -> None:
    assert train_cv.make_grid(forest(), {}) == [{}]


def test_a_metric_knows_which_way_is_better(spark: SparkSession) -> None:
    assert {name: train_cv.make_evaluator(name, "y").isLargerBetter() for name in train_cv.estimators.METRICS} == {
        "accuracy": True,
        "log_loss": False,
        "roc_auc": True,
        "pr_auc": True,
    }
    with pytest.raises(ParameterError, match="unknown value of metric 'auc'"):
        train_cv.make_evaluator("auc", "y")


def test_a_row_is_in_the_same_fold_however_the_rows_are_spread(spark: SparkSession) -> None:
    def folds(partitions: int) -> dict[int, int]:
        df = spark.range(200).repartition(partitions)
        return {row["id"]: row[sampling.FOLD] for row in sampling.add_folds(df, "id", 4, 3).collect()}

    assert folds(1) == folds(5)
    assert set(folds(1).values()) == {0, 1, 2, 3}


def test_one_fold_is_refused(rows: DataFrame) -> None:
    with pytest.raises(ParameterError, match="num_folds is 1; write a whole number, 2 or more"):
        sampling.add_folds(rows.drop(sampling.FOLD), "id", 1, 0)
