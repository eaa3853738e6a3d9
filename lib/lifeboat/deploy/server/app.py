"""The web application around a model: its routes, and what is true of every answer."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

import lifeboat
from lifeboat.deploy.server import csv_rows, inference, openapi, parsing
from lifeboat.deploy.server.batching import PREDICTED, reader_of
from lifeboat.deploy.server.gate import admitted
from lifeboat.deploy.server.guard import guarded
from lifeboat.deploy.server.measures import CONTENT_TYPE, Measures
from lifeboat.deploy.server.models import Model, Models
from lifeboat.deploy.server.pages import add_page
from lifeboat.deploy.server.settings import TOKEN, Settings
from lifeboat.deploy.server.watched import REASONS, Watched
from lifeboat.deploy.server.wsgi import ANSWER, MODEL, ROUTE, Application, Environ, Start, send
from lifeboat.errors import LifeboatError
from lifeboat.scoring import answers
from lifeboat.scoring.answers import Answer
from lifeboat.scoring.fields import InputError

DEFAULTS = Settings()
RETRY = "Retry-After", "5"


def create_app(models: Models, settings: Settings = DEFAULTS, draining: Path | None = None) -> Flask:
    """A web application around a model; docs/serving.md lists its routes. Every error is JSON, of one shape.

    Args:
        models: Who answers.
        settings: Limits, token and name.
        draining: A file that is there from when the server is told to end.
    """
    app = Flask("lifeboat", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config["PROPAGATE_EXCEPTIONS"] = True  # to what watches
    measures = Measures()
    models.listen(measures.serving)
    app.before_request(_note_route)
    app.register_error_handler(HTTPException, lambda error: _http_error(error, app))
    _csv(app, models, settings)
    _operations(app, models, measures, draining)
    _open_inference(app, models, settings)
    _administration(app, models, settings)
    add_page(app, models)
    app.get("/openapi.json", endpoint="openapi")(lambda: openapi.document(models.current, settings))
    for path in PREDICTED:
        app.add_url_rule(path, endpoint=path, methods=["POST"])
    predicting = _predicting(app.wsgi_app, models, settings)
    inner = admitted(guarded(predicting, settings))
    app.wsgi_app = Watched(inner, models, measures)  # type: ignore[method-assign, assignment]
    return app


def json_response(answer: Answer, *headers: tuple[str, str]) -> Response:
    """An answer as Flask sends it."""
    request.environ[ANSWER] = answer
    return Response(answer.text, answer.status, list(headers), content_type=answers.JSON)


def _predicting(application: Application, models: Models, settings: Settings) -> Application:
    """A WSGI application before Flask's: it answers the two routes that are asked most in half of the time."""

    def answer(environ: Environ, start: Start) -> Iterable[bytes]:
        if (to_records := reader_of(environ)) is None:
            return application(environ, start)
        environ[ROUTE] = environ["PATH_INFO"]
        if unready := models.error():
            return send(_unready(unready), environ, start, RETRY)
        model = environ[MODEL] = environ.get(MODEL) or models.current  # who scored it with others, if it was
        predicted = answers.predict(model.scorer, to_records, environ, settings.limits, parsing.read_json)
        return send(predicted, environ, start)

    return answer


def _csv(app: Flask, models: Models, settings: Settings) -> None:
    def answer_csv() -> Any:
        if unready := models.error():
            return _unavailable(unready)
        model = request.environ[MODEL] = models.current
        try:
            body = answers.read_body(request.environ, settings.limits, "text/csv")
            answered = csv_rows.answer(model.scorer, body, settings.limits)
        except InputError as error:
            return json_response(answers.refused(error))
        return json_response(Answer(200, app.json.dumps(answered), len(answered["rows"]) - answered["refused"]))

    app.post("/csv", endpoint="csv")(answer_csv)


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
            body = parsing.read_json(answers.read_body(request.environ, settings.limits, undeclared=True))
            inferred = inference.read(body, answers.wants_probabilities(request.environ))
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


def _note_route() -> None:
    if rule := request.url_rule:
        request.environ[ROUTE] = rule.rule


def _http_error(error: HTTPException, app: Flask) -> Response:
    """A request that no route takes, or that is no whole one."""
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        return json_response(answers.wrong_method(request.method, request.path[:100], allowed), ("Allow", allowed))
    if error.code == 404:
        return json_response(_no_such_path(", ".join(sorted({rule.rule for rule in app.url_map.iter_rules()}))))
    sentence = error.description or error.name
    return json_response(answers.refusal(error.code or 500, sentence, reason=REASONS.get(error.code or 500, "refused")))


def _no_such_path(allowed: str) -> Answer:
    got = f"{request.method} {request.path[:100]}"
    detail = {"row": None, "field": "path", "got": got, "allowed": allowed}
    return answers.refusal(404, f"there is no {got}", [detail], "unknown_route")


def _unready(why: str) -> Answer:
    return answers.refusal(503, f"not ready: {why}", reason="unready")


def _unavailable(why: str) -> Response:
    return json_response(_unready(why), RETRY)
