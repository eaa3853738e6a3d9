"""Break a run at each notebook's start, middle and end, go on with it, and see whether the results are the same.

``make faults``, or ``python tests/faults/faults.py "SIGKILL to the JVM"`` for one kind. Each point starts from a
finished run whose later notebooks are taken away, so that what is tried is that notebook and those after it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import psutil

from lifeboat.run.folder import FILES, STANDS_FOR
from lifeboat.run.inputs import content_digest
from lifeboat.runner.series import DEMONSTRATION

ROOT = Path(__file__).parents[2]
NAME = "trial"
MOMENTS = ("start", "middle", "end")
GO = "go"  # a file that a small notebook waits for: once it is there, the fault is
HISTORY = ("looks",)  # how often a hold-out was looked at: a look that was cut short has looked
LIMIT = 3600  # seconds for a run: machines are slow and busy
ENDS = 10  # seconds that a run may take to end, and its processes


@dataclass(frozen=True)
class Project:
    """A folder with notebooks and parameters to run.

    Attributes:
        home: The folder.
        command: What ``lifeboat run`` is given.
        data: The file of rows that the first notebook reads, from the folder.
        environment: More of the environment.
    """

    home: Path
    command: tuple[str, ...]
    data: str
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def run_dir(self) -> Path:
        return self.home / "outputs" / NAME

    @property
    def notebooks(self) -> list[str]:
        return sorted(path.stem for path in (self.home / "notebooks").glob("0[1-5]_*.ipynb"))

    def start(self) -> subprocess.Popen[str]:
        """Start the run; its standard output is events."""
        words = [sys.executable, "-m", "lifeboat", "run", *self.command, "--name", NAME, "--json"]
        own = {name: value for name, value in os.environ.items() if not name.startswith(("PYSPARK_", "LIFEBOAT_"))}
        own |= {"LIFEBOAT_HOME": str(self.home), **self.environment}
        streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(words, cwd=self.home, env=own, **streams)

    def results(self) -> dict[str, str]:
        """The digest of each of the run's results, however they are kept."""
        names = FILES.keys() - STANDS_FOR.keys() - {*HISTORY}
        kept = {FILES[name]: self.run_dir / FILES[name] for name in names}
        return {name: content_digest(path) for name, path in sorted(kept.items()) if path.exists()}

    def leftovers(self) -> list[str]:
        """What is half written."""
        found = [path.name for path in self.run_dir.glob(".*") if path.name not in (".lock", ".used")]
        return sorted(found)

    def processes(self) -> list[str]:
        """The processes that the run has left, by a name in their environment."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                mine = process.environ().get("LIFEBOAT_HOME") == str(self.home)
                if mine and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(" ".join(process.cmdline())[:80])
        return found


@dataclass(frozen=True)
class Point:
    """Where a run is broken, and how."""

    fault: str
    notebook: str
    moment: str

    def __str__(self) -> str:
        return f"{self.fault:<34} {self.notebook:<14} {self.moment}"


def kernels(runner: psutil.Process) -> list[psutil.Process]:
    """Leaders of a session of their own among those that a run started: its kernels, copied or not."""
    return [process for process in runner.children(recursive=True) if leads(process) and process.name() != "java"]


def leads(process: psutil.Process) -> bool:
    return os.getsid(process.pid) == process.pid


def jvms(runner: psutil.Process) -> list[psutil.Process]:
    return [process for process in runner.children(recursive=True) if process.name() == "java"]


def to_all(find: Callable[[psutil.Process], list[psutil.Process]], number: int) -> Callable[..., None]:
    def send(project: Project, runner: psutil.Process) -> None:
        processes = find(runner)
        assert processes, "there is nothing to send it to"
        for process in processes:
            process.send_signal(number)

    return send


@contextmanager
def truncated(project: Project) -> Iterator[None]:
    """The rows' file cut to half its length, and whole again."""
    with other_bytes(project, lambda whole: whole[: len(whole) // 2]):
        yield


@contextmanager
def altered(project: Project) -> Iterator[None]:
    """A digit of the rows' file changed, and changed back."""
    with other_bytes(project, lambda whole: whole.replace(b"3", b"4")):
        yield


@contextmanager
def other_bytes(project: Project, change: Callable[[bytes], bytes]) -> Iterator[None]:
    file = project.home / project.data
    whole = file.read_bytes()
    file.write_bytes(change(whole))
    try:
        yield
    finally:
        file.write_bytes(whole)


@contextmanager
def full_disk(project: Project) -> Iterator[None]:
    """No byte left where the run's folder is, which is a small file system of its own."""
    junk = project.home / "outputs" / "junk"
    with suppress(OSError), junk.open("wb") as file:
        while True:
            file.write(b"\0" * 2**16)
            file.flush()
    try:
        yield
    finally:
        junk.unlink()


@contextmanager
def locked_store(project: Project) -> Iterator[None]:
    """MLflow's store held by another process."""
    with sqlite3.connect(project.home / "outputs" / "mlflow.db", isolation_level=None) as store:
        store.execute("begin exclusive")
        try:
            yield
        finally:
            store.execute("rollback")


@contextmanager
def store_gone(project: Project) -> Iterator[None]:
    """A folder where MLflow's store was."""
    store = project.home / "outputs" / "mlflow.db"
    there = store.exists()
    if there:
        store.rename(store.with_name("away.db"))
    store.mkdir()
    try:
        yield
    finally:
        store.rmdir()
        if there:
            store.with_name("away.db").rename(store)


SIGNALS: dict[str, Callable[[Project, psutil.Process], None]] = {
    "SIGKILL to the runner": to_all(lambda runner: [runner], signal.SIGKILL),
    "SIGKILL to the kernel": to_all(kernels, signal.SIGKILL),
    "SIGKILL to the JVM": to_all(jvms, signal.SIGKILL),
    "SIGINT to the runner": to_all(lambda runner: [runner], signal.SIGINT),
    "SIGTERM to the runner": to_all(lambda runner: [runner], signal.SIGTERM),
}
INTERRUPTS, INTERRUPTED = ("SIGINT to the runner", "SIGTERM to the runner"), 130
STATES = {
    "the disk is full": full_disk,
    "the data are cut short": truncated,
    "the data are altered": altered,
    "the store is locked": locked_store,
    "the store is gone": store_gone,
}
CELLS = {
    "a cell raises": "raise RuntimeError('a fault')",
    "the kernel is out of memory": (
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))\n"
        "hoard = []\nwhile True:\n    hoard.append(bytearray(2**24))"
    ),
}


