"""Which rows are held out, and which stand for all: decided by the row alone, on any machine, in any order."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from lifeboat.errors import DataError, ParameterError, unknown
from lifeboat.names import HOLDOUT
from lifeboat.sql import ticked

MADE_TWICE = r"^([0-9a-f]{20})-[0-9]+$"  # as ``complete.add_key`` names the second of two rows with equal content
# texts that stand in the order of time: one form, no zone or all of UTC
IN_ORDER = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?Z?)?$"


def share(key: str, salt: str) -> Column:
    """A number in [0, 1) that only the row's key and ``salt`` decide, on any machine, in any order.

    Keys that were made of rows with equal content (``HASH``, ``HASH-2``) have one share: such rows stay together.
    """
    content = F.regexp_replace(F.col(ticked(key)).cast("string"), MADE_TWICE, "$1")
    salted = F.concat(F.lit(f"{salt}:"), content)
    return F.pmod(F.xxhash64(salted), F.lit(1_000_000)) / F.lit(1_000_000)


def mark_holdout(df: DataFrame, key: str, fraction: float, seed: int, split_by: str = "") -> DataFrame:
    """Add the boolean column ``lifeboat:holdout``: true for about ``fraction`` of the rows.

    Args:
        df: Rows with the columns ``key`` and ``split_by``.
        key: The row's key.
        fraction: Between 0 and 1.
        seed: Decides, with a hash of the key, which rows; not used with ``split_by``.
        split_by: A column without nulls, such as a time: the rows with its largest values are held out, those that
            share one together, so that there may be a few more than ``fraction`` of them. Empty: by a hash of the key.

    Raises:
        DataError: ``split_by`` leaves no row to train on.
        ParameterError: ``fraction`` does not lie between 0 and 1, or there is no column ``split_by``.
    """
    if not 0 < fraction < 1:
        raise ParameterError(f"holdout_fraction is {fraction}; it must lie between 0 and 1, such as 0.2")
    if not split_by:
        return df.withColumn(HOLDOUT, share(key, f"holdout-{seed}") < F.lit(fraction))
    if split_by not in df.columns:
        raise ParameterError(unknown("column in split_by", split_by, df.columns))
    _refuse_disorder(df, split_by)
    latest = max(1, round(df.count() * fraction))
    first_held = df.select(ticked(split_by)).orderBy(F.desc(ticked(split_by))).offset(latest - 1).first()
    if first_held is None or df.filter(F.col(ticked(split_by)) < F.lit(first_held[0])).isEmpty():
        raise DataError(f"split_by: the latest {latest} rows by {split_by!r} are all there are: it has too few values")
    return df.withColumn(HOLDOUT, F.col(ticked(split_by)) >= F.lit(first_held[0]))


def _refuse_disorder(df: DataFrame, name: str) -> None:
    """Raise DataError where a column of texts does not stand in the order of time."""
    if not isinstance(df.schema[name].dataType, StringType):
        return
    column = F.col(ticked(name))
    wrong = df.filter(~column.rlike(IN_ORDER)).select(column.alias("value")).first()
    if wrong is not None:
        raise DataError(
            f"split_by: {name!r} holds texts such as {wrong.value!r}, whose order is not that of time. Make a date of "
            f"them, complete: {{compute: {{{name}_date: \"try_to_date({name}, 'd/M/yyyy')\"}}}} in the form they have, "
            f"declare {name}_date DATE in the schema, and split by that"
        )


def at_most(df: DataFrame, key: str, rows: int, most: int = 20_000) -> DataFrame:
    """About ``most`` of the rows, chosen by a hash of the key; all of them where there are no more.

    Args:
        df: Rows with the column ``key``.
        key: The row's key.
        rows: How many rows ``df`` has.
        most: How many are wanted.
    """
    return df if rows <= most else df.filter(share(key, "a part") < most / rows)
