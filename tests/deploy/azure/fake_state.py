"""What the fake service remembers: plain values only, so that ``copy.deepcopy`` is a snapshot."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
GROUP = "lifeboat-group"
REGION = "westeurope"
PROVIDER = "providers/Microsoft.MachineLearningServices"

Score = Callable[[bytes], tuple[int, bytes]]
"""A running container: the body that is sent in, the status and the body that come out."""


@dataclass
class Blob:
    """One file in the storage account."""

    content: bytes
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass
class Operation:
    """Work that goes on after the answer, done after ``left`` more requests of whatever kind.

    Attributes:
        target: Key of the resource that is created, updated or deleted.
        new: Its properties once the work is done; None if it is deleted.
        failure: Code and message with which it ends, None if it succeeds.
    """

    target: str
    new: dict[str, Any] | None
    left: int
    failure: tuple[str, str] | None = None
    state: str = "InProgress"


@dataclass
class State:
    """All of one subscription. Resources have their path, in lower case, as key."""

    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    blobs: dict[str, Blob] = field(default_factory=dict)
    running: dict[str, Score] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def children(self, folder: str) -> list[dict[str, Any]]:
        """The resources directly below a collection's path, by name."""
        inside = folder.lower().rstrip("/") + "/"
        keys = sorted(key for key in self.resources if key.startswith(inside) and "/" not in key[len(inside) :])
        return [self.resources[key] for key in keys]
