"""How much memory a learner takes on a hub: JupyterLab's server, the kernel of a notebook run to its end, its Java.

Run by hand, as it takes some minutes: it writes ``docs/teaching/memory.json``, and prints the table that
``tools/teaching_times.py`` makes of it for the guide.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Event, Thread

import nbformat
import psutil
from nbclient import NotebookClient
from teaching_times import memory

from lifeboat.run import resolve
from lifeboat.runner.kernel import ThisPython
from lifeboat.spark.memory import MEGABYTE, usage

BEFORE, OPEN = ("01_load", "02_preprocess"), ("03_train_cv", "06_scale")
HEAPS = ("1g", "600m")  # values of LIFEBOAT_DRIVER_MEMORY; the first is what Spark takes by itself
EVERY, START = 0.5, 40  # seconds between two looks, and until JupyterLab has started
MEASURED = "docs/teaching/memory.json"


def with_folder(content: nbformat.NotebookNode, run_dir: str) -> nbformat.NotebookNode:
    """The notebook with another folder for its run."""
    cell = next(cell for cell in content.cells if "parameters" in cell.metadata.get("tags", []))
    cell.source += f"\nrun_dir = {run_dir!r}"
    return content


def client(stage: str, run_dir: str) -> NotebookClient:
    """Who runs a notebook in a kernel of its own, with a Java of its own."""
    path = resolve(f"notebooks/{stage}.ipynb")
    content = with_folder(nbformat.read(path, as_version=4), run_dir)
    where = {"metadata": {"path": str(path.parent)}}
    return NotebookClient(content, kernel_manager_class=ThisPython, kernel_name="python3", resources=where)


def held(process: psutil.Process) -> dict[str, int]:
    """Megabytes that a kernel holds now: of all, and of its Java alone."""
    java = [each for each in process.children(recursive=True) if each.name() == "java"]
    of_java = max((usage(each)[0] for each in java), default=0)
    return {"kernel and Java": usage(process)[0] // MEGABYTE, "Java": of_java // MEGABYTE}


def watch(process: psutil.Process, ended: Event, looks: list[dict[str, int]]) -> None:
    """Look at a kernel again and again until the end."""
    while not ended.wait(EVERY):
        try:
            looks.append(held(process))
        except psutil.Error:  # a child of it has ended meanwhile
            continue


def open_notebook(stage: str, run_dir: str) -> dict[str, int]:
    """Run a notebook to its end, leave its kernel open, and say what that holds: at the most, and after the end."""
    looks: list[dict[str, int]] = []
    ended, running = Event(), client(stage, run_dir)
    with running.setup_kernel():
        assert running.km is not None
        kernel = psutil.Process(running.km.provisioner.pid)
        watcher = Thread(target=watch, args=(kernel, ended, looks))
        watcher.start()
        for index, cell in enumerate(running.nb.cells):
            running.execute_cell(cell, index)
        time.sleep(5)
        ended.set()
        watcher.join()
        after = held(kernel)
    most = {f"{name}, at most": max(look[name] for look in looks) for name in after}
    return most | {f"{name}, after the last cell": megabytes for name, megabytes in after.items()}


def server() -> int:
    """Megabytes that JupyterLab's own server holds."""
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--ServerApp.port=0", "--allow-root"]
    with psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=resolve("notebooks")) as lab:
        time.sleep(START)
        if lab.poll() is not None:
            raise SystemExit(f"JupyterLab did not start: {' '.join(command)}")
        megabytes = usage(lab)[0] // MEGABYTE
        lab.terminate()
    return megabytes


def measure(heap: str) -> dict[str, dict[str, int]]:
    """What a learner with so large a heap takes, by notebook."""
    os.environ["LIFEBOAT_DRIVER_MEMORY"] = heap
    with tempfile.TemporaryDirectory() as folder:
        for stage in BEFORE:
            client(stage, folder).execute()
        found = {}
        for stage in OPEN:
            found[stage] = open_notebook(stage, folder)
            print(heap, stage, found[stage], flush=True)
    return found


def main() -> None:
    """Measure and write it down."""
    os.environ["LIFEBOAT_SPARK_UI"] = "off"  # as the guide has it for a machine that many share
    found = {"cores": os.cpu_count(), "server": server(), "heaps": {heap: measure(heap) for heap in HEAPS}}
    Path(resolve(MEASURED)).write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(memory())


if __name__ == "__main__":
    main()
