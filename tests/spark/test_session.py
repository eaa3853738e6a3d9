"""Sessions: which Spark is taken, rows that lie the same anywhere, and jobs counted."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from lifeboat.errors import ParameterError
from lifeboat.sampling import repartition_by_key
from lifeboat.spark.session import count_jobs, executors, for_executors, start, steps_of_plan

WHERE = """
import os, sys
from urllib.parse import urlsplit
from urllib.request import urlopen
from lifeboat.spark.session import start
os.environ["LIFEBOAT_SPARK"] = "local[1]"
first = start("local[3]")
SETTINGS = ("adaptive.enabled", "shuffle.partitions", "codegen.hugeMethodLimit")
PLANS = [f"spark.sql.{name}" for name in SETTINGS]
print(*map(first.conf.get, PLANS))
print(first.sparkContext.master, first.conf.get("spark.sql.session.timeZone"), first.sparkContext.uiWebUrl)
java = first.sparkContext._jvm.java.lang
print(java.System.getProperty("tried"), java.Runtime.getRuntime().maxMemory() // 2**20 < 800)
first.stop()
del os.environ["LIFEBOAT_SPARK"]
port = os.environ["PYSPARK_GATEWAY_PORT"]
os.environ["LIFEBOAT_ROWS"] = "few"
os.environ["LIFEBOAT_SPARK_UI"] = "on"
second = start("local[3]")
with urlopen(second.sparkContext.uiWebUrl) as page:
    print(urlsplit(page.url).hostname, "Spark Jobs" in page.read().decode())
print(*map(second.conf.get, PLANS))
print(second.sparkContext.master, os.environ["PYSPARK_GATEWAY_PORT"] == port)
second.range(3).write.parquet(sys.argv[1] + "/öls")
print(os.listdir(sys.argv[1]), second.read.parquet(sys.argv[1] + "/öls").count(), os.environ["LC_ALL"])
second.stop()
"""


def placed(df: DataFrame) -> list[tuple[Any, ...]]:
    """Each row with its partition, in the order in which they lie."""
    return [tuple(row) for row in df.withColumn("partition", F.spark_partition_id()).collect()]


def test_rows_spread_in_any_way_settle_in_the_same_partitions_and_order(spark: SparkSession) -> None:
    rows = spark.range(300).withColumn("word", F.concat(F.lit("w"), F.col("id") % 7))
    single_file = rows.coalesce(1).orderBy("id")
    many_files = rows.repartition(5, "word").sortWithinPartitions(F.desc("id"))
    assert placed(single_file) != placed(many_files)
    here, there = (placed(repartition_by_key(df, "id", rows=200_000)) for df in (single_file, many_files))
    assert here == there
    partitions: dict[int, list[int]] = {}
    for key, _, partition in here:
        partitions.setdefault(partition, []).append(key)
    assert sorted(partitions) == [0, 1, 2]  # one more than 200,000 / 100,000
    assert all(keys == sorted(keys) for keys in partitions.values())
    assert sorted(key for keys in partitions.values() for key in keys) == list(range(300))


def test_a_small_table_settles_in_one_partition_in_the_order_of_its_text_key(spark: SparkSession) -> None:
    df = spark.createDataFrame([("b", 1), ("c", 2), ("a", 3)], "k string, v int").repartition(3)
    settled = repartition_by_key(df, "k", rows=3)
    assert placed(settled) == [("a", 3, 0), ("b", 1, 0), ("c", 2, 0)]
    assert settled.columns == ["k", "v"]


def test_a_session_that_is_there_wins_and_keeps_its_own_settings(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFEBOAT_SPARK", "local[1]")
    before = spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set("spark.sql.shuffle.partitions", "5")
    try:
        taken = start("local[7]")
        assert taken.sparkContext is spark.sparkContext
        assert taken.sparkContext.master == "local[2]"
        assert spark.conf.get("spark.sql.shuffle.partitions") == "5"
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", before)


def test_the_environment_wins_and_the_next_session_takes_the_same_jvm_with_a_page_and_names_may_have_accents(
    tmp_path: Path,
) -> None:
    named = ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET", "SPARK_REMOTE", "LIFEBOAT_SPARK")
    environment = {name: value for name, value in os.environ.items() if name not in named}
    command = [sys.executable, "-c", WHERE, str(tmp_path)]
    settings = {"LC_ALL": "C", "LIFEBOAT_DRIVER_MEMORY": "700m", "LIFEBOAT_JVM_OPTIONS": "-XX:+UseSerialGC -Dtried=yes"}
    process = subprocess.run(command, env=environment | settings, capture_output=True, text=True, timeout=240)
    assert process.returncode == 0, process.stderr
    unknown, without, memory, told, *lines = process.stdout.splitlines()
    assert (without, memory) == ("local[1] UTC None", "yes True")
    assert re.fullmatch(r"Spark shows its jobs at http://127\.0\.0\.1:\d+, as long as this session lasts\.", told)
    assert unknown == "true 16 8000", "nobody knows how many rows come"
    assert lines == ["127.0.0.1 True", "false 1 65535", "local[3] True", "['öls'] 3 C"]


def test_the_steps_of_a_plan_are_named_from_the_last_to_the_first(spark: SparkSession) -> None:
    sums = spark.range(10).groupBy((F.col("id") % 2).alias("odd")).count()
    assert steps_of_plan(sums) == [
        "AdaptiveSparkPlan",
        "HashAggregate",
        "Exchange",
        "HashAggregate",
        "Project",
        "Range",
    ]


def test_this_machine_alone_has_no_executors(spark: SparkSession) -> None:
    assert executors(spark) == []


def test_the_jobs_of_the_work_are_counted_and_no_others(spark: SparkSession) -> None:
    single, two = spark.range(10, numPartitions=1), spark.range(10, numPartitions=2)
    single.count()
    assert count_jobs(spark, lambda: None) == 0
    assert count_jobs(spark, single.count) == 1
    assert count_jobs(spark, lambda: [single.count() for _ in range(3)]) == 3
    assert count_jobs(spark, two.count) == 2  # the partitions' own counts, then their sum
    assert count_jobs(spark, lambda: single.filter("id > 3").select("id")) == 0  # nobody asked for rows


def test_work_that_fails_leaves_no_mark_on_later_jobs(spark: SparkSession) -> None:
    def fail() -> None:
        spark.range(1).collect()
        raise ValueError("the work's own")

    with pytest.raises(ValueError, match="the work's own"):
        count_jobs(spark, fail)
    assert spark.sparkContext.getLocalProperty("spark.jobGroup.id") is None


def test_executors_find_this_machine_by_its_address_towards_the_master(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPARK_LOCAL_IP", raising=False)
    monkeypatch.delenv("LIFEBOAT_EXECUTOR_MEMORY", raising=False)
    assert for_executors("local[2]") == {}
    first, second = (for_executors("local-cluster[2,1,1024]") for _ in range(2))
    assert first.keys() == {"spark.authenticate", "spark.authenticate.secret"}
    assert len(str(first["spark.authenticate.secret"])) == 64
    assert first != second, "a secret of its own"
    for master in ("spark://127.0.0.1:7077", "spark://127.0.0.1:1,127.0.0.1:2", "k8s://https://127.0.0.1:6443"):
        assert for_executors(master) == {"spark.driver.host": "127.0.0.1"}
    monkeypatch.setenv("SPARK_LOCAL_IP", "10.1.2.3")  # whoever says so knows better
    monkeypatch.setenv("LIFEBOAT_EXECUTOR_MEMORY", "4g")
    assert for_executors("spark://127.0.0.1:7077") == {"spark.executor.memory": "4g"}


def test_a_cluster_that_cannot_be_found_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPARK_LOCAL_IP", raising=False)
    with pytest.raises(ParameterError, match=r"spark is 'spark://300\.1\.1\.1:7077', and there is no way to it"):
        for_executors("spark://300.1.1.1:7077")
