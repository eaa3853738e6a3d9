"""Bodies of requests to values: as ``scoring.bodies.read_json`` does it, in a third of the time."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from lifeboat.scoring import bodies

KEY = re.compile(rb'"[ \t\n\r]*:')


def read_json(body: bytes) -> Any:
    """The value that a JSON body holds.

    msgspec reads it. Where it refuses, or may have dropped a key that was named twice, ``bodies.read_json`` has the
    last word.

    Raises:
        MalformedError: It is not JSON, or an object in it names a key twice.
    """
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return bodies.read_json(body)
    return bodies.read_json(body) if _may_name_a_key_twice(value, body) else value


def _may_name_a_key_twice(value: Any, body: bytes) -> bool:
    """Whether there may have been more keys than were kept; each had a colon behind it, each object a brace before."""
    kept = _objects(value)
    keys = sum(map(len, kept))
    if len(kept) != body.count(b"{"):
        return True  # a brace in a text, or objects further down
    return keys != body.count(b":") and keys != len(KEY.findall(body))


def _objects(value: Any) -> list[Any]:
    """The objects of a value that has the form of a request: itself, what it holds, or a list of them."""
    if type(value) is list:
        return value if set(map(type, value)) == {dict} else []
    if type(value) is not dict:
        return []
    objects = [value]
    for item in value.values():
        if type(item) is dict:
            objects.append(item)
        elif type(item) is list and set(map(type, item)) == {dict}:
            objects += item
    return objects
