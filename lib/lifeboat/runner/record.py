"""What a run leaves about itself: ``run.json``."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import lifeboat
from lifeboat.run.paths import checkout
from lifeboat.run.writing import write_whole

DONE = "done"


@dataclass
class Stage:
    """One notebook's part of a run.

    Attributes:
        name: The notebook's name.
        state: ``waiting``, ``running``, ``done``, ``failed`` or ``interrupted``.
        started: When it started, UTC, ISO 8601.
        seconds: How long it took.
        error: Why it failed.
        made_from: Once it is done: what its files follow from, as ``made_from.made_from`` says.
        left: Once it is done: each file that it left -> SHA-256, size and time.
    """

    name: str
    state: str = "waiting"
    started: str | None = None
    seconds: float | None = None
    error: str | None = None
    made_from: dict[str, Any] = field(default_factory=dict)
    left: dict[str, list[Any]] = field(default_factory=dict)


@dataclass
class Record:
    """The content of ``run.json``.

    Attributes:
        parameters: Every parameter's value, given or default.
        origins: Where each is from: ``default``, ``params/titanic.yaml, line 12``, ``-p name=value``.
        inputs: Path as it was given -> sha256 of the file, or of a folder's files.
        notebooks: Notebook -> sha256 of its file.
        versions: Package -> version.
        code: The library's version, the checkout's commit, and whether all was as committed.
        lean: Whether cells that only demonstrate something were left out.
        stages: One a notebook, in order.
    """

    parameters: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    notebooks: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    code: dict[str, Any] = field(default_factory=dict)
    lean: bool = False
    stages: list[Stage] = field(default_factory=list)

    def write(self, run_dir: Path) -> None:
        """Replace ``run.json``: a reader finds the old one or the new one, never a part."""
        write_whole(run_dir / "run.json", json.dumps(asdict(self), indent=2, ensure_ascii=False, default=str) + "\n")

    @property
    def seconds(self) -> dict[str, float]:
        """How long each notebook took that was done."""
        return {stage.name: stage.seconds for stage in self.stages if stage.seconds and stage.state == DONE}


def read_record(run_dir: Path, names: Sequence[str]) -> Record:
    """A run's record with a stage for each of these notebooks; those that it does not know are waiting."""
    try:
        content = json.loads((run_dir / "run.json").read_text(encoding="utf-8"))
        known = {stage["name"]: Stage(**_known(Stage, stage)) for stage in content.pop("stages", [])}
        record = Record(**_known(Record, content))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):  # none yet, or none of ours
        record, known = Record(), {}
    record.stages = [known.get(name, Stage(name)) for name in names]
    return record


def _known(kind: type, content: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: content[field.name] for field in fields(kind) if field.name in content}


def code_version() -> dict[str, Any]:
    """The library's version, and what git says of the checkout: its commit, and whether nothing was changed since."""
    git = ["git", "-C", str(checkout())]
    try:
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        tracked = [*git, "status", "--porcelain", "--untracked-files=no"]
        clean = not subprocess.run(tracked, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return {"lifeboat": lifeboat.__version__}
    return {"lifeboat": lifeboat.__version__, "commit": commit, "clean": clean}
