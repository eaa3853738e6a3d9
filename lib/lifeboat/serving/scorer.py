"""Score raw records with a portable model: the standard library, numpy and onnxruntime alone, no Spark and no Java.

This file stands by itself, so that it can be copied next to a model. It answers as Spark's own transform would, class
for class; where the two could differ, it says no instead (``InputError``).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import reprlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

KINDS: dict[str, Any] = {"int": int, "bigint": int, "double": float, "string": str, "boolean": bool}
MEANINGS = {"int": "a whole number", "bigint": "a whole number", "double": "a number", "string": "text"}
SPANS = {
    "int": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
    "double": (-sys.float_info.max, sys.float_info.max),
}

Step = Callable[..., list[Any]]  # the input columns' values -> the output column's
Floats = npt.NDArray[np.float64]


class BrokenModelError(ValueError):
    """The model's folder is not whole: a file is missing, or is not the one that was exported."""


class InputError(ValueError):
    """A record that cannot be scored.

    Attributes:
        field: The column, or the part of the request.
        got: What came, in words.
        allowed: What may come, in words.
        message: All of it in one sentence.
    """

    def __init__(self, field: str, got: str, allowed: str, message: str = "") -> None:
        self.field, self.got, self.allowed = field, got, allowed
        self.message = message or f"{field}: got {got}; allowed: {allowed}"
        super().__init__(self.message)


def in_words(value: Any) -> str:
    """Any value as a short text that names its kind, such as ``'male' (text)``."""
    if value is None:
        return "nothing (missing or null)"
    kinds = {bool: "true or false", int: "number", float: "number", str: "text", list: "list", dict: "object"}
    if isinstance(value, int) and value.bit_length() > 256:
        return "a whole number of more than 77 digits"
    return f"{reprlib.repr(value)} ({kinds.get(type(value), type(value).__name__)})"


@dataclass(frozen=True)
class Column:
    """A raw column that the model needs: its name, its type as Spark writes it, and what it may hold."""

    name: str
    type: str
    nullable: bool
    minimum: float | None
    maximum: float | None

    def span(self) -> tuple[float, float]:
        """The smallest and the largest number allowed, both included."""
        low, high = SPANS[self.type]
        return (low if self.minimum is None else max(low, self.minimum)), (
            high if self.maximum is None else min(high, self.maximum)
        )

    def allowed(self) -> str:
        """What the column may hold, in words."""
        meaning = MEANINGS.get(self.type, "true or false")
        if self.type in SPANS:
            low, high = self.span()
            most = SPANS["double"][1]
            meaning += (f" from {low}" if low > -most else "") + (f" to {high}" if high < most else " that is finite")
        return meaning + (", or null" if self.nullable else "")

    def reader(self) -> Callable[[list[Any]], list[Any]]:
        """A function that checks the column's values, one a record, and gives them in the column's own type."""
        kind, careful = KINDS[self.type], self._read
        if self.type in SPANS:
            low, high = self.span()
            return lambda values: [
                v if type(v) is kind and low <= v <= high else careful(v, row, len(values))
                for row, v in enumerate(values)
            ]
        return lambda values: [v if type(v) is kind else careful(v, row, len(values)) for row, v in enumerate(values)]

    def _read(self, value: Any, row: int, rows: int) -> Any:
        """One value that is not plainly right: null, of a kindred type (3.0 for 3), or wrong."""
        plain = value.item() if isinstance(value, np.generic) else value
        nan = self.type in SPANS and isinstance(plain, float) and math.isnan(plain)
        if self.nullable and (plain is None or nan):
            return plain if self.type == "double" else None
        number = isinstance(plain, int | float) and not isinstance(plain, bool)
        try:
            if self.type in SPANS and number and not nan:
                cast = KINDS[self.type](plain)
                low, high = self.span()
                if low <= cast <= high and (cast == plain or self.type == "double"):
                    return cast
            elif self.type not in SPANS and isinstance(plain, KINDS[self.type]):
                return KINDS[self.type](plain)
        except OverflowError:  # an infinity has no int, and 10**400 no double
            pass
        message = "" if rows == 1 else f"{self.name}: got {in_words(plain)} in record {row}; allowed: {self.allowed()}"
        raise InputError(self.name, in_words(plain), self.allowed(), message)


