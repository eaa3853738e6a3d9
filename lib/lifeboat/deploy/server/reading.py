"""The body of a request, read to its end: no more of it than may come, and not for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import repeat

from lifeboat.deploy.server.wsgi import Environ, Respond
from lifeboat.scoring.answers import declared_length

THROWN_AWAY = 8  # times the largest body: how much of a larger one is read all the same
PIECE = 64 * 1024  # bytes


class Reader:
    """Reads bodies; of one that stops coming, its client is told, though the thread that reads it is stuck.

    Args:
        largest: Bytes of a body; of a larger one, no more is kept than shows that it is one.
        seconds: How long each piece of a body may take: all of it, where that is less than ``PIECE``.
        late: What is done with a request whose body takes longer, by another thread.
    """

    def __init__(self, largest: int, seconds: float, late: Callable[[Environ, Respond], None]) -> None:
        self._largest, self._seconds, self._late = largest, seconds, late
        self._reading: dict[int, tuple[float, Environ, Respond]] = {}  # who has waited longest comes first
        threading.Thread(target=self._watch, name="slow bodies", daemon=True).start()

    def read(self, environ: Environ, respond: Respond) -> bool | None:
        """Read the body of a request to its end.

        What is too large is read and thrown away as far as that makes sense: a client that is still sending does not
        hear the answer.

        Returns:
            Whether it came whole; None where it took too long, and its client has heard so.
        """
        length, wanted, rest = declared_length(environ), 0, 0
        if length is not None:
            wanted, rest = (length, 0) if length <= self._largest else (0, min(length, THROWN_AWAY * self._largest))
        elif environ.get("HTTP_TRANSFER_ENCODING"):  # in chunks, which say no length
            wanted, rest = self._largest + 1, THROWN_AWAY * self._largest
        if (kept := self._pieces(environ, respond, wanted)) is None:
            return None
        if length is not None and len(kept) < wanted:
            return False
        if rest and self._pieces(environ, respond, rest, keep=False) is None:
            return None
        environ["wsgi.input"], environ["wsgi.input_terminated"] = BytesIO(kept), True
        return True

    def _pieces(self, environ: Environ, respond: Respond, most: int, keep: bool = True) -> bytes | None:
        """A body up to so many bytes, or nothing of it; None where it took too long."""
        key, stream, pieces = id(environ), environ["wsgi.input"], list[bytes]()
        while most > 0:
            self._reading[key] = time.monotonic() + self._seconds, environ, respond
            piece = stream.read(min(most, PIECE))
            if self._reading.pop(key, None) is None:
                return None
            if not piece:
                break
            most -= len(piece)
            if keep:
                pieces.append(piece)
        return b"".join(pieces)

    def _watch(self) -> None:
        """Tell those who wait for too long; who takes an entry out has to answer."""
        for pause in repeat(min(1.0, self._seconds / 10)):
            time.sleep(pause)
            for key in list(self._overdue()):
                if taken := self._reading.pop(key, None):
                    self._late(*taken[1:])

    def _overdue(self) -> Iterator[int]:
        now = time.monotonic()
        for key, (until, *_) in self._reading.copy().items():
            if until > now:
                return
            yield key


def is_large(environ: Environ) -> bool:
    """Whether it takes longer to read a body than to connect again, which an answer before its end asks for."""
    length = declared_length(environ)
    return length is None or length > PIECE
