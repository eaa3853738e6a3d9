"""The files that parameters name: which they are, how large, and the digest that says whether they changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lifeboat.runfolder import resolve, resolve_input


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


def digest(path: str | Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits; of a folder, that of its files' SHA-256s in order of their names.

    The names themselves do not count: Spark gives its files new ones each time.

    Raises:
        DataError: There is nothing at that place.
    """
    place = resolve_input(path)
    if place.is_dir():
        return hashlib.sha256(b"".join(bytes.fromhex(digest(file)) for file in files(place))).hexdigest()
    with place.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
