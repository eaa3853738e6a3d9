"""YAML as papermill reads it, with the line of each name, and a key that stands twice an error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from lifeboat.errors import ParameterError
from lifeboat.parameters import field as fields


class Loader(yaml.SafeLoader):
    """Reads YAML as papermill does, so that both give a notebook the same; but a key given twice is an error."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As ``yaml`` does, but a key that stands twice is a ParameterError."""
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
    loader = Loader(text)
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
