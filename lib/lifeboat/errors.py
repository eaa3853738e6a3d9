"""What can go wrong, as one family of exceptions, and how their messages name the way out."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class LifeboatError(Exception):
    """The root of the family: catch it to catch every error that Lifeboat raises on purpose."""


class ParameterError(LifeboatError, ValueError):
    """A parameter's name, type or value will not do."""


class DataError(LifeboatError, ValueError):
    """A file or a column is missing, or does not hold what it must."""


class StageOrderError(LifeboatError, FileNotFoundError):
    """A notebook was run before the one whose files it reads."""


def unknown(kind: str, got: str, allowed: Iterable[str]) -> str:
    """A sentence for a name nobody knows: what came, the nearest known one, and all that are allowed.

    >>> unknown("parameter", "num_fold", ["num_folds", "seed"])
    "unknown parameter 'num_fold': did you mean 'num_folds'? Known: num_folds, seed"
    """
    names = sorted(allowed)
    near = get_close_matches(got, names, n=1, cutoff=0.6)
    hint = f" did you mean {near[0]!r}?" if near else ""
    return f"unknown {kind} {got!r}:{hint} Known: {', '.join(names) or 'none'}"
