"""Parameters as people write them: YAML files, then ``-p name=value``, each value with the line where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lifeboat.errors import ParameterError, redacted
from lifeboat.parameters import field as fields
from lifeboat.parameters.model import Parameters
from lifeboat.parameters.overrides import put, read_override
from lifeboat.parameters.yaml_text import read_yaml
from lifeboat.run.paths import shown

EXTENDS = "extends"  # in a parameter file: the one that it starts from, beside it
LARGEST_FILE = 1_000_000  # letters: a device has no end


@dataclass(frozen=True)
class Chosen:
    """Parameters that somebody gave.

    Attributes:
        values: Name -> value.
        lines: Path into the values -> where it stands, for messages: ``params/titanic.yaml, line 12`` or
            ``-p name=value``.
        overrides: The names that the command line gives.
    """

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[fields.Path, str] = field(default_factory=dict)
    overrides: frozenset[str] = frozenset()

    def origin(self, path: fields.Path) -> str:
        """Where a value stands, or the next around it that somebody wrote; empty where nobody did."""
        return next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), "")


def read_parameters(files: Sequence[Path], overrides: Sequence[str] = ()) -> Chosen:
    """Read parameter files, each after those that it extends, then what the command line gives instead.

    Args:
        files: YAML, each a mapping of parameter names to values; of a name in several the last counts.
        overrides: ``name=value`` each, or ``name.part=value``; the last of a name counts.

    Raises:
        ParameterError: A file is not there, is no mapping, has a key twice or extends itself; an override has no ``=``
            or no YAML.
    """
    values: dict[str, Any] = {}
    lines: dict[fields.Path, str] = {}
    for file in (file for path in files for file in _with_bases(path, ())):
        values |= file.values
        lines = {path: origin for path, origin in lines.items() if path[0] not in file.values}
        lines |= {path: f"{shown(file.path)}, line {number}" for path, number in file.lines.items()}
    names = set()
    for override in overrides:
        path, value = read_override(override)
        name, written = path[0], redacted(f"-p {override}")
        if name not in values and len(path) > 1 and name in (known := fields.fields_of(Parameters)):
            values[name], lines[(name,)] = known[name].default, "default"
        values = put(values, path, value)
        lines = {inner: origin for inner, origin in lines.items() if inner[: len(path)] != path}
        lines[path] = written
        if len(path) > 1:
            lines[(name,)] = "; ".join(filter(None, [lines.get((name,)), written]))
        names.add(name)
    return Chosen(values, lines, frozenset(names))


@dataclass(frozen=True)
class _File:
    """A parameter file: its values, and the line of each name and of each item of a list."""

    path: Path
    values: dict[str, Any]
    lines: dict[fields.Path, int]


def _with_bases(path: Path, below: tuple[Path, ...]) -> list[_File]:
    """A file after those that it extends, the first of them first."""
    if path.resolve() in [file.resolve() for file in below]:
        chain = " extends ".join(map(shown, (*below, path)))
        raise ParameterError(f"these parameter files go round in a circle: {chain}")
    values, lines = _read_file(path)
    base = values.pop(EXTENDS, None)
    line = lines.pop((EXTENDS,), 0)
    if base is None:
        return [_File(path, values, lines)]
    if not isinstance(base, str) or not base:
        raise ParameterError(f"{shown(path)}, line {line}: extends is {base!r}; write the name of a parameter file")
    if not (path.parent / base).is_file():
        raise ParameterError(f"{shown(path)}, line {line}: it extends {base!r}, and there is no {path.parent / base}")
    return [*_with_bases(path.parent / base, (*below, path)), _File(path, values, lines)]


def _read_file(file: Path) -> tuple[dict[str, Any], dict[fields.Path, int]]:
    try:
        with file.open(encoding="utf-8") as stream:
            if len(text := stream.read(LARGEST_FILE + 1)) > LARGEST_FILE:
                raise ParameterError(f"this is no parameter file: it has more than {LARGEST_FILE:,} letters")
        values, lines = read_yaml(text)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", "it is no text in UTF-8")
        raise ParameterError(f"cannot read the parameter file {file}: {why}") from error
    except ParameterError as error:
        raise ParameterError(f"{file}: {error}") from error
    if not isinstance(values, dict | None):
        raise ParameterError(f"{file}: lines of `name: value` must stand here; this is a {type(values).__name__}")
    return values or {}, lines
