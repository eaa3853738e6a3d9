"""The table of answers in docs/serving.md: each of its rows is sent to a real server."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hand_made import GOOD, by_hand
from lifeboat.deploy.server.client import Server

PAGE = (Path(__file__).parents[3] / "docs" / "serving.md").read_text(encoding="utf-8")
JSON = {"Content-Type": "application/json"}


class Sent(NamedTuple):
    """What is sent, and what the sentence or the answer must have in it."""

    body: bytes
    wanted: str
    path: str = "/score"
    method: str = "POST"
    headers: dict[str, str] = JSON
    row: int | None = None
    field: str | None = None


def of(*records: Any) -> bytes:
    return json.dumps(list(records)).encode()


def plain(text: str) -> bytes:
    """One record, as text, so that JSON's own rules do not stand in the way."""
    return (json.dumps(GOOD)[:-1] + f", {text}}}").encode()


LACKING = {name: value for name, value in GOOD.items() if name != "word"}
CASES: dict[str, Sent] = {
    "`NaN` where there may be no value": Sent(plain('"spare": NaN'), '"predictions"'),
    "`NaN` where there must be one": Sent(
        of(GOOD | {"amount": float("nan")}), "amount: got nan (number)", field="amount"
    ),
    "`Infinity`, or a number beyond what a double holds": Sent(
        of(GOOD | {"amount": float("inf")}), "amount: got inf (number)", field="amount"
    ),
    "a key twice in one object": Sent(plain('"count": 2'), "count: got the same key twice", field="count"),
    "a text where a number belongs": Sent(of(GOOD | {"count": "1"}), "count: got '1' (text)", field="count", row=0),
    "a number outside of its limits": Sent(of(GOOD | {"amount": 11}), "allowed: a number from 0 to 10", field="amount"),
    "a list or an object where a value belongs": Sent(
        of(GOOD | {"word": ["a"]}), "word: got ['a'] (list)", field="word"
    ),
    "a column that may be empty left out": Sent(of(GOOD), '"predictions"'),
    "another column left out": Sent(of(LACKING), "word: got nothing (missing or null)", field="word"),
    "a column that the model does not know": Sent(of(GOOD | {"wrod": "a"}), "did you mean 'word'?", field="wrod"),
    "a column of the table that the model does not use": Sent(of(GOOD | {"ticket": [1]}), '"predictions"'),
    "good rows and bad ones": Sent(
        of(GOOD, GOOD | {"flag": 7}, GOOD, GOOD | {"count": None}),
        "flag: got 7 (number) in record 1", row=1, field="flag",
    ),
    "no rows": Sent(b"[]", '"predictions":[]'),
    "more rows than `--max-rows`": Sent(of(*[GOOD] * 10_001), "got 10001 rows; allowed: at most 10000", field="rows"),
    "a million rows": Sent(b"[" + b",".join([b"{}"] * 1_000_000) + b"]", "got 1000000 rows", field="rows"),
    "more bytes than `--max-body`": Sent(b" " * (16 * 2**20 + 1), "got 16777217 bytes", field="body"),
    "100 MB": Sent(b" " * 100_000_000, "got 100000000 bytes", field="body"),
    "100,000 brackets": Sent(b"[" * 100_000, "allowed: JSON", field="body"),
    "a byte that UTF-8 does not have": Sent(b'[{"word": "\xff"}]', "allowed: JSON", field="body"),
    "no body": Sent(b"", "allowed: JSON", field="body"),
    "JSON of no form above": Sent(b"3", "body: got 3 (number)", field="body"),
    "a body that is not declared as JSON": Sent(of(GOOD), "send JSON", headers={"Content-Type": "text/csv"}),
    "a body in gzip": Sent(
        gzip.compress(of(GOOD)), "send it as it is",
        headers=JSON | {"Content-Encoding": "gzip"}, field="Content-Encoding",
    ),
    "`params` that say something": Sent(
        json.dumps({"inputs": [GOOD], "params": {"limit": 1}}).encode(), "params: got", "/invocations", field="params"
    ),
    "`params` that say nothing": Sent(
        json.dumps({"inputs": [GOOD], "params": {}}).encode(), '"predictions"', "/invocations"
    ),
    "`?proba=maybe`": Sent(of(GOOD), "proba: got 'maybe'", "/score?proba=maybe", field="proba"),
    "a path that is not there": Sent(b"", "there is no GET /nowhere", "/nowhere", "GET", {}, field="path"),
    "a method that the path does not take": Sent(b"", "/score does not take GET", "/score", "GET", {}, field="method"),
    "a name of another host, with no token set": Sent(
        of(GOOD), "this server is not called 'rebound.example'",
        headers=JSON | {"Host": "rebound.example"}, field="Host",
    ),
    "a page of another origin, with no token set": Sent(
        of(GOOD), "a page of another origin",
        headers=JSON | {"Origin": "http://example.com"}, field="Origin",
    ),
}  # fmt: skip