@dataclass(frozen=True)
class Scores:
    """What the model says of n records.

    Attributes:
        predictions: Class of each record, int64, shape ``(n,)``.
        probabilities: Probability of each of the k classes, float64, shape ``(n, k)``.
    """

    predictions: npt.NDArray[np.int64]
    probabilities: Floats


def _text(value: Any) -> Any:
    """A string or whole number as Spark casts it to a string; None stays None."""
    return value if value is None or type(value) is str else str(value)


def _text_category(stage: dict[str, Any]) -> Step:
    find = re.compile(stage["pattern"], re.ASCII).search  # Java's \w, \d and \s know ASCII alone
    kept, other = stage["categories"], stage["other"]

    def category(text: str | None) -> Any:
        if text is None:
            return other
        found = find(text)
        return kept.get((found[1] or "") if found else "", other)

    return lambda texts: [category(text) for text in texts]


def _sum_columns(_: dict[str, Any]) -> Step:
    def total(values: tuple[Any, ...]) -> float | None:
        if None in values:
            return None
        result = float(values[0])
        for value in values[1:]:  # not sum(): since Python 3.12 it rounds otherwise than Spark
            result += float(value)
        return result

    return lambda *columns: [total(values) for values in zip(*columns, strict=True)]


def _equal_to(stage: dict[str, Any]) -> Step:
    value = stage["value"]
    return lambda numbers: [None if v is None else float(float(v) == value) for v in numbers]


def _group_mean(stage: dict[str, Any]) -> Step:
    means, overall = stage["means"], stage["overall"]

    def fill(numbers: list[Any], groups: list[Any] | None = None) -> list[Any]:
        return [
            means.get(_text(group), overall) if v is None or v != v else float(v)
            for v, group in zip(numbers, groups or [""] * len(numbers), strict=True)
        ]

    return fill


def _mode(stage: dict[str, Any]) -> Step:
    return lambda texts: [text or stage["mode"] for text in texts]


def _string_index(stage: dict[str, Any]) -> Step:
    index = {label: float(i) for i, label in enumerate(stage["labels"])}
    unseen = float(len(index))
    return lambda values: [index.get(_text(value), unseen) for value in values]


STEPS: dict[str, Callable[[dict[str, Any]], Step]] = {
    "TextCategory": _text_category,
    "SumColumns": _sum_columns,
    "EqualTo": _equal_to,
    "GroupMeanImputerModel": _group_mean,
    "ModeImputerModel": _mode,
    "StringIndexerModel": _string_index,
}


def classify(model: dict[str, Any], raw: Floats) -> Scores:
    """Turn the graph's output into classes and probabilities, as Spark's classifiers do.

    Args:
        model: The manifest's ``model``: kind, threshold, thresholds.
        raw: Votes a class of a forest, shape ``(n, k)``; margin of class 1, shape ``(n, 1)``, of boosted trees and
            a binary logistic regression; margin of each class, shape ``(n, k)``, of a multinomial one.
    """
    if model["kind"] == "forest":
        probabilities = raw / np.maximum(_total(raw), sys.float_info.min)  # no votes at all: 0 for each class
    elif model["kind"] == "logistic" and raw.shape[1] > 1:
        weights = np.exp(raw - raw.max(axis=1, keepdims=True))
        probabilities = weights / _total(weights)
    else:
        margin = raw[:, 0]
        with np.errstate(over="ignore"):  # exp(800) is infinite, and its class has probability 0
            first = 1.0 / (1.0 + np.exp(margin * (2.0 if model["kind"] == "gbt" else 1.0)))
        raw, probabilities = np.stack([-margin, margin], axis=1), np.stack([first, 1.0 - first], axis=1)
    if model["threshold"] is not None:
        yes, no = model["threshold"], 1.0 - model["threshold"]
        cut = math.log(yes / no) if min(yes, no) > 0 else math.copysign(math.inf, yes - no)
        return Scores((raw[:, 1] > cut).astype(np.int64), probabilities)
    if model["thresholds"] is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            raw = probabilities / np.array(model["thresholds"])
        raw = np.where(np.isnan(raw), -math.inf, raw)  # 0 / 0 never wins
    return Scores(raw.argmax(axis=1), probabilities)


