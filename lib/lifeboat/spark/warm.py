"""Make the archive of Spark's classes: one JVM does what notebooks do, and leaves what it loaded."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.classification import RandomForestClassifier
from pyspark.ml.feature import StringIndexer, VectorAssembler
from pyspark.ml.functions import vector_to_array
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lifeboat.run.writing import remove, replacing
from lifeboat.spark import archive, session
from lifeboat.spark.environment import SurroundingsError, spark_home
from lifeboat.spark.java import find_java
from lifeboat.spark.jvm import WarmJvm


def warm(again: bool = False) -> tuple[Path, bool]:
    """Make the archive, unless there is one; those of another Java or Spark are removed.

    Args:
        again: Whether to make it anew where there is one.

    Returns:
        Its path, and whether it was made now.

    Raises:
        SurroundingsError: The JVM left none.
    """
    target = archive.path(find_java(), spark_home())
    if target.is_file() and not again:
        return target, False
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as beside:
        with WarmJvm(keep=beside), tempfile.TemporaryDirectory() as folder, session.start("local[2]") as spark:
            _work(spark, Path(folder))
        if not beside.is_file():
            raise SurroundingsError(
                f"Java left no classes in {target.parent}: it needs 250 MB there, and a folder conf of Spark's that is "
                "empty or not there"
            )
    for other in target.parent.glob("*.jsa"):
        if other != target:
            remove(other)
    return target, True


def _work(spark: SparkSession, folder: Path) -> None:
    """Read, shuffle, join, fit, save, load and score a few rows."""
    number = F.col("id") * 7 % 11
    columns = (F.col("id") % 3).cast("string").alias("word"), number.cast("double").alias("x")
    rows = spark.range(200).select("id", *columns, (number > 5).cast("int").alias("label"))
    rows.write.parquet(str(folder / "rows"))
    read = spark.read.parquet(str(folder / "rows")).repartition(2, "id").sortWithinPartitions("id").cache()
    joined = read.join(read.groupBy("word").agg(F.avg("x").alias("mean")), "word", "left").orderBy(F.xxhash64("id"))
    joined.mapInArrow(lambda batches: batches, joined.schema).toArrow()
    index, features = StringIndexer(inputCol="word", outputCol="index"), VectorAssembler(inputCols=["index", "x"])
    stages: list[Any] = [index, features.setOutputCol("features")]
    forest = RandomForestClassifier(labelCol="label", numTrees=2, maxDepth=2)
    Pipeline(stages=[*stages, forest]).fit(read).write().save(str(folder / "model"))
    scored = PipelineModel.load(str(folder / "model")).transform(read)
    scored.select("id", vector_to_array(F.col("probability"))).orderBy("id").toArrow()