def index_of(project: Project, point: Point, kept: bool = True) -> int:
    """The cell before which a point lies: among those that the run keeps, or among all."""
    content = nbformat.read(project.home / "notebooks" / f"{point.notebook}.ipynb", as_version=4)
    left_out = {DEMONSTRATION} if "--lean" in project.command else set()
    cells = [(i, cell) for i, cell in enumerate(content.cells) if not left_out & {*cell.metadata.get("tags", [])}]
    # what comes before the parameters have their values is no notebook yet
    code = [(place, i) for place, (i, cell) in enumerate(cells) if cell.cell_type == "code"][1:]
    place, i = {"start": code[0], "middle": code[len(code) // 2], "end": code[-1]}[point.moment]
    return place if kept else i


@contextmanager
def with_cell(project: Project, point: Point) -> Iterator[None]:
    """The notebook with a cell more that fails, and as it was."""
    path = project.home / "notebooks" / f"{point.notebook}.ipynb"
    whole = path.read_bytes()
    content = nbformat.read(path, as_version=4)
    content.cells.insert(index_of(project, point, kept=False), nbformat.v4.new_code_cell(CELLS[point.fault]))
    nbformat.write(content, path)
    try:
        yield
    finally:
        path.write_bytes(whole)


def break_run(project: Project, point: Point) -> tuple[int, float, str]:
    """Run up to a point and break it there: exit status, seconds from the fault to the end, and what was said."""
    state, since, at = None, 0.0, index_of(project, point)
    cell = with_cell(project, point) if point.fault in CELLS else None
    if cell:
        cell.__enter__()
    process = project.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            # one more: papermill puts a cell with the parameters in
            if (event["event"], event.get("notebook")) == ("cell", point.notebook) and event["cell"] == at + 1:
                since = time.monotonic()
                if point.fault in SIGNALS:
                    SIGNALS[point.fault](project, psutil.Process(process.pid))
                elif point.fault in STATES:
                    state = STATES[point.fault](project)
                    state.__enter__()
                if not point.fault.startswith(signal.SIGKILL.name):  # the dead are missed while the cell waits
                    (project.home / GO).touch()
        status = process.wait(LIMIT)
        return status, time.monotonic() - since, process.communicate()[1]
    finally:
        process.kill()
        process.communicate()
        (project.home / GO).touch()
        for undo in (state, cell):
            if undo:
                undo.__exit__(None, None, None)


def prepared(finished: Project, home: Path, first: str) -> Project:
    """A copy of a finished project in which the notebooks from one on have not run."""
    shutil.copytree(finished.home, home, dirs_exist_ok=True, ignore=shutil.ignore_patterns("mlflow.db", "mlartifacts"))
    project = Project(home, finished.command, finished.data, finished.environment)
    record = json.loads((project.run_dir / "run.json").read_text())
    for stage in record["stages"]:
        if stage["name"] >= first:
            stage |= {"state": "waiting", "made_from": {}, "left": {}}
            shutil.rmtree(project.run_dir / stage["name"], ignore_errors=True)
            (project.run_dir / f"{stage['name']}.ipynb").unlink(missing_ok=True)
    (project.run_dir / "run.json").write_text(json.dumps(record))
    return project


def executed(project: Project) -> dict[str, int]:
    return {
        name: file.stat().st_mtime_ns
        for name in project.notebooks
        if (file := project.run_dir / f"{name}.ipynb").exists()
    }


def done(project: Project) -> set[str]:
    stages = json.loads((project.run_dir / "run.json").read_text())["stages"]
    return {stage["name"] for stage in stages if stage["state"] == "done"}


def attempt(finished: Project, expected: dict[str, str], point: Point, home: Path) -> list[str]:
    """Break a copy of a run at a point and go on; what is not as it should be."""
    project = prepared(finished, home, point.notebook)
    wrong = []
    status, seconds, said = break_run(project, point)
    harmless = point.fault in STATES and status == 0  # what nobody needed any more
    if point.fault in SIGNALS and seconds > ENDS and "to the runner" in point.fault:
        wrong.append(f"it took {seconds:.0f} s to end")
    if point.fault in INTERRUPTS and status != INTERRUPTED:
        wrong.append(f"it ended with status {status}: {said[-300:]}")
    if not harmless and status == 0:
        wrong.append("the run did not notice")
    if status in (1, 2) and "Traceback" in said:
        wrong.append("it ended with a stack")
    end = time.monotonic() + ENDS
    while project.processes() and time.monotonic() < end:
        time.sleep(0.2)
    wrong += [f"it left {process}" for process in project.processes()]
    finished_before, times = done(project), executed(project)
    again = project.start()
    _, errors = again.communicate(timeout=LIMIT)
    if again.returncode:
        return [*wrong, f"going on ended with {again.returncode}: {errors[-300:]}"]
    if not harmless:
        now = executed(project)
        wrong += [f"{name} ran again" for name in sorted(finished_before) if now.get(name) != times[name]]
    if (results := project.results()) != expected:
        names = [name for name in sorted(expected | results) if expected.get(name) != results.get(name)]
        wrong.append(f"other results: {', '.join(names)}")
    return wrong + [f"half written: {name}" for name in project.leftovers()]


@contextmanager
def small_file_system(folder: Path, megabytes: int) -> Iterator[None]:
    """A file system of its own at a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def points(project: Project) -> list[Point]:
    """Every fault where it can be: signals everywhere, the rest at one moment of each notebook that it may hurt."""
    names, last = project.notebooks, project.notebooks[-1]
    everywhere = [Point(fault, name, moment) for fault in SIGNALS for name in names for moment in MOMENTS]
    middle = [Point(fault, name, "middle") for fault in (*CELLS, "the disk is full") for name in names]
    data = [Point(fault, names[0], "end") for fault in ("the data are cut short", "the data are altered")]
    return [
        *everywhere,
        *middle,
        *data,
        Point("the store is locked", last, "start"),
        Point("the store is gone", last, "start"),
    ]


def real_project(home: Path) -> Project:
    """A copy of this checkout's notebooks, with the quickest parameters."""
    for folder in ("notebooks", "params", "data", "docs"):
        shutil.copytree(ROOT / folder, home / folder)
    return Project(home, ("params/quick.yaml", "--lean"), "data/titanic/titanic_train.csv")


def main() -> int:
    """Try the points that were asked for, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", nargs="*", help="kinds of faults, or notebooks; all without")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="each Nth point only")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lifeboat-faults-") as folder:
        finished = real_project(Path(folder, "finished"))
        whole = finished.start()
        _, errors = whole.communicate(timeout=LIMIT)
        assert whole.returncode == 0, errors
        expected = finished.results()
        wanted = [p for p in points(finished) if not asked.faults or {p.fault, p.notebook} & {*asked.faults}][
            :: asked.every
        ]
        good = 0
        for point in wanted:
            home = Path(folder, "broken")
            with small_file_system(home / "outputs", 100) if point.fault == "the disk is full" else nullcontext():
                wrong = attempt(finished, expected, point, home)
            shutil.rmtree(home)
            good += not wrong
            print(f"{point}  {'; '.join(wrong) or 'the same results'}", flush=True)
        print(f"{good} of {len(wanted)} points: the same results")
        return 0 if good == len(wanted) else 1


if __name__ == "__main__":
    raise SystemExit(main())
