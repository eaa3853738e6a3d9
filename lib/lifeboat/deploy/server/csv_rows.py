"""A CSV file that somebody drops on the page: each row answered, or the reason why not, as ``lifeboat score`` does."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np

from lifeboat.scoring.answers import Limits, TooLargeError
from lifeboat.scoring.bodies import MalformedError
from lifeboat.scoring.fields import InputError
from lifeboat.scoring.scorer import Scorer, no_number
from lifeboat.scoring.steps import Values
from lifeboat.scoring.unseen import misses

SEPARATORS = ",;\t|"
OURS = ["prediction", "probability", "reason", "warning"]
Row = list[str]


def answer(scorer: Scorer, body: bytes, limits: Limits) -> dict[str, Any]:
    """All rows with what the model says of each: ``columns`` and ``rows``, all of them texts.

    Args:
        scorer: The model.
        body: A file in UTF-8 whose first line names the columns, separated by a comma, semicolon, tab or bar.
        limits: How many rows it may have.

    Raises:
        MalformedError: It is no such file.
        TooLargeError: It has too many rows.
        InputError: It lacks a column that each row must have.
    """
    header, rows = _read(body, limits)
    reasons, warnings = [""] * len(rows), [""] * len(rows)
    columns: dict[str, Values] = {}
    for column in scorer.columns:
        if column.name not in header:
            if column.made or not column.nullable:
                raise InputError(column.name, "no column of that name", column.allowed())
            columns[column.name] = Values([None] * len(rows))
            continue
        read, at, good = column.reader(texts=True), header.index(column.name), list[Any]()
        for number, row in enumerate(rows):
            try:
                good += read([row[at]])
            except InputError as error:
                good.append(None)
                reasons[number] = reasons[number] or str(error)
        columns[column.name] = Values(good)
    table = scorer.prepared(columns)
    features = scorer.features(table)
    for number in np.flatnonzero(np.isnan(features).any(axis=1)).tolist():
        reasons[number] = reasons[number] or str(no_number())
    for lookup, values in misses(scorer.lookups, table):
        for number, value in enumerate(values):
            if value is not None:
                warnings[number] = "; ".join(filter(None, (warnings[number], lookup.sentence(value))))
    if scorer.refuses_unseen:
        reasons = [reason or warning for reason, warning in zip(reasons, warnings, strict=True)]
    scores = scorer.answer(features)
    answered = [
        [*row, "", "", reason, ""]
        if reason
        else [*row, str(scores.predictions[number]), f"{scores.probabilities[number, -1]:.6g}", "", warnings[number]]
        for number, (row, reason) in enumerate(zip(rows, reasons, strict=True))
    ]
    return {"columns": [*header, *OURS], "rows": answered, "refused": sum(map(bool, reasons))}


def _read(body: bytes, limits: Limits) -> tuple[Row, list[Row]]:
    """The names of the columns, and the rows below them."""
    try:
        text = body.decode("utf-8-sig")
        first = text.partition("\n")[0]
        separator = max(SEPARATORS, key=first.count)
        header, *rows = [
            row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True) if row
        ]
    except (ValueError, csv.Error) as error:
        raise MalformedError("file", str(error)[:200], "CSV in UTF-8, its columns named in the first line") from error
    if len(set(header)) < len(header) or not all(header):
        raise MalformedError("file", f"the names {', '.join(header)[:200]}", "a name for each column, each once")
    if len(rows) > limits.rows:
        raise TooLargeError("rows", f"{len(rows)} rows", f"at most {limits.rows} rows a file")
    for number, row in enumerate(rows):
        if len(row) != len(header):
            raise MalformedError(
                "file", f"{len(row)} values in row {number}", f"{len(header)}, one a column", row=number
            )
    return header, rows
