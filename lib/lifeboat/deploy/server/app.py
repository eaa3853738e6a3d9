"""Serve a portable model over HTTP: Flask, and waitress in the same process. The model is loaded once."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import waitress
from flask import Flask, Response, request
from waitress.channel import HTTPChannel
from waitress.task import ErrorTask
from werkzeug.exceptions import HTTPException, MethodNotAllowed

import lifeboat
from lifeboat.deploy.server import TIED
from lifeboat.errors import LifeboatError
from lifeboat.scoring import answers, bodies
from lifeboat.scoring.classes import NO_AND_YES
from lifeboat.scoring.scorer import Scorer


def create_app(scorer: Scorer, about: dict[str, Any]) -> Flask:
    """A web application around one model.

    ``GET /ping``, ``/health`` and ``/version`` (which answers ``about``); ``POST /invocations`` (MLflow's four forms)
    and ``POST /score`` (these, and Azure's ``input_data``, columns with data, a list of records, one record), which
    answer as ``answers.predict`` says. Every error is JSON, of one shape.

    Args:
        scorer: The model.
        about: What ``/version`` answers; JSON-able.
    """
    app = Flask("lifeboat")

    def answer(to_records: Callable[[Any], list[bodies.Record]]) -> Response:
        return _response(answers.predict(scorer, to_records, request))

    app.get("/ping")(lambda: {"status": "ok"})
    app.get("/health", endpoint="health")(lambda: {"status": "ok"})
    app.get("/version", endpoint="version")(lambda: about)
    app.post("/invocations", endpoint="invocations")(lambda: answer(bodies.invocations))
    app.post("/score", endpoint="score")(lambda: answer(bodies.score))
    app.register_error_handler(HTTPException, _bad_request)
    return app


def _response(answer: answers.Answer, headers: dict[str, str] | None = None) -> Response:
    return Response(answer.text, answer.status, headers, mimetype=answers.JSON)


def _bad_request(error: HTTPException) -> Response:
    """A request that no route takes, or a fault of our own (500)."""
    got, allowed = f"{request.method} {request.path}", None
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        return _response(answers.wrong_method(request.method, request.path, allowed), {"Allow": allowed})
    if error.code == 404:
        allowed = "GET /ping /health /version, POST /invocations /score"
    return _response(answers.refusal(error.code or 500, None, got, allowed, error.description or error.name))


class _JsonErrors(ErrorTask):  # type: ignore[misc]
    """waitress' own refusals (a request that is no HTTP, a body without end) as JSON too."""

    def execute(self) -> None:
        error = self.request.error
        body = answers.refusal(error.code, None, None, None, f"{error.reason}: {error.body}").text.encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", answers.JSON))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):  # type: ignore[misc]
    error_task_class = _JsonErrors


def _end_with_input() -> None:
    """End this process once who started it is gone, however that went."""
    sys.stdin.buffer.read()
    os._exit(0)


def serve(folder: Path, host: str = "127.0.0.1", port: int = 5001, unseen: str = "") -> None:
    """Serve the portable model in ``folder`` until the process is stopped.

    Prints ``Serving on http://host:port`` when it takes requests; ``port`` 0 takes a free one; ``unseen`` is
    ``Scorer.load``'s.

    Raises:
        lifeboat.scoring.scorer.BrokenModelError: The folder is not a whole portable model.
        LifeboatError: The port is taken, or the host is not this machine's.
    """
    scorer = Scorer.load(folder, unseen)
    about = {
        "lifeboat": lifeboat.__version__,
        "model": scorer.digest,
        "label": scorer.manifest["label"],
        "class_names": [*scorer.manifest.get("class_names", NO_AND_YES)],
        "inputs": scorer.manifest["signature"]["inputs"],
        "versions": scorer.manifest["versions"],
    }
    if scorer.remark:
        print(f"{folder} is {scorer.remark}", file=sys.stderr, flush=True)
    # waitress reads a body before we can refuse it: it takes more, so that the answer is ours
    app = create_app(scorer, about)
    try:
        server = waitress.create_server(app, host=host, port=port, max_request_body_size=4 * answers.LARGEST_BODY)
    except (OSError, ValueError) as error:  # the second: a host of no known address
        why = getattr(error, "strerror", None) or error
        raise LifeboatError(
            f"cannot listen on {host}:{port} ({why}): take another --port, or 0 for a free one"
        ) from error
    server.channel_class = _Channel
    if os.environ.get(TIED):
        threading.Thread(target=_end_with_input, daemon=True).start()
    listening = getattr(server, "effective_listen", None) or [(server.effective_host, server.effective_port)]
    print(f"Serving on http://{host}:{listening[0][1]}", flush=True)
    server.run()
