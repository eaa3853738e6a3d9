"""The server as a process that is started, asked and stopped from Python."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from hand_made import GOOD, by_hand
from lifeboat.deploy.server.client import Server, ServerDidNotStartError, within
from lifeboat.errors import LifeboatError


def children() -> set[int]:
    return {process.pid for process in psutil.Process().children(recursive=True)}


@pytest.fixture(scope="module")
def portable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return by_hand(tmp_path_factory.mktemp("client") / "portable", [], ["count", "amount"])


@pytest.fixture(scope="module")
def server(portable: Path) -> Iterator[Server]:
    with Server(portable) as started:
        yield started


def test_it_answers_a_question_as_worked_out_by_hand_and_a_get_without_a_body(server: Server) -> None:
    assert server.ask("/ping") == (200, {"status": "ok"})
    body = [GOOD, GOOD | {"count": -5}]  # margins 4 and -2
    assert server.ask("/score", body) == (200, {"predictions": [1, 0]})


def test_it_is_asked_directly_whatever_proxy_the_environment_names(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert server.ask("/ping") == (200, {"status": "ok"})


def test_a_refusal_comes_back_as_its_status_and_the_json_that_says_why(server: Server) -> None:
    status, answer = server.ask("/score", GOOD | {"amount": 11})
    detail = {"row": 0, "field": "amount", "got": "11 (number)", "allowed": "a number from 0 to 10"}
    sentence = "amount: got 11 (number); allowed: a number from 0 to 10"
    assert (status, answer) == (422, {"error": sentence, "details": [detail]})
    status, answer = server.ask("/nowhere")
    assert (status, answer["details"][0]["got"]) == (404, "GET /nowhere")


def test_a_server_that_does_not_start_is_an_error_that_holds_what_it_said(tmp_path: Path) -> None:
    before = children()
    with pytest.raises(ServerDidNotStartError) as caught:
        Server(tmp_path / "nothing")
    message = str(caught.value)
    assert message.startswith(f"the server for {tmp_path / 'nothing'} ended with status 1:\n")
    assert f"there is no run '{tmp_path / 'nothing'}'" in message
    assert isinstance(caught.value, LifeboatError)
    assert children() <= before


def test_stop_and_the_end_of_a_with_leave_no_process_and_nothing_that_listens(portable: Path) -> None:
    before = children()
    with Server(portable) as started:
        address = urlsplit(started.url)
        assert len(children() - before) >= 1
        started.stop()
        assert children() <= before
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address.hostname or "", address.port or 0), timeout=10)
    assert children() <= before


def test_a_port_that_is_taken_is_said_in_one_plain_sentence(portable: Path) -> None:
    with Server(portable) as first:
        port = int(first.url.rsplit(":", 1)[1])
        with pytest.raises(ServerDidNotStartError) as caught:
            Server(portable, port)
    assert f"cannot listen on 127.0.0.1:{port}" in str(caught.value)
    assert "take another --port" in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_an_altered_model_is_refused_in_one_plain_sentence(portable: Path, tmp_path: Path) -> None:
    altered = Path(shutil.copytree(portable, tmp_path / "altered"))
    (altered / "preprocess.json").write_text("[{}]")
    with pytest.raises(
        ServerDidNotStartError, match=r"preprocess.json in .* is not the file that was exported"
    ) as caught:
        Server(altered)
    assert "Traceback" not in str(caught.value)


def test_as_many_records_are_sent_as_a_request_can_hold() -> None:
    records = [{"a": number} for number in range(10)]  # {"a": 0}, and a comma and a space: ten bytes each
    assert within(records, 39) == records[:3]
    assert within(records) == records
    assert len(within(records * 1001)) == 10_000
