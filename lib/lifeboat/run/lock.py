"""Who may write into a folder just now: locks that the system gives back when a process ends, however that ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from lifeboat.errors import LifeboatError

HOLDER = "LIFEBOAT_RUN_HOLDER"  # in a notebook's environment: the process that holds the run folder for it
LOCK, USED = ".lock", ".used"


class RunFolderBusyError(LifeboatError, RuntimeError):
    """Another run is writing into the same folder."""


def now() -> str:
    """The time, UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def run_lock(run_dir: Path) -> Iterator[None]:
    """Hold a run folder.

    Raises:
        RunFolderBusyError: Another process holds it.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    with (run_dir / LOCK).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _busy(run_dir) from error
        file.truncate(0)
        file.write(f"process {os.getpid()}, since {now()}\n")
        file.flush()
        yield
        file.truncate(0)


def need_free(run_dir: Path) -> None:
    """Raise RunFolderBusyError where a process holds a run folder, unless it is that which this one works for."""
    if not (run_dir / LOCK).is_file():
        return
    with (run_dir / LOCK).open(encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if not file.read().startswith(f"process {os.environ.get(HOLDER) or os.getpid()},"):
                raise _busy(run_dir) from error


def _busy(run_dir: Path) -> RunFolderBusyError:
    holder = (run_dir / LOCK).read_text(encoding="utf-8").strip()
    return RunFolderBusyError(
        f"another run is writing into {run_dir} ({holder or 'it began just now'}): wait until it ends, or take another "
        "folder (--name; a notebook by itself: run_dir)"
    )


@contextmanager
def in_use_here(run_dir: Path) -> Iterator[None]:
    """Say that this process uses what a run left, so that nobody removes it meanwhile."""
    with ExitStack() as stack:
        with suppress(OSError):  # who may not write there cannot say so
            fcntl.flock(stack.enter_context((run_dir / USED).open("a")), fcntl.LOCK_SH)
        yield


def in_use(run_dir: Path) -> bool:
    """Whether a process uses what a run left."""
    if not (run_dir / USED).is_file():
        return False
    with (run_dir / USED).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def exclusive(file: Path) -> Iterator[None]:
    """Wait until no other process is in a block with the same file, then go in."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
