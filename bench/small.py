"""What Spark spends on handing out work when there is little of it: each stage's share, by Spark's own event log.

    python bench/small.py            891 rows, as many as the Titanic's file has
    python bench/small.py --rows 20000

Of each stage: its seconds, its Spark jobs and tasks, how much of its tasks' time was scheduler delay (the time of a
task that is neither its running, nor its reading of code, nor the writing and fetching of its result; the same sum as
in Spark's own web pages), and in how much of the stage's time any task was running.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from engines import lifeboat
from scale import ROOT, make_rows

Event = dict[str, Any]


def read_events(folder: Path) -> list[Event]:
    """Every event of the one application that logged into ``folder``."""
    (log,) = (file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
    return [json.loads(line) for line in log.read_text().splitlines()]


def scheduler_delay(task: Event) -> int:
    """Milliseconds of a task that were neither work nor reading or writing."""
    info, metrics = task["Task Info"], task["Task Metrics"]
    fetched = info["Finish Time"] - info["Getting Result Time"] if info["Getting Result Time"] else 0
    worked = ("Executor Run Time", "Executor Deserialize Time", "Result Serialization Time")
    return max(0, duration(task) - fetched - sum(metrics[name] for name in worked))


def duration(task: Event) -> int:
    """Milliseconds from a task's start to its end."""
    return int(task["Task Info"]["Finish Time"] - task["Task Info"]["Launch Time"])


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """How long at least one of the spans lasted."""
    total, end = 0.0, 0.0
    for start, stop in sorted(spans):
        total, end = total + max(0, stop - max(start, end)), max(end, stop)
    return total


def report(events: list[Event], windows: dict[str, tuple[float, float]]) -> Iterator[str]:
    """A line a stage, whose window is its start and end in milliseconds since 1970."""
    yield f"{'stage':12}{'seconds':>9}{'jobs':>6}{'tasks':>7}{'scheduler delay':>17}{'a task running':>16}"
    jobs = [event["Submission Time"] for event in events if event["Event"] == "SparkListenerJobStart"]
    tasks = [event for event in events if event["Event"] == "SparkListenerTaskEnd"]
    for stage, (start, end) in windows.items():
        mine = [task for task in tasks if start <= task["Task Info"]["Launch Time"] < end]
        if not mine:
            continue
        delay = sum(map(scheduler_delay, mine)) / sum(map(duration, mine))
        busy = covered([(task["Task Info"]["Launch Time"], task["Task Info"]["Finish Time"]) for task in mine])
        n_jobs = sum(start <= job < end for job in jobs)
        seconds, running = (end - start) / 1000, busy / (end - start)
        yield f"{stage:12}{seconds:>9.1f}{n_jobs:>6}{len(mine):>7}{delay:>17.0%}{running:>16.0%}"


def main() -> None:
    """Train on so few rows with the event log on, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=891)
    asked = parser.parse_args()
    rows = make_rows(asked.rows, ROOT / "outputs" / "scale")
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch, "events")
        log.mkdir()
        settings = {"enabled": "true", "dir": log.as_uri(), "rolling.enabled": "false", "compress": "false"}
        lines = [f"spark.eventLog.{name} {value}" for name, value in settings.items()]
        Path(scratch, "spark-defaults.conf").write_text("\n".join(lines))
        os.environ["SPARK_CONF_DIR"] = scratch
        windows, clock = {}, time.time()
        for stage in lifeboat(str(rows), {}):
            windows[stage], clock = (clock * 1000, time.time() * 1000), time.time()
        print("\n".join(report(read_events(log), windows)))


if __name__ == "__main__":
    main()
