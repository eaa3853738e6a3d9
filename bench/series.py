"""How much a run costs over the work itself: ``lifeboat run``, and the same cells in one plain Python process.

    python bench/series.py                              against the same cells
    python bench/series.py --against article            against the article's own script, the same grid on both sides
    python bench/series.py --against article --lean     ... as `lifeboat run --lean`

Both work in a copy of the project, so that nobody's outputs and models are touched. They take turns, so that a
machine that is slower for a while is slower for both. Set-up is not counted.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TURNS = 2
QUIET = 32.0  # seconds of bench/article.py on a quiet day

ONE_PROCESS = """
import os, sys
from pathlib import Path
import nbformat, yaml
from IPython.core.interactiveshell import InteractiveShell
from pyspark.sql import SparkSession

home, params, run_dir = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
given = {**yaml.safe_load(Path(params).read_text()), "run_dir": run_dir}
SparkSession.stop = lambda self: None  # one session for all five
os.chdir(home / "notebooks")
shell = InteractiveShell.instance()
shell.display_formatter.active_types = shell.display_formatter.format_types  # draw tables and figures, as a kernel does
shell.enable_gui = lambda gui=None: None
shell.enable_matplotlib("inline")
for notebook in sorted(Path.cwd().glob("[0-9]*.ipynb")):
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "code":
            shell.run_cell(cell.source, store_history=False).raise_error()
            if "parameters" in cell.metadata.get("tags", []):
                shell.push({name: value for name, value in given.items() if name in shell.user_ns})
"""


def copy_project(folder: Path) -> Path:
    """What the notebooks read, and no more."""
    for name in ("notebooks", "params", "data"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def seconds(command: list[str], home: Path) -> float:
    """How long a command takes from start to end, in seconds."""
    environment = {**os.environ, "LIFEBOAT_HOME": str(home), "MLFLOW_DISABLE_TELEMETRY": "true"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    clock = time.perf_counter()
    ran = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False)
    took = time.perf_counter() - clock
    if ran.returncode:
        raise SystemExit(f"a run ended with {ran.returncode}\n{ran.stdout[-2000:]}\n{ran.stderr[-4000:]}")
    return took


def other(against: str, home: Path, params: str) -> list[str]:
    """The command to hold ``lifeboat run`` against."""
    if against == "article":
        (home / "outputs").mkdir()
        return [sys.executable, str(Path(__file__).with_name("article.py")), str(home / "outputs")]
    return [sys.executable, "-c", ONE_PROCESS, str(home), str(ROOT / params), "outputs/plain"]


def main() -> None:
    """Time both, turn about, and print the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--params", default="")
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--against", choices=("cells", "article"), default="cells")
    parser.add_argument("--lean", action="store_true")
    asked = parser.parse_args()
    article = asked.against == "article"
    params = asked.params or ("bench/article.yaml" if article else "params/titanic.yaml")
    name = "bench/article.py" if article else "the same cells in one process"
    runner, plain = [], []
    for turn in range(asked.turns):
        with tempfile.TemporaryDirectory(prefix="lifeboat-bench-") as one, tempfile.TemporaryDirectory() as two:
            home = copy_project(Path(one))
            lifeboat = str(Path(sys.executable).with_name("lifeboat"))
            lean = ["--lean"] if asked.lean else []
            runner.append(seconds([lifeboat, "run", str(ROOT / params), *lean], home))
            home = copy_project(Path(two))
            plain.append(seconds(other(asked.against, home, params), home))
        print(f"turn {turn + 1}: lifeboat run {runner[-1]:.1f} s, {name} {plain[-1]:.1f} s", flush=True)
    a, b = statistics.median(runner), statistics.median(plain)
    print(f"lifeboat run {a:.1f} s, {name} {b:.1f} s: ratio {a / b:.2f} (medians of {len(plain)})")
    if article:
        print(f"this day's factor: {b / QUIET:.2f} times the seconds of a quiet one")


if __name__ == "__main__":
    main()