Ask = Callable[..., tuple[int, Any, bytes]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(by_hand(tmp_path_factory.mktemp("contract") / "model", [], ["count", "amount"])) as started:
        yield started


@pytest.fixture(scope="module")
def ask(server: Server) -> Ask:
    def send(sent: Sent) -> tuple[int, Any, bytes]:
        with closing(http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=60)) as connection:
            connection.request(sent.method, sent.path, sent.body or None, sent.headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    return send


def table() -> dict[str, int]:
    """What docs/serving.md promises: what is sent -> the status."""
    section = PAGE.partition("### What is answered to what")[2].partition("\n#")[0]
    return {what: int(status) for what, status in re.findall(r"^\| (.+?) \| (\d{3}) \|", section, re.MULTILINE)}


def test_every_row_of_the_table_is_sent_here_and_nothing_else() -> None:
    elsewhere = {
        "too many requests at once", "no token, or a wrong one", "a body that ends too early",
        "a body that stops coming",
    }  # fmt: skip
    assert {*table()} - elsewhere == {*CASES}


@pytest.mark.parametrize("what", CASES)
def test_what_is_sent_gets_the_answer_of_the_table(ask: Ask, what: str) -> None:
    sent = CASES[what]
    status, headers, content = ask(sent)
    assert (status, headers["Content-Type"]) == (table()[what], "application/json")
    assert sent.wanted in content.decode()
    answer = json.loads(content)
    if status == 200:
        assert answer.keys() == {"predictions"}
    else:
        assert answer.keys() == {"error", "details"}
        assert {detail_key for detail in answer["details"] for detail_key in detail} == {
            "row",
            "field",
            "got",
            "allowed",
        }
        if sent.field:
            assert answer["details"][0]["field"] == sent.field
        if sent.row is not None:
            assert answer["details"][0]["row"] == sent.row


def test_of_a_body_that_is_half_good_every_bad_row_is_named(ask: Ask) -> None:
    _, _, content = ask(CASES["good rows and bad ones"])
    details = json.loads(content)["details"]
    assert [(detail["row"], detail["field"]) for detail in details] == [(1, "flag"), (3, "count")]
    assert "(and one more)" in json.loads(content)["error"]


def test_a_hundred_bad_rows_at_most_are_named_and_all_are_counted_among_them(ask: Ask) -> None:
    _, _, content = ask(Sent(of(*[GOOD | {"flag": 7}] * 150), ""))
    assert [detail["row"] for detail in json.loads(content)["details"]] == list(range(100))


def raw(server: Server, content: bytes, ends: bool = False) -> tuple[int, bytes]:
    """What is answered to bytes that no client of HTTP would send; ``ends``: it says that nothing more comes."""
    host, port = server.url.removeprefix("http://").split(":")
    with (
        socket.create_connection((host, int(port)), timeout=30) as connection,
        closing(http.client.HTTPResponse(connection)) as answer,
    ):
        connection.sendall(content)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        answer.begin()
        return answer.status, answer.read()


def test_a_body_that_ends_too_early_is_refused(server: Server) -> None:
    start = b"POST /score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
    status, content = raw(server, start + of(GOOD)[:40], ends=True)
    assert status == table()["a body that ends too early"]
    assert json.loads(content).keys() == {"error", "details"}


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"POST /score HTTP/1.1\r\nHost: localhost\r\nContent-Length: many\r\n\r\n", 400),
        (b"GET /ping HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 300_000 + b"\r\n\r\n", 431),
        (b"NONSENSE\r\n\r\n", 400),
    ],
)
def test_what_is_no_http_is_refused_too(server: Server, content: bytes, status: int) -> None:
    assert raw(server, content)[0] == status


def test_a_body_in_chunks_is_read_whole_and_refused_where_it_is_too_large(server: Server) -> None:
    start = b"POST /score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    start += b"Transfer-Encoding: chunked\r\n\r\n"
    body = of(GOOD)
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (body[:20], body[20:]))
    assert raw(server, start + pieces + b"0\r\n\r\n") == (200, b'{"predictions":[1]}\n')
    large = b"%x\r\n%s\r\n" % (17 * 2**20, b" " * (17 * 2**20))
    status, content = raw(server, start + large + b"0\r\n\r\n")
    assert (status, json.loads(content)["details"][0]["field"]) == (413, "body")


def test_probabilities_come_with_every_route_that_predicts(ask: Ask) -> None:
    expected = [[pytest.approx(0.017986, abs=1e-6), pytest.approx(0.982014, abs=1e-6)]]  # 1 / (1 + e^4), by hand
    for path, body in (("/score", [GOOD]), ("/invocations", {"inputs": [GOOD]})):
        status, _, content = ask(Sent(json.dumps(body).encode(), "", f"{path}?proba=true"))
        answer = json.loads(content)
        assert (status, answer["predictions"], answer["probabilities"]) == (200, [1], expected)
    tensors = [{"name": name, "shape": [1], "datatype": "FP64", "data": [value]} for name, value in GOOD.items()]
    _, _, content = ask(Sent(json.dumps({"inputs": tensors}).encode(), "", "/v2/models/model/infer?proba=true"))
    predictions, probabilities = json.loads(content)["outputs"]
    assert (predictions["data"], probabilities["data"], probabilities["shape"]) == ([1], *expected, [1, 2])
