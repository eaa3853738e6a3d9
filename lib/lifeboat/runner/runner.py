"""Run notebooks in order by papermill: one run folder, one warm JVM, stop at the first failure."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from lifeboat.errors import LifeboatError, redacted, redacted_all
from lifeboat.parameters import titanic
from lifeboat.parameters.resolve import RUN_DIR, Resolved
from lifeboat.run import STAGES
from lifeboat.run.inputs import files, input_paths
from lifeboat.run.paths import from_root
from lifeboat.run.writing import put_in_place, staging
from lifeboat.runner.folders import notebooks_folder
from lifeboat.runner.kernel import ThisPython, own_homes
from lifeboat.runner.progress import Silence, Watcher
from lifeboat.runner.record import Record, Stage, begin_record, now, run_lock
from lifeboat.spark.environment import for_a_while
from lifeboat.spark.jvm import WarmJvm, shared, where_spark_runs

QUICK_START_UP_TO = 4 * 2**20  # bytes of input: beyond, the JVM's thorough compiler is worth its time
ABOUT_THIS_DATA = "about-this-data"  # the tag of cells that hold for the notebooks' own data set alone
DEMONSTRATION = "demonstration"  # the tag of cells that no later notebook needs
LEAN = "> **Lean.** Cells that only demonstrate something are left out of this notebook."
LONGEST_MESSAGE = 12  # lines: a Java error brings its whole stack along


class NotebookError(LifeboatError, RuntimeError):
    """A notebook's cell failed; the message names the cell, what it said and the notebook to open."""


def series() -> list[Path]:
    """The five notebooks, in order."""
    return [notebooks_folder() / f"{stage}.ipynb" for stage in STAGES]


def run(
    notebooks: Sequence[Path],
    parameters: Resolved,
    run_dir: Path,
    watcher: Watcher | None = None,
    lean: bool = False,
) -> Record:
    """Execute ``notebooks`` one after another into ``run_dir``.

    Args:
        notebooks: Paths, in order.
        parameters: What to run with; each notebook gets those that its own parameter cell names.
        run_dir: The run's folder; ``NN.ipynb`` and ``run.json`` are written there, the rest is the notebooks' own.
        watcher: Who is told how far the run is.
        lean: Whether to leave out the cells that only demonstrate something.

    Returns:
        The record, all stages done.

    Raises:
        NotebookError: A cell failed or its kernel died; later notebooks have not been started.
        RunFolderBusyError: Another run is writing into ``run_dir``.
    """
    watcher = watcher or Silence()
    values, environment = parameters.values, {"MLFLOW_DISABLE_TELEMETRY": "true", **parameters.environment}
    with run_lock(run_dir), for_a_while(environment), own_homes(), _jvm(values):
        values = redacted_all({**values, RUN_DIR: from_root(run_dir)})
        record = begin_record(values, parameters.origins, notebooks)
        record.write(run_dir)
        notes = {ABOUT_THIS_DATA: other_data_set(values), DEMONSTRATION: LEAN if lean else ""}
        notes = {tag: note for tag, note in notes.items() if note}
        offered = {**parameters.handed(), RUN_DIR: from_root(run_dir)}
        for notebook, stage in zip(notebooks, record.stages, strict=True):
            handed = {name: offered[name] for name in taken(notebook) if name in offered}
            with _recorded(stage, record, run_dir, watcher):
                _execute(notebook, run_dir / notebook.name, handed, watcher, notes)
    return record


