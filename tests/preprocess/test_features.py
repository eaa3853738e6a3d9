"""From parameters to stages: each mistake has its sentence, and the features stand in the order that was asked."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.ml import Pipeline
from pyspark.ml.feature import Bucketizer
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from lifeboat.errors import ParameterError
from lifeboat.preprocess import EqualTo, GroupMeanImputer, ModeImputer, SumColumns, features
from lifeboat.preprocess.column_names import FEATURES
from lifeboat.preprocess.features import Features
from lifeboat.preprocess.titanic import Title

KNOWN = "Known: EqualTo, GroupMeanImputer, ModeImputer, SumColumns, TextCategory"
IMPUTE = {"age": "mean by port", "fare": "mean", "port": "mode"}


def test_a_stage_is_named_shortly_where_it_is_ours_and_else_by_its_full_path() -> None:
    assert features.stage_class("SumColumns") is SumColumns
    assert features.stage_class("lifeboat.titanic.Title") is Title
    assert features.stage_class("pyspark.ml.feature.Bucketizer") is Bucketizer


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "SumColumn",
            f"unknown stage 'SumColumn': did you mean 'SumColumns'? {KNOWN}; or write the full path "
            "package.module.Class",
        ),
        ("Model", f"unknown stage 'Model': {KNOWN}; or write the full path package.module.Class"),
        (
            "lifeboat.titanic.Titel",
            "stage 'lifeboat.titanic.Titel' cannot be imported: module 'lifeboat.preprocess.titanic' has no attribute "
            "'Titel'",
        ),
        ("lifebelt.Title", "stage 'lifebelt.Title' cannot be imported: No module named 'lifebelt'"),
        ("pathlib.Path", "stage 'pathlib.Path' is no Spark ML Estimator or Transformer"),
        ("pyspark.ml.Transformer", "stage 'pyspark.ml.Transformer' is no Spark ML Estimator or Transformer"),
        (
            "lifeboat.preprocess.ModeImputerModel",
            "stage 'lifeboat.preprocess.ModeImputerModel' is no Spark ML Estimator or Transformer",
        ),
    ],
)
def test_a_name_that_is_no_stage_is_refused_with_the_way_out(name: str, message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        features.stage_class(name)
    assert str(caught.value) == message


def test_derived_stages_hold_the_params_they_were_given() -> None:
    total, alone = features.derived(
        [
            {"stage": "SumColumns", "inputCols": ["a", "b"], "outputCol": "total"},
            {"stage": "EqualTo", "inputCol": "total", "outputCol": "alone", "value": 2},
        ]
    )
    assert isinstance(total, SumColumns)
    assert isinstance(alone, EqualTo)
    assert (total.getInputCols(), total.getOutputCol()) == (["a", "b"], "total")
    assert (alone.getInputCol(), alone.getOutputCol(), alone.getOrDefault("value")) == ("total", "alone", 2.0)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"inputCol": "a"}, "derive: {'inputCol': 'a'} names no stage; write {'stage': 'SumColumns', ...}"),
        (
            {"stage": "EqualTo", "inputColl": "a"},
            "unknown Param of EqualTo 'inputColl': did you mean 'inputCol'? Known: inputCol, outputCol, value",
        ),
        (
            {"stage": "EqualTo", "value": "two"},
            'derive: EqualTo: Invalid param value given for param "value". Could not convert two to float',
        ),
        (
            {"stage": "TextCategory", "groups": {"Miss": ["Mlle"], "Mrs": ["Mlle"]}},
            "derive: TextCategory: Invalid param value given for param \"groups\". groups name 'Mlle' twice, under "
            "'Miss' and 'Mrs': keep one",
        ),
    ],
)
def test_a_derived_stage_that_will_not_do_is_refused_with_what_is_wrong(spec: dict[str, Any], message: str) -> None:
    before = dict(spec)
    with pytest.raises(ParameterError) as caught:
        features.derived([spec])
    assert str(caught.value) == message
    assert spec == before


def test_each_way_to_impute_becomes_its_stage() -> None:
    by_group, overall, mode = Features(impute=IMPUTE).imputers()
    assert isinstance(by_group, GroupMeanImputer)
    assert isinstance(overall, GroupMeanImputer)
    assert isinstance(mode, ModeImputer)
    assert [stage.getOrDefault("groupCol") for stage in (by_group, overall)] == ["port", ""]
    assert [(stage.getInputCol(), stage.getOutputCol()) for stage in (by_group, overall, mode)] == [
        ("age", "lifeboat:imputed:age"),
        ("fare", "lifeboat:imputed:fare"),
        ("port", "lifeboat:imputed:port"),
    ]


@pytest.mark.parametrize("how", ["median", "mean by", "mean by ", "Mode", "mean  by port", ""])
def test_another_way_to_impute_is_refused_with_the_three_there_are(how: str) -> None:
    with pytest.raises(ParameterError) as caught:
        features.parse_impute({"age": how})
    assert str(caught.value) == f"impute: 'age' is {how!r}; write 'mean', 'mean by COLUMN' or 'mode'"


def test_a_group_s_column_may_have_any_name() -> None:
    (stage,) = Features(impute={"a.b": "mean by x {y}, or by `z`"}).imputers()
    assert (stage.getOrDefault("groupCol"), stage.getOutputCol()) == ("x {y}, or by `z`", "lifeboat:imputed:a%2Eb")


def test_features_stand_in_the_order_asked_numbers_first_each_read_after_its_imputer(spark: SparkSession) -> None:
    rows = [(3, 20.0, 8.0, "x", "S"), (1, None, 4.0, "y", None), (2, 40.0, None, "x", "S"), (2, 60.0, 3.0, "y", "C")]
    df = spark.createDataFrame(rows, "deck int, age double, fare double, sex string, port string").coalesce(1)
    prepare = Features(["fare", "deck", "age"], ["sex", "port"], IMPUTE)
    stages = [*prepare.imputers(), *prepare.indexers(), prepare.assembler()]
    fitted = Pipeline(stages=stages).fit(df)
    # age: the null's port is null, so the mean of all, 40; fare: 5; sex: x and y are equals, so in their order;
    # port: S is the mode and so more frequent than C
    assert [row[FEATURES].toArray().tolist() for row in fitted.transform(df).collect()] == [
        [8.0, 3.0, 20.0, 0.0, 0.0],
        [4.0, 1.0, 40.0, 1.0, 0.0],
        [5.0, 2.0, 40.0, 0.0, 0.0],
        [3.0, 2.0, 60.0, 1.0, 1.0],
    ]
    unseen = spark.createDataFrame([(1, 1.0, 1.0, "z", "S"), (2, 1.0, 1.0, None, "Q")], df.schema)
    answers = fitted.transform(unseen.coalesce(1)).collect()
    assert [row[FEATURES].toArray().tolist()[3:] for row in answers] == [[2.0, 0.0], [2.0, 2.0]]


def test_wiring_names_what_each_stage_reads_and_writes(spark: SparkSession) -> None:
    prepare = Features(["age", "total"], ["port", "sex"], IMPUTE)
    derived = features.derived([{"stage": "SumColumns", "inputCols": ["a", "b"], "outputCol": "total"}])
    assert features.wiring([*derived, *prepare.imputers(), *prepare.indexers(), prepare.assembler()]) == [
        ("SumColumns", ["a", "b"], ["total"]),
        ("GroupMeanImputer", ["age", "port"], ["age"]),
        ("GroupMeanImputer", ["fare"], ["fare"]),
        ("ModeImputer", ["port"], ["port"]),
        ("StringIndexer", ["port", "sex"], ["port", "sex"]),
        ("VectorAssembler", ["age", "total", "port", "sex"], ["features"]),
    ]


def test_without_a_category_there_is_no_indexer(spark: SparkSession) -> None:
    assert Features(["age"]).indexers() == []
    (stage,) = Features(categorical=["port"], impute={"port": "mode"}).indexers()
    assert (stage.getInputCols(), stage.getOutputCols()) == (["lifeboat:imputed:port"], ["lifeboat:index:port"])


def test_bins_are_enough_for_every_category_and_one_never_seen(spark: SparkSession) -> None:
    df = spark.createDataFrame([(str(n), str(n % 2)) for n in range(150)], "many string, few string")
    model = Pipeline(stages=Features(categorical=["few", "many"]).indexers()).fit(df)
    assert features.enough_bins(model) == 151
    assert features.enough_bins(Pipeline(stages=Features(categorical=["few"]).indexers()).fit(df)) == 128


def test_a_feature_of_a_type_that_no_model_learns_from_is_refused_with_its_mend(spark: SparkSession) -> None:
    table = StructType.fromDDL("n INT, x DOUBLE, day DATE, word STRING, yes BOOLEAN")
    features.check_features(table, ["n", "x", "yes", "derived"], ["n", "word", "yes"])
    for numeric, categorical, message in (
        (
            ["day"],
            [],
            "column 'day' under numeric is DATE; allowed: INT, BIGINT, DOUBLE, BOOLEAN. To mend it, compute a",
        ),
        ([], ["x"], "column 'x' under categorical is DOUBLE; allowed: STRING, INT, BIGINT, BOOLEAN. To mend it, write"),
        (["word"], [], "column 'word' under numeric is STRING"),
    ):
        with pytest.raises(ParameterError) as caught:
            features.check_features(table, numeric, categorical)
        assert str(caught.value).startswith(message)