def _total(votes: Floats) -> Floats:
    """The sum of each row, shape ``(n, 1)``, added from left to right as Spark does."""
    total: Floats = votes[:, :1]
    for place in range(1, votes.shape[1]):
        total = total + votes[:, place : place + 1]
    return total


class Scorer:
    """A portable model in memory; safe to share between threads.

    Attributes:
        manifest: What ``manifest.json`` says: signature, label, versions.
        digest: sha256 of ``manifest.json``, which holds the other files' own: it identifies the model.
    """

    def __init__(self, manifest: dict[str, Any], digest: str, stages: list[dict[str, Any]], graph: bytes) -> None:
        self.manifest, self.digest = manifest, digest
        self._known = frozenset(manifest["signature"]["known"])
        self._readers = [(c["name"], Column(**c).reader()) for c in manifest["signature"]["inputs"]]
        self._steps = [(s["inputs"], s["outputs"][0], STEPS[s["stage"]](s)) for s in stages if s["stage"] in STEPS]
        self._features: list[str] = manifest["model"]["features"]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # trees are added in Spark's order
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    @classmethod
    def load(cls, folder: str | Path) -> Scorer:
        """Read a folder that ``export_model`` wrote, and check it against its own sha256s.

        Raises:
            BrokenModelError: A file is missing or altered.
        """
        files = {}
        try:
            text = Path(folder, "manifest.json").read_bytes()
            manifest = json.loads(text)
            for name, expected in manifest["files"].items():
                files[name] = Path(folder, name).read_bytes()
                if hashlib.sha256(files[name]).hexdigest() != expected:
                    raise BrokenModelError(f"{name} in {folder} is not the file that was exported: export it again")
        except (OSError, ValueError, KeyError) as error:
            if isinstance(error, BrokenModelError):
                raise
            raise BrokenModelError(f"{folder} is not a portable model: {error!r}; export it again") from error
        digest = hashlib.sha256(text).hexdigest()
        return cls(manifest, digest, json.loads(files["preprocess.json"]), files["model.onnx"])

    def score(self, records: Sequence[Mapping[str, Any]]) -> Scores:
        """Check and score raw records, one or a million by the same path.

        Args:
            records: Each maps a column's name to its value. A column that may be null may be left out; one that the
                model does not use is ignored, one that nobody knows is refused.

        Raises:
            InputError: A record does not fit; nothing was scored.
        """
        for record in records:
            if not record.keys() <= self._known:
                self._refuse(next(name for name in record if name not in self._known))
        table: dict[str, list[Any]] = {}
        for name, read in self._readers:
            table[name] = read([record.get(name) for record in records])
        for sources, target, step in self._steps:
            table[target] = step(*[table[source] for source in sources])
        features = np.array([table[name] for name in self._features], dtype=np.float64).T
        if np.isnan(features).any():
            raise InputError("features", "numbers whose sum is no number", "smaller numbers")
        return classify(
            self.manifest["model"], self._session.run(None, {"features": np.ascontiguousarray(features)})[0]
        )

    def _refuse(self, name: Any) -> None:
        near = get_close_matches(str(name), self._known, n=1)
        hint, known = f": did you mean {near[0]!r}?" if near else ".", ", ".join(sorted(self._known))
        raise InputError(str(name), in_words(name), known, f"unknown column {str(name)!r}{hint} Known: {known}")
