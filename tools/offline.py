"""A folder that brings the project to machines without a network: the wheels of the lock, and the checkout.

``gather FOLDER UV`` fills it with what this Python installs on this kind of machine; a folder may be filled for several
kinds, one after another. ``check FOLDER UV`` says whether it has all that this checkout wants here, and ``address
FOLDER`` where its wheels are, as pip and uv read that in a variable. The Makefile calls all three, the last two before
anything is installed: they need the standard library alone.
"""

from __future__ import annotations

import filecmp
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
import zlib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BATCH = 15  # wheels that one call of pip brings: what an interruption costs at most
SHOWN = 10  # names in a sentence
SYSTEMS = {"linux": "Linux", "darwin": "macOS"}
LIBRARIES = {"linux": "glibc", "darwin": "macOS"}
TITLE = "Lifeboat, to install without a network.\n"
ABOUT = """
The wheels in here are for
{kinds}

On such a machine, with that Python, `make`, and 2 GB free on its disk:

    tar xf lifeboat.tar.gz
    cd lifeboat
    make run OFFLINE="THIS FOLDER"

where THIS FOLDER is the path of the folder that this file is in. `make lab OFFLINE="THIS FOLDER"` and the others take
it in the same way, once: what is installed needs it no more.
"""


class OfflineError(Exception):
    """The folder will not do; the message says why, and what to do."""


def kind() -> str:
    """What wheels depend on, as the name of a list of them: the Python and the kind of machine."""
    return f"python{sys.version_info[0]}.{sys.version_info[1]}-{sys.platform}-{platform.machine()}"


def for_people(kind: str, needed: str) -> str:
    """A kind of machine as a sentence names it."""
    python, system, machine = kind.split("-", 2)
    where = f"{python.replace('python', 'Python ')} on {SYSTEMS.get(system, system)} ({machine})"
    return where + (f" with {needed} or later" if needed else "")


def system_version() -> tuple[int, ...]:
    """The version of what compiled code needs of the system: glibc's, or macOS's; empty where there is none."""
    version = platform.mac_ver()[0] if sys.platform == "darwin" else platform.libc_ver()[1]
    return numbers(version)


def numbers(version: str) -> tuple[int, ...]:
    """The first two numbers in a version, to compare."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def system_needed(wheels: list[str]) -> str:
    """The oldest system that all of these wheels run on, such as 'glibc 2.28'; empty where any will do."""
    tags = [re.findall(r"(?:manylinux|macosx)_(\d+)_(\d+)_", name) for name in wheels]
    oldest = [min((int(major), int(minor)) for major, minor in of_wheel) for of_wheel in tags if of_wheel]
    return f"{LIBRARIES[sys.platform]} {'.'.join(map(str, max(oldest)))}" if oldest else ""


def requirements(uv: str) -> list[str]:
    """What `make ready` installs here or elsewhere, a line each: the lock, uv, and what builds the project itself."""
    lock = [line.strip() for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()]
    builds = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    return [line for line in lock if line and not line.startswith("#")] + [uv, *builds]


def listed(names: list[str]) -> str:
    """Names for a sentence; the first ones where there are many."""
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def digest(path: Path) -> str:
    """A file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_lists(folder: Path) -> dict[str, Any]:
    """The lists in a folder: kind of machine -> ``needed`` of the system, ``for`` which requirements, ``wheels``.

    Raises:
        OfflineError: A list was copied in part.
    """
    lists = {}
    for path in sorted(folder.glob("python*.json")):
        try:
            lists[path.stem] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            raise OfflineError(f"{path} is not whole: copy {folder} anew, or delete this file.") from None
    return lists


