"""One line under a notebook's cell that says how far the work is, and leaves nothing behind when it is done."""

from __future__ import annotations

import sys

from IPython.core.getipython import get_ipython
from IPython.display import display


class Progress:
    """Call it after each piece of work: ``progress(3, 7, "fold 2 of 3")``.

    The line is replaced each time and emptied at the end, so that a notebook saved after the work holds no trace of
    when it was done. Outside a notebook it writes to stderr where that is a terminal.
    """

    def __init__(self) -> None:
        self._line = display({"text/plain": ""}, raw=True, display_id=True) if get_ipython() else None  # type: ignore[no-untyped-call]
        self(0, 0)

    def __call__(self, done: int, total: int, step: str = "") -> None:
        """Say that ``done`` of ``total`` pieces are done; the line goes with the last."""
        text = "" if done == total else f"{done} of {total} done ({step})"
        if self._line is not None:
            self._line.update({"text/plain": text}, raw=True)
        elif sys.stderr.isatty():
            print(f"\r\N{ESCAPE}[K{text}", end="", file=sys.stderr, flush=True)
