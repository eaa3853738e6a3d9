"""What a path means: where a relative one starts, what a command line names, and how a message shows it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lifeboat.errors import DataError


def project_root() -> Path:
    """The folder that relative paths start from: the nearest one above with ``notebooks`` and ``params`` in it.

    So a path means the same to a notebook opened in its own folder and to a pipeline started at the top. Outside of a
    project it is the one that this code is a part of. ``LIFEBOAT_HOME`` in the environment names another; without any
    it is the current folder.
    """
    if home := os.environ.get("LIFEBOAT_HOME"):
        return Path(home).resolve()
    return _project_above(Path.cwd()) or checkout()


def checkout() -> Path:
    """The project that this code is a part of; without one, the current folder."""
    return _project_above(Path(__file__).resolve()) or Path.cwd()


def _project_above(path: Path) -> Path | None:
    folders = (path, *path.parents)
    return next(
        (folder for folder in folders if (folder / "notebooks").is_dir() and (folder / "params").is_dir()), None
    )


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
    url = urlsplit(address)
    if url.scheme == "file" and not url.netloc:
        return resolve(unquote(url.path)).as_uri()
    plain = address and not url.scheme and address not in ("databricks", "databricks-uc")
    return str(resolve(address)) if plain else address


def from_root(path: Path) -> str:
    """A place as a file is to name it: from the project's root where it lies below, so that the project can move."""
    root = project_root()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def shown(path: Path) -> str:
    """A place as a message names it: from the current folder where it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def resolve_input(path: str | Path) -> Path:
    """The absolute path of a file or folder to read.

    Raises:
        DataError: There is nothing at that place.
    """
    resolved = resolve(path)
    if not resolved.exists():
        raise DataError(f"no file or folder {str(path)!r} (looked at {resolved}); paths start at the project's root")
    return resolved


def local_path(path: str | Path) -> Path | None:
    """The absolute path of a file or folder on this machine, ``file:`` addresses too; None for another address."""
    address = urlsplit(str(path))
    if "://" not in str(path) and address.scheme != "file":
        return resolve(path)
    return Path(unquote(address.path)) if address.scheme == "file" and address.netloc in ("", "localhost") else None
