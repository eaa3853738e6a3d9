"""How the commands say what went wrong."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

from lifeboat.cli.shadows import shadow_message
from lifeboat.errors import LifeboatError, redacted

DEBUG = "LIFEBOAT_DEBUG"
SHOWN = f"{DEBUG}=1 in the environment shows where it happened."
ROOM = "make room on that disk, or take a place on another (temporary files are where TMPDIR says)"
MENDS = {
    errno.EACCES: "you have no right to that: take another place, or change its rights",
    errno.EPERM: "you have no right to that: take another place, or change its rights",
    errno.EROFS: "nothing can be written there: take another place",
    errno.EISDIR: "name a file, not a folder",
    errno.ENOTDIR: "a part of that path is a file, not a folder: name another place",
    errno.EEXIST: "a file stands where a folder belongs: name another place, or move it away",
    errno.ENAMETOOLONG: "take a shorter name",
    errno.EMFILE: "too many files are open: raise the limit by `ulimit -n`",
    errno.ENOSPC: ROOM,
    errno.EDQUOT: ROOM,
}
OTHERS = {"py4j": "Spark", "pyspark": "Spark", "grpc": "Spark Connect", "mlflow": "MLflow", "pyarrow": "Arrow"}


@contextmanager
def plain_errors() -> Iterator[None]:
    """What goes wrong ends as a sentence: the error's own status, 1 where it has none, 130 for Ctrl-C.

    ``LIFEBOAT_DEBUG=1`` in the environment, or ``--debug``, shows the whole stack of what is no error on purpose.
    """
    try:
        yield
        return
    except LifeboatError as error:
        message, status = str(error), error.status
    except KeyboardInterrupt:
        message, status = "interrupted", 130
    except BrokenPipeError:  # who read our output has gone: nobody is left to be told
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from None
    except Exception as error:
        debugged = os.environ.get(DEBUG, "0") not in ("", "0")
        if debugged or type(error).__module__.partition(".")[0] in ("typer", "click"):
            raise
        message, status = sentence(error), 1
    typer.echo(f"lifeboat: {message}", err=True)
    raise typer.Exit(status)


class PlainErrors(TyperGroup):
    """A command with subcommands, all of which run in ``plain_errors``."""

    def invoke(self, ctx: Any) -> Any:
        """Run the subcommand that was named."""
        with plain_errors():
            return super().invoke(ctx)


def sentence(error: BaseException) -> str:
    """What an error that is none of ours means, and how to mend it; where we do not know, that it is our fault."""
    from lifeboat.spark.environment import surroundings

    text = first_line(error)
    if isinstance(error, OSError) and error.errno in MENDS:
        prefix = f"{error.filename}: " if error.filename else ""
        return f"{prefix}{error.strerror}; {MENDS[error.errno]}"
    if "No space left on device" in str(error):
        return f"a disk is full ({text}); {ROOM}"
    if isinstance(error, MemoryError) or "OutOfMemoryError" in str(error):
        return f"there is not enough memory ({text}); take fewer rows, or give Spark more by LIFEBOAT_DRIVER_MEMORY=8g"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    happened = f"`lifeboat {redacted(' '.join(words[:2]))}` ended with {type(error).__name__}: {text}"
    if hidden := shadow_message():
        return f"{happened}\n{hidden}"
    packages = [base.__module__.partition(".")[0] for base in type(error).__mro__]
    others = [OTHERS[package] for package in packages if package in OTHERS]
    if who := "this machine" if isinstance(error, OSError) else next(iter(others), ""):
        return f"{who} failed: {happened}\n{surroundings() if who == 'Spark' else ''} {SHOWN}"
    return f"this is a fault of lifeboat: {happened}\n{SHOWN}"


def first_line(error: BaseException) -> str:
    """The first line of what an error says that says something."""
    lines = [line.strip() for line in redacted(str(error)).splitlines()]
    return next(
        (line for line in lines if line and not line.startswith("An error occurred while calling")), "no reason"
    )
