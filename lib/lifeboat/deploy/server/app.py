"""The web application around a model: its routes, and what is true of every answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

import lifeboat
from lifeboat.deploy.server import csv_rows, guard, inference, logs, openapi, parsing
from lifeboat.deploy.server.gate import Gate
from lifeboat.deploy.server.measures import CONTENT_TYPE, Measures
from lifeboat.deploy.server.models import Model, Models
from lifeboat.deploy.server.pages import add_page
from lifeboat.deploy.server.settings import TOKEN, Settings
from lifeboat.errors import LifeboatError
from lifeboat.scoring import answers, bodies
from lifeboat.scoring.answers import Answer
from lifeboat.scoring.fields import InputError

DEFAULTS = Settings()
TURNS = 2  # requests that a worker works on at a time: while one is in the model, another is read
VERSION_HEADER, ID_HEADER = "X-Model-Version", "X-Request-ID"
# in a request's environ
BEGUN, ID, MODEL, ANSWER = "lifeboat.begun", "lifeboat.id", "lifeboat.model", "lifeboat.answer"
QUIET = frozenset({"/livez", "/readyz", "/metrics", "/ping", "/health"})  # asked every second: counted, not logged
REASONS = {400: "malformed", 404: "unknown_route", 408: "too_slow", 413: "too_large", 500: "fault"}


def create_application(models: Models, settings: Settings, draining: Path | None = None) -> Gate:
    """What a server runs: the web application behind a gate.

    Args:
        models: Who answers.
        settings: Limits, token and name.
        draining: A file that is there from when the server is told to end.
    """
    measures = Measures()

    def turned_away(answer: Answer, environ: dict[str, Any]) -> list[tuple[str, str]]:
        number, version = logs.request_id(environ.get("HTTP_X_REQUEST_ID")), models.current.version
        measures.requests.labels("none", answer.status).inc()
        measures.rejected.labels(answer.reason).inc()
        logs.write("request", id=number, status=answer.status, reason=answer.reason, model=version)
        return [(ID_HEADER, number), (VERSION_HEADER, version)]

    app = create_app(models, settings, measures, draining)
    return Gate(app, settings.queue, TURNS, settings.limits.body, turned_away)


def create_app(
    models: Models,
    settings: Settings = DEFAULTS,
    measures: Measures | None = None,
    draining: Path | None = None,
) -> Flask:
    """A web application around a model; docs/serving.md lists its routes. Every error is JSON, of one shape.

    Args:
        models: Who answers.
        settings: Limits, token and name.
        measures: What it counts.
        draining: A file that is there from when the server is told to end.
    """
    app = Flask("lifeboat", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    measures = measures or Measures()
    models.listen(measures.serving)
    _watch(app, models, settings, measures)
    _predicting(app, models, settings)
    _operations(app, models, measures, draining)
    _open_inference(app, models, settings)
    _administration(app, models, settings)
    add_page(app, models)
    app.get("/openapi.json", endpoint="openapi")(lambda: openapi.document(models.current, settings))
    return app


def json_response(answer: Answer, headers: dict[str, str] | None = None) -> Response:
    """An answer as Flask sends it."""
    request.environ[ANSWER] = answer
    return Response(answer.text, answer.status, headers, content_type=answers.JSON)


def _predicting(app: Flask, models: Models, settings: Settings) -> None:
    def answer(to_records: Callable[[Any], list[bodies.Record]]) -> Response:
        if unready := models.error():
            return _unavailable(unready)
        model = request.environ[MODEL] = models.current
        return json_response(answers.predict(model.scorer, to_records, request, settings.limits, parsing.read_json))

    def answer_csv() -> Any:
        if unready := models.error():
            return _unavailable(unready)
        model = request.environ[MODEL] = models.current
        try:
            body = answers.read_body(request, settings.limits, "text/csv")
            answered = csv_rows.answer(model.scorer, body, settings.limits)
        except InputError as error:
            return json_response(answers.refused(error))
        return json_response(Answer(200, app.json.dumps(answered), len(answered["rows"]) - answered["refused"]))

    app.post("/csv", endpoint="csv")(answer_csv)
    app.post("/invocations", endpoint="invocations")(lambda: answer(bodies.invocations))
    app.post("/score", endpoint="score")(lambda: answer(bodies.score))


def _operations(app: Flask, models: Models, measures: Measures, draining: Path | None) -> None:
    ok = {"status": "ok"}

    def readyz() -> Any:
        if draining is not None and draining.exists():
            return _unavailable("the server is about to end")
        if unready := models.error():
            return _unavailable(unready)
        refused = {"refused": models.refused} if models.refused else {}
        return ok | {"model": models.current.name, "version": models.current.version} | refused

    for path in ("/livez", "/ping", "/health"):
        app.get(path, endpoint=path)(lambda: ok)
    app.get("/readyz", endpoint="readyz")(readyz)
    app.get("/version", endpoint="version")(lambda: models.current.about())
    app.get("/metrics", endpoint="metrics")(lambda: Response(measures.text(), content_type=CONTENT_TYPE))


def _administration(app: Flask, models: Models, settings: Settings) -> None:
    def rollback() -> Any:
        if not settings.token:
            return json_response(answers.refusal(403, f"this takes a token: start the server with {TOKEN}"))
        try:
            return {"version": models.rollback()}
        except LifeboatError as error:
            return json_response(answers.refusal(409, str(error), reason="no_version"))

    app.post("/admin/rollback", endpoint="rollback")(rollback)


def _open_inference(app: Flask, models: Models, settings: Settings) -> None:
    def ready() -> Any:
        return _unavailable(unready) if (unready := models.error()) else {"ready": True}

    def chosen(name: str, version: str | None) -> Model | Response:
        model = models.current
        if name != model.name or version not in (None, model.version):
            allowed = f"/v2/models/{model.name}, version {model.version}"
            return json_response(_no_such_path(allowed))
        return model

    def metadata(name: str, version: str | None = None) -> Any:
        model = chosen(name, version)
        return model if isinstance(model, Response) else inference.metadata(model.scorer, model.name, model.version)

    def model_ready(name: str, version: str | None = None) -> Any:
        model = chosen(name, version)
        if isinstance(model, Response):
            return model
        return _unavailable(unready) if (unready := models.error()) else {"name": model.name, "ready": True}

    def infer(name: str, version: str | None = None) -> Any:
        model = chosen(name, version)
        if isinstance(model, Response):
            return model
        if unready := models.error():
            return _unavailable(unready)
        request.environ[MODEL] = model
        try:
            # Triton's client declares nothing
            body = parsing.read_json(answers.read_body(request, settings.limits, undeclared=True))
            inferred = inference.read(body, answers.wants_probabilities(request))
            scores = answers.score(model.scorer, inferred.records, settings.limits)
        except InputError as error:
            return json_response(answers.refused(error))
        return json_response(inference.answer(scores, inferred, model.name, model.version))

    about = {"name": "lifeboat", "version": lifeboat.__version__, "extensions": list[str]()}
    app.get("/v2", endpoint="v2")(lambda: about)
    app.get("/v2/health/live", endpoint="v2_live")(lambda: {"live": True})
    app.get("/v2/health/ready", endpoint="v2_ready")(ready)
    for path in ("/v2/models/<name>", "/v2/models/<name>/versions/<version>"):
        app.get(path, endpoint=path)(metadata)
        app.get(f"{path}/ready", endpoint=f"{path}/ready")(model_ready)
        app.post(f"{path}/infer", endpoint=f"{path}/infer")(infer)


def _watch(app: Flask, models: Models, settings: Settings, measures: Measures) -> None:
    """What is true of every request: who may ask, an id, a line in the log, counts, and headers."""
    guarded = bool(settings.token) or settings.checks_origin

    @app.before_request
    def begin() -> Response | None:
        environ = request.environ
        environ[BEGUN], environ[ID] = time.perf_counter(), logs.request_id(environ.get("HTTP_X_REQUEST_ID"))
        answer = guard.refused(request, settings) if guarded else None
        if answer is None:
            return None
        return json_response(answer, {"WWW-Authenticate": "Bearer"} if answer.status == 401 else None)

    @app.after_request
    def end(response: Response) -> Response:
        environ, rule = request.environ, request.url_rule
        model: Model = environ.get(MODEL) or models.current
        answer: Answer = environ.get(ANSWER) or Answer(response.status_code, "")
        seconds, route = time.perf_counter() - environ[BEGUN], rule.rule if rule else "none"
        measures.answered(route, response.status_code, seconds)
        reason = answer.reason or REASONS.get(response.status_code)
        if reason:
            measures.rejected.labels(reason).inc()
        if answer.rows:
            measures.rows.labels(model.version).inc(answer.rows)
        for field, count in answer.unseen.items():
            measures.unseen.labels(field).inc(count)
        response.headers.extend([(VERSION_HEADER, model.version), (ID_HEADER, environ[ID])])
        if route not in QUIET:
            logs.write(
                "request", id=environ[ID], method=request.method if rule else None, route=route,
                status=response.status_code, ms=round(1000 * seconds, 2), rows=answer.rows or None,
                unseen=dict(answer.unseen) or None, reason=reason, model=model.version,
            )  # fmt: skip
        return response

    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> Response:
        return _http_error(error, app)

    @app.errorhandler(Exception)
    def crash(error: Exception) -> Response:
        logs.write("fault", id=request.environ.get(ID), error=type(error).__name__, where=logs.where(error))
        return json_response(answers.refusal(500, "this is a fault of the server; its log says where", reason="fault"))


def _http_error(error: HTTPException, app: Flask) -> Response:
    """A request that no route takes, or that is no whole one."""
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        return json_response(answers.wrong_method(request.method, request.path[:100], allowed), {"Allow": allowed})
    if error.code == 404:
        return json_response(_no_such_path(", ".join(sorted({rule.rule for rule in app.url_map.iter_rules()}))))
    sentence = error.description or error.name
    return json_response(answers.refusal(error.code or 500, sentence, reason=REASONS.get(error.code or 500, "refused")))


def _no_such_path(allowed: str) -> Answer:
    got = f"{request.method} {request.path[:100]}"
    detail = {"row": None, "field": "path", "got": got, "allowed": allowed}
    return answers.refusal(404, f"there is no {got}", [detail], "unknown_route")


def _unavailable(why: str) -> Response:
    return json_response(answers.refusal(503, f"not ready: {why}", reason="unready"), {"Retry-After": "5"})
