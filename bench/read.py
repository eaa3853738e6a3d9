"""Seconds to read a CSV file of many rows into Spark: by the reader of every part, and by Spark's own, in turn."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from lifeboat.load import read_raw
from lifeboat.run import resolve
from lifeboat.spark.session import start


def seconds(rows: DataFrame) -> float:
    """Read every value once."""
    begun = time.perf_counter()
    rows.agg(F.sum(F.hash(*rows.columns))).collect()
    return time.perf_counter() - begun


def main() -> None:
    """Print the seconds of each turn's two readings, and the median ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    header, *lines = resolve("data/titanic/titanic_train.csv").read_text().splitlines()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "rows.csv")
        with place.open("w") as file:
            file.write(header + "\n")
            for row in range(options.rows):
                file.write(lines[row % len(lines)] + "\n")
        session = start("local[*]")
        ratios = []
        for turn in range(options.turns + 1):
            ours = seconds(read_raw(session, place))
            reader = session.read.option("header", True).option("escape", '"')
            names = [*reader.csv(str(place)).columns, "_unreadable"]
            texts = StructType([StructField(name, StringType()) for name in names])
            reader = reader.option("columnNameOfCorruptRecord", "_unreadable").schema(texts)
            sparks = seconds(reader.csv(str(place)))
            if turn == 0:  # Spark itself is still being loaded and compiled
                continue
            ratios.append(ours / sparks)
            print(f"{options.rows:,} rows: ours {ours:.1f} s, Spark's own {sparks:.1f} s, ratio {ratios[-1]:.2f}")
        session.stop()
    print(f"median ratio {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
