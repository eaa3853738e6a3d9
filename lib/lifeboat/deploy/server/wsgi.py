"""What the layers of the server say to each other: WSGI's own types, and an answer as WSGI sends it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from lifeboat.scoring.answers import JSON, Answer

Environ = dict[str, Any]
Start = Callable[..., Any]
Application = Callable[[Environ, Start], Iterable[bytes]]

Respond = Callable[[int, list[tuple[str, str]], bytes], None]  # sends an answer: status, headers and body

# in a request's environ, for the log and the counts: when it came, the route that took it, the model and the answer
BEGUN, ROUTE, MODEL, ANSWER = "lifeboat.begun", "lifeboat.route", "lifeboat.model", "lifeboat.answer"
LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def send(answer: Answer, environ: Environ, start: Start, *headers: tuple[str, str]) -> Iterable[bytes]:
    """Start a response with an answer, and note that it was given; its body."""
    environ[ANSWER] = answer
    body = answer.text.encode()
    start(LINES[answer.status], [("Content-Type", JSON), ("Content-Length", str(len(body))), *headers])
    return [body]
