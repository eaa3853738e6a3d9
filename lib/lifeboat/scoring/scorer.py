"""Score raw records with a portable model: no Spark, no Java and no pandas, so that a start takes a moment.

With ``fields`` and ``steps`` it needs the standard library, numpy and onnxruntime alone. It answers as Spark's own
transform would, class for class; where the two could differ, it says no instead (``InputError``).
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from lifeboat.errors import LifeboatError
from lifeboat.scoring.fields import Column, InputError, InputErrors, in_words
from lifeboat.scoring.steps import STEPS, Values, apply
from lifeboat.scoring.unseen import NOTHING, REFUSE, VARIABLE, Unseen, lookups, misses, policy, unseen_values

Floats = npt.NDArray[np.float64]


LONGEST_NAME = 200  # of a column that nobody knows, as far as it is shown
FORMATS = (1, 2)  # the first says nothing of how raw rows are completed


class BrokenModelError(LifeboatError, ValueError):
    """The model's folder is not whole: a file is missing, or is not the one that was exported."""


@dataclass(frozen=True)
class Scores:
    """What the model says of n records.

    Attributes:
        predictions: Class of each record, int64, shape ``(n,)``.
        probabilities: Probability of each of the k classes, float64, shape ``(n, k)``.
        unseen: Values among theirs that training never met; the model answers as it does for any other rare value.
    """

    predictions: npt.NDArray[np.int64]
    probabilities: Floats
    unseen: Unseen = NOTHING


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
    for column in range(1, votes.shape[1]):
        total = total + votes[:, column : column + 1]
    return total


def no_number() -> InputError:
    """What is said of a record whose features cannot be made."""
    return InputError("features", "numbers whose sum is no number", "smaller numbers")


def unseen_refused(entry: dict[str, Any], rows: int) -> InputError:
    """What is said of the first value never seen, where such are refused."""
    field, row, known = entry["field"], entry["row"], ", ".join(map(repr, entry["known"]))
    got, allowed = in_words(entry["value"]), f"a value that training has seen, such as {known}"
    where = f" in record {row}" if rows > 1 else ""
    message = f"{field}: got {got}{where}, which training has never seen; known: {known}"
    return InputError(field, got, allowed, message, row)


