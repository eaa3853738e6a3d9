"""Small models trained on the real table, and their portable twins."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import GBTClassifier, LogisticRegression, RandomForestClassifier
from pyspark.ml.feature import StringIndexer, VectorAssembler
from pyspark.sql import DataFrame, SparkSession

from lifeboat.deploy.export import export_model
from lifeboat.preprocess import EqualTo, GroupMeanImputer, ModeImputer, SumColumns, TextCategory
from lifeboat.scoring.fields import Column

CSV = Path(__file__).parents[1] / "data" / "titanic" / "titanic_train.csv"


COLUMNS = [
    Column("PassengerId", "int", False),
    Column("Survived", "int", False, 0, 1),
    Column("Pclass", "int", False, 1, 3),
    Column("Name", "string", True),
    Column("Sex", "string", True),
    Column("Age", "double", True, 0, 120),
    Column("SibSp", "int", True, 0),
    Column("Parch", "int", False, 0),
    Column("Ticket", "string", True),
    Column("Fare", "double", True, 0),
    Column("Cabin", "string", True),
    Column("Embarked", "string", True),
]

HOUSE_COLUMNS = [
    Column("city", "string", True),
    Column("storey", "int", True, -2, 40),
    Column("size", "double", True),
    Column("lift", "boolean", False),
    Column("people", "bigint", False),
    Column("sold", "int", False),
]

TITLES = {
    "Mr": ["Mr", "Dr", "Major", "Capt", "Sir", "Don"],
    "Miss": ["Miss", "Mlle", "Mme", "Ms"],
    "Mrs": ["Mrs", "Lady", "Countess"],
    "Master": ["Master"],
    "Other": ["Jonkheer", "Col", "Rev"],
}


def preparing_stages() -> list[Any]:
    return [
        TextCategory(inputCol="Name", outputCol="Title", pattern=r", (?:the )?(\w+)\.", groups=TITLES),
        SumColumns(inputCols=["SibSp", "Parch"], outputCol="FamilySize"),
        EqualTo(inputCol="FamilySize", outputCol="Alone"),
        GroupMeanImputer(inputCol="Age", outputCol="Age_imputed", groupCol="Title"),
        GroupMeanImputer(inputCol="Fare", outputCol="Fare_imputed", groupCol="Pclass"),
        ModeImputer(inputCol="Embarked", outputCol="Embarked_imputed"),
        StringIndexer(
            inputCols=["Sex", "Embarked_imputed", "Title"],
            outputCols=["Sex_index", "Embarked_index", "Title_index"],
            handleInvalid="keep",
        ),
        VectorAssembler(
            inputCols=[
                "Pclass",
                "Age_imputed",
                "Fare_imputed",
                "Alone",
                "Sex_index",
                "Embarked_index",
                "Title_index",
            ],
            outputCol="features",
        ),
    ]


@pytest.fixture(scope="session")
def passengers(spark: SparkSession) -> DataFrame:
    schema = ", ".join(f"{column.name} {column.type}" for column in COLUMNS)
    return spark.read.csv(str(CSV), schema=schema, header=True, quote='"', escape='"').coalesce(1).cache()


@pytest.fixture(scope="session")
def preparing(passengers: DataFrame) -> PipelineModel:
    return Pipeline(stages=preparing_stages()).fit(passengers)


@pytest.fixture(scope="session")
def prepared(passengers: DataFrame, preparing: PipelineModel) -> DataFrame:
    return preparing.transform(passengers).cache()


@pytest.fixture(scope="session")
def spark_forest(prepared: DataFrame, preparing: PipelineModel) -> PipelineModel:
    trees = RandomForestClassifier(labelCol="Survived", numTrees=15, maxDepth=6, seed=1)
    return PipelineModel([*preparing.stages, trees.fit(prepared)])


@pytest.fixture(scope="session")
def models(
    prepared: DataFrame, preparing: PipelineModel, spark_forest: PipelineModel, houses: dict[str, PipelineModel]
) -> dict[str, PipelineModel]:
    """The three estimators with and without thresholds; a variant is the same trained model, set otherwise."""
    ready, forest = prepared, spark_forest.stages[-1]
    boosted = GBTClassifier(labelCol="Survived", maxIter=6, maxDepth=4, seed=1).fit(ready)
    binary = LogisticRegression(labelCol="Survived", maxIter=20).fit(ready)
    multinomial = LogisticRegression(labelCol="Pclass0", family="multinomial", maxIter=5).fit(
        ready.withColumn("Pclass0", ready.Pclass - 1)
    )
    fitted = {
        "forest": forest,
        "forest thresholds 0.35 0.65": forest.copy({forest.thresholds: [0.35, 0.65]}),
        "gbt": boosted,
        "gbt thresholds 0.7 0.3": boosted.copy({boosted.thresholds: [0.7, 0.3]}),
        "logistic": binary,
        "logistic threshold 0.3": binary.copy({binary.threshold: 0.3}),
        "logistic threshold 1": binary.copy({binary.threshold: 1.0}),
        "logistic thresholds 0.6 0.4": binary.copy().setThresholds([0.6, 0.4]),
        "multinomial": multinomial,
        "multinomial thresholds": multinomial.copy({multinomial.thresholds: [0.2, 0.5, 0.3]}),
    }
    return houses | {name: PipelineModel([*preparing.stages, model]) for name, model in fitted.items()}


@pytest.fixture(scope="session")
def houses(spark: SparkSession) -> dict[str, PipelineModel]:
    """A forest with pure leaves and large category sets, over each type of column: what the real table lacks."""
    rows = [
        (f"c{i % 40:02}", i % 5, float(i % 7), i % 2 == 0, 2**53 + i % 3, int(i % 40 in (3, 17, 31) or i % 7 > 5))
        for i in range(400)
    ]
    frame = spark.createDataFrame(rows, "city string, storey int, size double, lift boolean, people bigint, sold int")
    preparing = [
        GroupMeanImputer(inputCol="size", outputCol="size_imputed", groupCol="storey"),
        StringIndexer(inputCol="city", outputCol="city_index", handleInvalid="keep"),
        StringIndexer(inputCol="storey", outputCol="storey_index", handleInvalid="keep"),
        VectorAssembler(
            inputCols=["size_imputed", "city_index", "storey_index", "lift", "people"], outputCol="features"
        ),
    ]
    trees = RandomForestClassifier(
        labelCol="sold", numTrees=4, maxBins=64, featureSubsetStrategy="all", bootstrap=False, seed=1
    )
    fitted = Pipeline(stages=[*preparing, trees]).fit(frame.coalesce(1))
    trained = fitted.stages[-1]
    never_zero = trained.copy({trained.thresholds: [0.0, 1.0]})
    return {"houses": fitted, "houses thresholds 0 1": PipelineModel([*fitted.stages[:-1], never_zero])}


@pytest.fixture(scope="session")
def portable_of(models: dict[str, PipelineModel], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The portable twin of a model by its name, exported at its first use."""
    folder, done = tmp_path_factory.mktemp("portable"), dict[str, Path]()

    def portable(name: str) -> Path:
        if name not in done:
            columns, label = (HOUSE_COLUMNS, "sold") if "houses" in name else (COLUMNS, "Survived")
            done[name] = export_model(models[name], columns, label, folder / name.replace(" ", "_"))
        return done[name]

    return portable


