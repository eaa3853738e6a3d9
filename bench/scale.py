"""How time and memory grow with the rows: this project's stages, a plain Spark script and scikit-learn.

    python bench/scale.py --rows 100000 300000              each way on each size, the smallest size first
    python bench/scale.py --rows 10000000 --engines lifeboat --memory 8g
    python bench/scale.py --figure                          the table of all that was measured, and docs/scale.png,
                                                            with its numbers in docs/scale.csv, which notebook 6 reads

Each measurement is a process of its own, on files that ``lifeboat synth`` made, and adds one line to
``outputs/scale.jsonl``; so a bench that was stopped has lost nothing. Take turns (``--turns 3``) on a machine that
others use: the median counts, and processor seconds say more than seconds.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import psutil

from lifeboat.spark.jvm import OPTIONS
from lifeboat.spark.memory import usage

ROOT = Path(__file__).resolve().parents[1]
FOUND = ROOT / "outputs" / "scale.jsonl"
ROWS = (100_000, 300_000, 1_000_000, 3_000_000)
ENGINES = ("lifeboat", "plain", "scikit-learn", "lifeboat-gbt", "scikit-learn-histograms")
NOT_WORK = ("start", "a few gaps by one job each")
EVERY = 0.5  # seconds between two looks at the memory
Measured = dict[str, Any]


def exponent(rows: list[int], seconds: list[float]) -> float:
    """The power of the rows that time grows with: the slope of a least-squares line through the logarithms."""
    logs = [[math.log(value) for value in values] for values in (rows, seconds)]
    return statistics.linear_regression(*logs).slope


def work_seconds(measured: Measured) -> float:
    """Seconds from reading the rows to the last score, without the start of Spark."""
    return float(sum(took for stage, took in measured["seconds"].items() if stage not in NOT_WORK))


def make_rows(rows: int, folder: Path) -> Path:
    """The folder with so many rows, made unless it is there."""
    place = folder / f"rows_{rows}"
    if not place.is_dir():
        lifeboat = str(Path(sys.executable).with_name("lifeboat"))
        subprocess.run([lifeboat, "synth", "titanic", str(place), "--rows", str(rows)], check=True, cwd=ROOT)
    return place


def measure(engine: str, rows: int, folder: Path, memory: str) -> Measured:
    """Run one engine on one size in a process of its own, and watch it."""
    # the thorough compiler, as `lifeboat run` takes it on many rows
    environment = {"LIFEBOAT_JVM_OPTIONS": OPTIONS["many"], **os.environ, "LIFEBOAT_DRIVER_MEMORY": memory}
    command = [sys.executable, str(Path(__file__).with_name("engines.py")), engine, str(make_rows(rows, folder))]
    peak, used = 0, dict[int, float]()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as messages:
        with psutil.Popen(command, env=environment, cwd=ROOT, stdout=output, stderr=messages) as process:
            while process.poll() is None:
                try:
                    held, now = usage(process)
                    peak, used = max(peak, held), used | now
                    process.wait(EVERY)
                except psutil.TimeoutExpired:
                    continue
                except psutil.NoSuchProcess:
                    break
        if process.returncode:
            messages.seek(0)
            raise SystemExit(f"{engine} on {rows:,} rows ended with {process.returncode}\n{messages.read()[-4000:]}")
        output.seek(0)
        said = json.loads(output.read().splitlines()[-1])
    return {
        "engine": engine, "rows": rows, "memory": memory, "cores": os.cpu_count(), "peak_mb": round(peak / 2**20),
        "cpu_seconds": round(sum(used.values()), 1), **said,
    }  # fmt: skip


def medians(lines: list[Measured]) -> dict[str, dict[int, Measured]]:
    """Engine -> rows -> the median of its turns: seconds, each stage's, processor seconds, MB; rows in order."""
    turns: dict[tuple[str, int], list[Measured]] = defaultdict(list)
    for line in lines:
        turns[line["engine"], line["rows"]].append(line)
    found: dict[str, dict[int, Measured]] = defaultdict(dict)
    for (engine, rows), same in sorted(turns.items(), key=lambda item: item[0][1]):
        found[engine][rows] = {
            "seconds": statistics.median(map(work_seconds, same)),
            "cpu_seconds": statistics.median(line["cpu_seconds"] for line in same),
            "peak_mb": statistics.median(line["peak_mb"] for line in same),
            "stages": {
                stage: statistics.median(line["seconds"][stage] for line in same) for stage in same[-1]["seconds"]
            },
            "by_row": same[-1]["gaps"] * same[-1]["seconds_a_job"] if "gaps" in same[-1] else 0.0,
        }
    return dict(found)


