"""A model's own example: a record of what is usual, and whether the model still answers it as it was exported."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lifeboat.scoring.declared import WHOLES
from lifeboat.scoring.fields import Column
from lifeboat.scoring.scorer import Scorer

DIGITS = 6  # of a probability, in which two machines must agree
CLOSE = 10**-DIGITS


def usual_record(columns: Sequence[Column]) -> dict[str, Any]:
    """A record that each column takes: of what is usual in it, or where nobody has noted that, of what it allows."""
    return {column.name: usual_value(column) for column in columns}


def usual_value(column: Column) -> Any:
    """What is usual in a column, as a value that it takes."""
    if column.type == "string":
        return column.usual if isinstance(column.usual, str) else None if column.nullable else "-"
    if column.type == "boolean":
        return column.usual if isinstance(column.usual, bool) else False
    low, high = column.span()
    usual = column.usual if isinstance(column.usual, int | float) and math.isfinite(column.usual) else 0
    nearest = min(max(usual, low), high)
    return round(nearest) if column.type in WHOLES else float(nearest)


def answer_example(scorer: Scorer, record: dict[str, Any]) -> dict[str, Any]:
    """What a model says of its example: ``record``, ``prediction``, and each class's probability, rounded.

    Raises:
        InputError: The model does not take it.
    """
    scores = scorer.score([record], refuse_unseen=False)
    probabilities = [round(number, DIGITS) for number in scores.probabilities[0].tolist()]
    return {"record": record, "prediction": int(scores.predictions[0]), "probabilities": probabilities}


def example_error(scorer: Scorer) -> str:
    """Why a model does not answer its own example as it did when it was exported; empty where it does.

    A model that was exported without one is asked about what is usual, and must answer.
    """
    noted = scorer.manifest.get("example")
    record = noted["record"] if noted else usual_record(scorer.columns)
    try:
        now = answer_example(scorer, record)
    except Exception as error:  # whatever it is: such a model must not serve. What the error says may quote a person
        return f"its example is not answered ({type(error).__name__})"
    if not all(map(math.isfinite, now["probabilities"])):
        return f"its example is answered with probabilities that are no numbers: {now['probabilities']}"
    if noted is None or (now["prediction"] == noted["prediction"] and _close(now, noted)):
        return ""
    got = f"class {now['prediction']}, probabilities {now['probabilities']}"
    return f"its example is answered with {got}; exported: {noted['prediction']}, {noted['probabilities']}"


def _close(now: dict[str, Any], noted: dict[str, Any]) -> bool:
    pairs = list(zip(now["probabilities"], noted["probabilities"], strict=False))
    return len(pairs) == len(noted["probabilities"]) and all(abs(a - b) <= 2 * CLOSE for a, b in pairs)
