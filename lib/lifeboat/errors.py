"""What can go wrong, as one family of exceptions, and how their messages name the way out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any


class LifeboatError(Exception):
    """The root of the family: catch it to catch every error that Lifeboat raises on purpose.

    Attributes:
        status: The exit status of a command that ends so.
    """

    status = 1


class ParameterError(LifeboatError, ValueError):
    """A parameter's name, type or value will not do."""

    status = 2


class DataError(LifeboatError, ValueError):
    """A file or a column is missing, or does not hold what it must."""


class StageOrderError(LifeboatError, FileNotFoundError):
    """A notebook was run before the one whose files it reads."""


class StaleError(LifeboatError, RuntimeError):
    """What a notebook read has changed since: what it left no longer follows from it."""


def unknown(kind: str, got: str, allowed: Iterable[str]) -> str:
    """A sentence for a name nobody knows: what came, the nearest known one, and all that are allowed.

    >>> unknown("parameter", "num_fold", ["num_folds", "seed"])
    "unknown parameter 'num_fold': did you mean 'num_folds'? Known: num_folds, seed"
    """
    names = sorted(allowed)
    near = get_close_matches(got, names, n=1, cutoff=0.6)
    hint = f" did you mean {near[0]!r}?" if near else ""
    return f"unknown {kind} {got!r}:{hint} Known: {', '.join(names) or 'none'}"


HIDDEN = "***"
# parameter -> the variables that may say it, the first before the second
VARIABLES = {"spark": ("SPARK_REMOTE", "LIFEBOAT_SPARK"), "tracking_uri": ("MLFLOW_TRACKING_URI",)}
_USER = re.compile(r"(?P<before>[\w+.-]+://[^/\s:@'\"]*:)(?P<secret>[^/\s@'\"]+)(?=@)")
_WORDS = r"token|password|passwd|pwd|secret|signature|credential|accesskey|access_key|accountkey|api_key|apikey"
_NAMED = re.compile(rf"(?P<before>[;?&][\w.-]*(?:{_WORDS}|sig)=)(?P<secret>[^;&\s'\"]+)", re.IGNORECASE)
_LONE_USER = re.compile(r"(?P<before>https?://)(?P<secret>[^/\s:@'\"]{16,})(?=@)")  # a token in the place of a name
_FORMS = {_USER: "://", _NAMED: "=", _LONE_USER: "://"}  # each with what a text without it need not be searched for


def redacted(text: str) -> str:
    """The text with each credential of an address in it hidden.

    >>> redacted("sc://host:443/;token=abc;x=1"), redacted("postgresql://ann:pass@host/runs")
    ('sc://host:443/;token=***;x=1', 'postgresql://ann:***@host/runs')
    """
    for form, mark in _FORMS.items():
        if mark in text:
            text = form.sub(rf"\g<before>{HIDDEN}", text)
    return text


def names_credential(name: str) -> bool:
    """Whether a setting of that name would hold a credential. In an address `key` may name a file, in a setting not.

    >>> names_credential("client_secret"), names_credential("storage_key"), names_credential("workspace")
    (True, True, False)
    """
    return re.search(rf"{_WORDS}|key|sas|connection_?string", name, re.IGNORECASE) is not None


def redacted_all(value: Any) -> Any:
    """A parameter's value with each credential in it hidden, however deep it stands."""
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, Mapping):
        return {name: redacted_all(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [redacted_all(item) for item in value]
    return value


def with_credentials(value: Any) -> Iterator[str]:
    """The texts in a parameter's value that hold a credential, hidden."""
    if isinstance(value, str):
        if redacted(value) != value:
            yield redacted(value)
    elif isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from with_credentials(item)


def need_none(name: str, value: Any) -> None:
    """Raise ParameterError where a parameter holds a credential: it would stand in the executed notebook."""
    if message := credential_error(name, value):
        raise ParameterError(message)


def credential_error(name: str, value: Any) -> str:
    """What is wrong with a parameter that holds a credential, and where that belongs; empty where it holds none."""
    variable = " or ".join(VARIABLES.get(name, ["the storage's own variables (such as AWS_ACCESS_KEY_ID)"]))
    for text in with_credentials(value):
        return f"{name} holds a credential ({text}): set {variable} in the environment, which no run writes down"
    return ""
