"""How much is let in at once, without any server: threads that wait where a client or a model would."""

from __future__ import annotations

import gc
import json
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any, NamedTuple

import pytest

from lifeboat.deploy.server.gate import Gate, admitted
from lifeboat.deploy.server.wsgi import ANSWER

Environ = dict[str, Any]


class Answered(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Asked:
    """A request, and what it was answered once it was."""

    def __init__(self, body: bytes = b"", path: str = "/score", **more: Any) -> None:
        declared = {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
        self.environ: Environ = {"PATH_INFO": path, "REQUEST_METHOD": "POST"} | declared | more
        self.answers: list[Answered] = []
        self._done = threading.Event()

    def respond(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        self.answers.append(Answered(status, dict(headers), body))
        self._done.set()

    def answer(self) -> Answered:
        assert self._done.wait(30)
        return self.answers[-1]


def gate(
    application: Callable[..., Iterable[bytes]], most: int = 2, largest: int = 10, seconds: float = 30,
    together: Callable[[Sequence[Environ]], None] = lambda _: None,
) -> Gate:  # fmt: skip
    return Gate(admitted(application), most, largest, seconds, together)


def ask(gated: Gate, *args: Any, **more: Any) -> Answered:
    asked = Asked(*args, **more)
    gated(asked.environ, asked.respond)
    return asked.answer()


def done(start: Any, body: bytes = b"done") -> list[bytes]:
    start("200 OK", [])
    return [body]


def echo(environ: Environ, start: Any) -> list[bytes]:
    return done(start, environ["wsgi.input"].read())


class Held:
    """An application that works until it is let go."""

    def __init__(self) -> None:
        self.inside, self.go_on, self.order = threading.Semaphore(0), threading.Event(), list[str]()

    def __call__(self, environ: Environ, start: Any) -> list[bytes]:
        self.order.append(environ["PATH_INFO"])
        if environ["PATH_INFO"] not in ("/livez", "/readyz", "/metrics"):
            self.inside.release()
            assert self.go_on.wait(30)
        return done(start)


def test_what_is_too_much_at_once_is_sent_away_with_the_time_to_come_back_and_the_rest_is_answered() -> None:
    held = Held()
    gated, working, waiting, too_much = gate(held, most=2), Asked(), Asked(), Asked()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(gated, working.environ, working.respond)
        assert held.inside.acquire(timeout=30)
        gated(waiting.environ, waiting.respond)
        gated(too_much.environ, too_much.respond)
        refused = too_much.answer()
        assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
        assert too_much.environ[ANSWER].reason == "overload", "which is counted"
        assert json.loads(refused.body)["error"].startswith("too many requests at once")
        for path in ("/livez", "/readyz", "/metrics"):  # the state of the server is told however full it is
            assert ask(gated, path=path).status == 200
        assert not waiting.answers
        held.go_on.set()
        assert [working.answer().body, waiting.answer().body] == [b"done"] * 2
    assert ask(gated).body == b"done", "it has room again at once"


def test_one_works_at_a_time_in_the_order_they_came_and_threads_that_bring_more_do_not_wait() -> None:
    held = Held()
    gated, first = gate(held, most=50), Asked(path="/first")
    later = [Asked(path=f"/{number}") for number in range(40)]
    with ThreadPoolExecutor(1) as pool:
        pool.submit(gated, first.environ, first.respond)
        assert held.inside.acquire(timeout=30)
        for each in later:
            gated(each.environ, each.respond)  # in this one thread, which would wait for ever if it had to wait
        assert held.order == ["/first"]
        held.go_on.set()
        assert [each.answer().body for each in [first, *later]] == [b"done"] * 41
    assert held.order == ["/first", *(f"/{number}" for number in range(40))]


def test_a_failure_is_answered_and_those_behind_it_too() -> None:
    def breaks(environ: Environ, start: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/broken":
            raise ZeroDivisionError
        return done(start)

    gated = gate(breaks)
    assert [ask(gated, path=path).status for path in ("/broken", "/broken", "/whole")] == [500, 500, 200]


def test_what_waits_at_the_same_time_is_prepared_together() -> None:
    held, groups = Held(), list[list[str]]()

    def together(environs: Sequence[Environ]) -> None:
        groups.append([environ["PATH_INFO"] for environ in environs])

    gated, first = gate(held, most=50, together=together), Asked(path="/first")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(gated, first.environ, first.respond)
        assert held.inside.acquire(timeout=30)
        for number in range(18):
            asked = Asked(path=f"/{number}")
            gated(asked.environ, asked.respond)
        held.go_on.set()
        running.result(30)
    assert groups == [["/first"], [f"/{number}" for number in range(16)], ["/16", "/17"]]


def test_where_preparing_fails_each_is_answered_by_itself(capfd: pytest.CaptureFixture[str]) -> None:
    def fails(environs: Sequence[Environ]) -> None:
        raise ZeroDivisionError

    gated = gate(echo, together=fails)
    assert [ask(gated, body).body for body in (b"one", b"two")] == [b"one", b"two"]
    assert [json.loads(line)["error"] for line in capfd.readouterr().err.splitlines()] == ["ZeroDivisionError"] * 2


def test_whoever_comes_while_another_looks_at_what_waits_is_answered() -> None:
    gated, answered = gate(echo, most=90_000), list[int]()

    def bring(_: int) -> None:
        for _ in range(15_000):
            asked = Asked(b"x")
            asked.environ["itself"] = asked.environ  # garbage that is collected at any moment, which lets others run
            gated(asked.environ, lambda status, headers, body: answered.append(status))

    often = gc.get_threshold()
    gc.set_threshold(10)
    try:
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(bring, range(6)))
    finally:
        gc.set_threshold(*often)
    assert answered == [200] * 90_000


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
    gated, body = gate(echo, most=1), Slow(b"slow")
    slow = Asked(b"slow", **{"wsgi.input": body})
    with ThreadPoolExecutor(1) as pool:
        pool.submit(gated, slow.environ, slow.respond)
        assert body.waiting.wait(30)
        assert ask(gated, b"quick").body == b"quick"
        body.go_on.set()
        assert slow.answer().body == b"slow"


def test_a_client_whose_body_stops_coming_is_told_so_once_and_to_close() -> None:
    gated, body = gate(echo, seconds=0.2), Slow(b"late")
    slow = Asked(b"late", **{"wsgi.input": body})
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(gated, slow.environ, slow.respond)
        told = slow.answer()
        assert (told.status, told.headers["Connection"]) == (408, "close")
        assert json.loads(told.body)["error"] == "the body, or a piece of it, took longer than 0.2 s"
        body.go_on.set()  # what comes after that is nobody's
        reading.result(30)
    assert len(slow.answers) == 1
    assert ask(gated, b"quick").body == b"quick"


def test_of_a_body_no_more_is_kept_than_shows_that_it_is_too_large_and_a_bounded_rest_is_read() -> None:
    gated = gate(echo, largest=10)
    declared, chunks = BytesIO(b"x" * 1000), BytesIO(b"x" * 1000)
    assert ask(gated, CONTENT_LENGTH="1000", **{"wsgi.input": declared}).body == b""
    assert declared.tell() == 80  # eight times as much as may come
    chunked = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": chunks}
    assert (ask(gated, **chunked).body, chunks.tell()) == (b"x" * 11, 11 + 80)
    assert ask(gated, b"x" * 10).body == b"x" * 10


def test_a_body_that_ends_before_it_is_whole_is_refused() -> None:
    cut = Asked(b"half", CONTENT_LENGTH="8")
    gate(echo)(cut.environ, cut.respond)
    assert (cut.answer().status, cut.environ[ANSWER].reason) == (400, "malformed")
