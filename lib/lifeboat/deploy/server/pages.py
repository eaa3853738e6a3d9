"""The page that a person asks the model on, and the routes that it alone needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask, Response, send_from_directory

from lifeboat.deploy.server.models import Models

SAFETY = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
FOLDER = Path(__file__).parent / "page"


def add_page(app: Flask, models: Models) -> None:
    """``GET /``, the files it loads, and ``GET /fields``: what its form is made of."""

    def fields() -> dict[str, Any]:
        model = models.current
        about = model.about()
        kept = {name: about[name] for name in ("name", "version", "label", "class_names")}
        return kept | {"fields": model.fields()}

    def file(name: str = "index.html") -> Response:
        response = send_from_directory(FOLDER, name)
        response.headers.update(SAFETY)
        return response

    app.get("/", endpoint="page")(file)
    app.get("/page/<path:name>", endpoint="page_file")(file)
    app.get("/fields", endpoint="fields")(fields)
