"""Answer Arrow tables: the scorer's own readers and steps on each distinct value, and a reason for each bad row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lifeboat.errors import DataError, unknown
from lifeboat.serving.fields import Column, InputError
from lifeboat.serving.scorer import Scorer, Scores, classify, no_number
from lifeboat.serving.steps import Values
from lifeboat.serving.tables import tables

UNREADABLE = "_unreadable"  # a line of a CSV file with too many or too few values, whole; as `load.read_raw` has it

Objects = npt.NDArray[np.object_]


class ColumnScorer:
    """A portable model that answers whole tables; safe to share between threads, and to send to another process.

    Attributes:
        scorer: The model.
        answers: The columns that scoring adds: ``prediction`` (int), ``probability`` (that of class 1, double; of
            more than two classes a list, one a class) and ``reason`` (text, null where the row was scored).
    """

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer
        self._tables = tables(scorer.graph)
        several = scorer.score([]).probabilities.shape[1] > 2
        probability = pa.list_(pa.float64()) if several else pa.float64()
        kinds = {"prediction": pa.int32(), "probability": probability, "reason": pa.string()}
        self.answers = [pa.field(name, kind) for name, kind in kinds.items()]

    def columns_to_read(self, names: Sequence[str], keep: Sequence[str] | None) -> tuple[list[str], list[str]]:
        """The columns to keep and those to read, of the ones that a table has.

        Args:
            names: The table's columns; those that the model does not read are not looked at.
            keep: Those to write beside the answers; None for all.

        Raises:
            DataError: The table lacks a column, has one twice, or has one that is called as an answer is.
        """
        kept = [name for name in names if name != UNREADABLE] if keep is None else list(dict.fromkeys(keep))
        needed = [column.name for column in self.scorer.columns]
        for what, wanted in (("of the model", needed), ("to keep", kept)):
            for name in wanted:
                if name not in names:
                    raise DataError(unknown(f"column {what}", name, set(names) - {UNREADABLE}))
                if names.count(name) > 1:
                    raise DataError(f"the table has {names.count(name)} columns called {name!r}: rename all but one")
        for field in self.answers:
            if field.name in kept:
                raise DataError(f"the table has a column {field.name!r} already: rename it, or keep others alone")
        return kept, list(dict.fromkeys([*kept, *needed, *({UNREADABLE} & set(names))]))

    def answer(self, batch: pa.RecordBatch, kept: Sequence[str], text: bool) -> pa.RecordBatch:
        """Score a batch: what ``Scorer.score`` says of each row by itself, and where it refuses one, its sentence.

        Args:
            batch: The model's raw columns, in any of Arrow's types; where there is a column ``_unreadable``, a row
                that has a text there cannot be scored.
            kept: Columns to hand on.
            text: The columns are text, as a CSV file has them: empty is null, and each becomes its type first.

        Returns:
            The columns kept and the answers, row by row as they came.
        """
        reasons: Objects = np.full(batch.num_rows, None, dtype=object)
        if UNREADABLE in batch.schema.names:
            for row, line in enumerate(batch.column(UNREADABLE).to_pylist()):
                reasons[row] = line if line is None else f"the line has too many or too few values: {line}"
        raw = {}
        for column in self.scorer.columns:
            values = _values(batch.column(column.name))
            if text:
                values = Values([None if v is None else column.from_text(v) for v in values.distinct], values.places)
            raw[column.name] = _checked(column, values, reasons)
        features = self.scorer.features(raw)
        for row in np.flatnonzero(np.isnan(features).any(axis=1)).tolist():
            reasons[row] = reasons[row] or str(no_number())
        answers = self._answers(self._scores(features), reasons)
        schema = pa.schema([*(batch.schema.field(name) for name in kept), *self.answers])
        return pa.RecordBatch.from_arrays([*(batch.column(name) for name in kept), *answers], schema=schema)

    def _scores(self, features: npt.NDArray[np.float64]) -> Scores:
        if self._tables is None:
            return self.scorer.answer(features)
        return classify(self.scorer.manifest["model"], self._tables.raw(features))

    def _answers(self, scores: Scores, reasons: Objects) -> list[pa.Array]:
        bad = np.array([reason is not None for reason in reasons], dtype=bool)
        if self.answers[1].type == pa.float64():
            probability = pa.array(scores.probabilities[:, 1], mask=bad)
        else:
            lists = [None if wrong else row for wrong, row in zip(bad, scores.probabilities, strict=True)]
            probability = pa.array(lists, self.answers[1].type)
        prediction = pa.array(scores.predictions.astype(np.int32), mask=bad)
        return [prediction, probability, pa.array(reasons, pa.string())]


def _values(cells: pa.Array) -> Values:
    """An Arrow column as Python's values, each distinct text or whole number once."""
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if not (pa.types.is_floating(cells.type) or pa.types.is_nested(cells.type) or pa.types.is_null(cells.type)):
        coded = cells.dictionary_encode(null_encoding="encode")
        if len(coded.dictionary) <= len(cells) // 2:
            return Values(coded.dictionary.to_pylist(), coded.indices.to_numpy().astype(np.intp))
    return Values(cells.to_pylist())


def _checked(column: Column, values: Values, reasons: Objects) -> Values:
    """The values as the column's reader gives them; one that it refuses becomes None, and its rows get the reason."""
    read = column.reader()
    try:
        return Values(read(values.distinct), values.places)
    except InputError:
        pass
    good: list[Any] = []
    told: list[str | None] = []
    for value in values.distinct:
        try:
            good += read([value])
            told.append(None)
        except InputError as error:
            good.append(None)
            told.append(str(error))
    for row, reason in enumerate(Values(told, values.places).spread()):
        reasons[row] = reasons[row] or reason
    return Values(good, values.places)
