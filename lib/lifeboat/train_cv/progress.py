"""One line under a notebook's cell that says how far the work is, and leaves nothing behind when it is done."""

from __future__ import annotations

import sys

from IPython.core.getipython import get_ipython
from IPython.display import DisplayHandle


class Progress:
    """Call it after each piece of work: ``progress(3, 7, "fold 2 of 3")``.

    The line is replaced each time and emptied at the end, so that a notebook saved after the work holds no trace of
    when it was done. Outside a notebook it writes to stderr where that is a terminal.
    """

    def __init__(self) -> None:
        self._line = DisplayHandle() if get_ipython() else None  # type: ignore[no-untyped-call]
        self._started = False
        self._show("")

    def __call__(self, done: int, total: int, step: str = "") -> None:
        """Say that ``done`` of ``total`` pieces are done; the line goes with the last."""
        self._show("" if done == total else f"{done} of {total} done ({step})")

    def _show(self, text: str) -> None:
        if self._line is not None:
            show = self._line.update if self._started else self._line.display
            show({"text/plain": text}, raw=True)  # type: ignore[no-untyped-call]
            self._started = True
        elif sys.stderr.isatty():
            sys.stderr.write(f"\r\N{ESCAPE}[K{text}")
            sys.stderr.flush()
