"""``-p name=value`` on a command line: read by the type that the parameter has, never by what the value looks like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args, get_origin

import yaml

from lifeboat.errors import ParameterError
from lifeboat.parameters.field import fields_of
from lifeboat.parameters.model import Parameters
from lifeboat.parameters.yaml_text import Loader, read_yaml

EXAMPLE = "write name=value, such as -p num_folds=5"


def read_override(override: str) -> tuple[tuple[str, ...], Any]:
    """The path that an override names, such as ``("enrich", "no_value")``, and its value.

    Args:
        override: ``name=value``; the value as a parameter file has it, but a text needs no quotes.

    Raises:
        ParameterError: There is no ``=``, or the value is no YAML.
    """
    name, equals, text = override.partition("=")
    if not equals or not name:
        raise ParameterError(f"-p {override}: {EXAMPLE}")
    path = tuple(name.split("."))
    try:
        return path, _value(text, _type_at(path))
    except ParameterError as error:
        raise ParameterError(f"-p {override}: {error}") from error


def put(values: Mapping[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The values with another one at a path; what is no mapping on the way there becomes one."""
    name, *rest = path
    inner = values.get(name)
    below = put(inner if isinstance(inner, Mapping) else {}, tuple(rest), value) if rest else value
    return {**values, name: below}


def _type_at(path: tuple[str, ...]) -> Any:
    """The declared type at a path; ``Any`` where there is none."""
    kind: Any = Parameters
    for name in path:
        kind = _bare(kind)
        if known := fields_of(kind):
            kind = known[name].annotation if name in known else Any
        else:
            kind = get_args(kind)[-1] if get_origin(kind) is dict else Any
    return _bare(kind)


def _bare(kind: Any) -> Any:
    """A type without what is annotated of it; a choice of texts is a text."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return str if get_origin(kind) is Literal else kind


def _value(text: str, kind: Any) -> Any:
    if kind is str and text[:1] not in ("'", '"'):
        return text
    if not text:
        return ""
    read_yaml(text)  # says what is wrong with it
    loader = Loader(text)
    try:
        node = loader.get_single_node()
        return None if node is None else _typed(node, kind)
    except RecursionError as error:
        raise ParameterError("it refers to itself") from error
    finally:
        loader.dispose()


def _typed(node: yaml.Node, kind: Any) -> Any:
    """What a part of YAML means where a value of that type belongs; of no known type, what YAML takes it for."""
    kind = _bare(kind)
    if isinstance(node, yaml.ScalarNode):
        return node.value if kind is str else _number(node.value) if kind is float else _as_yaml(node)
    inside = get_args(kind)
    if isinstance(node, yaml.SequenceNode):
        return [_typed(item, inside[0] if get_origin(kind) is list else Any) for item in node.value]
    fields = fields_of(kind)
    of_each = inside[-1] if get_origin(kind) is dict else Any
    return {
        key.value: _typed(value, fields[key.value].annotation if key.value in fields else of_each)
        for key, value in node.value
    }


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _as_yaml(node: yaml.Node) -> Any:
    loader = Loader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()
