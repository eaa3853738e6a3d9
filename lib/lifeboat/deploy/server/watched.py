"""What is true of every answer: an id and the model's version with it, a line in the log, and that it counts."""

from __future__ import annotations

import time
from collections.abc import Iterable

from lifeboat.deploy.server import logs
from lifeboat.deploy.server.measures import Measures
from lifeboat.deploy.server.models import Model, Models
from lifeboat.deploy.server.wsgi import ANSWER, BEGUN, MODEL, ROUTE, Application, Environ, Start, send
from lifeboat.scoring.answers import Answer, refusal

VERSION_HEADER, ID_HEADER = "X-Model-Version", "X-Request-ID"
QUIET = frozenset({"/livez", "/readyz", "/metrics", "/ping", "/health"})  # asked every second: counted, not logged
REASONS = {400: "malformed", 404: "unknown_route", 408: "too_slow", 413: "too_large", 500: "fault"}
FAULT = refusal(500, "this is a fault of the server; its log says where", reason="fault")


class Watched:
    """A WSGI application around another one.

    Args:
        application: What answers.
        models: Who answers where the application does not say.
        measures: What counts.
    """

    def __init__(self, application: Application, models: Models, measures: Measures) -> None:
        self._application, self._models, self._measures = application, models, measures

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """Answer a request; what fails in that is told in the log alone."""
        begun = environ.get(BEGUN) or time.perf_counter()
        number = logs.request_id(environ.get("HTTP_X_REQUEST_ID"))
        status = 0

        def noted(line: str, headers: list[tuple[str, str]]) -> object:
            nonlocal status
            status = int(line[:3])
            return start(line, [*headers, (VERSION_HEADER, self._version(environ)), (ID_HEADER, number)])

        try:
            return self._application(environ, noted)
        except Exception as error:
            logs.write("fault", id=number, error=type(error).__name__, where=logs.where(error))
            return send(FAULT, environ, noted)
        finally:
            self._note(environ, status, time.perf_counter() - begun, number)

    def _version(self, environ: Environ) -> str:
        model: Model = environ.get(MODEL) or self._models.current
        return model.version

    def _note(self, environ: Environ, status: int, seconds: float, number: str) -> None:
        """Count an answer and write its line."""
        answer: Answer = environ.get(ANSWER) or Answer(status, "")
        route, measures, version = environ.get(ROUTE, "none"), self._measures, self._version(environ)
        measures.answered(route, status, seconds)
        reason = answer.reason or REASONS.get(status)
        if reason:
            measures.rejected.labels(reason).inc()
        if answer.rows:
            measures.scored(version, answer.rows)
        for field, count in answer.unseen.items():
            measures.unseen.labels(field).inc(count)
        if route not in QUIET:
            logs.write(
                "request", id=number, method=environ["REQUEST_METHOD"] if ROUTE in environ else None, route=route,
                status=status, ms=round(1000 * seconds, 2), rows=answer.rows or None,
                unseen=dict(answer.unseen) or None, reason=reason, model=version,
            )  # fmt: skip
