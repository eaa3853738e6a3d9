"""How long a cell, a notebook and a whole run may take."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from lifeboat.errors import LifeboatError, ParameterError

UNITS = {"s": 1, "m": 60, "h": 3600}
SCOPES = ("cell", "notebook", "run")
LEAST = 0.01  # seconds: a limit that has passed already still lets its message be made


class TimeLimitError(LifeboatError, RuntimeError):
    """A cell, a notebook or the run took longer than it may."""

    status = 5


def parse_limits(written: Iterable[str]) -> dict[str, float]:
    """Seconds that each of ``cell``, ``notebook`` and ``run`` may take, those that are limited.

    Args:
        written: Such as ``2h``, which is the run's, ``cell=90s`` or ``notebook=20m``.

    Raises:
        ParameterError: One is written otherwise.
    """
    limits = {}
    for text in written:
        match = re.fullmatch(rf"(?:({'|'.join(SCOPES)})=)?(\d+(?:\.\d+)?)([smh])", text)
        if not match or not float(match[2]):
            raise ParameterError(
                f"--timeout is {text!r}; write how long the run may take, such as 45m or 2h, or cell=90s, notebook=20m"
            )
        limits[match[1] or "run"] = float(match[2]) * UNITS[match[3]]
    return limits


@dataclass
class Clock:
    """What of a run's time is left.

    Attributes:
        limits: As ``parse_limits`` gives them.
        started: When the run, the notebook and the cell started, by this machine's steady clock.
    """

    limits: dict[str, float]
    started: dict[str, float] = field(default_factory=dict)

    def start(self, scope: str) -> None:
        """A cell, a notebook or the run starts now."""
        self.started[scope] = time.monotonic()

    def left(self, _cell: object = None) -> float | None:
        """The seconds that the cell which starts now may take; None where nothing is limited."""
        self.start("cell")
        ends = [self.started[scope] + seconds for scope, seconds in self.limits.items()]
        return max(LEAST, min(ends) - time.monotonic()) if ends else None

    def sentence(self) -> str:
        """Which limit has passed."""
        scope = min(self.limits, key=lambda scope: self.started[scope] + self.limits[scope])
        kind = "the run" if scope == "run" else f"a {scope}"
        return f"{kind} may take {self.limits[scope]:g} s (--timeout), and they have passed"
