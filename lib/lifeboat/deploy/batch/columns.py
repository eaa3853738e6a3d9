"""Answer Arrow tables: the scorer's own readers and steps on each distinct value, and a reason for each bad row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lifeboat.deploy.batch.tables import tables
from lifeboat.errors import DataError, unknown
from lifeboat.parameters.names import PREFIX
from lifeboat.reading import ERROR, LINE, OURS, UNREADABLE, arrow
from lifeboat.scoring.declared import refusal
from lifeboat.scoring.fields import Column, InputError
from lifeboat.scoring.scorer import Scorer, Scores, classify, no_number
from lifeboat.scoring.steps import Values
from lifeboat.scoring.unseen import Lookup, misses

Objects = npt.NDArray[np.object_]


class ColumnScorer:
    """A portable model that answers whole tables; safe to share between threads, and to send to another process.

    Attributes:
        scorer: The model.
    """

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer
        self._tables = tables(scorer.graph)
        several = scorer.score([]).probabilities.shape[1] > 2
        self._probability = pa.list_(pa.float64()) if several else pa.float64()

    def answers(self, kept: Sequence[str]) -> list[pa.Field]:
        """The columns that scoring adds: prediction (int), probability, reason and warning.

        ``probability`` is that of class 1, a double; of more than two classes a list, one a class. ``reason`` is
        text, null where the row was scored. ``warning`` is text where it was, and has a value that training never met;
        else null. Beside a column of one of these names, all four start with ``lifeboat:``.
        """
        kinds = {
            "prediction": pa.int32(),
            "probability": self._probability,
            "reason": pa.string(),
            "warning": pa.string(),
        }
        prefix = PREFIX if {name.lower() for name in kept} & kinds.keys() else ""
        return [pa.field(prefix + name, kind) for name, kind in kinds.items()]

    def columns_to_read(self, schema: pa.Schema, keep: Sequence[str] | None) -> tuple[list[str], list[str]]:
        """The columns to keep and those to read, of the ones that a table has.

        Args:
            schema: The table's columns; those that the model does not read are not looked at.
            keep: Those to write beside the answers; None for all.

        Raises:
            DataError: The table lacks a column, has one twice, or has one of a type that its declared type cannot take.
        """
        names = schema.names
        own = [name for name in names if name not in OURS.names]
        kept = own if keep is None else list(dict.fromkeys(keep))
        needed = [column.name for column in self.scorer.columns]
        for role, wanted in (("of the model", needed), ("to keep", kept)):
            for name in wanted:
                if name not in names:
                    raise DataError(unknown(f"column {role}", name, own))
                if names.count(name) > 1:
                    raise DataError(f"the table has {names.count(name)} columns called {name!r}: rename all but one")
        for column in self.scorer.columns:
            kind = schema.field(column.name).type
            if refused := refusal(column.name, str(kind), arrow.family(kind), column.type):
                raise DataError(refused)
        return kept, list(dict.fromkeys([*kept, *needed, *(name for name in OURS.names if name in names)]))

    def answer(self, batch: pa.RecordBatch, kept: Sequence[str]) -> pa.RecordBatch:
        """Score a batch: what ``Scorer.score`` says of each row by itself, and where it refuses one, its sentence.

        Args:
            batch: The model's raw columns, in any of Arrow's types, a text for what it says; where there is a column
                ``lifeboat:fault``, a row that has a text there cannot be scored.
            kept: Columns to hand on.

        Returns:
            The columns kept and the answers, row by row as they came.
        """
        reasons = _read_errors(batch)
        raw = {}
        for column in self.scorer.columns:
            raw[column.name] = _checked(column, _values(batch.column(column.name)), reasons)
        table = self.scorer.prepared(raw)
        features = self.scorer.features(table)
        for row in np.flatnonzero(np.isnan(features).any(axis=1)).tolist():
            reasons[row] = reasons[row] or str(no_number())
        warnings = _unseen(self.scorer.lookups, table, batch.num_rows)
        if self.scorer.refuses_unseen:
            reasons = np.where(_present(reasons), reasons, warnings)
        if self._tables is None:
            scores = self.scorer.answer(features)
        else:
            scores = classify(self.scorer.manifest["model"], self._tables.raw(features))
        answers = self._answers(scores, reasons, warnings)
        schema = pa.schema([*(batch.schema.field(name) for name in kept), *self.answers(kept)])
        return pa.RecordBatch.from_arrays([*(batch.column(name) for name in kept), *answers], schema=schema)

    def _answers(self, scores: Scores, reasons: Objects, warnings: Objects) -> list[pa.Array]:
        bad = _present(reasons)
        warnings[bad] = None
        if self._probability == pa.float64():
            probability = pa.array(scores.probabilities[:, 1], mask=bad)
        else:
            lists = [None if wrong else row for wrong, row in zip(bad, scores.probabilities, strict=True)]
            probability = pa.array(lists, self._probability)
        prediction = pa.array(scores.predictions.astype(np.int32), mask=bad)
        return [prediction, probability, pa.array(reasons, pa.string()), pa.array(warnings, pa.string())]


def _unseen(lookups: list[Lookup], table: Mapping[str, Values], rows: int) -> Objects:
    """For each row what it has that training never met, in a sentence each; None where there is nothing."""
    warnings: Objects = np.full(rows, None, dtype=object)
    for lookup, values in misses(lookups, table):
        for row, value in enumerate(values):
            if value is not None:
                warnings[row] = "; ".join(filter(None, (warnings[row], lookup.sentence(value))))
    return warnings


def _present(texts: Objects) -> npt.NDArray[np.bool_]:
    return np.array([text is not None for text in texts], dtype=bool)


def _read_errors(batch: pa.RecordBatch) -> Objects:
    """For each row why it cannot be read; None where it can."""
    reasons: Objects = np.full(batch.num_rows, None, dtype=object)
    if ERROR not in batch.schema.names:
        return reasons
    lines, texts, errors = (batch.column(name) for name in (LINE, UNREADABLE, ERROR))
    for row in np.flatnonzero(errors.is_valid().to_numpy(zero_copy_only=False)).tolist():
        reasons[row] = f"line {lines[row]}: {errors[row]}: {texts[row]}"
    return reasons


def _values(cells: pa.Array) -> Values:
    """An Arrow column as Python's values, each distinct text or whole number once."""
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if not (pa.types.is_floating(cells.type) or pa.types.is_nested(cells.type) or pa.types.is_null(cells.type)):
        coded = cells.dictionary_encode(null_encoding="encode")
        if len(coded.dictionary) <= len(cells) // 2:
            return Values(arrow.values(coded.dictionary), coded.indices.to_numpy().astype(np.intp))
    return Values(arrow.values(cells))


def _checked(column: Column, values: Values, reasons: Objects) -> Values:
    """The values as the column's reader gives them; one that it refuses becomes None, and its rows get the reason."""
    read = column.reader(texts=True)
    try:
        return Values(read(values.distinct), values.indices)
    except InputError:
        pass
    good: list[Any] = []
    messages: list[str | None] = []
    for value in values.distinct:
        try:
            good += read([value])
            messages.append(None)
        except InputError as error:
            good.append(None)
            messages.append(str(error))
    for row, reason in enumerate(Values(messages, values.indices).spread()):
        reasons[row] = reasons[row] or reason
    return Values(good, values.indices)
