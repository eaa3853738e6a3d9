"""A folder for what a JVM keeps while it lives: programs may run there, and nothing of it is left afterwards."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from lifeboat.spark.environment import SurroundingsError, named

PREFIX = "lifeboat-jvm-"
ROOM = 64 * 2**20  # bytes: native libraries and Spark's own files, before any row


def make() -> tuple[Path, int]:
    """A new folder in the temporary one, or beside this Python where that one will not do.

    Folders of processes that were killed are removed first. Whose process lives is known by a lock on a file in each,
    which the system gives back when the last process that holds it ends.

    Returns:
        The folder, and the lock to hand on to those that live in it.

    Raises:
        SurroundingsError: There is no place where files can be written and programs run.
    """
    parents, errors = [Path(sys.prefix)], []
    with suppress(FileNotFoundError):  # none of those that Python tries can be written to
        parents.insert(0, Path(tempfile.gettempdir()))
    for parent in parents:
        sweep(parent)
        try:
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
            try:
                need_room_for_programs(folder)
                return folder, hold(folder)
            except OSError:
                shutil.rmtree(folder, ignore_errors=True)
                raise
        except OSError as error:
            errors.append(f"{parent}: {error.strerror}")
    setting = named("TMPDIR") or "TMPDIR is not set"
    raise SurroundingsError(
        f"Java needs a folder for temporary files ({'; '.join(errors)}): name one in TMPDIR that has "
        f"{ROOM >> 20} MB of room, that you can write into and where programs may run ({setting})"
    )


def need_room_for_programs(folder: Path) -> None:
    """Raise OSError where a JVM cannot live in a folder."""
    if shutil.disk_usage(folder).free < ROOM:
        raise OSError(errno.ENOSPC, f"less than {ROOM >> 20} MB of room")
    program = folder / "runs"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    with suppress(OSError):
        if subprocess.run([program], check=False).returncode == 0:
            return program.unlink()
    raise OSError(errno.EACCES, "programs may not run there (noexec)")


def hold(folder: Path) -> int:
    """Lock a folder for this process; the lock is there before the file has its name, so nobody sees it unlocked."""
    temporary = folder / "lock.new"
    held = os.open(temporary, os.O_RDWR | os.O_CREAT, 0o600)
    with suppress(OSError):  # a file system without locks: the folder is never swept
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        temporary.rename(folder / "lock")
    return held


def sweep(parent: Path) -> None:
    """Remove the folders that nobody holds any more; one without a lock may be anybody's, and stays."""
    for lock in parent.glob(f"{PREFIX}*/lock"):
        with suppress(OSError):  # another user's, held by its process, or swept by another one just now
            held = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
            finally:
                os.close(held)
