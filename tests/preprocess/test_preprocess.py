"""Each stage: exact columns and types, values worked out by hand, gaps, bad parameters, copies, saved and loaded."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import BinaryClassificationEvaluator
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.tuning import CrossValidator
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lifeboat.errors import DataError, ParameterError
from lifeboat.preprocess import EqualTo, GroupMeanImputer, ModeImputer, SumColumns, TextCategory
from lifeboat.preprocess.stages import GroupMeanImputerModel, ModeImputerModel
from lifeboat.preprocess.titanic import Title


def values(df: DataFrame, column: str) -> list[Any]:
    return [row[column] for row in df.orderBy("id").collect()]


@pytest.fixture(scope="module")
def people(spark: SparkSession) -> DataFrame:
    rows = [
        (1, "Braund, Mr. Owen", 30.0, 3, "S"),
        (2, "Kelly, Mr. James", 40.0, 3, "Q"),
        (3, "Sagesser, Mlle. Emma", 20.0, 1, "C"),
        (4, "Heikkinen, Miss. Laina", None, 1, ""),
        (5, "Reuchlin, Jonkheer. John", float("nan"), 2, None),
        (6, None, None, 2, "C"),
    ]
    return spark.createDataFrame(rows, "id int, Name string, Age double, Pclass int, Port string")


# --- TextCategory and Title


TITLES: list[tuple[str | None, str]] = [
    ("Braund, Mr. Owen", "Mr"),
    ("Sagesser, Mlle. Emma", "Miss"),
    ("Aubart, Mme. Leontine", "Miss"),
    ("Reynaldo, Ms. Encarnacion", "Miss"),
    ("Minahan, Dr. William", "Mr"),
    ("Peuchen, Major. Arthur", "Mr"),
    ("Crosby, Capt. Edward", "Mr"),
    ("Duff Gordon, Sir. Cosmo", "Mr"),
    ("Uruchurtu, Don. Manuel", "Mr"),
    ("Duff Gordon, Lady. (Lucille)", "Mrs"),
    ("Rothes, the Countess. of (Lucy)", "Mrs"),
    ("Reuchlin, Jonkheer. John", "Other"),
    ("Simonius, Col. Oberst", "Other"),
    ("Byles, Rev. Thomas", "Other"),
    ("Palsson, Master. Gosta", "Master"),
    ("Oliva y Ocana, Dona. Fermina", "Other"),
    ('O\'Brien, Mr. "Tom" Zoë', "Mr"),
    ("no title", "Other"),
    ("", "Other"),
    (None, "Other"),
]


def test_title_is_the_first_word_before_a_full_stop_mapped_to_the_few(spark: SparkSession) -> None:
    df = spark.createDataFrame([(i, name) for i, (name, _) in enumerate(TITLES)], "id int, Name string")
    titles = values(Title(inputCol="Name", outputCol="Title").transform(df), "Title")
    assert dict(zip([name for name, _ in TITLES], titles, strict=True)) == dict(TITLES)


def test_title_adds_one_string_column_and_touches_no_other(people: DataFrame) -> None:
    out = Title(inputCol="Name", outputCol="Title").transform(people)
    assert out.dtypes == [*people.dtypes, ("Title", "string")]
    assert out.drop("Title").exceptAll(people).isEmpty()


def test_the_map_of_titles_is_a_parameter(people: DataFrame) -> None:
    stage = Title(inputCol="Name", outputCol="T", groups={"man": ["Mr"]}, other="else")
    assert values(stage.transform(people), "T") == ["man", "man", "else", "else", "else", "else"]


def test_a_word_under_two_categories_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="groups name 'Dr' twice, under 'Mr' and 'Other'"):
        Title(groups={"Mr": ["Dr"], "Other": ["Dr"]})


def test_groups_that_are_no_lists_are_refused_with_an_example() -> None:
    with pytest.raises(TypeError, match="groups must be a dict of lists"):
        TextCategory(groups={"Miss": "Mlle"})


def test_a_param_that_a_stage_has_not_is_named_with_its_nearest() -> None:
    with pytest.raises(TypeError, match="unknown Param of SumColumns 'inputCol': did you mean 'inputCols'"):
        SumColumns(inputCol="Age", outputCol="x")


def test_a_number_is_no_text(people: DataFrame) -> None:
    with pytest.raises(DataError, match="column 'Age' is double; this stage takes string"):
        TextCategory(inputCol="Age", outputCol="x").transform(people)


def test_a_mistyped_column_is_named_with_its_nearest(people: DataFrame) -> None:
    with pytest.raises(DataError, match="unknown column 'Nam': did you mean 'Name'"):
        TextCategory(inputCol="Nam", outputCol="x").transform(people)


# --- SumColumns and EqualTo


def test_a_sum_is_double_and_null_where_a_part_is(spark: SparkSession) -> None:
    df = spark.createDataFrame([(1, 2, 3), (2, 1, None)], "id int, a int, b int")
    out = SumColumns(inputCols=["a", "b"], outputCol="c").transform(df)
    assert out.schema["c"].dataType.simpleString() == "double"
    assert values(out, "c") == [5.0, None]


def test_a_sum_of_nothing_is_refused(people: DataFrame) -> None:
    with pytest.raises(ParameterError, match="at least one column"):
        SumColumns(inputCols=[], outputCol="c").transform(people)


def test_equal_to_is_one_zero_or_null(spark: SparkSession) -> None:
    df = spark.createDataFrame([(1, 0), (2, 4), (3, None)], "id int, a int")
    out = EqualTo(inputCol="a", outputCol="alone").transform(df)
    assert out.schema["alone"].dataType.simpleString() == "double"
    assert values(out, "alone") == [1.0, 0.0, None]
    assert values(EqualTo(inputCol="a", outputCol="four", value=4).transform(df), "four") == [0.0, 1.0, None]


# --- GroupMeanImputer


@pytest.fixture(scope="module")
def by_title(people: DataFrame) -> GroupMeanImputerModel:
    titled = Title(inputCol="Name", outputCol="Title").transform(people)
    return GroupMeanImputer(inputCol="Age", outputCol="Age_imputed", groupCol="Title").fit(titled)


def test_age_is_imputed_with_the_mean_of_the_title(people: DataFrame, by_title: GroupMeanImputerModel) -> None:
    titled = Title(inputCol="Name", outputCol="Title").transform(people)
    out = by_title.transform(titled)
    # Mr: 30 and 40; Miss: 20 alone; Other has no age: the mean of 30, 40 and 20
    assert values(out, "Age_imputed") == [30.0, 40.0, 20.0, 20.0, 30.0, 30.0]
    assert out.dtypes == [*titled.dtypes, ("Age_imputed", "double")]
    assert values(out, "Age")[3] is None  # the raw column stays as it was


def test_the_model_remembers_the_means_of_known_groups_alone(by_title: GroupMeanImputerModel) -> None:
    assert by_title.getOrDefault("means") == {"Miss": 20.0, "Mr": 35.0}
    assert by_title.getOrDefault("overall") == 30.0


def test_the_overall_mean_weighs_rows_not_groups(spark: SparkSession) -> None:
    df = spark.createDataFrame([("a", 0.0), ("a", 0.0), ("a", 3.0), ("b", 9.0)], "g string, x double")
    assert GroupMeanImputer(inputCol="x", outputCol="y", groupCol="g").fit(df).getOrDefault("overall") == 3.0


def test_a_fare_is_filled_by_a_class_that_is_a_number(spark: SparkSession) -> None:
    rows = [(1, 3, 8.0), (2, 3, None), (3, 1, 80.0), (4, 2, None), (5, None, None)]
    df = spark.createDataFrame(rows, "id int, Pclass int, Fare double")
    model = GroupMeanImputer(inputCol="Fare", outputCol="f", groupCol="Pclass").fit(df)
    assert model.getOrDefault("means") == {"1": 80.0, "3": 8.0}
    assert values(model.transform(df), "f") == [8.0, 8.0, 80.0, 44.0, 44.0]


def test_without_a_group_the_overall_mean_fills(spark: SparkSession) -> None:
    df = spark.createDataFrame([(1, 1.0), (2, 2.0), (3, None)], "id int, x double")
    assert values(GroupMeanImputer(inputCol="x", outputCol="y").fit(df).transform(df), "y") == [1.0, 2.0, 1.5]


def test_the_order_in_which_partitions_answer_does_not_change_a_mean(spark: SparkSession) -> None:
    values = F.array(F.lit(1e16), F.lit(1.0), F.lit(-1e16))
    df = spark.range(3, numPartitions=3).select(F.lit("a").alias("g"), values[F.col("id")].alias("x"))
    model = GroupMeanImputer(inputCol="x", outputCol="y", groupCol="g").fit(df)
    # added one after another, 1e16 + 1 - 1e16 is 0, and in another order 1
    assert model.getOrDefault("means") == {"a": 1 / 3}
    assert model.getOrDefault("overall") == 1 / 3


def test_a_column_without_a_value_is_refused(spark: SparkSession) -> None:
    df = spark.createDataFrame([("a", None), ("b", float("nan"))], "g string, x double")
    with pytest.raises(DataError, match="'x' has no value to learn a mean from: leave it out"):
        GroupMeanImputer(inputCol="x", outputCol="y", groupCol="g").fit(df)


def test_a_group_of_fractions_is_refused(people: DataFrame) -> None:
    with pytest.raises(DataError, match="column 'Age' is double; this stage takes string or integral"):
        GroupMeanImputer(inputCol="Pclass", outputCol="y", groupCol="Age").fit(people)


def test_learning_takes_as_many_jobs_for_a_thousand_gaps_as_for_ten(spark: SparkSession) -> None:
    from lifeboat.spark.session import count_jobs

    def jobs(gaps: int) -> int | None:
        rows = [(i, str(i % 7), None if i < gaps else float(i)) for i in range(1500)]
        df = spark.createDataFrame(rows, "id int, g string, x double").coalesce(1)
        imputer = GroupMeanImputer(inputCol="x", outputCol="y", groupCol="g")
        return count_jobs(spark, lambda: imputer.fit(df).transform(df).agg({"y": "sum"}).collect())

    assert jobs(10) == jobs(1000)


# --- ModeImputer


def test_a_port_is_filled_with_the_most_frequent_null_or_empty(people: DataFrame) -> None:
    model = ModeImputer(inputCol="Port", outputCol="p").fit(people)
    assert model.getOrDefault("mode") == "C"
    assert values(model.transform(people), "p") == ["S", "Q", "C", "C", "C", "C"]


def test_of_equally_frequent_ports_the_first_in_order_fills(spark: SparkSession) -> None:
    df = spark.createDataFrame([("S",), ("Q",), ("S",), ("Q",), ("Z",)], "p string")
    assert ModeImputer(inputCol="p", outputCol="q").fit(df).getOrDefault("mode") == "Q"


def test_gaps_are_no_value_however_many_there_are(spark: SparkSession) -> None:
    df = spark.createDataFrame([("S",), (None,), (None,), ("",), ("",)], "p string")
    assert ModeImputer(inputCol="p", outputCol="q").fit(df).getOrDefault("mode") == "S"


def test_a_column_of_gaps_has_no_mode(spark: SparkSession) -> None:
    with pytest.raises(DataError, match="'p' has no value to learn a mode from"):
        ModeImputer(inputCol="p", outputCol="q").fit(spark.createDataFrame([(None,), ("",)], "p string"))


# --- what all share


def all_stages() -> list[Any]:
    return [
        Title(inputCol="Name", outputCol="Title"),
        SumColumns(inputCols=["Pclass", "id"], outputCol="sum"),
        EqualTo(inputCol="sum", outputCol="equal", value=4),
        GroupMeanImputer(inputCol="Age", outputCol="Age_imputed", groupCol="Title"),
        ModeImputer(inputCol="Port", outputCol="Port_imputed"),
    ]


@pytest.mark.parametrize(
    "kind", [TextCategory, SumColumns, EqualTo, GroupMeanImputer, GroupMeanImputerModel, ModeImputer, ModeImputerModel]
)
def test_every_stage_can_be_made_without_arguments(kind: type) -> None:
    assert kind().uid.startswith(kind.__name__)


def test_a_model_keeps_the_uid_and_params_of_its_estimator(people: DataFrame) -> None:
    for estimator in (GroupMeanImputer(inputCol="Age", outputCol="a"), ModeImputer(inputCol="Port", outputCol="p")):
        model = estimator.fit(people)
        assert model.uid == estimator.uid
        assert model.getInputCol() == estimator.getInputCol()


def test_a_copy_takes_other_params_and_leaves_the_first_alone(people: DataFrame) -> None:
    stage = EqualTo(inputCol="Pclass", outputCol="third", value=3)
    other = stage.copy({stage.value: 1.0})
    assert (stage.getOrDefault("value"), other.getOrDefault("value")) == (3.0, 1.0)
    fitted = GroupMeanImputer(inputCol="Age", outputCol="a").fit(people)
    assert fitted.copy({fitted.outputCol: "b"}).transform(people).columns[-1] == "b"


def test_a_saved_pipeline_answers_the_same_in_a_fresh_process(people: DataFrame, tmp_path: Path) -> None:
    model = Pipeline(stages=all_stages()).fit(people)
    model.write().save(str(tmp_path / "model"))
    people.write.parquet(str(tmp_path / "people"))
    here = [list(row.asDict().values()) for row in model.transform(people).orderBy("id").collect()]
    script = """
