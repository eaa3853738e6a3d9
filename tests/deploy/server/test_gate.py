"""How much is let in at once, without any server: threads that wait where a client or a model would."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import pytest

from lifeboat.deploy.server.gate import Gate, Turns
from lifeboat.deploy.server.wsgi import ANSWER

Started = list[tuple[str, dict[str, str]]]


def request(body: bytes = b"", path: str = "/score", **more: Any) -> dict[str, Any]:
    return {"PATH_INFO": path, "CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)} | more


def gate(application: Callable[..., Iterable[bytes]], most: int = 2, turns: int = 1, largest: int = 10) -> Gate:
    return Gate(application, most, turns, largest)


def send(gated: Gate, environ: dict[str, Any]) -> tuple[str, dict[str, str], bytes]:
    started: Started = []
    content = b"".join(gated(environ, lambda status, headers: started.append((status, dict(headers)))))
    status, headers = started[0] if started else ("200 OK", {})
    return status, headers, content


def echo(environ: dict[str, Any], start: Any) -> list[bytes]:
    return [environ["wsgi.input"].read()]


def test_what_is_too_much_at_once_is_sent_away_with_the_time_to_come_back_and_the_rest_is_answered() -> None:
    inside, go_on = threading.Semaphore(0), threading.Event()

    def slow(environ: dict[str, Any], start: Any) -> list[bytes]:
        inside.release()
        go_on.wait(30)
        return [b"done"]

    gated = gate(slow, most=2, turns=2)
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(send, gated, request()) for _ in range(2)]
        for _ in running:
            assert inside.acquire(timeout=30)
        too_much = request()
        status, headers, content = send(gated, too_much)
        assert (status, headers["Retry-After"]) == ("503 Service Unavailable", "1")
        assert too_much[ANSWER].reason == "overload", "which is counted"
        assert json.loads(content)["error"].startswith("too many requests at once")
        for path in ("/livez", "/readyz", "/metrics"):
            go_on.set()  # the state of the server is told however full it is
            assert send(gated, request(path=path))[0] == "200 OK"
        assert [each.result()[2] for each in running] == [b"done"] * 2
    assert send(gated, request())[2] == b"done", "it has room again at once"


def test_one_works_at_a_time_and_a_failure_gives_the_turn_back() -> None:
    working, most = [0], [0]

    def counted(environ: dict[str, Any], start: Any) -> list[bytes]:
        working[0] += 1
        most[0] = max(most[0], working[0])
        working[0] -= 1
        if environ["PATH_INFO"] == "/broken":
            raise ZeroDivisionError
        return [b"done"]

    gated = gate(counted, most=8)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            send(gated, request(path="/broken"))
    with ThreadPoolExecutor(8) as pool:
        contents = [each[2] for each in pool.map(lambda _: send(gated, request()), range(100))]
    assert (contents, most) == ([b"done"] * 100, [1])


def test_who_has_waited_longest_is_next() -> None:
    turns, came, threads = Turns(1), list[int](), list[threading.Thread]()

    def take(number: int) -> None:
        with turns:
            came.append(number)

    with turns:
        for number in range(20):
            threads.append(threading.Thread(target=take, args=(number,)))
            threads[-1].start()
            while len(turns._waiting) <= number:
                threads[-1].join(0.001)
    for thread in threads:
        thread.join(30)
    assert came == list(range(20))


class Slow(BytesIO):
    """A body that comes when it is let."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.waiting, self.go_on = threading.Event(), threading.Event()

    def read(self, size: int | None = -1) -> bytes:
        self.waiting.set()
        assert self.go_on.wait(30)
        return super().read(size)


def test_a_client_that_sends_slowly_takes_no_turn_and_no_room_from_others() -> None:
    gated = gate(echo, most=1)
    body = Slow(b"slow")
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(send, gated, request(b"slow") | {"wsgi.input": body})
        assert body.waiting.wait(30)
        assert send(gated, request(b"quick"))[2] == b"quick"
        body.go_on.set()
        assert slow.result()[2] == b"slow"


def test_of_a_body_no_more_is_kept_than_shows_that_it_is_too_large_and_a_bounded_rest_is_read() -> None:
    gated = gate(echo, largest=10)
    declared = BytesIO(b"x" * 1000)
    assert send(gated, {"PATH_INFO": "/score", "CONTENT_LENGTH": "1000", "wsgi.input": declared})[2] == b""
    assert declared.tell() == 80  # eight times as much as may come
    chunks = BytesIO(b"x" * 1000)
    chunked = {"PATH_INFO": "/score", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": chunks}
    assert (send(gated, chunked)[2], chunks.tell()) == (b"x" * 11, 11 + 80)
    assert send(gated, request(b"x" * 10))[2] == b"x" * 10


def test_a_body_that_ends_before_it_is_whole_is_refused() -> None:
    gated = gate(echo)
    cut = request(b"half") | {"CONTENT_LENGTH": "8"}
    assert (send(gated, cut)[0], cut[ANSWER].reason) == ("400 Bad Request", "malformed")
