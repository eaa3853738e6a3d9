"""The entry script of an Azure ML online endpoint: what Azure's inference server runs, without Spark or Java.

It answers ``POST /score`` as ``lifeboat serve`` does. It is sent with this package beside it, of which it needs
``lifeboat/__init__.py``, ``lifeboat/errors.py`` and ``lifeboat/scoring``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from azureml_inference_server_http.api.aml_request import rawhttp  # type: ignore[import-not-found]
from azureml_inference_server_http.api.aml_response import AMLResponse  # type: ignore[import-not-found]

from lifeboat.scoring import answers, bodies
from lifeboat.scoring.scorer import BrokenModelError, Scorer

METHODS = "OPTIONS, POST"
MODEL_DIR = "AZUREML_MODEL_DIR"

scorer: Scorer


def init() -> None:
    """Load the portable model below the folder that ``AZUREML_MODEL_DIR`` names; called once, before any request.

    Raises:
        BrokenModelError: There is no model, more than one, or one that is not whole.
    """
    global scorer
    folder = _model_folder()
    scorer = Scorer.load(folder)
    print(f"lifeboat answers with the model {scorer.digest} in {folder}")


def _model_folder() -> Path:
    folder = os.environ.get(MODEL_DIR)
    if not folder:
        raise BrokenModelError(f"{MODEL_DIR} is not set: it must name the folder that holds the portable model")
    manifests = sorted(Path(folder).rglob("manifest.json"))
    if len(manifests) != 1:
        paths = ", ".join(map(str, manifests)) or "none"
        raise BrokenModelError(
            f"{MODEL_DIR} must name a folder with one portable model: found manifest.json in {folder} at: {paths}"
        )
    return manifests[0].parent


@rawhttp  # type: ignore[untyped-decorator]
def run(request: Any) -> Any:
    """Answer one request to ``/score``.

    Args:
        request: Flask's.

    Returns:
        The server's own kind of response.
    """
    if request.method == "OPTIONS":
        return AMLResponse("", 200, {"Allow": METHODS})
    if request.method == "POST":
        answer, headers = answers.predict(scorer, bodies.score, request.environ), {}
        answers.warn(answer)
    else:
        answer, headers = answers.wrong_method(request.method, request.path, METHODS), {"Allow": METHODS}
    return AMLResponse(answer.text, answer.status, {"Content-Type": answers.JSON} | headers)
