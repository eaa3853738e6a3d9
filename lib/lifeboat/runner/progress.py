"""Show how far a run is: two bars on a terminal, a line for each notebook anywhere else."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class Watcher(Protocol):
    """Who is told how far a run is."""

    def notebook_starts(self, name: str) -> None:
        """A notebook's kernel is being started."""

    def cells_known(self, cells: int) -> None:
        """The kernel is there; the notebook has so many cells."""

    def cell_starts(self, index: int) -> None:
        """The cell with this index, from 0, starts."""

    def notebook_ends(self, name: str, seconds: float, state: str) -> None:
        """The notebook has ended: done, failed or interrupted."""


class Bars:
    """One bar for the series and one for the notebook's cells, on standard error.

    Where that is no terminal, bars would be a mess in a log: each notebook gets a line when it ends.

    Args:
        notebooks: How many there are.
        console: Where to draw.
    """

    def __init__(self, notebooks: int, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._live = self._console.is_terminal
        self._bars = Progress(
            TextColumn("{task.description:<14}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._live,
        )
        self._series = self._bars.add_task("series", total=notebooks, unit="notebooks")
        self._notebook = self._bars.add_task("", total=None, unit="cells")

    def notebook_starts(self, name: str) -> None:
        """Begin the notebook's bar anew."""
        self._bars.reset(self._notebook, description=name, total=None)

    def cells_known(self, cells: int) -> None:
        """Give the notebook's bar its length."""
        self._bars.update(self._notebook, total=cells)

    def cell_starts(self, index: int) -> None:
        """Move the notebook's bar."""
        self._bars.update(self._notebook, completed=index)

    def notebook_ends(self, name: str, seconds: float, state: str) -> None:
        """Move the series' bar and leave a line."""
        self._bars.advance(self._series)
        self._console.print(f"{name:<14} {state:<11} {seconds:6.1f} s", highlight=False)

    def __enter__(self) -> Bars:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()


class Silence:
    """Tells nobody."""

    def notebook_starts(self, name: str) -> None:
        """Nothing."""

    def cells_known(self, cells: int) -> None:
        """Nothing."""

    def cell_starts(self, index: int) -> None:
        """Nothing."""

    def notebook_ends(self, name: str, seconds: float, state: str) -> None:
        """Nothing."""
