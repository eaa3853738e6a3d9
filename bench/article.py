"""What the article did that this series grew from, in one script: the time to hold a run against.

Types guessed by Spark, one job for each group of missing values, indexers fitted on all rows outside of what is
cross-validated, Spark's own CrossValidator over two sizes of forest in three folds, and predictions. It reads each file
once. What is wrong with it is what the notebooks are about.

    python bench/article.py FOLDER      predictions as CSV into FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from pyspark.ml.classification import RandomForestClassifier
from pyspark.ml.evaluation import BinaryClassificationEvaluator
from pyspark.ml.feature import StringIndexer, VectorAssembler
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

DATA = Path(__file__).resolve().parents[1] / "data" / "titanic"
TITLES = {"Mlle": "Miss", "Ms": "Miss", "Mme": "Miss", "Dr": "Mr", "Major": "Mr", "Lady": "Mrs", "Countess": "Mrs",
          "Jonkheer": "Other", "Col": "Other", "Rev": "Other", "Capt": "Mr", "Sir": "Mr", "Don": "Mr",
          "Dona": "Mrs"}  # fmt: skip
INDEXED = ("Sex", "Embarked", "Title")


def with_title(df: DataFrame) -> DataFrame:
    """The word before the first full stop of the name, the rare ones replaced."""
    found = df.withColumn("Title", F.regexp_extract("Name", r"([A-Za-z]+)\.", 1))
    return found.replace(TITLES, subset="Title")


def fill_ages(df: DataFrame) -> DataFrame:
    """A missing age becomes the mean of the title: a job for the mean of each."""
    for title in ("Master", "Miss", "Mr", "Mrs", "Other"):
        mean = df.filter(F.col("Title") == title).agg(F.avg("Age")).collect()[0][0]
        gap = F.col("Age").isNull() & (F.col("Title") == title)
        df = df.withColumn("Age", F.when(gap, mean).otherwise(F.col("Age")))
    return df


def main() -> None:
    """Read, prepare, cross-validate, predict, write."""
    spark = SparkSession.builder.appName("article").config("spark.ui.enabled", "false").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    train, test = (
        spark.read.csv(str(DATA / f"titanic_{name}.csv"), header=True, inferSchema=True) for name in ("train", "test")
    )
    print(train.count(), test.count())
    print(train.groupBy("Survived").count().collect())
    train, test = (fill_ages(with_title(df).fillna({"Embarked": "S"})) for df in (train, test))
    fare = train.agg(F.avg("Fare")).collect()[0][0]
    test = test.fillna({"Fare": fare})
    size = F.col("SibSp") + F.col("Parch")
    train, test = (
        df.withColumn("FamilySize", size).withColumn("Alone", (size == 0).cast("int")) for df in (train, test)
    )
    both = train.select(*INDEXED).union(test.select(*INDEXED))
    for name in INDEXED:
        indexer = StringIndexer(inputCol=name, outputCol=f"{name}_index").fit(both)
        train, test = indexer.transform(train), indexer.transform(test)
    inputs = ["Pclass", "Age", "Fare", "FamilySize", "Alone", *(f"{name}_index" for name in INDEXED)]
    assembler = VectorAssembler(inputCols=inputs, outputCol="features")
    train, test = assembler.transform(train), assembler.transform(test)
    learned, held = train.randomSplit([0.8, 0.2], seed=1912)
    forest = RandomForestClassifier(labelCol="Survived", featuresCol="features", maxDepth=5, seed=1912)
    grid = ParamGridBuilder().addGrid(forest.numTrees, [100, 300]).build()
    evaluator = BinaryClassificationEvaluator(labelCol="Survived")
    model = CrossValidator(estimator=forest, estimatorParamMaps=grid, evaluator=evaluator, numFolds=3, seed=1912).fit(
        learned
    )
    print("area under ROC on the part held back:", evaluator.evaluate(model.transform(held)))
    answers = model.transform(test).select("PassengerId", F.col("prediction").cast("int").alias("Survived"))
    answers.toPandas().to_csv(Path(sys.argv[1]) / "predictions.csv", index=False)
    spark.stop()


if __name__ == "__main__":
    main()
