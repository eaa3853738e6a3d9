"""The folder of one run: where each notebook finds its predecessor's files and leaves its own, whole or not at all.

``outputs/<run>/01_load`` ... ``outputs/<run>/05_deploy``. A stage writes into a folder aside and renames it into
place when it is done, so that a run killed at any moment leaves nothing half written.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lifeboat.errors import DataError, StageOrderError

STAGES = ("01_load", "02_preprocess", "03_train_cv", "04_evaluate", "05_deploy")


def project_root() -> Path:
    """The folder that relative paths start from: the nearest one above with ``notebooks`` and ``params`` in it.

    So a path means the same to a notebook opened in its own folder and to a pipeline started at the top. Outside of a
    project it is the one that this code is a part of. ``LIFEBOAT_HOME`` in the environment names another; without any
    it is the current folder.
    """
    if home := os.environ.get("LIFEBOAT_HOME"):
        return Path(home).resolve()
    here = Path.cwd()
    for folder in (here, *here.parents, *Path(__file__).resolve().parents):
        if (folder / "notebooks").is_dir() and (folder / "params").is_dir():
            return folder
    return here


def resolve(path: str | Path) -> Path:
    """An absolute path; a relative one starts at the project's root."""
    return project_root() / path


def named_by_shell(path: Path) -> Path:
    """The absolute path of a file that a command line names: it starts where the shell stands.

    Where nothing is there, but at that path from the project's root something is, that is meant.
    """
    below_root = resolve(path)
    return below_root if not path.exists() and below_root.exists() else path.absolute()


def resolve_store(address: str) -> str:
    """The address of an MLflow store whose file or folder, where it is a relative one, starts at the project's root."""
    if database := re.fullmatch(r"(sqlite(?:\+\w+)?:///)([^?:][^?]*)(.*)", address):
        return f"{database[1]}{resolve(database[2])}{database[3]}"
    parts = urlsplit(address)
    if parts.scheme == "file" and not parts.netloc:
        return resolve(unquote(parts.path)).as_uri()
    plain = address and not parts.scheme and address not in ("databricks", "databricks-uc")
    return str(resolve(address)) if plain else address


def from_root(place: Path) -> str:
    """A place as a file is to name it: from the project's root where it lies below, so that the project can move."""
    root = project_root()
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else str(place)


def shown(place: Path) -> str:
    """A place as a message names it: from the current folder where it lies below."""
    here = Path.cwd()
    return str(place.relative_to(here)) if place.is_relative_to(here) else str(place)


def resolve_input(path: str | Path) -> Path:
    """The absolute path of a file or folder to read.

    Raises:
        DataError: There is nothing at that place.
    """
    found = resolve(path)
    if not found.exists():
        raise DataError(f"no file or folder {str(path)!r} (looked at {found}); paths start at the project's root")
    return found


def begin(run_dir: str | Path, stage: str) -> Path:
    """An empty folder for ``stage`` to write into; nobody sees it before ``commit``."""
    aside = resolve(run_dir) / f".{stage}.unfinished"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    return aside


def commit(aside: Path) -> Path:
    """Put a folder that ``begin`` gave into its place, instead of what an earlier run left there."""
    place = _place(aside)
    old = _old(place)
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    aside.rename(place)
    shutil.rmtree(old, ignore_errors=True)
    return place


def earlier(aside: Path) -> Path | None:
    """What an earlier run left where a folder that ``begin`` gave is going to be; None where there is nothing."""
    place = _place(aside)
    return next((folder for folder in (place, _old(place)) if folder.is_dir()), None)


def _place(aside: Path) -> Path:
    return aside.with_name(aside.name.removeprefix(".").removesuffix(".unfinished"))


def _old(place: Path) -> Path:
    """Where the earlier folder stands for the moment in which it is replaced."""
    return place.with_name(f".{place.name}.old")


def finished(run_dir: str | Path, stage: str) -> Path:
    """The folder that ``stage`` left.

    Raises:
        StageOrderError: That stage has not run yet.
    """
    place = resolve(run_dir) / stage
    if not place.is_dir():
        raise StageOrderError(f"{place} is not there: run notebooks/{stage}.ipynb with run_dir={str(run_dir)!r} first")
    return place


def last_run() -> Path:
    """The run folder whose ``05_deploy`` is newest.

    Raises:
        StageOrderError: No run has got as far as ``05_deploy``.
    """
    deployed = sorted(resolve("outputs").glob("*/05_deploy"), key=lambda folder: folder.stat().st_mtime)
    if not deployed:
        raise StageOrderError(f"no finished run in {resolve('outputs')}: start one with `make run`")
    return deployed[-1].parent