class Scorer:
    """A portable model in memory; safe to share between threads, and to send to another process.

    Attributes:
        manifest: What ``manifest.json`` says: signature, label, versions.
        digest: sha256 of ``manifest.json``, which holds the other files' own: it identifies the model.
        columns: The raw columns that the model reads.
        graph: ``model.onnx``, from features to classes.
        lookups: The lists that its stages learned of values.
        refuses_unseen: Whether a record with a value that is in none of them is refused.
    """

    def __init__(
        self, manifest: dict[str, Any], digest: str, stages: list[dict[str, Any]], graph: bytes, unseen: str = ""
    ) -> None:
        self._arguments = (manifest, digest, stages, graph, unseen)
        self.manifest, self.digest, self.graph = manifest, digest, graph
        self.columns = [Column.of(described) for described in manifest["signature"]["inputs"]]
        self._known = frozenset(manifest["signature"]["known"])
        self._made = frozenset(column.name for column in self.columns if column.made)
        self._readers = [(column.name, column.reader()) for column in self.columns]
        self._steps = [(s["inputs"], s["outputs"][0], STEPS[s["stage"]](s)) for s in stages if s["stage"] in STEPS]
        self._features: list[str] = manifest["model"]["features"]
        self.lookups = lookups(stages, [column.name for column in self.columns])
        self.refuses_unseen = policy(unseen, os.environ.get(VARIABLE), manifest.get("unseen")) == REFUSE
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # trees are added in Spark's order
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    @classmethod
    def load(cls, folder: str | Path, unseen: str = "") -> Scorer:
        """Read a folder that ``export_model`` wrote, and check it against its own sha256s.

        Args:
            folder: The model's.
            unseen: ``warn`` or ``refuse`` records with values that training never met; empty: as ``LIFEBOAT_UNSEEN``
                in the environment says, else the model.

        Raises:
            BrokenModelError: A file is missing or altered.
            UnseenError: ``unseen`` is another word.
        """
        files, name = {}, "manifest.json"
        try:
            text = Path(folder, name).read_bytes()
            manifest = json.loads(text)
            for name in manifest["files"]:
                files[name] = Path(folder, name).read_bytes()
        except OSError as error:
            reason = f"cannot read its {name} ({error.strerror})"
            raise BrokenModelError(f"{folder} is not a portable model: {reason}; export it again") from error
        except (ValueError, KeyError) as error:
            raise BrokenModelError(f"{folder} is not a portable model: {error!r}; export it again") from error
        for name, content in files.items():
            if hashlib.sha256(content).hexdigest() != manifest["files"][name]:
                raise BrokenModelError(f"{name} in {folder} is not the file that was exported: export it again")
        if manifest.get("format", 1) not in FORMATS:
            raise BrokenModelError(
                f"{folder} is a portable model of format {manifest['format']!r}; this Lifeboat reads {FORMATS}"
            )
        digest = hashlib.sha256(text).hexdigest()
        return cls(manifest, digest, json.loads(files["preprocess.json"]), files["model.onnx"], unseen)

    @property
    def enrichment(self) -> dict[str, Any]:
        """How raw rows are read and completed, as it was written for training; empty in a model of format 1."""
        written: dict[str, Any] = self.manifest.get("enrichment", {})
        return written

    @property
    def remark(self) -> str:
        """What a person must know of a model that does not carry its enrichment; empty of one that does."""
        if self.manifest.get("format", 1) != 1:
            return ""
        return "a portable model of format 1: it does not know how raw rows were completed; export it again to tell it"

    def __reduce__(self) -> tuple[type[Scorer], tuple[Any, ...]]:
        return Scorer, self._arguments  # onnxruntime's session cannot travel: it is made anew

    def score(self, records: Sequence[Mapping[str, Any]], refuse_unseen: bool | None = None) -> Scores:
        """Check and score raw records, one or a million by the same path.

        Args:
            records: Each maps a column's name to its value. A column that may be null may be left out, but for those
                that are computed or joined; one that the model does not use is ignored, one that nobody knows refused.
            refuse_unseen: Whether a record with a value that training never met is refused; None: as the model says.

        Raises:
            InputErrors: At least one record does not fit; nothing was scored.
        """
        table = self.prepared(self._read(records))
        features = self.features(table)
        if np.isnan(features).any():
            rows = np.flatnonzero(np.isnan(features).any(axis=1)).tolist()
            raise InputErrors(no_number().at(row, len(records)) for row in rows)
        unseen = unseen_values(misses(self.lookups, table))
        if unseen and (self.refuses_unseen if refuse_unseen is None else refuse_unseen):
            raise InputErrors(unseen_refused(entry, len(records)) for entry in unseen.entries)
        scores = self.answer(features)
        return replace(scores, unseen=unseen) if unseen else scores

    def _read(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Values]:
        """The raw columns in their own types."""
        try:
            if all(record.keys() <= self._known and self._made <= record.keys() for record in records):
                return {name: Values(read([record.get(name) for record in records])) for name, read in self._readers}
        except InputError:
            pass  # which rows, and what else is wrong
        raise InputErrors(self._errors(records))

    def _errors(self, records: Sequence[Mapping[str, Any]]) -> Iterator[InputError]:
        """What does not fit, row by row."""
        first = True
        for row, record in enumerate(records):
            for name in [name for name in record if name not in self._known]:
                yield self._unknown(name, first).at(row, len(records))
                first = False
            for column, (name, read) in zip(self.columns, self._readers, strict=True):
                try:
                    if column.made and name not in record:  # left out, it would pass for a gap that training never had
                        raise column.missing()
                    read([record.get(name)])
                except InputError as error:
                    yield error.at(row, len(records))

    def prepared(self, columns: Mapping[str, Values]) -> dict[str, Values]:
        """The raw columns as their readers gave them, and all that the stages make of them."""
        table = dict(columns)
        for sources, target, step in self._steps:
            table[target] = apply(step, [table[source] for source in sources])
        return table

    def features(self, table: Mapping[str, Values]) -> Floats:
        """The features of n rows, shape ``(n, d)``, out of what ``prepared`` gave.

        A row whose numbers add up to none has NaN in it, and must not be answered.
        """
        columns = [table[name] for name in self._features]
        if all(column.indices is None for column in columns):  # at once: for a single row, half of the time
            return np.array([column.distinct for column in columns], dtype=np.float64).T.copy()
        return np.ascontiguousarray(np.array([column.floats() for column in columns]).T)

    def answer(self, features: Floats) -> Scores:
        """What the model says of features, shape ``(n, d)``."""
        return classify(self.manifest["model"], self._session.run(None, {"features": features})[0])

    def _unknown(self, name: Any, explained: bool) -> InputError:
        """What is said of a column that nobody knows; which ones there are is said once."""
        shown = str(name)[:LONGEST_NAME]
        if not explained:
            return InputError(shown, in_words(name), "a known column", f"unknown column {shown!r}")
        near = get_close_matches(shown, self._known, n=1)
        hint, known = f": did you mean {near[0]!r}?" if near else ".", ", ".join(sorted(self._known))
        return InputError(shown, in_words(name), known, f"unknown column {shown!r}{hint} Known: {known}")
