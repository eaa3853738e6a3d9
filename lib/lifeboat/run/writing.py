"""Write what is there whole or not at all: beside its place first, then renamed into it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def staging(target: Path) -> Path:
    """Where a file or folder is written before it takes its place; what a killed writer left there is removed."""
    beside = target.with_name(f".{target.stem}.unfinished{target.suffix}")
    remove(beside)
    return beside


def put_in_place(written: Path, target: Path) -> None:
    """Rename what was written to ``target``, instead of what is there. A file replaces a file in one step."""
    old = _old(target)
    if target.is_dir() or (written.is_dir() and target.exists()):
        remove(old)
        target.rename(old)
    os.replace(written, target)
    remove(old)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A path beside ``target`` to write a file or a folder to.

    It becomes ``target`` when the block has ended well; otherwise nothing is left of it, and ``target`` is as it was.
    """
    beside = staging(target)
    try:
        yield beside
        put_in_place(beside, target)
    finally:
        remove(beside)


def earlier(target: Path) -> Path | None:
    """What is at ``target``, or was when a writer was killed between its two renames; None where there is nothing."""
    return next((path for path in (target, _old(target)) if path.exists()), None)


def _old(target: Path) -> Path:
    """Where a folder stands for the moment in which it is replaced."""
    return target.with_name(f".{target.name}.old")


def remove(path: Path) -> None:
    """Remove a file or a folder, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all."""
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")


def write_json(path: Path, content: object) -> None:
    """Write ``content`` as JSON for people: indented, in the order given.

    Raises:
        ValueError: A number is not defined (NaN): JSON has no word for it; write null, and why, beside it.
    """
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