def table(found: dict[str, dict[int, Measured]]) -> str:
    """What was measured, for people: a block an engine, a line a size, the exponent below."""
    lines = []
    for engine, sizes in found.items():
        lines.append(f"\n{engine}\n{'rows':>12}{'seconds':>10}{'processor s':>13}{'peak MB':>9}   stages")
        for rows, one in sizes.items():
            stages = ", ".join(f"{stage} {took:.1f}" for stage, took in one["stages"].items())
            lines.append(
                f"{rows:>12,}{one['seconds']:>10.1f}{one['cpu_seconds']:>13.1f}{one['peak_mb']:>9.0f}   {stages}"
            )
            if one["by_row"]:
                lines.append(f"{'':>12}{one['by_row']:>+10.0f} if each gap took a job of its own (from {engine}'s few)")
        if len(sizes) > 1:
            grows = exponent(list(sizes), [one["seconds"] for one in sizes.values()])
            lines.append(f"{'':>12} time grows as rows^{grows:.2f}")
    return "\n".join(lines)


def write_numbers(found: dict[str, dict[int, Measured]], place: Path) -> None:
    """A line an engine and size: rows, seconds of work, processor seconds, peak memory in MB."""
    columns = ("seconds", "cpu_seconds", "peak_mb")
    lines = [
        ",".join([engine, str(rows), *(f"{one[column]:.1f}" for column in columns)])
        for engine, sizes in found.items()
        for rows, one in sizes.items()
    ]
    place.write_text("\n".join([",".join(["engine", "rows", *columns]), *lines, ""]))


def draw(found: dict[str, dict[int, Measured]], place: Path) -> None:
    """Seconds and memory against rows, each engine a line."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    from lifeboat.plots.style import WIDTH, series, use_style

    use_style()
    figure, axes = plt.subplots(2, 1, figsize=(WIDTH, 8.6))
    for number, (engine, sizes) in enumerate(found.items()):
        colour, marker = series(number)
        for ax, what in zip(axes, ("seconds", "peak_mb"), strict=True):
            ax.loglog(list(sizes), [one[what] for one in sizes.values()], f"{marker}-", color=colour, label=engine)
        reckoned = {rows: one["seconds"] + one["by_row"] for rows, one in sizes.items() if one["by_row"]}
        if reckoned:
            label = f"{engine}, a job for each gap (reckoned)"
            axes[0].loglog(list(reckoned), list(reckoned.values()), f"{marker}:", color=colour, label=label)
    for ax, name in zip(axes, ("seconds, reading to last score", "peak memory in MB"), strict=True):
        ax.set_xlabel("rows")
        ax.set_ylabel(name)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter("{x:,.0f}")
            axis.set_minor_formatter("")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center")
    figure.savefig(place)


def main() -> None:
    """Measure what is asked for, the smallest first; or show what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS)
    parser.add_argument("--engines", nargs="+", default=ENGINES, choices=ENGINES)
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--memory", default="8g", help="the JVM's heap at most")
    parser.add_argument("--folder", type=Path, default=ROOT / "outputs" / "scale", help="where the made rows are kept")
    parser.add_argument("--figure", action="store_true", help="measure nothing: draw docs/scale.png, print the table")
    asked = parser.parse_args()
    if not asked.figure:
        asked.folder.mkdir(parents=True, exist_ok=True)
        for rows in sorted(asked.rows):
            for _ in range(asked.turns):
                for engine in asked.engines:
                    measured = measure(engine, rows, asked.folder, asked.memory)
                    with FOUND.open("a") as lines:
                        lines.write(json.dumps(measured) + "\n")
                    print(f"{rows:>10,} {engine}: {work_seconds(measured):.1f} s", flush=True)
    found = medians([json.loads(line) for line in FOUND.read_text().splitlines()])
    print(table(found))
    if asked.figure:
        draw(found, ROOT / "docs" / "scale.png")
        write_numbers(found, ROOT / "docs" / "scale.csv")


if __name__ == "__main__":
    main()
