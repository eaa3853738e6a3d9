"""Which rows are held out, and which stand for all: decided by the row alone, on any machine, in any order."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from lifeboat.errors import DataError, ParameterError, unknown
from lifeboat.names import HOLDOUT
from lifeboat.sql import ticked


def share(key: str, salt: str) -> Column:
    """A number in [0, 1) that only the row's key and ``salt`` decide, on any machine, in any order."""
    salted = F.concat(F.lit(f"{salt}:"), F.col(ticked(key)).cast("string"))
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
    when = F.col(ticked(split_by))
    latest = max(1, round(df.count() * fraction))
    first_held = df.select(when).orderBy(when.desc()).offset(latest - 1).first()
    if first_held is None or df.filter(when < F.lit(first_held[0])).isEmpty():
        raise DataError(f"split_by: the latest {latest} rows by {split_by!r} are all there are: it has too few values")
    return df.withColumn(HOLDOUT, when >= F.lit(first_held[0]))


def at_most(df: DataFrame, key: str, rows: int, most: int = 20_000) -> DataFrame:
    """About ``most`` of the rows, chosen by a hash of the key; all of them where there are no more.

    Args:
        df: Rows with the column ``key``.
        key: The row's key.
        rows: How many rows ``df`` has.
        most: How many are wanted.
    """
    return df if rows <= most else df.filter(share(key, "a part") < most / rows)
