"""Show how far a run is: bars on a terminal, a line for each notebook anywhere else, JSON for programs, and a log.

A run tells what happens as events, each a name and facts; docs/running.md lists them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lifeboat.run.lock import now

ENDS = ("done", "failed", "interrupted", "up to date")
LOGGED = ("run", "notebook", "end")


class Tell(Protocol):
    """Who is told how far a run is."""

    def __call__(self, event: str, **facts: Any) -> None:
        """Something happens: ``tell("cell", notebook="01_load", cell=3)``."""


def nobody(event: str, **facts: Any) -> None:
    """Tells nobody."""


def several(*tells: Tell) -> Tell:
    """Tells each of them."""

    def tell(event: str, **facts: Any) -> None:
        for each in tells:
            each(event, **facts)

    return tell


def duration(seconds: float) -> str:
    """Seconds for people: ``45 s``, ``3 min``.

    >>> duration(44.6), duration(170)
    ('45 s', '3 min')
    """
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def left_in_words(facts: Mapping[str, Any]) -> str:
    """What is left of the run, where earlier runs tell."""
    return f"about {duration(facts['seconds_left'])} left" if facts.get("seconds_left") else ""


class Lines:
    """A line when a notebook starts, when it ends, and when the run does, each with its time.

    Args:
        file: Where to write.
        quiet: Whether to leave out the start of notebooks.
    """

    def __init__(self, file: Callable[[], TextIO] | TextIO) -> None:
        self._file = file

    def __call__(self, event: str, **facts: Any) -> None:
        """Write the event's line, if it has one."""
        text = self._text(event, facts)
        if text:
            file = self._file() if callable(self._file) else self._file
            print(f"{now()}  {text}", file=file, flush=True)

    def _text(self, event: str, facts: Mapping[str, Any]) -> str:
        if event == "notebook" and facts["state"] in ENDS:
            seconds = f"{facts['seconds']:6.1f} s" if facts["state"] != "up to date" else ""
            return f"{facts['notebook']:<14} {facts['state']:<11} {seconds}  {left_in_words(facts)}".rstrip()
        return ""


class Log(Lines):
    """The run's log file: what each notebook runs for, when it ended, and what went wrong.

    Args:
        path: The file; it is written on.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        super().__init__(path.open("a", encoding="utf-8"))

    def _text(self, event: str, facts: Mapping[str, Any]) -> str:
        if event == "notebook" and facts["state"] == "running":
            return f"{facts['notebook']:<14} starts       {'; '.join(facts['reasons'])}"
        return super()._text(event, facts) or (facts.get("message", event) if event in ("run", "end") else "")

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()  # type: ignore[union-attr]


class JsonLines:
    """One JSON object a line: ``event``, ``time``, and the event's facts.

    Args:
        file: Where to write.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def __call__(self, event: str, **facts: Any) -> None:
        """Write the event."""
        content = {"event": event, "time": now(), **facts}
        print(json.dumps(content, ensure_ascii=False, default=str), file=self._file, flush=True)


class Bars:
    """One bar for the series and one for the notebook's cells, on a terminal; a line for each notebook that ended.

    Args:
        notebooks: How many there are.
        console: Where to draw.
    """

    def __init__(self, notebooks: int, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description:<14}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[more]}"),
            console=self._console,
            transient=True,
        )
        self._series = self._bars.add_task("series", total=notebooks, unit="notebooks", more="")
        self._notebook = self._bars.add_task("", total=None, unit="cells", more="")

    def __call__(self, event: str, **facts: Any) -> None:
        """Move the bars."""
        if event == "notebook" and facts["state"] == "running":
            self._bars.reset(self._notebook, description=facts["notebook"], total=None, unit="cells", more="")
            self._bars.update(self._series, more=left_in_words(facts))
        elif event == "cells":
            self._bars.update(self._notebook, total=facts["cells"])
        elif event == "cell":
            self._bars.update(self._notebook, completed=facts["cell"], more="")
        elif event == "step":
            self._bars.update(self._notebook, more=facts["text"])
        elif event == "notebook":
            self._bars.advance(self._series)
            seconds = f"{facts['seconds']:6.1f} s" if facts["state"] != "up to date" else ""
            self._console.print(f"{facts['notebook']:<14} {facts['state']:<11} {seconds}".rstrip(), highlight=False)

    def __enter__(self) -> Bars:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()
