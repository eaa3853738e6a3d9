"""How much is let in at once: what is too much is told to come back, before any work is done for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from io import BytesIO
from queue import SimpleQueue
from typing import Any

from lifeboat.scoring.answers import JSON, Answer, refusal

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
OnRefusal = Callable[[Answer, dict[str, Any]], list[tuple[str, str]]]
ALWAYS = frozenset({"/livez", "/readyz", "/metrics", "/ping", "/health", "/v2/health/live", "/v2/health/ready"})
THROWN_AWAY = 8  # times the largest body: how much of a larger one is read all the same
PIECE = 64 * 1024  # bytes
CUT = refusal(400, "the body ended before it was whole", reason="malformed")
FULL = refusal(503, "too many requests at once: come back in a second", reason="overload")


class Gate:
    """A WSGI application before another: it counts, reads the body, and gives turns.

    A client that sends slowly has a thread and no more: others are answered meanwhile.

    Args:
        application: What answers.
        most: Requests at a time that are whole, working or waiting; what tells of the server's state is always let in.
        turns: How many of them may work at a time: more would only get in each other's way.
        largest: Bytes of a body; of a larger one, no more is read than shows that it is one.
        on_refusal: Hears of each request that is sent away here, and names headers for it.
    """

    def __init__(self, application: Application, most: int, turns: int, largest: int, on_refusal: OnRefusal) -> None:
        self._application, self._most, self._largest, self._on_refusal = application, most, largest, on_refusal
        self._inside, self._lock = 0, threading.Lock()
        self._turns: SimpleQueue[None] = SimpleQueue()  # as a semaphore, in a tenth of the time
        for _ in range(turns):
            self._turns.put(None)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request, or send it away."""
        if environ["PATH_INFO"] in ALWAYS:
            return self._application(environ, start)
        if self._inside >= self._most:  # before its body is read
            return self._send_away(FULL, environ, start)
        if not _read_body(environ, self._largest):
            return self._send_away(CUT, environ, start)
        with self._lock:
            full = self._inside >= self._most
            self._inside += not full
        if full:
            return self._send_away(FULL, environ, start)
        self._turns.get()
        try:
            return self._application(environ, start)
        finally:
            self._turns.put(None)
            with self._lock:
                self._inside -= 1

    def _send_away(self, answer: Answer, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = answer.text.encode()
        headers = [("Content-Type", JSON), ("Content-Length", str(len(body))), ("Retry-After", "1")]
        headers += self._on_refusal(answer, environ)
        start(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
        return [body]


def _read_body(environ: dict[str, Any], largest: int) -> bool:
    """Read the body of a request to its end; whether it came whole.

    Of one that is too large no more is kept than shows that it is. What is too large is read and thrown away as far as
    that makes sense: a client that is still sending does not hear the answer.
    """
    stream, declared = environ["wsgi.input"], environ.get("CONTENT_LENGTH") or ""
    rest = 0
    if declared.isdecimal():
        length = int(declared)
        kept = stream.read(length) if 0 < length <= largest else b""
        if length <= largest and len(kept) < length:
            return False
        rest = min(length, THROWN_AWAY * largest) if length > largest else 0
    elif environ.get("HTTP_TRANSFER_ENCODING"):
        kept = stream.read(largest + 1)
        rest = THROWN_AWAY * largest if len(kept) > largest else 0
    else:
        kept = b""
    while rest > 0 and (piece := stream.read(min(rest, PIECE))):
        rest -= len(piece)
    environ["wsgi.input"], environ["wsgi.input_terminated"] = BytesIO(kept), True
    return True
