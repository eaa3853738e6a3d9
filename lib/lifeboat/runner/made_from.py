"""What a notebook's files were made from, and what of that has changed since."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import lifeboat
from lifeboat.run import Run, digest, resolve
from lifeboat.run.inputs import input_paths, stamps
from lifeboat.runner.modules import Library
from lifeboat.runner.notebook import Notebook
from lifeboat.spark.jvm import where_spark_runs

PACKAGES = (
    *("pyspark", "mlflow", "papermill", "numpy", "pandas", "pyarrow", "onnx", "onnxruntime"),
    *("scikit-learn", "scipy", "matplotlib"),
)
GONE = "not there"
LIB = Path(lifeboat.__file__).parent
Content = dict[str, Any]


def made_from(notebook: Notebook, values: Mapping[str, Any]) -> Content:
    """All that a notebook's files follow from but its predecessors' files, which ``read.json`` has.

    Args:
        notebook: The notebook.
        values: Every parameter's value.
    """
    files = Library(LIB).reached(notebook.plain_code)
    return surroundings_of(notebook, values) | {
        "modules": {file.relative_to(LIB).as_posix(): digest(file) for file in files}
    }


def surroundings_of(notebook: Notebook, values: Mapping[str, Any], before: Content | None = None) -> Content:
    """The same without the library's modules: what a look at the notebook, its parameters and inputs tells."""
    taken = {name: values[name] for name in notebook.taken if name in values}
    known = (before or {}).get("inputs", {})
    return {
        "cells": hashlib.sha256(json.dumps(notebook.code).encode()).hexdigest(),
        # where Spark runs is no matter, what kind of Spark it is might be
        "parameters": plain({name: value for name, value in taken.items() if name != "spark"}),
        "inputs": {path: _input(path, known.get(path)) for _, path in input_paths(taken)},
        "versions": versions(),
        "engine": engine(str(values.get("spark", ""))),
    }


def plain(values: Any) -> Any:
    """Values as JSON gives them back."""
    return json.loads(json.dumps(values, default=str))


def engine(spark: str) -> str:
    """The kind of Spark that an address means: ``local``, ``cluster`` or ``connect``."""
    where = where_spark_runs(spark)
    return "connect" if where.startswith("sc://") else "local" if where.startswith("local[") else "cluster"


def versions() -> dict[str, str]:
    """Python's version and those of the packages that decide the numbers."""
    installed = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            installed[package] = version(package)
        except PackageNotFoundError:
            installed[package] = "not installed"
    return installed


def _input(path: str, known: Content | None) -> Content:
    """A file's digest, and the sizes and times that spare computing it again."""
    where = resolve(path)
    if not where.exists():
        return {"digest": GONE, "files": []}
    files = stamps(where)
    return {"digest": known["digest"] if known and known["files"] == files else digest(path), "files": files}


def left_by(run_dir: Path, name: str) -> dict[str, list[Any]]:
    """The files that a notebook left in a run's folder: SHA-256, size and time (ns) of each."""
    folder = run_dir / name
    files = [*sorted(file for file in folder.rglob("*") if file.is_file()), run_dir / f"{name}.ipynb"]
    kept = ((file, file.stat()) for file in files if file.is_file())
    return {f.relative_to(run_dir).as_posix(): [digest(f), s.st_size, s.st_mtime_ns] for f, s in kept}


def altered(run_dir: Path, left: Mapping[str, list[Any]], hashed: bool = False) -> Iterator[str]:
    """The files that are no longer as they were left, each with what became of it.

    Args:
        run_dir: The run's folder.
        left: As ``left_by`` noted them.
        hashed: Whether to read every file, not those alone whose size or time is another.
    """
    for name, (kept, *stamp) in left.items():
        file = run_dir / name
        if not file.is_file():
            yield f"{name} is gone"
            continue
        stat = file.stat()
        if (hashed or [stat.st_size, stat.st_mtime_ns] != stamp) and digest(file) != kept:
            yield f"{name} was altered"


def changes(notebook: Notebook, values: Mapping[str, Any], before: Content, run: Run) -> Iterator[str]:
    """What has changed since a notebook's files were made; nothing where they are up to date.

    Args:
        notebook: The notebook.
        values: Every parameter's value.
        before: As ``made_from`` noted it.
        run: Its run.
    """
    now = surroundings_of(notebook, values, before)
    if now["cells"] != before["cells"]:
        yield "its code cells changed"
    for file, kept in before["modules"].items():
        if (digest(LIB / file) if (LIB / file).is_file() else GONE) != kept:
            yield f"{file} changed"
    for path in sorted({*before["inputs"], *now["inputs"]}):
        digests = [side["inputs"].get(path, {}).get("digest") for side in (before, now)]
        if None not in digests and digests[0] != digests[1]:
            yield f"{path} {'is gone' if digests[1] == GONE else 'changed'}"
    for kind in ("parameters", "versions"):
        for name in sorted({*before[kind], *now[kind]}):
            old, new = (side[kind].get(name, GONE) for side in (before, now))
            if old != new:
                yield f"{name} was {_short(old)}, now {_short(new)}"
    if now["engine"] != before["engine"]:
        yield f"Spark was {before['engine']}, now {now['engine']}"
    if files := run.changed(notebook.name):
        yield f"{', '.join(files)} changed"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
