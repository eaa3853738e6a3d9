"""Execute one notebook by papermill: it appears whole when it has ended, and an error says where and why."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from traitlets import Any as Anything
from traitlets.config import Config

from lifeboat.errors import LifeboatError, redacted, redacted_all
from lifeboat.run.writing import put_in_place, staging
from lifeboat.runner.kernel import ThisPython, watching
from lifeboat.runner.limits import Clock, TimeLimitError
from lifeboat.runner.notebook import Notebook
from lifeboat.runner.progress import Tell
from lifeboat.runner.without import ADDRESSES, CLOUD, without
from lifeboat.spark.jvm import WarmJvm

with without(ADDRESSES, CLOUD):
    import nbformat
    import papermill
    from nbclient.exceptions import CellTimeoutError
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import Engine, papermill_engines
    from papermill.exceptions import PapermillExecutionError

LONGEST_MESSAGE = 12  # lines: a Java error brings its whole stack along
LOST = ("Py4J", "Connection")  # how errors are called that a JVM which is gone leaves behind
logging.getLogger("papermill").setLevel(logging.CRITICAL)  # what it warns of is an error here, told in full


class NotebookError(LifeboatError, RuntimeError):
    """A notebook's cell failed; the message names the cell, what it said and the notebook to open.

    Attributes:
        kind: The name of the error's class, as the kernel said it.
    """

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


class _Client(PapermillNotebookClient):  # type: ignore[misc]
    """Also hands on the line that a cell keeps renewing while it works."""

    step = Anything(help="Who is given that line.")

    def process_message(self, message: Any, cell: Any, cell_index: int) -> Any:
        content = message["content"]
        if message["msg_type"] == "update_display_data" and (text := content["data"].get("text/plain")):
            self.step(text)
        return super().process_message(message, cell, cell_index)


class _Engine(Engine):  # type: ignore[misc]
    """papermill's own, with our client, and the notebook written when it has ended: not before and after each cell."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, client: Mapping[str, Any] | None = None, **_: Any
    ) -> None:
        path, nb_man.output_path = nb_man.output_path, None
        try:
            _Client(nb_man, kernel_name=kernel_name, log=logging.getLogger("papermill"), **(client or {})).execute()
        finally:
            nb_man.output_path = path


papermill_engines.register("lifeboat", _Engine)


def execute(
    notebook: Notebook,
    target: Path,
    parameters: dict[str, Any],
    tell: Tell,
    notes: Mapping[str, str],
    clock: Clock,
    jvm: WarmJvm | None = None,
) -> None:
    """Execute one notebook into ``target``, where it appears when it has ended, whole.

    Args:
        notebook: The notebook.
        target: Where to leave it, executed.
        parameters: Its parameters.
        tell: Who is told which cell starts.
        notes: The tags of cells that are left out, each with what is said of it on top.
        clock: How long it may take.
        jvm: The JVM that it needs: once that is gone, so is the kernel.

    Raises:
        NotebookError: A cell failed, or its kernel or the JVM died.
        TimeLimitError: It took too long.
    """
    executed = staging(target)
    messages, fit = (target.with_name(f".{target.stem}.unfinished.{name}") for name in ("txt", "source.ipynb"))
    at: dict[str, Any] = {"cell": None, "index": 0}
    kernel = watching(jvm)

    def cell_starts(cell: Any, cell_index: int) -> None:
        at.update(cell=cell, index=cell_index)
        tell("cell", notebook=notebook.name, cell=cell_index)

    client = {
        "kernel_manager_class": kernel,
        "config": Config({ThisPython.__name__: {"messages": str(messages)}}),
        "on_notebook_start": lambda notebook: tell("cells", notebook=target.stem, cells=len(notebook.cells)),
        "on_cell_start": cell_starts,
        "timeout_func": clock.left,
        "step": lambda text: tell("step", notebook=notebook.name, text=text),
    }

    def error(kind: str, cell: str, source: str, reason: str) -> NotebookError:
        if jvm and (died := jvm.died(within=2 if any(word in kind for word in LOST) else 0)):
            reason = died
        return NotebookError(_failure(notebook.name, cell, source, reason, target), kind)

    try:
        papermill.execute_notebook(
            _shortened(notebook, notes, fit) if notes else notebook.path,
            executed,
            parameters,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            cwd=notebook.path.parent,
            engine_name="lifeboat",
            client=client,
        )
    except PapermillExecutionError as failed:
        reason = f"{failed.ename}: {failed.evalue}" if failed.evalue else failed.ename
        cell = f"cell [{failed.exec_count}]" if failed.exec_count else f"cell number {failed.cell_index + 1}"
        raise error(failed.ename, cell, failed.source, reason) from failed
    except CellTimeoutError as late:
        cell = f"cell number {at['index'] + 1}"
        raise TimeLimitError(_failure(notebook.name, cell, at["cell"].source, clock.sentence(), target)) from late
    except Exception as died:  # the kernel did not start, or died: no cell could say so
        cell = f"cell number {at['index'] + 1}" if at["cell"] else "its start"
        source = at["cell"].source if at["cell"] else ""
        output = messages.read_text(encoding="utf-8", errors="replace") if messages.exists() else ""
        reason = f"{type(died).__name__}: {died}{kernel.ended()}\n{output}"
        raise error(type(died).__name__, cell, source, reason) from died
    finally:
        for scratch in (messages, fit):
            scratch.unlink(missing_ok=True)
        _finish(notebook.path, executed, target, notes)


def _shortened(notebook: Notebook, left_out: Iterable[str], target: Path) -> Path:
    """Write the notebook to ``target`` without the cells that have one of these tags."""
    content = nbformat.read(notebook.path, as_version=4)  # type: ignore[no-untyped-call]
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
