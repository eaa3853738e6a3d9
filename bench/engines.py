"""The ways to train that ``bench/scale.py`` compares; each is run in a process of its own, on the same parquet folder.

Each yields the name of a stage after doing it, so that the caller can take its time. All fit forests of 20 and of 50
trees of depth 5 on three folds, and the better one once more on all training rows.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from lifeboat.scoring.fields import Column

ROOT = Path(__file__).resolve().parents[1]
GIVEN: dict[str, Any] = yaml.safe_load((ROOT / "params" / "titanic.yaml").read_text())
LABEL, KEY, SEED, FOLDS = GIVEN["label"], GIVEN["key"], GIVEN["seed"], 3
GRIDS = {
    "random_forest": ({"maxDepth": 5}, {"numTrees": [20, 50]}),
    "gbt": ({"maxDepth": 5, "maxIter": 20}, {"stepSize": [0.1, 0.3]}),
}
METRICS = ("accuracy", "log_loss")
SPARK = os.environ.get("BENCH_SPARK", "local[2]")
JOBS_TIMED = 50
Said = dict[str, Any]
Stages = Iterator[str]


def lifeboat(folder: str, said: Said, estimator: str = "random_forest") -> Stages:
    """What the notebooks do, without their looking around."""
    from pyspark.ml import Pipeline
    from pyspark.ml.tuning import CrossValidator
    from pyspark.sql import functions as F

    from lifeboat import load, sampling, train_cv
    from lifeboat.deploy.batch.files import score_file
    from lifeboat.deploy.export import export_model
    from lifeboat.preprocess import column_names
    from lifeboat.preprocess.features import Features, derived
    from lifeboat.scoring.scorer import Scorer
    from lifeboat.spark import session
    from lifeboat.train_cv.shared_pipeline import SharedPipeline

    spark = session.start(SPARK)
    yield "start"
    work, table = Path(tempfile.mkdtemp()), load.parse_schema(GIVEN["schema"])
    checked = load.check_rows(load.read_raw(spark, folder), table, KEY, GIVEN["ranges"])
    rows = sampling.mark_holdout(checked.rows, KEY, GIVEN["holdout_fraction"], SEED)
    n = spark.read.parquet(folder).count()
    for name, kept in (("train", ~F.col(sampling.HOLDOUT)), ("holdout", F.col(sampling.HOLDOUT))):
        sampling.repartition_by_key(rows.filter(kept).drop(sampling.HOLDOUT), KEY, n).write.parquet(str(work / name))
    spark.catalog.clearCache()
    yield "load"
    train, holdout = (spark.read.parquet(str(work / name)) for name in ("train", "holdout"))
    features = Features(GIVEN["numeric"], GIVEN["categorical"], GIVEN["impute"])
    stages = [*derived(GIVEN["derive"]), *features.imputers(), *features.indexers(), features.assembler()]
    Pipeline(stages=stages).fit(train).transform(train).write.format("noop").mode("overwrite").save()
    yield "preprocess"
    params, grid = GRIDS[estimator]
    classifier = train_cv.make_estimator(estimator, params, LABEL, SEED)
    cv = CrossValidator(
        estimator=SharedPipeline(stages=[*stages, classifier]),
        estimatorParamMaps=train_cv.make_grid(classifier, grid),
        evaluator=train_cv.make_evaluator("accuracy", LABEL),
        numFolds=FOLDS,
        foldCol=sampling.FOLD,
        parallelism=2,
        seed=SEED,
    )
    found = train_cv.cross_validate(cv, sampling.add_folds(train, KEY, FOLDS, SEED), KEY)
    said["scores"] = [found.mean(point) for point in range(2)]
    yield "cv"
    judged = found.model.transform(holdout).select(LABEL, column_names.PROBABILITY, column_names.PREDICTION).cache()
    said["holdout"] = {name: train_cv.make_evaluator(name, LABEL).evaluate(judged) for name in METRICS}
    yield "evaluate"
    columns = [Column.of(described) for described in load.describe(table, KEY, LABEL, GIVEN["ranges"])["columns"]]
    portable = export_model(found.model, columns, LABEL, work / "portable")
    score_file(Scorer.load(portable), Path(folder), work / "scored.parquet", keep=[KEY])
    yield "score"
    spark.stop()
    shutil.rmtree(work)


def lifeboat_gbt(folder: str, said: Said) -> Stages:
    """The same with Spark's gradient-boosted trees."""
    yield from lifeboat(folder, said, "gbt")


