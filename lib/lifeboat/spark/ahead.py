"""Have a new JVM set up, beside the session that starts in it, classes that Spark needs a moment later.

Each of these sets up tables of its own as it is loaded, without a session: the first alone registers all functions of
SQL, by reflection, for more than a second. Spark does so one after another, on one core.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
    """Load the classes, one after another; a class that this Spark lacks is left out.

    Args:
        gateway: py4j's way into the JVM. Where that ends meanwhile, so does this, and says nothing: whoever needs it
            will notice.
    """
    from py4j.protocol import Py4JJavaError

    with _unsaid(), suppress(Exception):  # whatever a way in says that is closed meanwhile
        for name in CLASSES:
            try:
                gateway.jvm.java.lang.Class.forName(name)
            except Py4JJavaError:
                continue


@contextmanager
def _unsaid() -> Iterator[None]:
    """Keep back what this thread logs: where a JVM dies amid a call, py4j first writes a stack by the root logger."""
    thread, root = threading.get_ident(), logging.getLogger()

    def of_others(record: logging.LogRecord) -> bool:
        return record.thread != thread

    root.addFilter(of_others)
    try:
        yield
    finally:
        root.removeFilter(of_others)
