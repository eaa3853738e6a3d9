"""What a request for predictions is answered, whichever server took it. It knows nothing of any web framework."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifeboat.scoring import bodies
from lifeboat.scoring.fields import InputError
from lifeboat.scoring.scorer import Scorer

if TYPE_CHECKING:
    from flask import Request

JSON = "application/json"
LARGEST_BODY = 16 * 2**20  # bytes


@dataclass(frozen=True)
class Answer:
    """A status of HTTP, and the JSON to send with it."""

    status: int
    text: str


def predict(scorer: Scorer, to_records: Callable[[Any], list[bodies.Record]], request: Request) -> Answer:
    """Score what a request holds: ``{"predictions": [...]}``, a class a record, or ``refusal``'s JSON.

    Where records have values that training never met, ``warnings`` (the first hundred, as ``unseen.Lookup.described``
    has them) and ``warning_count`` stand beside the predictions, and the log says how many they were.

    Args:
        scorer: The model.
        to_records: What reads the records out of the body: ``bodies.invocations`` or ``bodies.score``.
        request: A POST, as Flask has it; Azure's server is one of Flask's too.

    Returns:
        Status 200; 400 for a body or record that does not fit; 413 for a body that is too large; 415 for one that is
        not declared to be JSON.
    """
    if not request.is_json:
        got = request.content_type or "none"
        return refusal(415, "Content-Type", got, JSON, f"the body is declared as {got}: send JSON, as {JSON}")
    length = request.content_length or 0
    body = request.get_data() if length <= LARGEST_BODY else b""
    length = max(length, len(body))  # a body in chunks declares no length
    if length > LARGEST_BODY:
        got, allowed = f"{length} bytes", f"at most {LARGEST_BODY} bytes"
        return refusal(413, "body", got, allowed, f"the body is too large: got {got}; allowed: {allowed}")
    try:
        scores = scorer.score(to_records(bodies.read_json(body)))
    except InputError as error:
        return refusal(400, error.field, error.got, error.allowed, error.message)
    answer: dict[str, Any] = {"predictions": scores.predictions.tolist()}
    if unseen := scores.unseen:
        answer |= {"warnings": unseen.entries, "warning_count": unseen.count}
        print(unseen.summary(), file=sys.stderr, flush=True)
    return Answer(200, json.dumps(answer, separators=(",", ":")) + "\n")


def refusal(status: int, field: str | None, got: str | None, allowed: str | None, message: str) -> Answer:
    """An error as JSON: ``{"error": {"field": ..., "got": ..., "allowed": ..., "message": ...}}``."""
    error = {"field": field, "got": got, "allowed": allowed, "message": message}
    return Answer(status, json.dumps({"error": error}) + "\n")


def wrong_method(method: str, path: str, allowed: str) -> Answer:
    """What is said to a method that the path does not take."""
    got = f"{method} {path}"
    return refusal(405, None, got, allowed, f"{path} does not take {method}; allowed: {allowed}")
