"""A shell that runs notebooks' cells in this process, on a finished run and with Spark that is there."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


@dataclass
class Ran:
    """A code cell that ran: its id, what it printed, and the exception that stopped it or None."""

    id: str
    printed: str
    error: BaseException | None


class Classroom:
    """Runs notebooks' cells here, on a finished run and with Spark that is there.

    A kernel for each notebook, and a session of Spark in each, would take ten times as long.
    """

    def __init__(self, run_dir: Path) -> None:
        self.shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
        self.run_dir = run_dir
        self.cells: list[Any] = []
        self.names: dict[str, dict[str, Any]] = {}

    def run(self, notebook: Path) -> list[Ran]:
        """Run all code cells of a notebook, whatever fails; keep the names that there are at each check."""
        self.shell.reset(new_session=True)
        self.cells = [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
        ran = []
        for cell in self.cells:
            ran.append(self.run_cell(cell))
            if "parameters" in cell.metadata.get("tags", []):
                self.shell.push({"run_dir": str(self.run_dir)})
            if cell.id.endswith("-check"):
                self.names[cell.id[0]] = self.shell.user_ns | {"right": self.shell.user_ns["answer"]}
        return ran

    def run_cell(self, cell: Any) -> Ran:
        """Run a cell, among the names that those before it left."""
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            result = self.shell.run_cell(cell.source, store_history=False)
        return Ran(cell.id, printed.getvalue(), result.error_before_exec or result.error_in_exec)

    def close(self) -> None:
        """Leave this process to other tests as it was before the shell."""
        self.shell.restore_sys_module_state()
        InteractiveShell.clear_instance()

    def check_answer(self, letter: str, answer: str) -> Ran:
        """Run an exercise's check cell again, with another answer: code, in the names that were there."""
        (cell,) = [cell for cell in self.cells if cell.id == f"{letter}-check"]
        self.shell.push(self.names[letter])
        self.shell.push({"answer": self.shell.ev(answer)})
        return self.run_cell(cell)
