"""The model that answers. Every thread of a worker reads it from here, once a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lifeboat
from lifeboat.errors import LifeboatError
from lifeboat.scoring.classes import NO_AND_YES
from lifeboat.scoring.example import example_error, usual_value
from lifeboat.scoring.scorer import Scorer

VERSION_DIGITS = 12


class NoStoreError(LifeboatError, RuntimeError):
    """The server follows no registry, and so has no other version."""


@dataclass(frozen=True)
class Model:
    """A model in memory.

    Attributes:
        scorer: It.
        name: What people call it.
        error: Why it does not serve; empty where it has answered its own example correctly.
    """

    scorer: Scorer
    name: str
    error: str

    @classmethod
    def load(cls, folder: Path, name: str, unseen: str = "") -> Model:
        """Read a portable model, check it against its own sha256s, and try it on its example.

        Raises:
            lifeboat.scoring.scorer.BrokenModelError: The folder is not a whole portable model.
        """
        return cls.of(Scorer.load(folder, unseen), name)

    @classmethod
    def of(cls, scorer: Scorer, name: str = "model") -> Model:
        """A model that is in memory, tried on its example."""
        return cls(scorer, name, example_error(scorer))

    @property
    def version(self) -> str:
        """The beginning of its digest, which every answer has in its header."""
        return self.scorer.digest[:VERSION_DIGITS]

    def about(self) -> dict[str, Any]:
        """What ``/version`` says."""
        manifest = self.scorer.manifest
        return {
            "lifeboat": lifeboat.__version__,
            "name": self.name,
            "version": self.version,
            "model": self.scorer.digest,
            "label": manifest["label"],
            "class_names": [*manifest.get("class_names", NO_AND_YES)],
            "inputs": manifest["signature"]["inputs"],
            "versions": manifest["versions"],
        }

    def fields(self) -> list[dict[str, Any]]:
        """What a form must know of each column: as ``/version`` has it, a usual value, and known values if few."""
        known = {lookup.field: [*lookup.labels] for lookup in self.scorer.lookups if not lookup.filled}
        return [
            column.described()
            | {"allowed": column.allowed(), "usual": usual_value(column), "known": known.get(column.name, [])}
            for column in self.scorer.columns
        ]


class Models:
    """Who answers now. A worker swaps one model for another between two requests, never within one."""

    def __init__(self, model: Model) -> None:
        self.current = model
        self.refused = ""
        self._listeners: list[Callable[[Model], None]] = []

    def listen(self, listener: Callable[[Model], None]) -> None:
        """Call ``listener`` with the model that answers, now and whenever another takes its place."""
        self._listeners.append(listener)
        listener(self.current)

    def replace(self, model: Model) -> None:
        """Let another model answer from now on."""
        self.current = model
        for listener in self._listeners:
            listener(model)

    def error(self) -> str:
        """Why nobody should be sent here; empty where all is well."""
        return self.current.error

    def rollback(self) -> str:
        """Go back to the version before; the version that answers then.

        Raises:
            NoStoreError: This server has one model and takes no others.
        """
        raise NoStoreError("this server has one model: there is none to go back to")
