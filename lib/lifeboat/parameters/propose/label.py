"""What to predict: any column as a question with two answers, and the SQL that asks it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lifeboat.errors import DataError, ParameterError, unknown
from lifeboat.parameters.propose.table import Column, Survey, numbers
from lifeboat.spark.sql import quoted, ticked

CLASSES = 20  # different numbers that may be classes; more are an amount
WORDS = 100  # different texts that may be classes


@dataclass(frozen=True)
class Label:
    """The label of a data set.

    Attributes:
        name: Its column: one of the file's, or a new one that ``sql`` computes.
        source: The file's column that it comes from.
        sql: Makes it from ``source``; empty where it stands in the file as 0 and 1.
        meaning: When it is 1, as a clause.
        loud: What a person must know of the choice; empty where there was none.
        target: Of the survey's sample, shape (n,): 1.0, 0.0, or NaN where the file has nothing.
        classes: What class 0 and class 1 are called, as far as the values say so; else empty.
    """

    name: str
    source: str
    sql: str
    meaning: str
    loud: str
    target: npt.NDArray[np.float64]
    classes: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """The share of 1 in the sample."""
        return float(np.nanmean(self.target))


def choose_label(table: Survey, name: str, positive: str = "") -> Label:
    """Make a label of a column: 0 and 1 stay, of two values or more one stands against the rest, an amount is halved.

    Args:
        table: What was seen.
        name: The column.
        positive: The value that is to be 1; empty: the rarer of two, the rarest of more (of equals, the last).

    Raises:
        DataError: The column has one value or none, or is a text with too many.
        ParameterError: There is no such column, or it has no such value.
    """
    if name not in table.columns:
        raise ParameterError(unknown("column for --label", name, table.columns))
    column = table.columns[name]
    if len(column.values) == 1 or column.missing == table.rows:
        values = f"one value, {next(iter(column.values))!r}," if column.values else "no value"
        raise DataError(f"the label {name!r} has {values} in all {table.rows} rows: there is nothing to tell apart")
    if column.type in ("INT", "BIGINT") and set(column.values) == {"0", "1"} and positive in ("", "1"):
        return Label(name, name, "", f"{name} is 1", "", _target(table, column, "1"))
    if column.is_number and not positive and not 0 < len(column.values) <= CLASSES:
        return _halved(table, column)
    return _of_class(table, column, positive)


def _of_class(table: Survey, column: Column, positive: str) -> Label:
    classes = column.values
    if positive and positive not in classes and classes:
        raise ParameterError(unknown(f"value of {column.name} for --positive", positive, classes))
    if not positive and not 0 < len(classes) <= WORDS:
        raise DataError(
            f"the label {column.name!r} is a text with {len(classes) or 'more than 1,000'} different values, too many "
            "to be classes: name the one to predict, such as --positive VALUE"
        )
    chosen = positive or _rarest(column)
    how_many = f"{classes[chosen]:,} of {table.rows - column.missing:,} rows" if classes else "rare"
    shown = chosen if column.is_number else repr(chosen)
    others = [value for value in classes if value != chosen]
    against = (others[0] if column.is_number else repr(others[0])) if len(others) == 1 else "any other"
    loud = "" if positive else f"1 stands for {shown} ({how_many}), 0 for {against}; --positive names another"
    if len(others) != 1:
        loud = f"{len(classes) or 'many'} classes, and Lifeboat tells one from the rest: " + (
            loud or f"1 stands for {shown}, 0 for {against}"
        )
    new = _new_name(f"{column.name}_is_{chosen}", table.columns)
    target = _target(table, column, chosen)
    equals = _equals(column, chosen, table.parquet)
    return Label(new, column.name, equals, f"{column.name} is {shown}", loud, target, _classes(column, chosen, others))


def _classes(column: Column, chosen: str, others: list[str]) -> tuple[str, ...]:
    """The two values themselves, or one of several and its contrary; 0 and 1, or true and false, tell nothing."""
    if column.type == "BOOLEAN" or (column.is_number and {float(value) for value in column.values} <= {0.0, 1.0}):
        return ()
    named = (others[0] if len(others) == 1 else f"not {chosen}", chosen)
    return named if all(name.strip() for name in named) else ()


def _rarest(column: Column) -> str:
    """The value to be 1: true, or the number 1 beside 0, else the rarest, of equals the last in order."""
    if column.type == "BOOLEAN":
        return next((value for value in column.values if value.lower() == "true"), next(iter(column.values)))
    if column.is_number and {float(value) for value in column.values} == {0.0, 1.0}:
        return next(value for value in column.values if float(value) == 1.0)
    order = sorted(column.values, key=float) if column.is_number else sorted(column.values)
    return min(reversed(order), key=lambda value: column.values[value])


def _halved(table: Survey, column: Column) -> Label:
    known = numbers(table.sample[column.name])
    middle = float(np.nanmedian(known))
    sign, word = (">", "above") if np.nanmax(known) > middle else (">=", "at")
    text = f"{middle:.12g}"
    new = _new_name(f"{column.name}_{'above' if sign == '>' else 'from'}_{text.replace('-', 'minus_')}", table.columns)
    target = np.where(np.isnan(known), np.nan, known > middle if sign == ">" else known >= middle)
    sql = f"try_cast({ticked(column.name)} AS DOUBLE) {sign} {text}"
    loud = (
        f"{column.name} is an amount, and Lifeboat answers with yes or no: 1 stands for {word} its median, {text}. "
        "Put the number that you care about in its place"
    )
    classes = (f"up to {text}", f"above {text}") if sign == ">" else (f"below {text}", f"{text} or more")
    return Label(new, column.name, sql, f"{column.name} {sign} {text}", loud, target, classes)


def _target(table: Survey, column: Column, chosen: str) -> npt.NDArray[np.float64]:
    texts = table.sample[column.name].to_pylist()
    return np.array([np.nan if t is None or t in column.gap_words else float(t == chosen) for t in texts])


def _equals(column: Column, chosen: str, parquet: bool) -> str:
    name = ticked(column.name)
    if column.is_number:
        return f"try_cast({name} AS DOUBLE) = {float(chosen):.17g}"
    if column.type == "BOOLEAN":
        truth = f"try_cast({name} AS BOOLEAN)"
        return truth if chosen.lower() == "true" else f"NOT {truth}"
    # an empty text in parquet is a gap here, as one in CSV is by itself
    value = f"nullif(CAST({name} AS STRING), '')" if parquet else name
    return f"{value} = {quoted(chosen)}"


def _new_name(wanted: str, taken: Collection[str]) -> str:
    return free_name(re.sub(r"\W+", "_", wanted, flags=re.ASCII).strip("_").lower()[:60] or "label", taken)


def free_name(wanted: str, taken: Collection[str]) -> str:
    """The name itself, or with as many underscores behind it as tell it from those that are there."""
    lower = {name.lower() for name in taken}
    while wanted.lower() in lower:
        wanted += "_"
    return wanted
