"""The work of a stage is a fixed number of passes over the rows, whatever is in them: Spark's jobs are counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pyspark.ml import Model, Pipeline
from pyspark.ml.classification import RandomForestClassifier
from pyspark.ml.feature import StringIndexer, VectorAssembler
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lifeboat.load import check_rows, parse_schema, read_raw
from lifeboat.preprocess import EqualTo, GroupMeanImputer, ModeImputer, SumColumns, TextCategory
from lifeboat.preprocess.column_names import CLASSIFIER_COLUMNS, FEATURES
from lifeboat.sampling import FOLD, add_folds
from lifeboat.spark.session import count_jobs
from lifeboat.train_cv import cross_validate, make_evaluator
from lifeboat.train_cv.shared_pipeline import SharedPipeline

ROWS = 1_200
Made = Callable[..., DataFrame]


@pytest.fixture(scope="module")
def made(spark: SparkSession) -> Made:
    """Rows with so many gaps in each of three columns, and so many different words before the full stop in ``name``."""

    def make(missing: int, titles: int = 4) -> DataFrame:
        row = F.col("key")

        def gap(value: F.Column, start: int) -> F.Column:
            return F.when(F.pmod(row + start, F.lit(ROWS)) >= missing, value)

        number, ports = row % titles, F.array(F.lit("S"), F.lit("C"), F.lit("Q"))
        word = F.concat(F.char(F.lit(65) + number % 26), F.char(F.lit(97) + F.floor(number / 26).cast("int")))
        df = spark.range(ROWS, numPartitions=1).withColumnRenamed("id", "key").select(
            "key",
            (row % 2).cast("int").alias("y"),
            F.concat(F.lit("Doe, "), word, F.lit(". J")).alias("name"),
            gap((row * 37 % 80).cast("double"), 0).alias("age"),
            gap((row * 17 % 90).cast("double"), 100).alias("fare"),
            gap(F.element_at(ports, (row % 3 + 1).cast("int")), 200).alias("port"),
        )  # fmt: skip
        assert df.filter("age is null").count() == missing
        assert df.select(F.regexp_extract("name", r"(\w+)\.", 1)).distinct().count() == titles
        return add_folds(df, "key", 2, 1).cache()

    return make


def preparing(titles: int = 4) -> list[object]:
    words = [chr(65 + n % 26) + chr(97 + n // 26) for n in range(titles)]
    return [
        TextCategory(inputCol="name", outputCol="title", pattern=r"(\w+)\.", groups={word: [word] for word in words}),
        SumColumns(inputCols=["age", "fare"], outputCol="sum"),
        EqualTo(inputCol="sum", outputCol="none"),
        GroupMeanImputer(inputCol="age", outputCol="age_filled", groupCol="title"),
        GroupMeanImputer(inputCol="fare", outputCol="fare_filled"),
        ModeImputer(inputCol="port", outputCol="port_filled"),
        StringIndexer(inputCols=["title", "port_filled"], outputCols=["title_i", "port_i"], handleInvalid="keep"),
        VectorAssembler(inputCols=["age_filled", "fare_filled", "title_i", "port_i"], outputCol=FEATURES),
    ]


def forest() -> RandomForestClassifier:
    return RandomForestClassifier(labelCol="y", numTrees=1, maxDepth=1, maxBins=64, seed=1, **CLASSIFIER_COLUMNS)


def jobs_to_prepare(spark: SparkSession, df: DataFrame, titles: int = 4) -> int | None:
    return count_jobs(spark, lambda: Pipeline(stages=preparing(titles)).fit(df))


def test_preprocessing_takes_as_many_jobs_for_1000_gaps_in_each_column_as_for_10(
    spark: SparkSession, made: Made
) -> None:
    few, many = (jobs_to_prepare(spark, made(missing)) for missing in (10, 1_000))
    assert few == many
    assert few


def test_preprocessing_takes_as_many_jobs_for_60_titles_as_for_3(spark: SparkSession, made: Made) -> None:
    few, many = (jobs_to_prepare(spark, made(10, titles), titles) for titles in (3, 60))
    assert few == many
    assert few


def test_checking_a_file_takes_as_many_jobs_for_1000_bad_values_as_for_10(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> None:
    schema, counted = parse_schema("key INT NOT NULL, size DOUBLE NOT NULL"), []
    for bad in (10, 1_000):
        path = tmp_path_factory.mktemp("passes") / "in.csv"
        path.write_text("key,size\n" + "".join(f"{n},{'' if n < bad else n}\n" for n in range(ROWS)))
        raw = read_raw(spark, path)

        def check(raw: DataFrame = raw, bad: int = bad) -> None:
            checked = check_rows(raw, schema, "key", {"size": [0, ROWS]})
            assert (checked.rows.count(), checked.rejected.count()) == (ROWS - bad, bad)

        counted.append(count_jobs(spark, check))
    assert counted[0] == counted[1]
    assert counted[0]


def test_cross_validation_takes_as_many_jobs_for_1000_gaps_as_for_10(spark: SparkSession, made: Made) -> None:
    counted = []
    for missing in (10, 1_000):
        cv = CrossValidator(
            estimator=SharedPipeline(stages=[*preparing(), forest()]),
            estimatorParamMaps=[{}],
            evaluator=make_evaluator("accuracy", "y"),
            numFolds=2,
            foldCol=FOLD,
            seed=1,
        )
        df = made(missing)
        counted.append(count_jobs(spark, lambda cv=cv, df=df: cross_validate(cv, df, "key")))
    assert counted[0] == counted[1]
    assert counted[0]


def test_a_fold_s_preprocessing_takes_as_many_jobs_for_4_grid_points_as_for_2(spark: SparkSession, made: Made) -> None:
    df, last, points = made(10), forest(), []
    prepare = jobs_to_prepare(spark, df)
    for trees in ([1, 2], [1, 2, 3, 4]):
        pipeline = SharedPipeline(stages=[*preparing(), last])
        grid = ParamGridBuilder().addGrid(last.numTrees, trees).build()
        fitted: list[Iterator[tuple[int, Model]]] = []
        assert count_jobs(spark, lambda p=pipeline, g=grid, f=fitted: f.append(p.fitMultiple(df, g))) == prepare
        points.append([count_jobs(spark, lambda f=fitted[0]: next(f)) for _ in range(2)])
    assert points[0] == points[1]
    assert prepare
