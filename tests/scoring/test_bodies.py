"""Request bodies to records, without any server."""

from typing import Any

import pytest

from lifeboat.scoring.bodies import invocations, read_json, score
from lifeboat.scoring.fields import InputError

TWO = [{"a": 1, "b": "x"}, {"a": 2, "b": None}]
SPLIT = {"columns": ["a", "b"], "data": [[1, "x"], [2, None]]}


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": SPLIT},
        {"dataframe_split": SPLIT | {"index": [0, 1]}},
        {"dataframe_records": TWO},
        {"inputs": TWO},
        {"inputs": {"a": [1, 2], "b": ["x", None]}},
        {"instances": TWO},
    ],
)
def test_mlflow_s_forms_all_give_the_same_records(body: Any) -> None:
    assert invocations(body) == TWO


@pytest.mark.parametrize(
    "body",
    [
        {"input_data": SPLIT | {"index": [7, 8]}},
        {"input_data": SPLIT},
        {"input_data": TWO},
        SPLIT,
        TWO,
    ],
)
def test_azure_s_form_and_the_plain_ones_all_give_the_same_records(body: Any) -> None:
    assert score(body) == TWO


@pytest.mark.parametrize(
    "body", [{"dataframe_split": SPLIT}, {"dataframe_records": TWO}, {"inputs": TWO}, {"instances": TWO}]
)
def test_score_takes_mlflow_s_forms_as_well(body: Any) -> None:
    assert score(body) == TWO


def test_a_column_that_is_called_as_one_of_mlflow_s_forms_is_a_column_beside_another() -> None:
    assert score({"inputs": 1, "a": 2}) == [{"inputs": 1, "a": 2}]


def test_one_record_is_a_list_of_one() -> None:
    assert score(TWO[0]) == score({"input_data": TWO[0]}) == invocations({"inputs": TWO[0]}) == TWO[:1]


def test_no_rows_are_no_records() -> None:
    assert score([]) == score({"columns": ["a"], "data": []}) == invocations({"dataframe_records": []}) == []


@pytest.mark.parametrize(
    ("body", "field", "got"),
    [
        (5, "body", "5 (number)"),
        ({}, "body", "an empty object"),
        ({"rows": []}, "body", "an object with the keys rows"),
        ({"inputs": [], "instances": []}, "body", "an object with the keys inputs, instances"),
        ({"inputs": TWO, "params": {"a": 1}}, "params", "{'a': 1} (object)"),
        ({"dataframe_records": {"a": 1}}, "dataframe_records", "{'a': 1} (object)"),
        ({"dataframe_records": [{"a": 1}, [1]]}, "dataframe_records[1]", "[1] (list)"),
        ({"dataframe_split": {"data": [[1]]}}, "dataframe_split", "an object with the keys data"),
        ({"dataframe_split": SPLIT | {"rows": 1}}, "dataframe_split", "an object with the keys columns, data, rows"),
        ({"dataframe_split": {"columns": ["a", 1], "data": []}}, "dataframe_split.columns", "['a', 1] (list)"),
        ({"dataframe_split": {"columns": ["a", "a"], "data": []}}, "dataframe_split.columns", "['a', 'a'] (list)"),
        ({"dataframe_split": {"columns": ["a"], "data": 3}}, "dataframe_split.data", "3 (number)"),
        ({"dataframe_split": {"columns": ["a"], "data": [1]}}, "dataframe_split.data[0]", "1 (number)"),
        ({"dataframe_split": {"columns": ["a"], "data": [[1], [1, 2]]}}, "dataframe_split.data[1]", "2 values"),
        ({"dataframe_split": SPLIT | {"index": [1]}}, "dataframe_split.index", "[1] (list)"),
        ({"inputs": {"a": [1, 2], "b": ["x"]}}, "inputs.b", "1 values"),
        ({"inputs": {"a": [1, 2], "b": "x"}}, "inputs.b", "'x' (text)"),
        ({"instances": [[1, "x"]]}, "instances[0]", "[1, 'x'] (list)"),
    ],
)
def test_another_shape_is_refused_at_the_place_where_it_differs(body: Any, field: str, got: str) -> None:
    with pytest.raises(InputError) as caught:
        invocations(body)
    assert (caught.value.field, caught.value.got) == (field, got)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("a", "body"),
        ({"input_data": SPLIT, "more": 1}, "body"),
        ({"input_data": None}, "input_data"),
        ({"columns": ["a"]}, "body"),
        ({"inputs": 1}, "inputs"),
        ({"columns": ["a"], "data": [[1, 2]]}, "body.data[0]"),
        ([1], "body[0]"),
    ],
)
def test_score_refuses_another_shape_too(body: Any, field: str) -> None:
    with pytest.raises(InputError) as caught:
        score(body)
    assert caught.value.field == field


@pytest.mark.parametrize("body", [b"", b"{", b"a=1", b"\xff\xfe\xfa", b"[" * 100_000, b"9" * 5_000])
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(InputError, match=r"^body: got .* allowed: JSON"):
        read_json(body)


def test_a_key_named_twice_is_refused_and_not_overwritten_in_silence() -> None:
    with pytest.raises(InputError, match=r"^Age: got the same key twice"):
        read_json(b'[{"Age": 1, "Sex": "male", "Age": 2}]')
