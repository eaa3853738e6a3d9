"""What a request for predictions is answered, whichever server took it. It knows nothing of any web framework."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import numpy as np

from lifeboat.scoring import bodies
from lifeboat.scoring.fields import InputError
from lifeboat.scoring.scorer import Scorer, Scores
from lifeboat.scoring.unseen import Unseen

JSON = "application/json"
LARGEST_BODY = 16 * 2**20  # bytes
MOST_ROWS = 10_000
TRUTHS = {"true": True, "1": True, "": True, "false": False, "0": False}  # what `?proba=` may say
ENCODER = json.JSONEncoder(separators=(",", ":"))  # made once: that takes longer than to use it
# in a request's environ, where that has been done already: its records as they were read, and its ``Scores``
RECORDS, SCORED = "lifeboat.records", "lifeboat.scored"
Read = Callable[[bytes], Any]
Environ = Mapping[str, Any]  # a request's, as WSGI has it


@dataclass(frozen=True)
class Limits:
    """What one request may hold.

    Attributes:
        body: Bytes of its body.
        rows: Records in it.
    """

    body: int = LARGEST_BODY
    rows: int = MOST_ROWS


@dataclass(frozen=True)
class Answer:
    """A status of HTTP and the JSON to send with it; the rest is for logs and counters.

    Attributes:
        status: Of HTTP.
        text: JSON.
        rows: Records that were scored.
        unseen: How many values of each column training never met.
        reason: Why nothing was scored, in a word; empty where it was.
    """

    status: int
    text: str
    rows: int = 0
    unseen: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""


class WrongTypeError(InputError):
    """The body is not declared to be JSON."""

    status, reason = 415, "wrong_type"


class TooLargeError(InputError):
    """The request holds more than one may."""

    status, reason = 413, "too_large"


def predict(
    scorer: Scorer,
    to_records: Callable[[Any], list[bodies.Record]],
    environ: Environ,
    limits: Limits = Limits(),
    read: Read = bodies.read_json,
) -> Answer:
    """Score what a request holds: ``{"predictions": [...]}``, a class a record, or ``refusal``'s JSON.

    With ``?proba=true`` it has ``probabilities`` too, a list of each class's for each record. Where records have values
    that training never met, ``warnings`` (the first hundred, as ``unseen.Lookup.described`` has them) and
    ``warning_count`` stand beside the predictions.

    Args:
        scorer: The model.
        to_records: What reads the records out of the body: ``bodies.invocations`` or ``bodies.score``.
        environ: A POST; what it has of ``RECORDS`` and ``SCORED`` is taken from there.
        limits: What it may hold.
        read: What makes a value of the body's bytes, as ``bodies.read_json`` does.

    Returns:
        Status 200; 400 for a body that is not JSON; 413 for one that is too large; 415 for one that is not declared to
        be JSON; 422 for one whose records do not fit: then nothing was scored.
    """
    try:
        with_probabilities = wants_probabilities(environ)
        scores = environ.get(SCORED) or score(scorer, read_records(to_records, environ, limits, read), limits)
    except InputError as error:
        return refused(error)
    answer: dict[str, Any] = {"predictions": scores.predictions.tolist()}
    if with_probabilities:
        answer["probabilities"] = probabilities(scores)
    return answered(answer, scores)


def wants_probabilities(environ: Environ) -> bool:
    """Whether the address ends with ``?proba=true``.

    Raises:
        MalformedError: It says something else of ``proba`` than true or false.
    """
    query = environ.get("QUERY_STRING")
    if not query:
        return False
    text = parse_qs(query, keep_blank_values=True).get("proba", ["false"])[0]
    if (wanted := TRUTHS.get(text.lower())) is None:
        raise bodies.MalformedError("proba", repr(text[:20]), "true or false")
    return wanted


def read_records(
    to_records: Callable[[Any], list[bodies.Record]], environ: Environ, limits: Limits, read: Read
) -> list[bodies.Record]:
    """The records of a request, each error and argument as for ``predict``."""
    known: list[bodies.Record] | None = environ.get(RECORDS)
    return to_records(read(read_body(environ, limits))) if known is None else known


def declared_length(environ: Environ) -> int | None:
    """Bytes of a body as its request declares them; None where it says no number, as for a body in chunks."""
    declared = environ.get("CONTENT_LENGTH") or ""
    return int(declared) if declared.isdecimal() else None


def read_body(environ: Environ, limits: Limits, kind: str = JSON, undeclared: bool = False) -> bytes:
    """The body of a request that is declared to be of a kind, or ``undeclared`` not at all.

    Raises:
        WrongTypeError: It is declared to be something else, or compressed.
        TooLargeError: It has more bytes than it may.
        MalformedError: It ended before it was whole.
    """
    content_type = environ.get("CONTENT_TYPE") or ""
    if content_type != kind and not _is_of(content_type, kind) and not (undeclared and not content_type):
        got, name = (content_type or "none")[:100], kind.partition("/")[2].upper()
        raise WrongTypeError("Content-Type", got, kind, f"the body is declared as {got}: send {name}, as {kind}")
    if (coding := environ.get("HTTP_CONTENT_ENCODING", "identity").lower()[:100]) != "identity":
        message = f"the body is declared as {coding}: send it as it is, without Content-Encoding"
        raise WrongTypeError("Content-Encoding", coding, "no Content-Encoding", message)
    length = declared_length(environ)
    # a body in chunks declares no length; a byte more than allowed says that there are too many
    body = _read(environ, limits.body + 1 if length is None else length) if (length or 0) <= limits.body else b""
    if max(len(body), length or 0) > limits.body:
        got, allowed = f"{length or f'{len(body)} or more'} bytes", f"at most {limits.body} bytes"
        raise TooLargeError("body", got, allowed, f"the body is too large: got {got}; allowed: {allowed}")
    if len(body) < (length or 0):
        raise bodies.MalformedError("body", f"{len(body)} bytes", f"the {length} that were declared")
    return body


def _is_of(content_type: str, kind: str) -> bool:
    """Whether a type is of a kind: in any case, with parameters behind it, or one of JSON's that says more."""
    plain = content_type.partition(";")[0].strip().lower()
    return plain == kind or (kind == JSON and plain.startswith("application/") and plain.endswith("+json"))