import json, sys
from pyspark.ml import PipelineModel
from lifeboat.spark.session import start
session = start("local[1]")
rows = PipelineModel.load(sys.argv[1] + "/model").transform(session.read.parquet(sys.argv[1] + "/people"))
print(json.dumps([list(row.asDict().values()) for row in rows.orderBy("id").collect()]))
session.stop()
"""
    # a JVM of its own: this process' session is in the other one
    there = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True, env=without_jvm()
    )

    def plain(rows: list[list[Any]]) -> list[list[Any]]:
        return [["nan" if isinstance(v, float) and math.isnan(v) else v for v in row] for row in rows]

    assert plain(json.loads(there.stdout.splitlines()[-1])) == plain(here)


def without_jvm() -> dict[str, str]:
    import os

    return {name: value for name, value in os.environ.items() if not name.startswith("PYSPARK_GATEWAY")}


def test_a_saved_unfitted_pipeline_is_still_unfitted(tmp_path: Path, spark: SparkSession) -> None:
    Pipeline(stages=all_stages()).write().save(str(tmp_path / "pipeline"))
    again = Pipeline.load(str(tmp_path / "pipeline")).getStages()
    assert [type(stage) for stage in again] == [type(stage) for stage in all_stages()]
    assert again[0].getOrDefault("groups") == all_stages()[0].getOrDefault("groups")


def test_the_stages_work_inside_a_cross_validator(spark: SparkSession) -> None:
    rows = [(i, "Mr" if i % 2 else "Miss", None if i % 5 == 0 else float(i), i % 2, i % 3) for i in range(60)]
    df = spark.createDataFrame(rows, "id int, t string, x double, label int, fold int").coalesce(1)
    stages = [
        GroupMeanImputer(inputCol="x", outputCol="x_imputed", groupCol="t"),
        VectorAssembler(inputCols=["x_imputed"], outputCol="features"),
        LogisticRegression(maxIter=2),
    ]
    cv = CrossValidator(
        estimator=Pipeline(stages=stages),
        estimatorParamMaps=[{}, {stages[0].groupCol: ""}],
        evaluator=BinaryClassificationEvaluator(),
        numFolds=3,
        foldCol="fold",
    )
    best = cv.fit(df).bestModel
    assert isinstance(best, PipelineModel)
    assert isinstance(best.stages[0], GroupMeanImputerModel)


def test_forty_thousand_groups_are_filled_with_their_means_as_few_are(spark: SparkSession) -> None:
    rows = [(f"g{n // 2}", None if n % 2 else float(n)) for n in range(80_000)]
    df = spark.createDataFrame(pa.table({"group": [g for g, _ in rows], "value": [v for _, v in rows]}))
    model = GroupMeanImputer(inputCol="value", outputCol="filled", groupCol="group").fit(df)
    filled = model.transform(df)
    assert filled.columns == ["group", "value", "filled"]
    assert filled.filter("filled <> 2 * cast(substring(group, 2) AS int)").isEmpty()
    unseen = model.transform(spark.createDataFrame([("new", None)], "group string, value double")).first().filled
    assert unseen == 39_999.0
