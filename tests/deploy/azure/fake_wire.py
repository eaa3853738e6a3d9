"""What goes over the wire between the SDK and the fake service: requests, answers, and the service's ways to say no."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import requests
import urllib3


@dataclass(frozen=True)
class Request:
    """One request as it was sent.

    Attributes:
        number: Its place among all that were sent, from 1 on.
        step: The fake's name for what it asks, such as ``deployment.put``; ``unknown`` if the fake has no answer.
        query: First value of each parameter, ``api-version`` among them.
        timeout: Seconds after which whoever sent it would have given up.
    """

    number: int
    step: str
    method: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    timeout: Any = None

    @property
    def json(self) -> Any:
        """The body read as JSON, None where there is none."""
        kind = self.headers.get("Content-Type", "")
        return json.loads(self.body) if self.body and "json" in kind else None

    def __str__(self) -> str:
        return f"#{self.number} {self.step}: {self.method} {self.host}{self.path} {dict(self.query)}"


@dataclass(frozen=True)
class Answer:
    """One answer: a dict goes out as JSON, bytes as they are."""

    status: int
    body: dict[str, Any] | bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """A handler's way to say no."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


def error(status: int, code: str, message: str, details: list[dict[str, Any]] | None = None) -> Answer:
    """The resource manager's error body."""
    body: dict[str, Any] = {"code": code, "message": message, "target": None, "details": details or []}
    return Answer(status, {"error": body})


def blob_error(status: int, code: str, message: str) -> Answer:
    """The blob service's error: XML, and its code once more in a header."""
    text = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Answer(status, text.encode(), {"x-ms-error-code": code, "Content-Type": "application/xml"})


def read(sent: requests.PreparedRequest, number: int, timeout: Any) -> Request:
    """Take a request of the ``requests`` package apart; its step is not known yet."""
    url = urlsplit(str(sent.url))
    body: Any = sent.body or b""
    if hasattr(body, "read"):
        body = body.read()
    if isinstance(body, str):
        body = body.encode()
    query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
    path = unquote(url.path)
    where = str(url.hostname), path, query
    return Request(number, "unknown", str(sent.method), *where, sent.headers, bytes(body), timeout)


def write(adapter: requests.adapters.HTTPAdapter, sent: requests.PreparedRequest, answer: Answer) -> requests.Response:
    """Make the answer a response of the ``requests`` package, as its own adapter does."""
    body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
    head = {"Content-Length": str(len(body)), **answer.headers}
    if isinstance(answer.body, dict):
        head.setdefault("Content-Type", "application/json; charset=utf-8")
    raw = urllib3.HTTPResponse(
        body=io.BytesIO(b"" if sent.method == "HEAD" else body),
        headers=head,
        status=answer.status,
        reason=requests.status_codes._codes.get(answer.status, ("",))[0],
        preload_content=False,
        request_method=sent.method,
    )
    return adapter.build_response(sent, raw)