def taken(notebook: Path) -> list[str]:
    """The names that a notebook's parameter cell sets."""
    content = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    cells = (cell.source for cell in content.cells if "parameters" in cell.metadata.get("tags", []))
    targets = [node.target for node in ast.parse(next(cells, "")).body if isinstance(node, ast.AnnAssign)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def other_data_set(values: Mapping[str, Any]) -> str:
    """What a reader must know first of a run on other rows than the notebooks' text speaks of; empty on the same."""
    read = values.get("labelled_path", titanic.LABELLED)
    if read == titanic.LABELLED:
        return ""
    return (
        f"> **Another data set.** This notebook was written about `{titanic.LABELLED}`; this run read `{read}`. All "
        "numbers, tables and figures are this run's. What the text says of the other's rows, columns and findings is "
        "left out."
    )


def _jvm(values: Mapping[str, Any]) -> AbstractContextManager[object]:
    """One JVM for all kernels; Spark Connect needs none, and one that somebody keeps warm already will do."""
    remote = where_spark_runs(str(values.get("spark", ""))).startswith("sc://")
    if remote or shared():
        return nullcontext()
    return WarmJvm(many_rows=input_bytes(values) > QUICK_START_UP_TO)


def input_bytes(values: Mapping[str, Any]) -> int:
    """The size of all files that parameters name, those of folders included."""
    return sum(file.stat().st_size for _, path in input_paths(values) for file in files(path))


@contextmanager
def _recorded(stage: Stage, record: Record, run_dir: Path, watcher: Watcher) -> Iterator[None]:
    """Keep ``run.json`` true while a stage runs and however it ends."""
    stage.state, stage.started = "running", now()
    record.write(run_dir)
    watcher.notebook_starts(stage.name)
    clock = time.perf_counter()
    try:
        yield
        stage.state = "done"
    except BaseException as error:
        stage.state = "failed" if isinstance(error, Exception) else "interrupted"
        stage.error = str(error) or type(error).__name__
        raise
    finally:
        stage.seconds = round(time.perf_counter() - clock, 3)
        record.write(run_dir)
        watcher.notebook_ends(stage.name, stage.seconds, stage.state)


def _execute(
    notebook: Path, target: Path, parameters: dict[str, Any], watcher: Watcher, notes: Mapping[str, str]
) -> None:
    """Execute one notebook into ``target``, where it appears when it has ended, whole.

    Args:
        notebook: The notebook.
        target: Where to leave it, executed.
        parameters: Its parameters.
        watcher: Who is told which cell starts.
        notes: The tags of cells to leave out, each with what is said of it on top.
    """
    executed = staging(target)
    messages, fit = (target.with_name(f".{target.stem}.{name}") for name in ("messages.txt", "source.ipynb"))
    at: dict[str, Any] = {"cell": None, "index": 0}

    def cell_starts(cell: Any, cell_index: int) -> None:
        at.update(cell=cell, index=cell_index)
        watcher.cell_starts(cell_index)

    try:
        papermill.execute_notebook(
            _shortened(notebook, notes, fit) if notes else notebook,
            executed,
            parameters,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            cwd=notebook.parent,
            kernel_manager_class=ThisPython,
            config=Config({"ThisPython": {"messages": str(messages)}}),
            on_notebook_start=lambda notebook: watcher.cells_known(len(notebook.cells)),
            on_cell_start=cell_starts,
        )
    except PapermillExecutionError as error:
        reason = f"{error.ename}: {error.evalue}" if error.evalue else error.ename
        cell = f"cell [{error.exec_count}]" if error.exec_count else f"cell number {error.cell_index + 1}"
        raise NotebookError(_failure(notebook.stem, cell, error.source, reason, target)) from error
    except Exception as error:  # the kernel did not start, or died: no cell could say so
        cell = f"cell number {at['index'] + 1}" if at["cell"] else "its start"
        source = at["cell"].source if at["cell"] else ""
        output = messages.read_text(encoding="utf-8", errors="replace") if messages.exists() else ""
        reason = f"{type(error).__name__}: {error}\n{output}"
        raise NotebookError(_failure(notebook.stem, cell, source, reason, target)) from error
    finally:
        for scratch in (messages, fit):
            scratch.unlink(missing_ok=True)
        _finish(notebook, executed, target, notes)


def _shortened(notebook: Path, left_out: Iterable[str], target: Path) -> Path:
    """Write the notebook to ``target`` without the cells that have one of these tags."""
    content = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    content.cells = [cell for cell in content.cells if not {*left_out} & {*cell.metadata.get("tags", [])}]
    nbformat.write(content, target)  # type: ignore[no-untyped-call]
    return target


def _failure(name: str, cell: str, source: str, reason: str, target: Path) -> str:
    first_line = next((line.strip() for line in source.splitlines() if line.strip()), "")
    lines = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", reason).strip().splitlines()
    if len(lines) > LONGEST_MESSAGE:
        lines = [*lines[:LONGEST_MESSAGE], "... (the notebook has all of it)"]
    message = redacted("\n  ".join(lines))
    return f"{name} stopped at {cell}: {first_line}\n  {message}\nOpen {target} to see it where it happened."


def _finish(notebook: Path, executed: Path, target: Path, notes: Mapping[str, str]) -> None:
    """Hide credentials, say on top what was left out, and put the notebook in its place."""
    if not executed.exists():
        return
    read = nbformat.read(executed, as_version=4)  # type: ignore[no-untyped-call]
    # what a library says of an address may hold its token
    content = nbformat.from_dict(redacted_all(read))  # type: ignore[no-untyped-call]
    content.metadata.get("papermill", {}).update(input_path=str(notebook), output_path=str(target))
    if notes:
        note = nbformat.v4.new_markdown_cell("\n>\n".join(notes.values()), id="left-out")  # type: ignore[no-untyped-call]
        content.cells.insert(0, note)
    nbformat.write(content, executed)  # type: ignore[no-untyped-call]
    put_in_place(executed, target)
