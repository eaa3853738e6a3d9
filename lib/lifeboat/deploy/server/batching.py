"""The rows of requests that wait together, scored at once: a model takes hardly longer for eight rows than for one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from lifeboat.deploy.server import parsing
from lifeboat.deploy.server.guard import turned_away
from lifeboat.deploy.server.models import Models
from lifeboat.deploy.server.settings import Settings
from lifeboat.deploy.server.wsgi import MODEL, Environ
from lifeboat.scoring import answers, bodies
from lifeboat.scoring.fields import InputError
from lifeboat.scoring.scorer import Scores
from lifeboat.scoring.unseen import NOTHING, Unseen

FEW = 16  # rows of a request that is scored with others; with more, it gains nothing
PREDICTED = {"/invocations": bodies.invocations, "/score": bodies.score}


def reader_of(environ: Environ) -> Callable[[Any], list[bodies.Record]] | None:
    """What reads the records of a request for predictions out of its body; None for any other request."""
    return PREDICTED.get(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == "POST" else None


class Batches:
    """Dynamic batching: asks the model once for what several requests hold, and lays each one's scores into it.

    Whatever is odd about a request is left to the request itself: then it has no scores. Its records are laid into it
    too, where they can be read, so that no body is parsed twice.

    Args:
        models: Who is asked.
        settings: Who may ask, and what a request may hold.
    """

    def __init__(self, models: Models, settings: Settings) -> None:
        self._models, self._settings = models, settings

    def __call__(self, environs: Sequence[Environ]) -> None:
        """Score what can be scored together."""
        if len(environs) < 2:
            return
        together = [(environ, rows) for environ in environs if (rows := self._rows(environ))]
        if len(together) < 2:
            return
        model = self._models.current
        try:
            scores = model.scorer.score([row for _, rows in together for row in rows])
        except InputError:  # each says itself what is wrong with its own rows
            return
        if scores.unseen.count > len(scores.unseen.entries):  # not all are described
            return
        first = 0
        for environ, rows in together:
            environ[MODEL], environ[answers.SCORED] = model, scores_of(scores, first, first + len(rows))
            first += len(rows)

    def _rows(self, environ: Environ) -> list[bodies.Record]:
        """The rows of a request that may be scored with others; none of any other."""
        limits, to_records = self._settings.limits, reader_of(environ)
        if to_records is None or turned_away(environ, self._settings):
            return []
        try:
            rows = environ[answers.RECORDS] = answers.read_records(to_records, environ, limits, parsing.read_json)
        except InputError:
            return []
        finally:
            environ["wsgi.input"].seek(0)
        return rows if len(rows) <= min(FEW, limits.rows) else []


def scores_of(scores: Scores, first: int, end: int) -> Scores:
    """The scores of some rows, as they would be had the model been asked for these alone."""
    entries = [entry for entry in scores.unseen.entries if first <= entry["row"] < end]
    unseen = NOTHING
    if entries:
        own = tuple(entry | {"row": entry["row"] - first} for entry in entries)
        unseen = Unseen(len(own), own, Counter(entry["field"] for entry in own))
    return Scores(scores.predictions[first:end], scores.probabilities[first:end], unseen)
