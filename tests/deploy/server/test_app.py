"""The server as a process of its own, asked over HTTP."""

import http.client
import json
import socket
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

SERVE = """
import sys
from pathlib import Path
from lifeboat.deploy.server.app import serve
serve(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
"""

Ask = Callable[..., tuple[int, Any]]


@pytest.fixture(scope="module")
def address(forest: Path) -> Iterator[tuple[str, int]]:
    command = [sys.executable, "-c", SERVE, str(forest), "127.0.0.1", "0"]
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
def test_a_bad_value_gets_400_and_json_that_names_the_field(
    ask: Ask, braund: dict[str, Any], changed: dict[str, Any], field: str, got: str
) -> None:
    status, answer = ask("POST", "/score", [braund | changed])
    assert status == 400
    assert answer["error"].keys() == {"field", "got", "allowed", "message"}
    assert (answer["error"]["field"], answer["error"]["got"]) == (field, got)
    assert answer["error"]["message"].startswith(("unknown column 'Sexx': did you mean 'Sex'?", f"{field}: got {got}"))


@pytest.mark.parametrize("path", ["/invocations", "/score"])
@pytest.mark.parametrize("body", [b"", b"{", b"null", b"3", b'{"columns": ["a"], "data": [[1, 2]]}'])
def test_a_body_of_no_known_shape_gets_400(ask: Ask, path: str, body: bytes) -> None:
    status, answer = ask("POST", path, body)
    assert (status, answer["error"].keys()) == (400, {"field", "got", "allowed", "message"})


def test_other_errors_of_the_server_are_json_too(ask: Ask) -> None:
    assert [ask(*request)[0] for request in (("GET", "/nowhere"), ("GET", "/score"), ("POST", "/ping", {}))] == [
        404, 405, 405,
    ]  # fmt: skip
    assert ask("GET", "/score")[1]["error"]["allowed"] == "OPTIONS, POST"
    assert "/invocations" in ask("GET", "/nowhere")[1]["error"]["allowed"]
    status, answer = ask("POST", "/score", b"a,b", kind="text/csv")
    assert (status, answer["error"]["got"], answer["error"]["allowed"]) == (415, "text/csv", "application/json")


def test_a_body_over_the_limit_gets_413(ask: Ask) -> None:
    status, answer = ask("POST", "/score", b" " * (16 * 2**20 + 1))
    assert (status, answer["error"]["allowed"]) == (413, "at most 16777216 bytes")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST /score HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"POST /score HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 67108865\r\n\r\n", 413),
        (b"POST /score HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400),
        (b"GET /ping HTTP/1.1\r\nX: " + b"x" * 300_000 + b"\r\n\r\n", 431),
    ],
)
def test_what_waitress_refuses_by_itself_is_json_too(
    address: tuple[str, int], request_bytes: bytes, status: int
) -> None:
    with (
        socket.create_connection(address, timeout=30) as connection,
        closing(http.client.HTTPResponse(connection)) as answer,
    ):
        connection.sendall(request_bytes)
        answer.begin()
        assert (answer.status, answer.headers.get_content_type()) == (status, "application/json")
        assert json.loads(answer.read())["error"]["message"]


def test_a_port_that_is_taken_is_an_error_and_no_server_and_a_model_of_an_old_format_is_said_to_be_one(
    tmp_path: Path, address: tuple[str, int]
) -> None:
    folder = by_hand(tmp_path / "old", [], ["count"])
    command = [sys.executable, "-c", SERVE, str(folder), "127.0.0.1", str(address[1])]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode != 0
    assert "Serving on" not in result.stdout
    first, *others = result.stderr.splitlines()
    assert first.startswith(f"{folder} is a portable model of format 1: it does not know how raw rows were completed")
    assert f"cannot listen on 127.0.0.1:{address[1]} (Address already in use): take another --port" in others[-1]
