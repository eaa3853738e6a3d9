"""Batch scoring: the portable model by Arrow against Spark's own transform, and how much memory the former needs alone.

Both read and write the same parquet files, in turns A B A B, so that a machine that is slower for a while is slower
for both. Spark has the compiler that pays on many rows, and both are warmed up on the first of the rows.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
FILES = 8
CHUNK = 250_000

# `lifeboat score` in a process of its own, which then says how much memory it ever had
ALONE = """
import resource, sys
from lifeboat.cli.app import app
try:
    app(["score", *sys.argv[1:]])
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def make_rows(rows: int, folder: Path, seed: int = 1912) -> Path:
    """Passengers like the real ones: resampled, ages and fares each a little different, gaps kept."""
    convert = pacsv.ConvertOptions(
        column_types={"Age": pa.float64(), "Fare": pa.float64()},
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
    )
    real = pacsv.read_csv(ROOT / "data" / "titanic" / "titanic_train.csv", convert_options=convert)
    folder.mkdir(parents=True)
    random, size = np.random.default_rng(seed), -(-rows // FILES)
    for number, start in enumerate(range(0, rows, size)):
        with pq.ParquetWriter(folder / f"part-{number}.parquet", real.schema) as writer:
            for at in range(start, min(start + size, rows), CHUNK):
                count = min(CHUNK, start + size - at, rows - at)
                some = real.take(random.integers(0, real.num_rows, count))
                jittered = {"PassengerId": pa.array(np.arange(at, at + count))}
                for name, most in (("Age", 120.0), ("Fare", 1000.0)):
                    values = some[name].to_numpy() * random.uniform(0.9, 1.1, count)
                    jittered[name] = pa.array(np.minimum(values, most), from_pandas=True)
                for name, values in jittered.items():
                    some = some.set_column(some.schema.get_field_index(name), name, values)
                writer.write_table(some)
    return folder


def cpu() -> float:
    """The processor's seconds that this process, its JVM and Spark's Python workers have had."""
    mine = psutil.Process()
    seconds = 0.0
    for process in (mine, *mine.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            ended = times.children_user + times.children_system if process != mine else 0.0
            seconds += times.user + times.system + ended
    return seconds


def clock(work: Callable[[], object]) -> tuple[float, float]:
    """How long ``work`` takes, in seconds, and in the processor's: others' work does not count in the latter."""
    start, worked = time.perf_counter(), cpu()
    work()
    return time.perf_counter() - start, cpu() - worked


def against_spark(run: Path, portable: Path, rows: int, turns: int, where: str, scratch: Path) -> None:
    """Score the same files by both on Spark, in turns, and print the rows a second and the ratio."""
    from pyspark.ml import PipelineModel
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql import functions as F

    from lifeboat.cli.models import spark_model
    from lifeboat.deploy.batch.frames import score_on_spark
    from lifeboat.preprocess.column_names import PREDICTION, PROBABILITY
    from lifeboat.scoring.scorer import Scorer
    from lifeboat.spark import session
    from lifeboat.spark.jvm import WarmJvm

    source, few, out = make_rows(rows, scratch / "in"), make_rows(20_000, scratch / "few"), scratch / "out"
    with WarmJvm("many"):
        spark = session.start(where)
        scorer, model = Scorer.load(portable), PipelineModel.load(str(spark_model(run)))

        def by_arrow(place: Path) -> None:
            score_on_spark(spark.read.parquet(str(place)), scorer, place, out, force=True)

        def by_transform(place: Path) -> None:
            scored = model.transform(spark.read.parquet(str(place)))
            answers = [F.col(PREDICTION), vector_to_array(PROBABILITY)[1].alias(PROBABILITY)]
            scored.select(*spark.read.parquet(str(place)).columns, *answers).write.mode("overwrite").parquet(str(out))

        for work in (by_arrow, by_transform, by_arrow):
            work(few)
        ratios = []
        print(f"{rows:,} rows a turn on {where}; rows a second, and in brackets rows a second of the processor's time")
        print(f"{'turn':>4} {'portable, mapInArrow':>26} {'Spark transform':>26} {'times':>18}")
        for turn in range(turns):
            ours, theirs = clock(lambda: by_arrow(source)), clock(lambda: by_transform(source))
            ratios.append([slow / fast for slow, fast in zip(theirs, ours, strict=True)])
            rates = [f"{rows / took:,.0f} ({rows / worked:,.0f})" for took, worked in (ours, theirs)]
            times = "{:.1f} ({:.1f})".format(*ratios[-1])
            print(f"{turn + 1:>4} {rates[0]:>26} {rates[1]:>26} {times:>18}", flush=True)
        medians = [statistics.median(column) for column in zip(*ratios, strict=True)]
        print("median: {:.1f} times as fast, {:.1f} times in the processor's time".format(*medians))
        spark.stop()


def by_itself(portable: Path, rows: int, scratch: Path) -> None:
    """``lifeboat score`` without Spark: rows a second and the most memory it had."""
    source, out = make_rows(rows, scratch / "alone"), scratch / "alone.parquet"
    command = [sys.executable, "-c", ALONE, str(portable), str(source), str(out)]
    start = time.perf_counter()
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    took = time.perf_counter() - start
    print(f"without a JVM: {rows:,} rows in {took:.1f} s, {rows / took:,.0f} rows/s, ", end="")
    print(f"peak memory {int(said.split()[-1]) / 1024:,.0f} MB (limit set: 1,024 MB)", flush=True)
    shutil.rmtree(source)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="titanic", help="a finished run: its name or folder")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of each turn on Spark; 0: none")
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--alone", type=int, default=1_000_000, help="rows scored without Spark; 0: none")
    parser.add_argument("--spark", default="local[*]")
    asked = parser.parse_args()

    from lifeboat.cli.models import find_run, portable_folder

    run = find_run(asked.model)
    portable = portable_folder(str(run))
    with tempfile.TemporaryDirectory(prefix="lifeboat-bench-") as folder:
        if asked.alone:
            by_itself(portable, asked.alone, Path(folder))
        if asked.rows:
            against_spark(run, portable, asked.rows, asked.turns, asked.spark, Path(folder))


if __name__ == "__main__":
    main()
