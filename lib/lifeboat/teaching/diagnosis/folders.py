"""The folders that a class writes into: room on their disks, rights, programs, and a path that everything can name."""

from __future__ import annotations

import errno
import locale
import os
import shutil
import subprocess
import tempfile
import zipfile

from .machine import working_java
from .setup import (
    FAILED,
    FINE,
    JAVA_OPTIONS,
    LOCALE,
    NOT_TRIED,
    READY,
    REMARK,
    UTF8_LOCALE,
    Note,
    Setup,
    gigabytes,
    run,
)

GB = 2**30
TO_INSTALL, TO_WORK = 3 * GB, 1 * GB
FULL = 2**20  # bytes: with less, a file cannot be written, and that is the disk's check to say
ANOTHER_TEMPORARY = "TMPDIR may name a folder on another disk"


def temporary() -> str | None:
    """The folder for temporary files; None where Python can write into none of those that it tries."""
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:
        return None


def check_disk(setup: Setup) -> list[Note]:
    """Whether there is room for the project, for its runs where they lie on another disk, and for temporary files."""
    wanted = TO_WORK if setup.works else TO_INSTALL
    # the folder that the environment names counts, even where it is so full that Python has passed it over
    named = setup.environment.get("TMPDIR") or temporary() or "/tmp"
    rooms = [(setup.root, "the project", wanted), (named, f"temporary files ({ANOTHER_TEMPORARY})", wanted)]
    outputs = os.path.join(setup.root, "outputs")
    if os.path.ismount(outputs) or os.path.islink(outputs):
        rooms.append((outputs, "runs", TO_WORK))
    notes, seen = [], []
    for folder, purpose, size in rooms:
        try:
            free = shutil.disk_usage(folder).free
        except OSError:
            continue  # it is not there: the check of write access says so
        seen.append(f"{gigabytes(free)} for {purpose.partition(' (')[0]}")
        if free < size:
            room = f"{gigabytes(free)} free in {folder}, and {gigabytes(size)} are wanted"
            notes.append(Note(FAILED, f"{room} for {purpose}: make room there."))
    return notes or [Note(FINE, f"free: {', '.join(seen)}")]


def check_write_access(setup: Setup) -> list[Note]:
    """Whether files can be written where they are to be, and programs run there."""
    notes = []
    folders = [setup.root, *(os.path.join(setup.root, name) for name in ("outputs", "notebooks"))]
    for folder in filter(os.path.isdir, folders):
        if why := write_trouble(folder):
            mend = "copy the project into a folder of your own"
            if why != os.strerror(errno.EROFS):
                mend += f", or give yourself the right: `{_own(folder)}`"
            notes.append(Note(FAILED, f"{folder} cannot be written into ({why}): {mend}."))
            break
    else:
        notes += _foreign_outputs(os.path.join(setup.root, "outputs"))
    if not notes and not programs_run(setup.root):
        mend = "move the project to a disk that is not mounted with `noexec`"
        notes.append(Note(FAILED, f"programs may not run in {setup.root}, so that packages cannot be loaded: {mend}."))
    notes += _temporary_notes(setup) + _home_notes(setup)
    return notes or [Note(FINE, "the project, temporary files and your home can be written")]


def _own(path: str) -> str:
    return f'sudo chown -R "$(id -un)" "{path}"'


def _foreign_outputs(outputs: str) -> list[Note]:
    """Runs that another user made, as a container's root: they cannot be written over."""
    try:
        entries = sorted(os.listdir(outputs))
    except OSError:
        return []
    foreign = [entry for entry in entries if not os.access(os.path.join(outputs, entry), os.W_OK)]
    if not foreign:
        return []
    names = ", ".join(foreign[:3])
    return [
        Note(FAILED, f"{outputs} has what you may not change ({names}): give yourself the right: `{_own(outputs)}`.")
    ]


def _temporary_notes(setup: Setup) -> list[Note]:
    folder, named = temporary(), setup.environment.get("TMPDIR")
    if folder is None:
        return [Note(FAILED, "no folder for temporary files can be written: name one of your own in TMPDIR.")]
    if why := write_trouble(folder):
        return [Note(FAILED, f"{folder}, for temporary files, cannot be written into ({why}): name another in TMPDIR.")]
    notes = []
    if named and os.path.realpath(named) != os.path.realpath(folder) and not _full(named):
        notes.append(
            Note(REMARK, f"TMPDIR={named} cannot be written into: {folder} is taken instead. Correct or unset it.")
        )
    if not programs_run(folder):
        beside = setup.inventory.get("prefix")
        if beside and not programs_run(beside):
            notes.append(Note(FAILED, f"programs may run neither in {folder} nor in {beside}: name another in TMPDIR."))
        else:
            mend = "Spark's Java keeps its files beside the packages instead. Nothing to mend"
            notes.append(Note(REMARK, f"programs may not run in {folder} (noexec): {mend}."))
    return notes


