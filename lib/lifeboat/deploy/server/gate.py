"""How much is let in at once: what is too much is told to come back, before any work is done for it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from lifeboat.deploy.server import logs
from lifeboat.deploy.server.reading import Reader, is_large
from lifeboat.deploy.server.wsgi import BEGUN, Application, Environ, Respond, Start, send
from lifeboat.scoring.answers import Answer, refusal

ALWAYS = frozenset({"/livez", "/readyz", "/metrics", "/ping", "/health", "/v2/health/live", "/v2/health/ready"})
CUT = refusal(400, "the body ended before it was whole", reason="malformed")
FULL = refusal(503, "too many requests at once: come back in a second", reason="overload")
AT_ONCE = 16  # requests that are worked on together, if they wait
RETRY, CLOSE = ("Retry-After", "1"), ("Connection", "close")
REFUSED = "lifeboat.refused"  # in a request's environ: what it is told in place of an answer, and with which headers


def admitted(application: Application) -> Application:
    """A WSGI application before another that answers for it what the gate refused."""

    def answer(environ: Environ, start: Start) -> Iterable[bytes]:
        if refused := environ.get(REFUSED):
            return send(refused[0], environ, start, *refused[1:])
        return application(environ, start)

    return answer


class Gate:
    """What the server hands each request to, in a thread of its own: it reads the body, and queues.

    Whichever thread finds nobody at work works off all that waits, in the order it came, and answers for the threads
    that brought it; these have gone. Threads that wait for a turn each would hand Python's lock, and what a core has in
    its cache, from one to the next. A client that sends slowly keeps its thread, and no place in the queue.

    Args:
        application: What answers; within, ``admitted`` says what is refused here.
        most: Requests at a time that are whole, working or waiting; what tells of the server's state is always let in.
        largest: Bytes of a body; of a larger one, no more is read than shows that it is one.
        seconds: How long a body may take to arrive, or a piece of a large one.
        together: What is done with requests that wait at the same time, before each is answered.
    """

    def __init__(
        self, application: Application, most: int, largest: int, seconds: float,
        together: Callable[[Sequence[Environ]], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._application, self._most, self._together = application, most, together
        self._waiting: deque[tuple[Environ, Respond]] = deque()
        self._inside, self._counting, self._working = 0, threading.Lock(), threading.Lock()
        slow = refusal(408, f"the body, or a piece of it, took longer than {seconds} s", reason="too_slow")
        self._reader = Reader(largest, seconds, lambda environ, respond: self._refuse(environ, respond, slow, CLOSE))

    def __call__(self, environ: Environ, respond: Respond) -> None:
        """Answer a request, or send it away, at once or soon."""
        environ[BEGUN] = time.perf_counter()
        if environ["PATH_INFO"] in ALWAYS:
            return self._answer(environ, respond)
        if self._inside >= self._most and is_large(environ):  # before its body is read
            return self._refuse(environ, respond, FULL, RETRY)
        whole = self._reader.read(environ, respond)
        if whole is None:  # it took too long, and has been told so
            return None
        if not whole:
            return self._refuse(environ, respond, CUT, RETRY)
        with self._counting:
            full = self._inside >= self._most
            self._inside += not full
        if full:
            return self._refuse(environ, respond, FULL, RETRY)
        self._waiting.append((environ, respond))
        return self._work()

    def _work(self) -> None:
        """Work off what waits, unless somebody does; who comes when nothing is left is seen by one of the two."""
        while self._waiting and self._working.acquire(blocking=False):
            try:
                while self._waiting:
                    # nobody else takes any out; to look at them in place fails where another comes meanwhile
                    requests = [self._waiting.popleft() for _ in range(min(len(self._waiting), AT_ONCE))]
                    self._prepare([environ for environ, _ in requests])
                    for request in requests:
                        self._answer(*request)
                        with self._counting:
                            self._inside -= 1
            finally:
                self._working.release()

    def _prepare(self, environs: Sequence[Environ]) -> None:
        """Do what can be done for several at once; where that fails, each is answered by itself all the same."""
        try:
            self._together(environs)
        except Exception as error:
            logs.write("fault", error=type(error).__name__, where=logs.where(error))

    def _refuse(self, environ: Environ, respond: Respond, answer: Answer, *headers: tuple[str, str]) -> None:
        environ[REFUSED] = answer, *headers
        self._answer(environ, respond)

    def _answer(self, environ: Environ, respond: Respond) -> None:
        """Have a request answered, whatever that raises: others wait behind it."""
        started: list[tuple[str, list[tuple[str, str]]]] = []
        try:
            pieces = self._application(environ, lambda status, headers, error=None: started.append((status, headers)))
            try:
                body = b"".join(pieces)
            finally:
                getattr(pieces, "close", lambda: None)()
            status, headers = started[-1]
            respond(int(status[:3]), headers, body)
        except Exception as error:
            logs.write("fault", error=type(error).__name__, where=logs.where(error))
            respond(500, [], b"")
