"""The quick reader of JSON, held against the careful one: on any body both say the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lifeboat.deploy.server import parsing
from lifeboat.scoring import bodies
from lifeboat.scoring.bodies import MalformedError

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
NAMES = st.sampled_from(["a", "b", "inputs", "data", ":", '"', "{", "", "é"])


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)


VALUES = st.recursive(LEAVES, nested, max_leaves=8)


def outcome(read: Any, body: bytes) -> tuple[str, str, Any]:
    """The value and its types, or the refusal; NaN as text, since it is not even itself."""
    try:
        return "read", repr(read(body)), None
    except MalformedError as error:
        return "refused", str(error), error.detail()


def alike(body: bytes) -> None:
    assert outcome(parsing.read_json, body) == outcome(bodies.read_json, body)


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
@example([{"a": 2**64}, {"a": 2**63}, {"a": -(2**63)}], True, None)
@example([{"a": 10**30}], True, None)
@example({"a": float("nan"), "b": float("inf")}, True, None)
@example([{"a": "{"}, {"b": ':"'}, {"c": '":'}], True, None)
@example("\ud800", True, None)
def test_any_value_is_read_as_the_careful_reader_reads_it(value: Any, ascii_only: bool, indent: int | None) -> None:
    alike(json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode(errors="surrogatepass"))


@given(st.lists(st.sampled_from(['{"a": 1', ', "a": 2', ', "b": ":"', "}", "[", "]", ",", '{"x": {"a": 1, "a": 1}}'])))
@example(['{"a": 1', ', "a": 2', "}"])
@example(["[", '{"a": 1', "}", ",", '{"x": {"a": 1, "a": 1}}', "]"])
@example(["[", '{"a": 1', ', "a": 2', ', "b": ":"', "}", "]"])
def test_a_key_twice_is_noticed_wherever_it_stands(pieces: list[str]) -> None:
    alike("".join(pieces).encode())


@given(st.binary(max_size=30))
@example(b"")
@example(b'\xef\xbb\xbf{"a": 1}')
@example('{"a": 1}'.encode("utf-16"))
@example(b"[" * 100_000)
@example(b"9" * 5_000)
@example(b"1e999")
@example(b"-0")
@example(b"-0.0")
def test_any_bytes_at_all_are_read_or_refused_alike(body: bytes) -> None:
    alike(body)


@pytest.mark.parametrize("body", [b'[{"a": 1, "b": "x"}]', b'{"a": 1}', b'{"inputs": [{"a": 1}]}', b"[]"])
def test_a_plain_body_is_read_by_the_quick_reader_alone(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "read_json", None)
    assert parsing.read_json(body) == json.loads(body)