def _read(environ: Environ, most: int) -> bytes:
    """A body up to so many bytes; of one that declares no length nothing, unless the server says where it ends."""
    if not environ.get("CONTENT_LENGTH") and not environ.get("wsgi.input_terminated"):
        return b""
    pieces, stream = [], environ["wsgi.input"]
    while most > 0 and (piece := stream.read(most)):
        pieces.append(piece)
        most -= len(piece)
    return b"".join(pieces)


def score(scorer: Scorer, records: Sequence[bodies.Record], limits: Limits) -> Scores:
    """What the model says of a request's records.

    Raises:
        TooLargeError: They are too many.
        InputError: At least one does not fit.
    """
    if len(records) > limits.rows:
        got, allowed = f"{len(records)} rows", f"at most {limits.rows} rows a request"
        raise TooLargeError("rows", got, allowed, f"too many rows: got {got}; allowed: {allowed}")
    return scorer.score(records)


def probabilities(scores: Scores) -> list[list[float | None]]:
    """A list of each class's for each record; None for what is no number, which JSON does not have."""
    listed: list[list[float | None]] = scores.probabilities.tolist()
    if np.isfinite(scores.probabilities).all():
        return listed
    return [[number if number is not None and np.isfinite(number) else None for number in row] for row in listed]


def answered(content: dict[str, Any], scores: Scores) -> Answer:
    """A good answer: ``content``, and what training never met."""
    if unseen := scores.unseen:
        content |= warnings(unseen)
    return Answer(200, ENCODER.encode(content) + "\n", len(scores.predictions), unseen.fields)


def warnings(unseen: Unseen) -> dict[str, Any]:
    """What stands beside the predictions where training never met a value."""
    return {"warnings": unseen.entries, "warning_count": unseen.count}


def warn(answer: Answer) -> None:
    """A line on stderr where training never met a value, for a server without a log of requests; it names no value."""
    if answer.unseen:
        print(Unseen(sum(answer.unseen.values()), (), answer.unseen).summary(), file=sys.stderr, flush=True)


def refused(error: InputError) -> Answer:
    """What is said of a request that cannot be scored."""
    return refusal(error.status, str(error), [each.detail() for each in error.errors], error.reason)


def refusal(status: int, sentence: str, details: Sequence[Mapping[str, Any]] = (), reason: str = "") -> Answer:
    """An error as JSON: ``{"error": "a sentence", "details": [{"row", "field", "got", "allowed"}, ...]}``."""
    return Answer(status, json.dumps({"error": sentence, "details": list(details)}) + "\n", reason=reason)


def wrong_method(method: str, path: str, allowed: str) -> Answer:
    """What is said to a method that the path does not take."""
    detail = {"row": None, "field": "method", "got": method, "allowed": allowed}
    return refusal(405, f"{path} does not take {method}; allowed: {allowed}", [detail], "wrong_method")
