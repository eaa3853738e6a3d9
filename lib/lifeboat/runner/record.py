"""What a run leaves about itself: ``run.json``, and a lock so that no other run writes into its folder meanwhile."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any

import lifeboat
from lifeboat.errors import LifeboatError
from lifeboat.run import digest, resolve
from lifeboat.run.inputs import input_paths
from lifeboat.run.writing import write_whole

PACKAGES = ("pyspark", "mlflow", "papermill", "numpy", "onnx", "onnxruntime")
LOCKED_BYTE = 1 << 30  # far behind the file's text: Windows lets nobody read what is locked


class RunFolderBusyError(LifeboatError, RuntimeError):
    """Another run is writing into the same folder."""


@dataclass
class Stage:
    """One notebook's part of a run.

    Attributes:
        name: The notebook's name.
        state: ``waiting``, ``running``, ``done``, ``failed`` or ``interrupted``.
        started: When it started, UTC, ISO 8601.
        seconds: How long it took.
        error: Why it failed.
    """

    name: str
    state: str = "waiting"
    started: str | None = None
    seconds: float | None = None
    error: str | None = None


@dataclass
class Record:
    """The content of ``run.json``.

    Attributes:
        parameters: Every parameter's value, given or default.
        origins: Where each is from: ``default``, ``params/titanic.yaml, line 12``, ``-p name=value``.
        inputs: Path as it was given -> sha256 of the file, or of a folder's files.
        notebooks: Notebook -> sha256 of its file.
        versions: Package -> version.
        stages: One a notebook, in order.
    """

    parameters: dict[str, Any]
    origins: dict[str, str]
    inputs: dict[str, str]
    notebooks: dict[str, str]
    versions: dict[str, str]
    stages: list[Stage] = field(default_factory=list)

    def write(self, run_dir: Path) -> None:
        """Replace ``run.json``: a reader finds the old one or the new one, never a part."""
        write_whole(run_dir / "run.json", json.dumps(asdict(self), indent=2, ensure_ascii=False, default=str) + "\n")


def begin_record(parameters: Mapping[str, Any], origins: Mapping[str, str], notebooks: Sequence[Path]) -> Record:
    """A record in which every stage is still waiting."""
    return Record(
        parameters=dict(parameters),
        origins=dict(origins),
        inputs={path: digest(path) for _, path in input_paths(parameters) if resolve(path).exists()},
        notebooks={notebook.stem: digest(notebook) for notebook in notebooks},
        versions=versions(),
        stages=[Stage(notebook.stem) for notebook in notebooks],
    )


def versions() -> dict[str, str]:
    """Python's version and those of the packages that decide the numbers."""
    installed = {"python": platform.python_version(), "lifeboat": lifeboat.__version__}
    for package in PACKAGES:
        try:
            installed[package] = version(package)
        except PackageNotFoundError:
            installed[package] = "not installed"
    return installed


def now() -> str:
    """The time, UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def run_lock(run_dir: Path) -> Iterator[None]:
    """Hold a run folder; the system lets go of it when this process ends, however that ends.

    Raises:
        RunFolderBusyError: Another process holds it.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    with (run_dir / ".lock").open("a+", encoding="utf-8") as file:
        try:
            _lock(file)
        except OSError as error:
            file.seek(0)
            raise RunFolderBusyError(
                f"another run is writing into {run_dir} ({file.read().strip()}): "
                "wait until it ends, or take another folder with --name"
            ) from error
        file.truncate(0)
        file.write(f"process {os.getpid()}, since {now()}\n")
        file.flush()
        yield


def _lock(file: IO[str]) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(LOCKED_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
