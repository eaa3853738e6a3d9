"""Parameters as people write them: YAML files, then ``-p name=value``, each value with the line where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lifeboat.errors import ParameterError, redacted
from lifeboat.parameters import field as fields
from lifeboat.run.paths import shown

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


class _Loader(yaml.SafeLoader):
    """Reads YAML as papermill does, so that both give a notebook the same; but a key given twice is an error."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode) and key.value in lines:
                raise ParameterError(f"{key.value!r} is given twice, in lines {lines[key.value]} and {line}")
            lines[str(key.value)] = line
        return super().construct_mapping(node, deep)


def read_yaml(text: str) -> tuple[Any, dict[fields.Path, int]]:
    """The value that a YAML text means, and the line of each name and each item of a list in it.

    Raises:
        ParameterError: It is no YAML, or a key stands in it twice.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, {}
        return loader.construct_document(node), dict(_lines(node, (), set()))
    except yaml.YAMLError as error:
        raise ParameterError(f"this is no YAML: {error}") from error
    finally:
        loader.dispose()


def _lines(node: yaml.Node, path: fields.Path, seen: set[int]) -> Iterator[tuple[fields.Path, int]]:
    if id(node) in seen:  # an alias: its lines are those of what it stands for
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*path, str(key.value))
            yield inner, key.start_mark.line + 1
            yield from _lines(value, inner, seen)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), value.start_mark.line + 1
            yield from _lines(value, (*path, index), seen)


def read_parameters(files: Sequence[Path], overrides: Sequence[str] = ()) -> Chosen:
    """Read parameter files, then what the command line gives instead.

    Args:
        files: YAML, each a mapping of parameter names to values; of a name in several the last counts.
        overrides: ``name=value`` each; the value is read as YAML, the last of a name counts.

    Raises:
        ParameterError: The file is not there, is no mapping or has a key twice; an override has no ``=`` or no YAML.
    """
    values: dict[str, Any] = {}
    lines: dict[fields.Path, str] = {}
    for file in files:
        read, numbers = _read_file(file)
        values |= read
        lines = {path: origin for path, origin in lines.items() if path[0] not in read}
        lines |= {path: f"{shown(file)}, line {number}" for path, number in numbers.items()}
    names = set()
    for override in overrides:
        name, equals, text = override.partition("=")
        if not equals:
            raise ParameterError(f"-p {override}: write name=value, such as -p num_folds=5")
        try:
            values[name] = read_yaml(text)[0] if text else ""
        except ParameterError as error:
            raise ParameterError(f"-p {override}: {error}") from error
        lines = {path: origin for path, origin in lines.items() if path[0] != name}
        lines[(name,)] = redacted(f"-p {override}")
        names.add(name)
    return Chosen(values, lines, frozenset(names))


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