def _home_notes(setup: Setup) -> list[Note]:
    home = setup.environment.get("JUPYTER_RUNTIME_DIR") or os.path.expanduser("~")
    why = write_trouble(home) if os.path.isdir(home) else "it is not there"
    if not why:
        return []
    mend = "set HOME to a folder of your own, or `export JUPYTER_RUNTIME_DIR=$(mktemp -d)` before `make lab`"
    return [
        Note(FAILED, f"your home {home}, where JupyterLab keeps its files, cannot be written into ({why}): {mend}.")
    ]


def _full(folder: str) -> bool:
    try:
        return shutil.disk_usage(folder).free < FULL
    except OSError:
        return False


def write_trouble(folder: str) -> str:
    """Why no file can be written into a folder; empty where one can, or where its disk is full."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".lifeboat-doctor-") as file:
            file.write(b"x" * 4096)
        return ""
    except OSError as error:
        if error.errno == errno.ENOSPC and _full(folder):
            return ""
        return error.strerror or str(error)


def programs_run(folder: str) -> bool:
    """Whether a program that lies in a folder may run; True where none can be written there."""
    try:
        handle, program = tempfile.mkstemp(dir=folder, prefix=".lifeboat-doctor-")
    except OSError:
        return True
    try:
        with os.fdopen(handle, "w") as file:
            file.write("#!/bin/sh\nexit 0\n")
        os.chmod(program, 0o700)
        return subprocess.call([program]) == 0
    except PermissionError:
        return False
    except OSError:
        return True
    finally:
        os.remove(program)


def check_path(setup: Setup) -> list[Note]:
    """Whether everything can name the project's path: Python's installer and Java go by the locale."""
    root = setup.root
    if ":" in root and os.name == "posix":
        return [Note(FAILED, f"{root} has a colon, which ends a path for Python and Java: take it out of the name.")]
    if not root.isprintable():
        return [Note(FAILED, f"{root!r} has letters that cannot be shown: give its folders other names.")]
    special = [name for name, has in (("a blank", " " in root), ("accents", not root.isascii())) if has]
    if not special:
        return [Note(FINE, root)]
    subject = f"{root} has {' and '.join(special)}"
    if not named_by_locale(root) and not starts(setup):
        mend = f"`export LC_ALL={UTF8_LOCALE}`, or move the project to a path of plain letters"
        return [
            Note(
                FAILED, f"{subject}, which Python cannot install or read in this locale ({locale_name(setup)}): {mend}."
            )
        ]
    java = working_java(setup)
    sees = java_sees(java, setup) if java else None
    if sees is None:
        why = "no file can be written to try it" if java else f"there is no Java yet to try it: {READY}"
        return [Note(NOT_TRIED, f"{subject}, and {why}")]
    if not sees:
        mend = f"`export LC_ALL={UTF8_LOCALE}`, or move the project to a path of plain letters"
        return [Note(FAILED, f"{subject}, and Java does not see what lies there: {mend}.")]
    return [Note(FINE, f"{subject}: Python and Java see it")]


def named_by_locale(path: str) -> bool:
    """Whether the locale's encoding has all letters of a path: Python's packages are written and read by it."""
    if not hasattr(locale, "nl_langinfo"):
        return True
    try:
        path.encode(locale.nl_langinfo(locale.CODESET))
    except (LookupError, UnicodeError):
        return False
    return True


def starts(setup: Setup) -> bool:
    """Whether the installed Python starts in this environment, and finds Lifeboat; False where nothing is installed."""
    command = [setup.python, "-E", "-c", "import lifeboat"]
    return bool(setup.python) and run(command, setup.environment, 60)[0] == 0


def locale_name(setup: Setup) -> str:
    """The variable that says the locale, as a message shows it."""
    names = [name for name in LOCALE if setup.environment.get(name)]
    return f"{names[0]}={setup.environment[names[0]]}" if names else "none is set"


def java_sees(java: str, setup: Setup) -> bool | None:
    """Whether Java, as Lifeboat starts it, opens a file in the project's folder; None where none can be written."""
    environment = {name: value for name, value in setup.environment.items() if name not in JAVA_OPTIONS}
    if "utf" not in (next(filter(None, map(environment.get, LOCALE)), "C")).lower():
        environment["LC_ALL"] = "C.UTF-8"
    try:
        with tempfile.TemporaryDirectory(dir=setup.root, prefix=".lifeboat-doctor-") as folder:
            path = os.path.join(folder, "seen.jar")
            with zipfile.ZipFile(path, "w") as jar:
                jar.writestr("empty", "")
            # Java's own code reads this path; the one of `-jar` is read by its launcher, which knows no encoding
            modules = run([java, "--module-path", path, "--list-modules"], environment, 60)[1]
            return modules.startswith("seen ") or "\nseen " in modules
    except OSError:
        return None
