"""What stops a learner's cell: a message alone, as no code is at fault."""

from __future__ import annotations

from lifeboat.errors import LifeboatError


class LearnerError(LifeboatError):
    """Something that a learner can mend. A notebook shows the message and no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class WrongAnswerError(LearnerError, ValueError):
    """An answer that is not right yet.

    Attributes:
        cause: Where it comes from, without the answer itself; empty where there is none to speak of.
    """

    def __init__(self, message: str, cause: str = "") -> None:
        super().__init__(message)
        self.cause = cause


class NoRunError(LearnerError, FileNotFoundError):
    """There is no finished run to ask about."""


class UnfitRunError(LearnerError, ValueError):
    """A run has not what an exercise is about, or the notebook's parameters do not fit it."""
