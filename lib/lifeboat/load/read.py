"""Read a table: a CSV file as text, parquet in its own types."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from lifeboat.inputs import is_parquet
from lifeboat.runfolder import resolve_input

UNREADABLE = "_unreadable"


def read_raw(spark: SparkSession, path: str | Path, no_value: Sequence[str] = ()) -> DataFrame:
    """A CSV file (or a folder of them) with every column as text, or a parquet folder with its own types.

    Text first, so that a value that does not fit its type is still there to be shown. A line with too many or too
    few values is kept whole in the column ``_unreadable``.

    Args:
        spark: The session.
        path: A place on this machine, or any address that Spark can read, such as ``s3a://bucket/rows.parquet``: with
            an ending other than ``.parquet`` it is CSV, with none a folder of parquet files.
        no_value: Words that mean in CSV that there is no value, such as ``NA``; an empty text always does.

    Raises:
        DataError: There is nothing at ``path``.
    """
    place, parquet = _found(str(path))
    if parquet:
        return spark.read.parquet(place).withColumn(UNREADABLE, F.lit(None).cast("string"))
    reader = spark.read.option("header", True).option("escape", '"')
    names = reader.csv(place).columns  # reads the header line alone
    text = StructType([StructField(name, StringType()) for name in [*names, UNREADABLE]])
    rows = reader.option("columnNameOfCorruptRecord", UNREADABLE).schema(text).csv(place)
    if not no_value:
        return rows
    return rows.withColumns({name: F.when(~F.col(name).isin(*no_value), F.col(name)) for name in names})


def _found(path: str) -> tuple[str, bool]:
    """Where Spark is to read, and whether that is parquet."""
    if "://" in path:  # not this machine's: only Spark can look there
        return path, PurePosixPath(path).suffix in (".parquet", "")
    place = resolve_input(path)
    return str(place), is_parquet(place)