def check(folder: Path, uv: str) -> dict[str, Any]:
    """The list of wheels for this Python and machine, every one of which is there, whole.

    Raises:
        OfflineError: The folder is none, for others, for another lock, or not whole.
    """
    if not folder.is_dir():
        raise OfflineError(f"There is no folder {folder}: OFFLINE names one that `make offline` has filled.")
    lists = read_lists(folder)
    if not lists:
        raise OfflineError(f"`make offline` has not filled {folder} to its end: call it once more, and it goes on.")
    kinds = "; ".join(for_people(name, content["needed"]) for name, content in lists.items())
    if kind() not in lists:
        pythons = [name.partition("-")[0] for name in lists if name.partition("-")[2] == kind().partition("-")[2]]
        mend = f"name such a Python, as in PYTHON={pythons[0]}, or " if pythons else ""
        raise OfflineError(
            f"{folder} is for {kinds}, and this is {for_people(kind(), '')}: {mend}call `make offline` with this "
            "folder on a machine like this one that has a network; it adds what is wanted here."
        )
    content: dict[str, Any] = lists[kind()]
    if system_version() < numbers(content["needed"]):
        raise OfflineError(
            f"{folder} is for {kinds}, and here is {platform.platform()}: call `make offline` on an older system."
        )
    if lacking := [line for line in requirements(uv) if line not in content["for"]]:
        raise OfflineError(
            f"{folder} was filled for another list of packages. It lacks {listed(lacking)}: take the checkout that "
            "lies in it, or fill it anew from this one by `make offline`."
        )
    wheels = folder / "wheels"
    missing = [name for name in content["wheels"] if not (wheels / name).is_file()]
    there = {name: sha256 for name, sha256 in content["wheels"].items() if name not in missing}
    broken = [name for name, sha256 in there.items() if digest(wheels / name) != sha256]
    if missing or broken:
        faults = [f"missing: {listed(missing)}"] * bool(missing) + [f"changed: {listed(broken)}"] * bool(broken)
        raise OfflineError(
            f"{folder} is not whole ({'; '.join(faults)}): copy it anew, or let `make offline` bring what it lacks."
        )
    return content


def gather(folder: Path, uv: str) -> None:
    """Fill the folder for this Python and machine. What is there and whole stays, so a call cut short can be repeated.

    Raises:
        OfflineError: The folder has other files in it, or pip could not bring a wheel.
    """
    wheels, about = folder / "wheels", folder / "README.txt"
    folder.mkdir(parents=True, exist_ok=True)
    ours = about.is_file() and about.read_text(encoding="utf-8", errors="replace").startswith(TITLE)
    if not ours and any(folder.iterdir()):
        raise OfflineError(f"{folder} has other files in it: name a folder of its own, such as {folder / 'lifeboat'}.")
    wheels.mkdir(exist_ok=True)
    if not ours:
        put(folder, about.name, TITLE)
    try:
        content = check(folder, uv)
        print("All wheels are there: nothing to do.")
    except OfflineError:
        content = bring(folder, uv)
    bring_checkout(folder)
    lists = read_lists(folder)
    kinds = [for_people(name, known["needed"]) for name, known in lists.items()]
    put(folder, about.name, TITLE + ABOUT.format(kinds="\n".join(f"    {line}" for line in kinds)))
    unused = {path.name for path in wheels.iterdir()}.difference(*(known["wheels"] for known in lists.values()))
    for name in unused:
        (wheels / name).unlink()  # of an earlier lock
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {len(content['wheels'])} wheels for {for_people(kind(), content['needed'])}; {size >> 20:,} MB.")


def bring(folder: Path, uv: str) -> dict[str, Any]:
    """Bring each wheel that is not there, and write the list of all."""
    from packaging.requirements import Requirement

    wheels, lines = folder / "wheels", requirements(uv)
    wanted = [line for line in map(Requirement, lines) if line.marker is None or line.marker.evaluate()]
    for path in wheels.iterdir():
        if not whole(path):
            path.unlink()
    known = by_name(wheels)
    missing = [line for line in wanted if not fitting(line, known)]
    for start in range(0, len(missing), BATCH):
        print(f"{len(wanted) - len(missing) + start} of {len(wanted)} wheels are there", flush=True)
        download([f"{line.name}{line.specifier}" for line in missing[start : start + BATCH]], folder)
    known = by_name(wheels)
    names = sorted(path.name for line in wanted for path in fitting(line, known)[-1:])
    digests = {name: digest(wheels / name) for name in names}
    content = {"needed": system_needed(names), "for": lines, "wheels": digests}
    put(folder, f"{kind()}.json", json.dumps(content, indent=1))
    return content


