"""The files that parameters name: which they are, how large, and the digest that says whether they changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from lifeboat.runfolder import resolve, resolve_input

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


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
