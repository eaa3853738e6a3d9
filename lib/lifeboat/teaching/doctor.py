"""``lifeboat doctor``: the machine before a lesson, each check a tick or a sentence that mends it.

It runs where nothing is installed: ``python3 lib/lifeboat/teaching/doctor.py``.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
# a script is run by whatever Python there is
if sys.version_info < (3, 8):  # noqa: UP036
    sys.exit(f"lifeboat: Python {sys.version.split()[0]} is too old even to look: install 3.11, 3.12 or 3.13")
if not TYPE_CHECKING and not __package__:  # as a script: what PYTHONPATH hides is to be named, not to be tripped over
    _others = [os.path.abspath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = [os.path.dirname(os.path.abspath(__file__)), *(path for path in sys.path if path not in _others)]

import argparse  # noqa: E402
from typing import NamedTuple  # noqa: E402

if TYPE_CHECKING or __package__:
    from lifeboat.teaching.diagnosis import folders, installed, machine, memory, setup, spoken_code, variables
else:
    from diagnosis import folders, installed, machine, memory, setup, spoken_code, variables


class Check(NamedTuple):
    """A thing to look at: its name, and what looks."""

    name: str
    look: Callable[[setup.Setup], list[setup.Note]]


# A check's number in a code is where it stands: a new one goes to the end, and none ever leaves.
CHECKS = (
    Check("Python", machine.check_python),
    Check("Java", machine.check_java),
    Check("memory", memory.check_memory),
    Check("disk", folders.check_disk),
    Check("ports", machine.check_ports),
    Check("write access", folders.check_write_access),
    Check("path", folders.check_path),
    Check("packages", installed.check_packages),
    Check("variables", variables.check_variables),
    Check("Spark session", installed.check_spark),
    Check("kernel", installed.check_kernel),
    Check("browser", machine.check_browser),
)
NAMES = [check.name for check in CHECKS]
SIGNS = {setup.FINE: "\u2713", setup.REMARK: "!", setup.NOT_TRIED: "-", setup.FAILED: "\u2717"}
PLAIN_SIGNS = {setup.FINE: "ok", setup.REMARK: "note", setup.NOT_TRIED: "-", setup.FAILED: "FAILED"}
WIDTH = max(map(len, NAMES)) + 2
DECODE = "lifeboat doctor --decode"


def examine(around: setup.Setup, only: Collection[str] = ()) -> Iterator[tuple[int, list[setup.Note]]]:
    """The number of each check, or of those that are named, with its notes; a check that breaks is one that failed."""
    for number, check in enumerate(CHECKS):
        if only and check.name not in only:
            continue
        _announce(check.name)
        try:
            notes = check.look(around)
        except Exception as error:  # a machine may be broken in a way that nobody thought of: the rest is looked at
            reason = f"{type(error).__name__}: {error}"
            notes = [setup.Note(setup.FAILED, f"looking ended with {reason}: show this line to your teacher.")]
        yield number, notes


def _announce(name: str) -> None:
    """Say on a terminal what is being looked at, until its line takes the place."""
    if sys.stdout.isatty():
        sys.stdout.write(f"  {name} ...\r")
        sys.stdout.flush()


def state_of(notes: list[setup.Note]) -> str:
    """The gravest state that a check's notes have."""
    return max((note.state for note in notes), key=setup.STATES.index)


def diagnose(around: setup.Setup, only: Collection[str] = ()) -> int:
    """Look at everything, print a line for each note, and a code to read out.

    Args:
        around: The machine.
        only: Names of the checks to make; empty: all.

    Returns:
        The status of the command: 0 where nothing failed, else 1.
    """
    signs, states = _signs(), {}
    for number, notes in examine(around, only):
        states[number] = state_of(notes)
        for line, note in enumerate(notes):
            name = CHECKS[number].name if line == 0 else ""
            print(f"{signs[note.state]} {name:{WIDTH}}{note.sentence}", flush=True)
    failed = [number for number, state in states.items() if state == setup.FAILED]
    all_tried = len(states) == len(CHECKS) and setup.NOT_TRIED not in states.values()
    code = spoken_code.encode(failed, all_tried)
    print(f"\n{summary(failed, all_tried)} To tell your teacher: {code}, which `{DECODE} {code}` explains.")
    return 1 if failed else 0


def _signs() -> dict[str, str]:
    """Ticks and crosses where the terminal has them, else words."""
    try:
        "".join(SIGNS.values()).encode(sys.stdout.encoding or "ascii")
        return SIGNS
    except UnicodeError:
        width = max(map(len, PLAIN_SIGNS.values()))
        return {state: word.ljust(width) for state, word in PLAIN_SIGNS.items()}


def summary(failed: list[int], all_tried: bool) -> str:
    """A sentence or two: which checks failed, and whether all were tried."""
    names = ", ".join(CHECKS[number].name for number in failed)
    failures = f"{len(failed)} of {len(CHECKS)} checks failed: {names}." if failed else "Nothing failed."
    return failures if all_tried else f"{failures} Not everything was tried: has `make ready` been run?"


def explain(code: str) -> int:
    """Print what a code says.

    Returns:
        The status of the command: 0, or 2 where it is no code.
    """
    try:
        failed, all_tried = spoken_code.decode(code, len(CHECKS))
    except spoken_code.CodeError as error:
        print(f"lifeboat: {error}", file=sys.stderr)
        return 2
    print(summary(failed, all_tried))
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run as a script; the status is 0 where nothing failed, 1 where something did, 2 for a code that is none."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a path may have letters that the terminal has not
    parser = argparse.ArgumentParser("lifeboat doctor", description="Look whether this machine is ready for class.")
    parser.add_argument("--decode", metavar="CODE", help="say what a code means that somebody reads out")
    parser.add_argument("--only", metavar="CHECK", action="append", default=[], choices=NAMES, help=", ".join(NAMES))
    options = parser.parse_args(arguments)
    try:
        return diagnose(setup.look_around(), options.only) if options.decode is None else explain(options.decode)
    except KeyboardInterrupt:
        print("\nlifeboat: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
