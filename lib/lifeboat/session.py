"""Start and stop Spark: on this machine, on a cluster or by Spark Connect."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Callable

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lifeboat.jvm import WarmJvm, where_spark_runs

ROWS_PER_PARTITION = 50_000

SETTINGS = {
    "spark.app.name": "lifeboat",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    # Spark joins small shuffle partitions by itself; this is where it starts from
    "spark.sql.shuffle.partitions": "16",
}

_jvm: WarmJvm | None = None


def start(spark: str = "local[*]") -> SparkSession:
    """Start Spark, or take the session that is there.

    An active session wins (a hosted notebook brings one), then ``SPARK_REMOTE`` and ``LIFEBOAT_SPARK`` in the
    environment, then the argument: so one set of parameters runs anywhere.

    Args:
        spark: ``local[4]`` (four cores of this machine), ``local[*]`` (all of them), a cluster's address such as
            ``spark://host:7077``, ``yarn`` or ``k8s://...``, or ``sc://host`` (Spark Connect).

    Returns:
        The session. Stop it with ``spark.stop()``.

    Raises:
        lifeboat.jvm.JavaNotFoundError: There is no Java that Spark can use.
    """
    active = SparkSession.getActiveSession()
    if active is not None:
        return active
    where = where_spark_runs(spark)
    if where.startswith("sc://"):
        return SparkSession.builder.remote(where).getOrCreate()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else workers start whatever `python3` is on PATH
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        global _jvm  # kept for the life of the process: the next session starts in a fraction of the time
        _jvm = WarmJvm()
    builder = SparkSession.builder.master(where)
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def settle(df: DataFrame, key: str, rows: int) -> DataFrame:
    """Put rows where only their key decides: a partition by its hash, an order by its value.

    Spark's forests depend on how rows are spread and in what order they stand, which differs with the number of
    cores and files. After this it does not: the same rows give the same model anywhere.

    Args:
        df: Any frame with the column ``key``, unique in each row.
        key: The row's key.
        rows: How many rows ``df`` has, near enough: one partition for each 50,000.

    Returns:
        The same rows and columns.
    """
    return df.repartition(1 + rows // ROWS_PER_PARTITION, F.col(key)).sortWithinPartitions(key)


def count_jobs(session: SparkSession, work: Callable[[], object]) -> int | None:
    """Do ``work`` and count the Spark jobs it took; None where Spark does not tell (Spark Connect)."""
    if not hasattr(session, "_jvm"):
        work()
        return None
    context, group = session.sparkContext, str(uuid.uuid4())
    context.setJobGroup(group, "counted")
    try:
        work()
    finally:
        context.setLocalProperty("spark.jobGroup.id", None)  # type: ignore[arg-type]
    return len(context.statusTracker().getJobIdsForGroup(group))
