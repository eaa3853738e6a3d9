"""A folder for what a JVM keeps while it lives: programs may run there, and nothing of it is left afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from lifeboat.spark.environment import SurroundingsError, named

PREFIX = "lifeboat-jvm-"
LOCK = "lock"
ROOM = 64 * 2**20  # bytes: native libraries and Spark's own files, before any row


def make() -> tuple[Path, int]:
    """A new folder in the temporary one, or beside this Python where that one will not do.

    Folders of processes that were killed are removed first. Whose process lives is known by a lock on a file in each,
    which the system gives back when the last process that holds it ends.

    Returns:
        The folder, and the lock to hand on to those that live in it (-1 where the system has none).

    Raises:
        SurroundingsError: There is no place where files can be written and programs run.
    """
    errors = []
    for parent in candidates():
        sweep(parent)
        try:
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        except OSError as error:
            errors.append(f"{parent}: {error.strerror}")
            continue
        held = -1
        try:
            held = hold(folder)
            if reason := unfit(folder):
                errors.append(f"{parent}: {reason}")
            else:
                return folder, held
        except OSError as error:
            errors.append(f"{parent}: {error.strerror}")
        shutil.rmtree(folder, ignore_errors=True)
        let_go(held)
    setting = named("TMPDIR") or "TMPDIR is not set"
    raise SurroundingsError(
        f"Java needs a folder for temporary files ({'; '.join(errors)}): name one in TMPDIR that has "
        f"{ROOM >> 20} MB of room, that you can write into and where programs may run ({setting})"
    )


def candidates() -> Iterator[Path]:
    """Where the folder may lie, the best first."""
    with suppress(FileNotFoundError):  # none of those that Python tries can be written to
        yield Path(tempfile.gettempdir())
    yield Path(sys.prefix)


def unfit(folder: Path) -> str:
    """Why a JVM cannot live in a folder; empty where it can."""
    if shutil.disk_usage(folder).free < ROOM:
        return f"less than {ROOM >> 20} MB of room"
    program = folder / "runs"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    try:
        runs = os.name == "nt" or subprocess.run([program], check=False).returncode == 0
    except OSError:
        runs = False
    program.unlink()
    return "" if runs else "programs may not run there (noexec)"


def hold(folder: Path) -> int:
    """Lock a folder for this process; the lock is there before the file has its name, so nobody sees it unlocked."""
    if sys.platform == "win32":
        return -1
    import fcntl

    temporary = folder / f"{LOCK}.new"
    held = os.open(temporary, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        temporary.rename(folder / LOCK)
    except OSError:  # a file system without locks: the folder is never swept
        temporary.unlink(missing_ok=True)
    return held


def let_go(held: int) -> None:
    """Close a lock that ``hold`` gave."""
    if held >= 0:
        os.close(held)


def sweep(parent: Path) -> None:
    """Remove the folders that nobody holds any more; one without a lock may be anybody's, and stays."""
    if sys.platform == "win32":
        return
    import fcntl

    for lock in parent.glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError):  # another user's, held by its process, or swept by another one just now
            held = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
            finally:
                os.close(held)