@pytest.fixture(scope="session")
def forest(spark_forest: PipelineModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_model(spark_forest, COLUMNS, "Survived", tmp_path_factory.mktemp("forest") / "forest")


@pytest.fixture(scope="session")
def braund() -> dict[str, Any]:
    """A passenger of the table: class 0."""
    return {
        "Pclass": 3,
        "Name": "Braund, Mr. Owen Harris",
        "Sex": "male",
        "Age": 22.0,
        "SibSp": 1,
        "Parch": 0,
        "Fare": 7.25,
        "Embarked": "S",
    }


@pytest.fixture(scope="session")
def cumings() -> dict[str, Any]:
    """A passenger of the table: class 1."""
    return {
        "Pclass": 1,
        "Name": "Cumings, Mrs. John Bradley (Florence Briggs Thayer)",
        "Sex": "female",
        "Age": 38.0,
        "SibSp": 1,
        "Parch": 0,
        "Fare": 71.2833,
        "Embarked": "C",
    }


@pytest.fixture(scope="session")
def unlabelled(spark: SparkSession, spark_forest: PipelineModel) -> tuple[list[dict[str, Any]], list[int]]:
    """The 418 passengers whose fate is not in the table, and what Spark's forest says of each."""
    schema = ", ".join(f"{column.name} {column.type}" for column in COLUMNS if column.name != "Survived")
    table = spark.read.csv(str(CSV.with_name("titanic_test.csv")), schema=schema, header=True, quote='"', escape='"')
    rows = spark_forest.transform(table.coalesce(1)).select(*table.columns, "prediction").collect()
    records = [row.asDict() for row in rows]
    return records, [int(record.pop("prediction")) for record in records]
