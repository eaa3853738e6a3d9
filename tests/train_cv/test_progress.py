"""The line that says how far the work is: seen while it goes on, gone when it is done."""

from __future__ import annotations

import os
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from lifeboat.train_cv.progress import Progress

WORK = """
from lifeboat.train_cv.progress import Progress
progress = Progress()
progress(1, 3, "fold 1 of 3")
progress(2, 3, "fold 2 of 3")
"""


def test_it_writes_nothing_where_stderr_is_no_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    progress(1, 2, "fold 1 of 2")
    progress(2, 2)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pty")
def test_in_a_terminal_each_line_replaces_the_last_and_the_end_leaves_an_empty_one() -> None:
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.run([sys.executable, "-c", f"{WORK}progress(3, 3)"], stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = os.read(ours, 4096).decode()
    os.close(ours)
    assert (process.returncode, process.stdout) == (0, b"")
    assert shown.split("\r\x1b[K") == ["", "", "1 of 3 done (fold 1 of 3)", "2 of 3 done (fold 2 of 3)", ""]


def test_a_notebook_shows_the_last_line_and_keeps_an_empty_one_when_the_work_is_done() -> None:
    cells = [nbformat.v4.new_code_cell(source) for source in (WORK, f"{WORK}progress(3, 3)")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    kept = [[(output.output_type, dict(output.data)) for output in cell.outputs] for cell in notebook.cells]
    assert kept == [
        [("display_data", {"text/plain": "2 of 3 done (fold 2 of 3)"})],
        [("display_data", {"text/plain": ""})],
    ]
