"""How long a session takes up to its first answer: with the archive of ``lifeboat warm`` and without, in turn."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

from lifeboat.spark.archive import SWITCH
from lifeboat.spark.warm import warm

ANSWER = """
from lifeboat.run import resolve
from lifeboat.spark.session import start
spark = start("local[2]")
path = str(resolve("data/titanic/titanic_train.csv"))
print(spark.read.csv(path, header=True).groupBy("Sex").count().collect())
spark.stop()
"""


def seconds(switch: str) -> float:
    """Of a process that starts a session, asks one question and ends."""
    clock = time.perf_counter()
    subprocess.run([sys.executable, "-c", ANSWER], env=os.environ | {SWITCH: switch}, check=True, capture_output=True)
    return time.perf_counter() - clock


def main() -> None:
    """Make the archive anew, then measure in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=3)
    given = parser.parse_args()
    clock = time.perf_counter()
    path, _ = warm(again=True)
    print(f"the archive was made in {time.perf_counter() - clock:.0f} s: {path.stat().st_size >> 20} MB", flush=True)
    times: dict[str, list[float]] = {"off": [], "on": []}
    for _ in range(given.turns):
        for switch, measured in times.items():
            measured.append(seconds(switch))
            print(f"archive {switch}: {measured[-1]:.1f} s", flush=True)
    off, on = map(statistics.median, times.values())
    print(f"without {off:.1f} s, with {on:.1f} s: ratio {off / on:.2f} (medians)")


if __name__ == "__main__":
    main()
