"""Have a new JVM set up, beside the session that starts in it, classes that Spark needs a moment later.

Each of these sets up tables of its own as it is loaded, without a session: the first alone registers all functions of
SQL, by reflection, for more than a second. Spark does so one after another, on one core.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

SPARK = "org.apache.spark.sql"
CLASSES = (
    f"{SPARK}.ml.InternalFunctionRegistration$",
    f"{SPARK}.catalyst.parser.SqlBaseLexer",
    f"{SPARK}.catalyst.parser.SqlBaseParser",
    f"{SPARK}.execution.SparkSqlParser",
    f"{SPARK}.classic.Dataset",
    f"{SPARK}.execution.SQLExecution$",
    "org.codehaus.janino.UnitCompiler",
    "org.codehaus.janino.ClassFileIClass",
    f"{SPARK}.execution.datasources.parquet.ParquetFileFormat",
    "org.apache.parquet.format.FileMetaData",
    "org.apache.parquet.format.PageEncodingStats",
    "org.apache.parquet.hadoop.ParquetFileWriter",
    "org.apache.arrow.vector.VectorSchemaRoot",
    "org.apache.arrow.memory.RootAllocator",
    f"{SPARK}.execution.datasources.DataSource$",
)


def set_up(gateway: Any) -> None:
    """Load the classes, one after another.

    Args:
        gateway: py4j's way into the JVM. Where it ends meanwhile, or its Spark lacks a class, nothing is lost.
    """
    for name in CLASSES:
        with suppress(Exception):
            gateway.jvm.java.lang.Class.forName(name)
