"""What the columns are called that the pipeline's stages make, for Spark and for people."""

from __future__ import annotations

import re
from urllib.parse import unquote

from lifeboat import moved_from
from lifeboat.parameters.names import PREFIX

FEATURES = f"{PREFIX}features"
PREDICTION = f"{PREFIX}prediction"
PROBABILITY = f"{PREFIX}probability"
RAW_PREDICTION = f"{PREFIX}rawPrediction"
CLASSIFIER_COLUMNS = {  # Spark's Param of a classifier or an evaluator -> the column that it names
    "featuresCol": FEATURES,
    "predictionCol": PREDICTION,
    "probabilityCol": PROBABILITY,
    "rawPredictionCol": RAW_PREDICTION,
}

__getattr__ = moved_from(__name__)

_UNSAFE = re.compile(r"[.`*]")  # Spark's own stages take a.b for a field of a, and * for all columns
_MADE = re.compile(rf"{PREFIX}(?:imputed|index|copy|text):(.*)", re.DOTALL)


def imputed(name: str) -> str:
    """The column ``name`` once its gaps are filled."""
    return _made("imputed", name)


def index(name: str) -> str:
    """The numbers of the values of the categorical column ``name``."""
    return _made("index", name)


def text(name: str) -> str:
    """The column of truths ``name`` as text."""
    return _made("text", name)


def for_spark(name: str) -> str:
    """The column ``name`` as Spark's own stages can read it: itself, or its copy where they cannot."""
    return _made("copy", name) if _UNSAFE.search(name) else name


def _made(kind: str, name: str) -> str:
    return f"{PREFIX}{kind}:" + re.sub(r"[%.`*]", lambda match: f"%{ord(match[0]):02X}", name)


def plain_name(column: str) -> str:
    """A column's name for people.

    >>> plain_name("lifeboat:imputed:Age"), plain_name("lifeboat:fold"), plain_name("Age")
    ('Age', 'fold', 'Age')
    """
    made = _MADE.fullmatch(column)
    return unquote(made[1]) if made else column.removeprefix(PREFIX)
