"""What to predict: any column as a question with two answers, and the SQL that asks it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lifeboat.errors import DataError, ParameterError, unknown
from lifeboat.parameters.propose.table import Column, Survey
from lifeboat.spark.sql import quoted, ticked

CLASSES = 20  # different numbers that may be classes; more are amounts
WORDS = 100  # different texts that may be classes
AMOUNT_MEND = ", or add a column to the file that is 1 where it is above your limit, else 0, and name that"


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
    """Make a label of a column: 0 and 1 stay, of two values or more one stands against the rest.

    Args:
        table: What was seen.
        name: The column.
        positive: The value that is to be 1; empty: the rarer of two, the rarest of more (of equals, the last).

    Raises:
        DataError: The column has one value or none, or too many to be classes.
        ParameterError: There is no such column, or it has no such value.
    """
    if name not in table.columns:
        raise ParameterError(unknown("column for --label", name, table.columns))
    column = table.columns[name]
    classes = column.values
    if len(classes) == 1 or column.missing == table.rows:
        values = f"one value, {next(iter(classes))!r}," if classes else "no value"
        raise DataError(f"the label {name!r} has {values} in all {table.rows} rows: there is nothing to tell apart")
    if column.type in ("INT", "BIGINT") and set(classes) == {"0", "1"} and positive in ("", "1"):
        return Label(name, name, "", f"{name} is 1", "", _target(table, column, "1"))
    if positive and classes and positive not in classes:
        raise ParameterError(unknown(f"value of {name} for --positive", positive, classes))
    if not positive and not 0 < len(classes) <= (CLASSES if column.is_number else WORDS):
        kind, mend = ("an amount", AMOUNT_MEND) if column.is_number else ("a text", "")
        raise DataError(
            f"the label {name!r} is {kind} with {len(classes) or 'more than 1,000'} different values, too many to be "
            f"classes: name the one to predict, such as --positive VALUE{mend}"
        )
    return _of_class(table, column, positive)


def _of_class(table: Survey, column: Column, positive: str) -> Label:
    classes = column.values
    chosen = positive or _rarest(column)
    others = [value for value in classes if value != chosen]
    shown, *rest = [value if column.is_number else repr(value) for value in (chosen, *others)]
    counted = "" if positive else f" ({classes[chosen]:,} of {table.rows - column.missing:,} rows)"
    loud = f"1 stands for {shown}{counted}, 0 for {rest[0] if len(rest) == 1 else 'any other'}"
    loud += "" if positive else "; --positive names another"
    if len(others) != 1:
        loud = f"{len(classes) or 'many'} classes, and Lifeboat tells one from the rest: {loud}"
    elif positive:
        loud = ""
    name = re.sub(r"\W+", "_", f"{column.name}_is_{chosen}", flags=re.ASCII).strip("_").lower()[:60]
    return Label(
        free_name(name, table.columns),
        column.name,
        _equals(column, chosen, table.parquet),
        f"{column.name} is {shown}",
        loud,
        _target(table, column, chosen),
        _classes(column, chosen, others),
    )


def _truths(column: Column) -> bool:
    """Whether the values are true and false, or 1 and 0."""
    return column.type == "BOOLEAN" or (column.is_number and {*map(float, column.values)} <= {0.0, 1.0})


def _classes(column: Column, chosen: str, others: list[str]) -> tuple[str, ...]:
    """The two values themselves, or one of several and its contrary; 0 and 1, or true and false, tell nothing."""
    named = (others[0] if len(others) == 1 else f"not {chosen}", chosen)
    return () if _truths(column) or not all(map(str.strip, named)) else named


def _rarest(column: Column) -> str:
    """The value to be 1: true, or the number 1 beside 0, else the rarest, of equals the last in order."""
    if _truths(column):
        return max(column.values, key=lambda value: float(value) if column.is_number else value.lower() == "true")
    order = sorted(column.values, key=float if column.is_number else None)
    return min(reversed(order), key=lambda value: column.values[value])


def _target(table: Survey, column: Column, chosen: str) -> npt.NDArray[np.float64]:
    texts = table.sample[column.name].to_pylist()
    return np.array([np.nan if t is None or t in column.gap_words else float(t == chosen) for t in texts])


def _equals(column: Column, chosen: str, parquet: bool) -> str:
    name = ticked(column.name)
    if column.is_number:
        return f"try_cast({name} AS DOUBLE) = {float(chosen):.17g}"
    if column.type == "BOOLEAN":
        return f"{'' if chosen.lower() == 'true' else 'NOT '}try_cast({name} AS BOOLEAN)"
    # an empty text in parquet is a gap here, as one in CSV is by itself
    value = f"nullif(CAST({name} AS STRING), '')" if parquet else name
    return f"{value} = {quoted(chosen)}"


def free_name(wanted: str, taken: Collection[str]) -> str:
    """The name itself, or with as many underscores behind it as tell it from those that are there."""
    lower = {name.lower() for name in taken}
    while wanted.lower() in lower:
        wanted += "_"
    return wanted