def by_name(wheels: Path) -> dict[str, list[tuple[Any, Path]]]:
    """The wheels in a folder that this Python can install: package -> versions, the oldest first, with their files."""
    from packaging.tags import sys_tags
    from packaging.utils import parse_wheel_filename

    known: dict[str, list[tuple[Any, Path]]] = {}
    tags = set(sys_tags())
    for path in wheels.glob("*.whl"):
        name, version, _, of_wheel = parse_wheel_filename(path.name)
        if tags & of_wheel:
            known[name] = sorted([*known.get(name, []), (version, path)])
    return known


def fitting(line: Any, known: dict[str, list[tuple[Any, Path]]]) -> list[Path]:
    """The files that a line of the lock allows."""
    from packaging.utils import canonicalize_name

    return [path for version, path in known.get(canonicalize_name(line.name), []) if version in line.specifier]


def download(lines: list[str], folder: Path) -> None:
    """Have pip bring wheels, or build those that are published as source alone, beside the others; then move them."""
    beside = unfinished(folder)
    beside.mkdir()
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    if subprocess.run([*pip, "--wheel-dir", beside, *lines], check=False).returncode:
        raise OfflineError("pip could not bring all of them, see above. What is there stays: the same call goes on.")
    for path in beside.iterdir():
        move(path, folder / "wheels" / path.name)


def bring_checkout(folder: Path) -> None:
    """Put what is committed here into the folder, as an archive."""
    git = ["git", "-C", str(ROOT)]
    if subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, check=False).returncode:
        print("This is no clone, so the folder has no lifeboat.tar.gz: put a copy of the project beside it.")
        return
    if subprocess.run([*git, "diff", "--quiet", "HEAD"], check=False).returncode:
        print("What is changed here and not committed is not in lifeboat.tar.gz.")
    beside, target = unfinished(folder), folder / "lifeboat.tar.gz"
    archive = ["archive", "--format=tar.gz", "--prefix=lifeboat/", "-o", str(beside.absolute()), "HEAD"]
    subprocess.run([*git, *archive], check=True)
    if not target.exists() or not filecmp.cmp(beside, target, shallow=False):
        move(beside, target)
    beside.unlink(missing_ok=True)


def whole(wheel: Path) -> bool:
    """Whether every file in a wheel is as it was packed."""
    try:
        with zipfile.ZipFile(wheel) as file:
            return file.testzip() is None
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile):
        return False


def unfinished(folder: Path) -> Path:
    """Where something is written before it takes its place; what an interrupted call left there is removed."""
    beside = folder / ".unfinished"
    if beside.is_dir():
        shutil.rmtree(beside)
    beside.unlink(missing_ok=True)
    return beside


def put(folder: Path, name: str, text: str) -> None:
    """Write a text file whole or not at all."""
    beside = unfinished(folder)
    beside.write_text(text, encoding="utf-8")
    move(beside, folder / name)


def move(path: Path, target: Path) -> None:
    """Let a file take its place once the disk has all of it: a stick may be pulled out."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(path, target)


def main(arguments: list[str]) -> int:
    """Do what the Makefile asks for; the status is 1 where the folder will not do."""
    task, folder, *rest = arguments
    place = Path(folder).expanduser().absolute()
    try:
        if task == "address":
            print((place / "wheels").as_uri())
        else:
            {"gather": gather, "check": check}[task](place, *rest)
    except OfflineError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"{error.filename or place}: {error.strerror}. What is there stays: the same call goes on.", file=sys.stderr
        )
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. What is there stays: the same call goes on.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
