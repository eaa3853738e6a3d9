"""Serve a portable model over HTTP: Flask, and waitress in the same process. The model is loaded once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import waitress
from flask import Flask, Response, request
from waitress.channel import HTTPChannel
from waitress.task import ErrorTask
from werkzeug.exceptions import HTTPException, MethodNotAllowed, UnsupportedMediaType

import lifeboat
from lifeboat.errors import LifeboatError
from lifeboat.serving import bodies
from lifeboat.serving.fields import InputError
from lifeboat.serving.scorer import Scorer


class CannotListenError(LifeboatError, OSError):
    """The server cannot listen where it was told to."""


LARGEST_BODY = 16 * 2**20  # bytes


def create_app(scorer: Scorer, about: dict[str, Any]) -> Flask:
    """A web application around one model.

    ``GET /ping``, ``/health`` and ``/version`` (which answers ``about``); ``POST /invocations`` (MLflow's four forms)
    and ``POST /score`` (Azure's ``input_data``, columns with data, a list of records, one record), which answer
    ``{"predictions": [...]}``, a class a record. Every error is JSON:
    ``{"error": {"field": ..., "got": ..., "allowed": ..., "message": ...}}``.

    Args:
        scorer: The model.
        about: What ``/version`` answers; JSON-able.
    """
    app = Flask("lifeboat")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY

    def answer(to_records: Callable[[Any], list[bodies.Record]]) -> dict[str, Any]:
        if not request.is_json:
            raise UnsupportedMediaType
        records = to_records(bodies.read_json(request.get_data()))
        return {"predictions": scorer.score(records).predictions.tolist()}

    app.get("/ping")(lambda: {"status": "ok"})
    app.get("/health", endpoint="health")(lambda: {"status": "ok"})
    app.get("/version", endpoint="version")(lambda: about)
    app.post("/invocations", endpoint="invocations")(lambda: answer(bodies.invocations))
    app.post("/score", endpoint="score")(lambda: answer(bodies.score))
    app.register_error_handler(InputError, _bad_input)
    app.register_error_handler(HTTPException, _bad_request)
    return app


def _error(field: str | None, got: str | None, allowed: str | None, message: str) -> str:
    return json.dumps({"error": {"field": field, "got": got, "allowed": allowed, "message": message}}) + "\n"


def _bad_input(error: InputError) -> Response:
    text = _error(error.field, error.got, error.allowed, error.message)
    return Response(text, 400, mimetype="application/json")


def _bad_request(error: HTTPException) -> Response:
    """A request that no route takes, or a fault of our own (500)."""
    field, got, allowed = None, f"{request.method} {request.path}", None
    if isinstance(error, UnsupportedMediaType):
        field, got, allowed = "Content-Type", request.content_type or "none", "application/json"
    elif isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
    elif error.code == 404:
        allowed = "GET /ping /health /version, POST /invocations /score"
    elif error.code == 413:
        field, got, allowed = "body", f"{request.content_length} bytes", f"at most {LARGEST_BODY} bytes"
    headers = {"Allow": allowed} if isinstance(error, MethodNotAllowed) and allowed else None
    text = _error(field, got, allowed, error.description or error.name)
    return Response(text, error.code, headers, mimetype="application/json")


class _JsonErrors(ErrorTask):  # type: ignore[misc]
    """waitress' own refusals (a request that is no HTTP, a body without end) as JSON too."""

    def execute(self) -> None:
        error = self.request.error
        body = _error(None, None, None, f"{error.reason}: {error.body}").encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", "application/json"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):  # type: ignore[misc]
    error_task_class = _JsonErrors


def serve(folder: Path, host: str = "127.0.0.1", port: int = 5001) -> None:
    """Serve the portable model in ``folder`` until the process is stopped.

    Prints ``Serving on http://host:port`` when it takes requests; ``port`` 0 takes a free one.

    Raises:
        lifeboat.serving.scorer.BrokenModelError: The folder is not a whole portable model.
        CannotListenError: The port is taken, or the host is not this machine's.
    """
    scorer = Scorer.load(folder)
    about = {
        "lifeboat": lifeboat.__version__,
        "model": scorer.digest,
        "label": scorer.manifest["label"],
        "versions": scorer.manifest["versions"],
    }
    # waitress reads a body before Flask can refuse it: it takes more, so that the answer is Flask's
    app = create_app(scorer, about)
    try:
        server = waitress.create_server(app, host=host, port=port, max_request_body_size=4 * LARGEST_BODY)
    except OSError as error:
        raise CannotListenError(
            f"cannot listen on {host}:{port} ({error.strerror or error}): take another --port, or 0 for a free one"
        ) from error
    server.channel_class = _Channel
    listening = getattr(server, "effective_listen", None) or [(server.effective_host, server.effective_port)]
    print(f"Serving on http://{host}:{listening[0][1]}", flush=True)
    server.run()
