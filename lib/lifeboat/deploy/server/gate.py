"""How much is let in at once: what is too much is told to come back, before any work is done for it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from io import BytesIO

from lifeboat.deploy.server.wsgi import Application, Environ, Start, send
from lifeboat.scoring.answers import refusal

ALWAYS = frozenset({"/livez", "/readyz", "/metrics", "/ping", "/health", "/v2/health/live", "/v2/health/ready"})
THROWN_AWAY = 8  # times the largest body: how much of a larger one is read all the same
PIECE = 64 * 1024  # bytes
CUT = refusal(400, "the body ended before it was whole", reason="malformed")
FULL = refusal(503, "too many requests at once: come back in a second", reason="overload")
RETRY = "Retry-After", "1"


class Turns:
    """Some may work at a time; who has waited longest is next. (A semaphore lets through whoever wakes first.)"""

    def __init__(self, turns: int) -> None:
        self._free, self._lock, self._waiting = turns, threading.Lock(), deque[threading.Lock]()

    def __enter__(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()  # until it is this one's turn

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


class Gate:
    """A WSGI application before another: it counts, reads the body, and gives turns.

    A client that sends slowly has a thread and no more: others are answered meanwhile.

    Args:
        application: What answers.
        most: Requests at a time that are whole, working or waiting; what tells of the server's state is always let in.
        turns: How many of them may work at a time: more would only get in each other's way.
        largest: Bytes of a body; of a larger one, no more is read than shows that it is one.
    """

    def __init__(self, application: Application, most: int, turns: int, largest: int) -> None:
        self._application, self._most, self._largest = application, most, largest
        self._inside, self._lock, self._turns = 0, threading.Lock(), Turns(turns)

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """Answer a request, or send it away."""
        if environ["PATH_INFO"] in ALWAYS:
            return self._application(environ, start)
        if self._inside >= self._most and _is_large(environ):  # before its body is read
            return send(FULL, environ, start, RETRY)
        if not _read_body(environ, self._largest):
            return send(CUT, environ, start, RETRY)
        with self._lock:
            full = self._inside >= self._most
            self._inside += not full
        if full:
            return send(FULL, environ, start, RETRY)
        try:
            with self._turns:
                return self._application(environ, start)
        finally:
            with self._lock:
                self._inside -= 1


def _is_large(environ: Environ) -> bool:
    """Whether it takes longer to read a body than to connect again, which an answer before its end asks for."""
    declared = environ.get("CONTENT_LENGTH") or ""
    return not declared.isdecimal() or int(declared) > PIECE


def _read_body(environ: Environ, largest: int) -> bool:
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
