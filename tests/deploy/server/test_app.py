"""The server as a process of its own, asked over HTTP."""

import http.client
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame

from hand_made import by_hand
from lifeboat.scoring.scorer import Scorer

SERVE = (sys.executable, "-m", "lifeboat.deploy.server")

Ask = Callable[..., tuple[int, Any]]


@pytest.fixture(scope="module")
def address(forest: Path) -> Iterator[tuple[str, int]]:
    command = [*SERVE, str(forest), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline().strip()
            assert line.startswith("Serving on http://127.0.0.1:")
            yield "127.0.0.1", int(line.rsplit(":", 1)[1])
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def ask(address: tuple[str, int]) -> Ask:
    def send(method: str, path: str, body: Any = None, kind: str = "application/json") -> tuple[int, Any]:
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        with closing(http.client.HTTPConnection(*address, timeout=30)) as connection:
            connection.request(method, path, content, {"Content-Type": kind} if content is not None else {})
            answer = connection.getresponse()
            assert answer.headers.get_content_type() == "application/json"
            return answer.status, json.loads(answer.read())

    return send


def test_ping_and_health_say_ok_and_version_names_the_model(ask: Ask, forest: Path) -> None:
    assert ask("GET", "/ping") == ask("GET", "/health") == (200, {"status": "ok"})
    status, about = ask("GET", "/version")
    assert (status, about["model"], about["label"]) == (200, Scorer.load(forest).digest, "Survived")
    assert about["model"].startswith(about["version"])


def test_every_form_of_the_same_two_passengers_gets_the_same_answer(
    ask: Ask, braund: dict[str, Any], cumings: dict[str, Any]
) -> None:
    two = [braund, cumings]
    split = {"columns": list(braund), "data": [list(passenger.values()) for passenger in two]}
    for body in (
        {"dataframe_split": split},
        {"dataframe_records": two},
        {"inputs": {name: [braund[name], cumings[name]] for name in braund}},
        {"instances": two},
    ):
        assert ask("POST", "/invocations", body) == (200, {"predictions": [0, 1]})
    for body in ({"input_data": split | {"index": [0, 1]}}, split, two):
        assert ask("POST", "/score", body) == (200, {"predictions": [0, 1]})
    assert ask("POST", "/score", cumings) == (200, {"predictions": [1]})


def test_the_server_says_of_the_whole_table_what_spark_says(
    ask: Ask, models: dict[str, PipelineModel], passengers: DataFrame
) -> None:
    rows = [row.asDict() for row in passengers.collect()]
    expected = [int(row.prediction) for row in models["forest"].transform(passengers).select("prediction").collect()]
    assert ask("POST", "/invocations", {"dataframe_records": rows}) == (200, {"predictions": expected})


@pytest.mark.parametrize(
    ("changed", "field", "got"),
    [
        ({"Pclass": "3"}, "Pclass", "'3' (text)"),
        ({"Pclass": 4}, "Pclass", "4 (number)"),
        ({"Pclass": None}, "Pclass", "nothing (missing or null)"),
        ({"Age": -1}, "Age", "-1 (number)"),
        ({"Age": float("inf")}, "Age", "inf (number)"),
        ({"Sexx": "male"}, "Sexx", "'Sexx' (text)"),
    ],
)
def test_a_bad_value_gets_422_and_json_that_names_the_field(
    ask: Ask, braund: dict[str, Any], changed: dict[str, Any], field: str, got: str
) -> None:
    status, answer = ask("POST", "/score", [braund | changed])
    assert (status, answer.keys()) == (422, {"error", "details"})
    (detail,) = answer["details"]
    assert (detail["row"], detail["field"], detail["got"]) == (0, field, got)
    assert answer["error"].startswith(("unknown column 'Sexx': did you mean 'Sex'?", f"{field}: got {got}"))


@pytest.mark.parametrize("path", ["/invocations", "/score"])
@pytest.mark.parametrize(
    ("body", "expected"),
    [(b"", 400), (b"{", 400), (b"null", 422), (b"3", 422), (b'{"columns": ["a"], "data": [[1, 2]]}', 422)],
)
def test_a_body_of_no_known_shape_is_refused(ask: Ask, path: str, body: bytes, expected: int) -> None:
    status, answer = ask("POST", path, body)
    assert (status, answer.keys()) == (expected, {"error", "details"})


def test_other_errors_of_the_server_are_json_too(ask: Ask) -> None:
    requests = (("GET", "/nowhere"), ("GET", "/score"), ("POST", "/ping", {}), ("POST", "/score", b"a,b", "text/csv"))
    answers = [ask(*request) for request in requests]
    assert [status for status, _ in answers] == [404, 405, 405, 415]
    assert [answer["details"][0]["field"] for _, answer in answers] == ["path", "method", "method", "Content-Type"]
    assert "/invocations" in answers[0][1]["details"][0]["allowed"]
    assert answers[1][1]["details"][0]["allowed"] == "OPTIONS, POST"


def test_a_port_that_is_taken_is_an_error_and_no_server_and_a_model_of_an_old_format_is_said_to_be_one(
    tmp_path: Path, address: tuple[str, int]
) -> None:
    folder = by_hand(tmp_path / "old", [], ["count"])
    command = [*SERVE, str(folder), "--port", str(address[1])]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode != 0
    assert "Serving on" not in result.stdout
    first, *others = result.stderr.splitlines()
    assert json.loads(first)["remark"].startswith(
        f"{folder} is a portable model of format 1: it does not know how raw rows were completed"
    )
    assert f"cannot listen on 127.0.0.1:{address[1]} (Address already in use): take another --port" in others[-1]
