"""The Open Inference Protocol: by hand, and by Triton's own client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from hand_made import GOOD, by_hand
from lifeboat.deploy.server import inference
from lifeboat.deploy.server.client import Server
from lifeboat.scoring.fields import InputError


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(by_hand(tmp_path_factory.mktemp("protocol") / "model", [], ["count", "amount"])) as started:
        yield started


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Any]:
    with triton.InferenceServerClient(server.url.removeprefix("http://")) as connected:
        yield connected


def tensor(name: str, datatype: str, values: list[Any]) -> Any:
    made = triton.InferInput(name, [len(values)], datatype)
    array = np.array(values, dtype=object if datatype == "BYTES" else triton.triton_to_np_dtype(datatype))
    made.set_data_from_numpy(array, binary_data=False)
    return made


def tensors(counts: list[int]) -> list[Any]:
    number = len(counts)
    return [
        tensor("count", "INT32", counts),
        tensor("big", "INT64", [GOOD["big"]] * number),
        tensor("amount", "FP64", [GOOD["amount"]] * number),
        tensor("word", "BYTES", [GOOD["word"]] * number),
        tensor("flag", "BOOL", [GOOD["flag"]] * number),
    ]


def test_triton_s_client_finds_the_server_and_the_model_ready(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("model")
    assert not client.is_model_ready("another")
    assert client.get_server_metadata()["name"] == "lifeboat"
    metadata = client.get_model_metadata("model")
    assert client.is_model_ready("model", metadata["versions"][0])
    assert {column["name"]: column["datatype"] for column in metadata["inputs"]} == {
        "count": "INT32", "big": "INT64", "amount": "FP64", "word": "BYTES", "flag": "BOOL", "spare": "FP64",
    }  # fmt: skip


def test_triton_s_client_gets_the_classes_and_the_probabilities_worked_out_by_hand(client: Any) -> None:
    wanted = [triton.InferRequestedOutput(name, binary_data=False) for name in ("predictions", "probabilities")]
    answer = client.infer("model", tensors([1, -5]), outputs=wanted, request_id="17")  # margins 4 and -2
    assert answer.get_response()["id"] == "17"
    assert answer.as_numpy("predictions").tolist() == [1, 0]
    probabilities = answer.as_numpy("probabilities")
    assert probabilities.shape == (2, 2)
    assert probabilities[:, 1] == pytest.approx([1 / (1 + np.exp(-4)), 1 / (1 + np.exp(2))])


def test_triton_s_client_is_told_what_is_wrong(client: Any) -> None:
    with pytest.raises(InferenceServerException, match="amount: got nothing"):
        client.infer("model", tensors([1])[:2] + tensors([1])[3:])
    with pytest.raises(InferenceServerException, match="there is no POST /v2/models/another/infer"):
        client.infer("another", tensors([1]))


def columns(**values: Any) -> dict[str, Any]:
    return {"inputs": [{"name": n, "shape": [len(v)], "datatype": "FP64", "data": v} for n, v in values.items()]}


def test_flat_and_nested_data_and_a_second_size_of_1_give_the_same_records() -> None:
    flat = {"name": "a", "shape": [2, 1], "datatype": "FP64", "data": [1, None]}
    for data in ([1, None], [[1], [None]]):
        assert inference.read({"inputs": [flat | {"data": data}]}, False).records == [{"a": 1}, {"a": None}]
    assert inference.read(columns(a=[]), False).records == []


def test_probabilities_are_given_to_whom_names_them_or_asks_in_the_address() -> None:
    body = columns(a=[1])
    assert inference.read(body, False).outputs == ["predictions"]
    assert inference.read(body, True).outputs == ["predictions", "probabilities"]
    named = body | {"outputs": [{"name": "probabilities"}]}
    assert inference.read(named, False).outputs == inference.read(named, True).outputs == ["probabilities"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ({}, "body"),
        ({"inputs": [], "more": 1}, "body"),
        ({"inputs": []}, "inputs"),
        ({"inputs": 3}, "inputs"),
        (columns(a=[1]) | {"id": 7}, "id"),
        (columns(a=[1]) | {"outputs": 7}, "outputs"),
        (columns(a=[1]) | {"outputs": [{"name": "margin"}]}, "outputs[0]"),
        (columns(a=[1]) | {"outputs": [{"name": "predictions"}] * 2}, "outputs[1]"),
        ({"inputs": [3]}, "inputs[0]"),
        ({"inputs": [{"name": "a", "shape": [1], "datatype": "FP64"}]}, "inputs[0]"),
        ({"inputs": [{"name": 1, "shape": [1], "datatype": "FP64", "data": [1]}]}, "inputs[0].name"),
        ({"inputs": [{"name": "a", "shape": [1], "datatype": "double", "data": [1]}]}, "inputs[0].datatype"),
        ({"inputs": [{"name": "a", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}]}, "inputs[0].shape"),
        ({"inputs": [{"name": "a", "shape": [], "datatype": "FP64", "data": []}]}, "inputs[0].shape"),
        ({"inputs": [{"name": "a", "shape": [-1], "datatype": "FP64", "data": [1]}]}, "inputs[0].shape"),
        ({"inputs": [{"name": "a", "shape": [True], "datatype": "FP64", "data": [1]}]}, "inputs[0].shape"),
        ({"inputs": [{"name": "a", "shape": [2], "datatype": "FP64", "data": [1]}]}, "inputs[0].data"),
        ({"inputs": [{"name": "a", "shape": [1], "datatype": "FP64", "data": 1}]}, "inputs[0].data"),
        ({"inputs": columns(a=[1])["inputs"] * 2}, "inputs[1].name"),
        (columns(a=[1], b=[1, 2]), "inputs[1].shape"),
    ],
)
def test_another_shape_is_refused_at_the_place_where_it_differs(body: Any, field: str) -> None:
    with pytest.raises(InputError) as caught:
        inference.read(body, False)
    assert caught.value.field == field


def test_what_training_never_met_is_told_in_the_parameters(tmp_path: Path) -> None:
    from lifeboat.scoring.scorer import Scorer

    stages = [{"stage": "StringIndexerModel", "inputs": ["word"], "outputs": ["index"], "labels": ["a", "b"]}]
    scorer = Scorer.load(by_hand(tmp_path / "model", stages, ["index"]))
    inferred = inference.Inference([GOOD | {"word": "z"}], ["predictions"], None)
    answer = inference.answer(scorer.score(inferred.records), inferred, "model", "1")
    assert '"warning_count":1' in answer.text
    assert answer.unseen == {"word": 1}
