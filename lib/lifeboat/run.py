"""The folder of one run: where each notebook finds its predecessor's files and leaves its own, whole or not at all.

``outputs/<run>/01_load`` ... ``outputs/<run>/05_deploy``. A stage writes into a folder aside and renames it into
place when it is done, so that a run killed at any moment leaves nothing half written. Also what a path means, which
files parameters name, and the digest that says whether they have changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from lifeboat.errors import DataError, StageOrderError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

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


def write_whole(place: Path, text: str) -> None:
    """Write a text file aside, in UTF-8, and rename it into its place: nobody reads half of it."""
    aside = place.with_name(f".{place.name}.unfinished")
    aside.write_text(text, encoding="utf-8")
    os.replace(aside, place)


def write_json(path: Path, content: object) -> None:
    """Write ``content`` as JSON for people: indented, in the order given.

    Raises:
        ValueError: A number is not defined (NaN): JSON has no word for it; write null, and why, beside it.
    """
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def input_paths(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each parameter's name with a path that it names: ``..._path``'s value, and that of ``path`` in a list's parts.

    An address on other storage, such as ``s3a://bucket/rows.parquet``, is Spark's to find, and not among them.
    """
    for name, value in values.items():
        paths = [value] if name.endswith("_path") else _inside(value)
        yield from ((name, path) for path in paths if isinstance(path, str) and path and "://" not in path)


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        yield from (part["path"] for part in value if isinstance(part, dict) and "path" in part)
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        yield from _inside(part)


def files(path: str | Path) -> list[Path]:
    """The file at a path, or those of the folder there in order of their names; none where there is nothing.

    Files and folders whose names start with ``.`` or ``_`` are other programs' own notes, and do not count.
    """
    place = resolve(path)
    if place.is_file():
        return [place]
    inside = (f for f in place.rglob("*") if not any(part[0] in "._" for part in f.relative_to(place).parts))
    return sorted(f for f in inside if f.is_file())


def local_place(path: str | Path) -> Path | None:
    """The absolute path of a file or folder on this machine, ``file:`` addresses too; None for another address."""
    address = urlsplit(str(path))
    if "://" not in str(path) and address.scheme != "file":
        return resolve(path)
    return Path(unquote(address.path)) if address.scheme == "file" and address.netloc in ("", "localhost") else None


def digest(path: str | Path, spark: SparkSession | None = None) -> str:
    """The SHA-256 of a file, in hexadecimal digits; of a folder, that of its files' SHA-256s in order of their names.

    The names themselves do not count: Spark gives its files new ones each time.

    Args:
        path: A file or folder, or an address such as ``s3a://bucket/rows``.
        spark: Who can list an address's files. The digest is then that of their names, sizes and times, and starts
            with ``listing:`` to say so; without Spark, or where it cannot list them, it is ``not read``.

    Raises:
        DataError: There is nothing at that place.
    """
    found = local_place(path)
    if found is None:
        return _listing(str(path), spark)
    place = resolve_input(found if "://" in str(path) else path)  # named in an error as it was given
    if place.is_dir():
        return hashlib.sha256(b"".join(bytes.fromhex(digest(file)) for file in files(place))).hexdigest()
    with place.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _listing(address: str, spark: SparkSession | None) -> str:
    if spark is None:
        return "not read"
    files = spark.read.format("binaryFile").option("recursiveFileLookup", True)
    try:
        found = files.load(address).select("path", "length", "modificationTime").collect()
    except Exception:  # each kind of storage has errors of its own, and a digest is no reason to stop
        return "not read"
    lines = sorted(f"{row.path} {row.length} {row.modificationTime.isoformat()}" for row in found)
    return f"listing:{hashlib.sha256(chr(10).join(lines).encode()).hexdigest()}"