def plain(folder: str, said: Said) -> Stages:
    """As many a tutorial does it: gaps filled before the split, a job for each title; then Spark's own ``fit``.

    Some fill a gap by one job a missing row. Of that a few are timed: ``said`` tells the seconds of each and the gaps.
    """
    from pyspark.ml import Pipeline
    from pyspark.ml.classification import RandomForestClassifier
    from pyspark.ml.evaluation import MulticlassClassificationEvaluator
    from pyspark.ml.feature import StringIndexer, VectorAssembler
    from pyspark.ml.tuning import CrossValidator, ParamGridBuilder
    from pyspark.sql import functions as F

    from lifeboat.spark import session

    spark = session.start(SPARK)
    yield "start"
    df = spark.read.parquet(folder).withColumn("Title", F.regexp_extract("Name", r"([A-Za-z]+)\.", 1))
    df = df.withColumn("Alone", (F.col("SibSp") + F.col("Parch") == 0).cast("double")).cache()
    df.count()
    yield "load"
    means = {
        row.Title: df.filter(F.col("Title") == row.Title).agg(F.avg("Age")).first()[0]
        for row in df.select("Title").distinct().collect()
    }
    filled = df
    for title, mean in means.items():
        gap = F.col("Age").isNull() & (F.col("Title") == title)
        filled = filled.withColumn("Age", F.when(gap, F.lit(mean)).otherwise(F.col("Age")))
    port = df.groupBy("Embarked").count().dropna().orderBy(F.desc("count")).first()[0]
    filled = filled.na.fill({"Embarked": port, "Age": df.agg(F.avg("Age")).first()[0]})
    train, holdout = filled.randomSplit([0.8, 0.2], SEED)
    yield "preprocess"
    words = [StringIndexer(inputCol=c, outputCol=f"{c}_index", handleInvalid="keep") for c in GIVEN["categorical"]]
    features = VectorAssembler(
        inputCols=[*GIVEN["numeric"], *(word.getOutputCol() for word in words)], outputCol="features"
    )
    forest = RandomForestClassifier(labelCol=LABEL, maxDepth=5, seed=SEED)
    judge = MulticlassClassificationEvaluator(labelCol=LABEL, metricName="accuracy")
    found = CrossValidator(
        estimator=Pipeline(stages=[*words, features, forest]),
        estimatorParamMaps=ParamGridBuilder().addGrid(forest.numTrees, [20, 50]).build(),
        evaluator=judge,
        numFolds=FOLDS,
        seed=SEED,
    ).fit(train)
    said["scores"] = found.avgMetrics
    yield "cv"
    said["holdout"] = {"accuracy": judge.evaluate(found.transform(holdout))}
    yield "evaluate"
    scored = found.transform(filled).select(KEY, "probability", "prediction")
    scored.write.format("noop").mode("overwrite").save()
    yield "score"
    # last, for they are no work of this script's, and would warm Java for what is
    gaps = df.filter("Age IS NULL")
    clock = time.perf_counter()
    some = gaps.select("Title").limit(JOBS_TIMED).collect()
    for row in some:
        df.filter(F.col("Title") == row.Title).agg(F.avg("Age")).collect()
    said["seconds_a_job"] = (time.perf_counter() - clock) / len(some)
    said["gaps"] = gaps.count()
    yield "a few gaps by one job each"
    spark.stop()


def read_with_pandas(folder: str) -> Any:
    """All rows in this process's memory, the title taken from the name."""
    import pandas as pd

    frame = pd.read_parquet(folder)
    frame["Title"] = frame["Name"].str.extract(r"([A-Za-z]+)\.", expand=False)
    frame["Alone"] = (frame["SibSp"] + frame["Parch"] == 0).astype(float)
    return frame


def scikit_learn(folder: str, said: Said, histograms: bool = False) -> Stages:
    """scikit-learn's own pipeline, with a forest or with histogram gradient boosting."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.metrics import accuracy_score, log_loss
    from sklearn.model_selection import GridSearchCV, train_test_split
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    yield "start"
    frame = read_with_pandas(folder)
    train, holdout = train_test_split(frame, test_size=GIVEN["holdout_fraction"], random_state=SEED)
    yield "load"
    words = make_pipeline(
        SimpleImputer(strategy="most_frequent"),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    )
    columns = ColumnTransformer(
        [("numbers", SimpleImputer(), GIVEN["numeric"]), ("words", words, GIVEN["categorical"])]
    )
    columns.fit_transform(train)
    yield "preprocess"
    if histograms:
        model: Any = HistGradientBoostingClassifier(max_depth=5, max_iter=20, early_stopping=False, random_state=SEED)
        grid: dict[str, list[Any]] = {"model__learning_rate": [0.1, 0.3]}
    else:
        model = RandomForestClassifier(max_depth=5, n_jobs=2, random_state=SEED)
        grid = {"model__n_estimators": [20, 50]}
    search = GridSearchCV(Pipeline([("columns", columns), ("model", model)]), grid, cv=FOLDS, scoring="accuracy")
    search.fit(train, train[LABEL])
    said["scores"] = list(search.cv_results_["mean_test_score"])
    yield "cv"
    said["holdout"] = {
        "accuracy": accuracy_score(holdout[LABEL], search.predict(holdout)),
        "log_loss": log_loss(holdout[LABEL], search.predict_proba(holdout)),
    }
    yield "evaluate"
    search.predict_proba(frame)
    yield "score"


def scikit_learn_histograms(folder: str, said: Said) -> Stages:
    """Histogram gradient boosting: 20 rounds of depth 5, as Spark's."""
    yield from scikit_learn(folder, said, histograms=True)


ENGINES: dict[str, Callable[[str, Said], Stages]] = {
    "lifeboat": lifeboat,
    "plain": plain,
    "scikit-learn": scikit_learn,
    "lifeboat-gbt": lifeboat_gbt,
    "scikit-learn-histograms": scikit_learn_histograms,
}


def main(engine: str, folder: str) -> None:
    """Run one engine on one folder; print its stages' seconds and what it found as one line of JSON."""
    said: Said = {}
    seconds: dict[str, float] = {}
    clock = time.perf_counter()
    for stage in ENGINES[engine](folder, said):
        seconds[stage], clock = time.perf_counter() - clock, time.perf_counter()
    print(json.dumps({"seconds": seconds, **said}))


if __name__ == "__main__":
    main(*sys.argv[1:])
