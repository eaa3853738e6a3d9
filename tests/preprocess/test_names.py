"""Column names: nearly any goes through every stage, none meets one of ours, and the few that cannot be are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.functions import vector_to_array
from pyspark.ml.tuning import CrossValidator
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lifeboat import evaluate, load, plots, sampling, train_cv
from lifeboat.deploy.export import export_model
from lifeboat.deploy.parity import parity
from lifeboat.errors import DataError, ParameterError
from lifeboat.evaluate.importance import features_of, permutation_importance
from lifeboat.load.synth import resample
from lifeboat.parameters import names
from lifeboat.preprocess import column_names
from lifeboat.preprocess.copies import CopyColumns
from lifeboat.preprocess.features import Features, Stage, wiring
from lifeboat.sampling import repartition_by_key
from lifeboat.scoring import classes
from lifeboat.scoring.fields import Column
from lifeboat.scoring.scorer import Scorer
from lifeboat.spark.sql import ticked
from lifeboat.train_cv.shared_pipeline import SharedPipeline
from lifeboat.train_cv.trees import first_tree

KEY = "id:1"
NUMERIC = ["Age", "Age_imputed", "a.b", "lifeboat", "features", "holdout", "100 %", "*", "value"]
CATEGORICAL = ["x {y}", "`tick`", '"quote"', "Größe", "prob.ability", "fold", "yes.no", "n"]
IMPUTE = {"Age": "mean by x {y}", "a.b": "mean by `tick`", "prob.ability": "mode", "n": "mode"}
BOOLEANS = ["yes.no", "n"]
TYPES = {KEY: "INT", **dict.fromkeys(NUMERIC, "DOUBLE"), **dict.fromkeys(CATEGORICAL, "STRING"), "n": "BOOLEAN"}
TYPES |= {"yes.no": "BOOLEAN", "holdout": "BOOLEAN"}


def record(i: int, label: str) -> dict[str, Any]:
    """A row whose label follows its age, with gaps wherever there may be one."""
    row: dict[str, Any] = {name: float(i * (7 + index) % 13) for index, name in enumerate(NUMERIC)}
    row |= {name: "abc"[(i // (1 + index)) % 3] for index, name in enumerate(CATEGORICAL)}
    row |= {"Age": None if i % 9 == 0 else float(i * 7 % 40), "a.b": None if i % 8 == 0 else float(i % 5)}
    row |= {"prob.ability": None if i % 7 == 0 else "pq"[i % 2], "fold": None if i % 10 == 0 else "u"}
    row |= {"yes.no": None if i % 6 == 0 else i % 4 == 0, "n": None if i % 5 == 0 else i % 3 == 0}
    return {KEY: i, label: int(i * 7 % 40 > 20), **row, "holdout": i % 2 == 0}


def table(spark: SparkSession, label: str, rows: int) -> DataFrame:
    words = ", ".join(f"{ticked(name)} {kind}" for name, kind in {KEY: "INT", label: "INT", **TYPES}.items())
    return spark.createDataFrame([tuple(record(i, label).values()) for i in range(rows)], words).coalesce(1)


def preparing(label: str) -> list[Stage]:
    prepare = Features(NUMERIC, CATEGORICAL, IMPUTE, BOOLEANS, label)
    return [*prepare.copies(), *prepare.imputers(), *prepare.indexers(), prepare.assembler()]


@pytest.fixture(scope="module", params=["prediction", "the.label"])
def label(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def rows(spark: SparkSession, label: str) -> DataFrame:
    return sampling.mark_holdout(table(spark, label, 60), KEY, 0.3, 1).cache()


@pytest.fixture(scope="module")
def validated(rows: DataFrame, label: str, tmp_path_factory: pytest.TempPathFactory) -> train_cv.CrossValidated:
    path = str(tmp_path_factory.mktemp("names") / "train")
    repartition_by_key(rows.filter(~F.col(sampling.HOLDOUT)).drop(sampling.HOLDOUT), KEY, 60).write.parquet(path)
    train = sampling.add_folds(rows.sparkSession.read.parquet(path), KEY, 2, 1)
    classifier = train_cv.make_estimator("random_forest", {"numTrees": 3, "maxDepth": 3}, label, 1)
    cv = CrossValidator(
        estimator=SharedPipeline(stages=[*preparing(label), classifier]),
        estimatorParamMaps=[{}],
        evaluator=train_cv.make_evaluator("roc_auc", label),
        numFolds=2,
        foldCol=sampling.FOLD,
    )
    return train_cv.cross_validate(cv, train, KEY)


def test_the_rows_of_such_a_table_are_learned_from_judged_and_looked_at(
    rows: DataFrame, label: str, validated: train_cv.CrossValidated, tmp_path: Path
) -> None:
    held = rows.filter(F.col(sampling.HOLDOUT)).drop(sampling.HOLDOUT)
    strangers = evaluate.collect_scored(validated.out_of_fold, label, key=KEY, groups=["prob.ability"])
    assert strangers.n + held.count() == 60
    scored = evaluate.collect_scored(validated.model.transform(held), label, key=KEY, groups=["`tick`"], limit=10)
    assert scored.key is not None
    assert scored.label.tolist() == [record(i, label)[label] for i in scored.key.tolist()]
    assert scored.groups["`tick`"].tolist() == [record(i, label)["`tick`"] for i in scored.key.tolist()]
    assert set(evaluate.scored.group_rates(held, label, "prob.ability").rates) == {"p", "q", None}
    importances = permutation_importance(
        validated.model, held, features_of(validated.model), label=label, key=KEY, repeats=1
    )
    assert {column_names.plain_name(feature.name) for feature in importances} == {*NUMERIC, *CATEGORICAL}
    assert first_tree(validated.model, tmp_path / "tree").get("feature") in {*NUMERIC, *CATEGORICAL}


def test_the_portable_model_answers_as_spark_by_the_names_of_the_file(
    rows: DataFrame, label: str, validated: train_cv.CrossValidated, tmp_path: Path
) -> None:
    columns = [Column(name, kind.lower(), nullable=True) for name, kind in {label: "INT", **TYPES}.items()]
    portable = export_model(validated.model, columns, label, tmp_path / "portable")
    scorer = Scorer.load(portable)
    assert {column.name for column in scorer.columns} == {*NUMERIC, *CATEGORICAL}
    unlabelled = rows.drop(sampling.HOLDOUT, label)
    sparks = validated.model.transform(unlabelled).orderBy(ticked(KEY))
    answers = sparks.select(F.col(column_names.PREDICTION), vector_to_array(column_names.PROBABILITY)).collect()
    ours = scorer.score([row.asDict() for row in unlabelled.orderBy(ticked(KEY)).collect()])
    assert ours.predictions.tolist() == [int(row[0]) for row in answers]
    assert ours.probabilities.tolist() == [row[1] for row in answers]
    assert len(set(ours.predictions.tolist())) == 2
    # as MLflow has it, with a copy of the prediction at its end
    kept = PipelineModel(
        [*validated.model.stages, CopyColumns(inputCols=[column_names.PREDICTION], outputCols=["prediction"])]
    )
    held = parity(kept, portable, 300, 1, rows.sparkSession)
    assert (held.class_mismatches, held.largest_probability_difference) == (0, 0.0)


def test_a_column_named_as_if_a_stage_had_made_it_is_drawn_and_worth_what_it_is(
    spark: SparkSession, tmp_path: Path
) -> None:
    odd = ["x_index", "age_imputed", "index:b", "imputed:age"]
    prepare = Features(["age", "x_index", "age_imputed", "imputed:age"], ["x", "index:b"], {"age": "mean"}, label="y")
    stages = [*prepare.copies(), *prepare.imputers(), *prepare.indexers(), prepare.assembler()]
    assert [prepare.label_of(name) for name in (*odd, column_names.index("x_index"))] == [*odd, "x_index"]
    _, ax = plt.subplots()
    plots.preprocess.pipeline_diagram(ax, wiring(stages))
    drawn = [text.get_text() for text in ax.texts]
    assert "age, x_index,\nage_imputed,\nimputed:age, x,\nindex:b" in drawn
    assert drawn.count("age") == 2, "the imputer's"
    numbers = [(i, i % 2, float(i % 2), float(i), 1.0, float(i % 3), "ab"[i % 2], "c") for i in range(20)]
    kinds = "id int, y int, age double, x_index double, age_imputed double, `imputed:age` double, x string"
    df = spark.createDataFrame(numbers, f"{kinds}, `index:b` string").coalesce(1)
    forest = train_cv.make_estimator("random_forest", {"numTrees": 2, "maxDepth": 2}, "y", 1)
    model = Pipeline(stages=[*stages, forest]).fit(df)
    importances = permutation_importance(model, df, features_of(model), label="y", key="id", repeats=1)
    assert {prepare.label_of(importance.name) for importance in importances} == {"age", "x", *odd}
    assert first_tree(model, tmp_path / "tree").get("feature") in {"age", "x", *odd}


def test_truths_are_categories_and_one_not_written_down_is_unseen(spark: SparkSession) -> None:
    df = spark.createDataFrame([(True,), (True,), (False,), (None,)], "`yes.no` boolean").coalesce(1)
    prepare = Features(categorical=["yes.no"], booleans=["yes.no"])
    answer = Pipeline(stages=[*prepare.copies(), *prepare.indexers()]).fit(df).transform(df)
    assert [row[column_names.index("yes.no")] for row in answer.collect()] == [0.0, 0.0, 1.0, 2.0]


def test_columns_are_copied_for_spark_only_where_it_cannot_read_them() -> None:
    assert Features(["Age", "x {y}"], ["prediction"], label="y").copies() == []


def test_a_stage_that_copies_is_saved_with_what_it_copies(spark: SparkSession, tmp_path: Path) -> None:
    stages = Features(["a.b"], label="the.label").copies()
    PipelineModel(stages).write().save(str(tmp_path / "model"))
    df = spark.createDataFrame([(1.5,)], "`a.b` double")  # rows to predict have no label
    assert PipelineModel.load(str(tmp_path / "model")).transform(df).collect()[0].asDict() == {
        "a.b": 1.5,
        "lifeboat:copy:a%2Eb": 1.5,
    }
    with pytest.raises(DataError, match=r"unknown column 'a\.b'"):
        PipelineModel(stages).transform(df.withColumnRenamed("a.b", "c"))


def test_such_a_table_is_looked_at_and_grown(rows: DataFrame, label: str) -> None:
    df = rows.drop(sampling.HOLDOUT)
    missing = load.look.count_missing(df)
    assert (missing["a.b"], missing["prob.ability"], missing[KEY]) == (8, 9, 0)
    assert load.look.missing_rates(df, label, ["a.b"])["a.b"]["missing"][1] == 8
    assert sum(n for _, _, n, _ in load.look.rates(df, label, "`tick`")) == 60
    made = resample(df, 30, KEY, label, 1)
    assert made.columns == df.columns
    assert [row[KEY] for row in made.orderBy(ticked(KEY)).collect()] == list(range(1, 31))
    late = sampling.mark_holdout(df, KEY, 0.2, 1, "*").filter(F.col(sampling.HOLDOUT))
    assert {row["*"] for row in late.collect()} == {10.0, 11.0, 12.0}  # four rows of each


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["a", ""], "rows.csv: column 2 has no name: give it one in the header"),
        (["a\nb"], r"rows.csv: the name of column 1, 'a\nb', has a line's end or NUL in it: rename it"),
        (["a\u2028b"], r"rows.csv: the name of column 1, 'a\u2028b', has a line's end or NUL in it: rename it"),
        (["a\0"], r"rows.csv: the name of column 1, 'a\x00', has a line's end or NUL in it: rename it"),
        (["Age", "x", "AGE"], "Spark cannot tell the columns 'Age', 'AGE' apart: rename all but one"),
        (["Age", "Age"], "Spark cannot tell the columns 'Age', 'Age' apart: rename all but one"),
        (["Lifeboat:fold"], "'Lifeboat:fold' starts with 'lifeboat:', as columns do that Lifeboat adds: rename it"),
    ],
)
def test_a_name_that_no_column_can_have_is_refused_with_the_mend(columns: list[str], message: str) -> None:
    with pytest.raises(DataError) as caught:
        names.check_names(columns, "rows.csv")
    assert message in str(caught.value)


def test_any_other_name_is_none_of_ours_and_comes_back_from_all_that_are_made_of_it() -> None:
    odd = [*NUMERIC, *CATEGORICAL, KEY, "%2E", "a%", " ", "100%.`*"]
    names.check_names(odd, "rows.csv")
    for make in (column_names.imputed, column_names.index, column_names.text, column_names.for_spark):
        assert [column_names.plain_name(make(name)) for name in odd] == odd
        assert len({make(name) for name in odd}) == len(odd)
    assert column_names.plain_name(column_names.RAW_PREDICTION) == "rawPrediction"


def test_two_classes_have_the_names_they_are_given_or_no_and_yes() -> None:
    assert classes.names_of_classes(["in time", "late"]) == ("in time", "late")
    assert classes.names_of_classes([]) == ("no", "yes")


@pytest.mark.parametrize(
    "value", [["died"], ["a", "b", "c"], [False, True], ["died", ""], [0, 1], "no", ["a", " "], ["a", None]]
)
def test_names_of_classes_that_are_not_two_texts_are_refused_with_the_way_to_write_them(value: Any) -> None:
    with pytest.raises(ParameterError, match=r"class_names is .*; it takes two texts, class 0's first"):
        classes.names_of_classes(value)
    with pytest.raises(ParameterError, match="two classes of one name cannot be told apart"):
        classes.names_of_classes(["late", "late"])
