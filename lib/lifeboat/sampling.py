"""Which rows are held out, in which fold and in a sample: decided by the row alone, on any machine, in any order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

from lifeboat.errors import DataError, ParameterError, unknown
from lifeboat.parameters.names import PREFIX
from lifeboat.parameters.rules import need
from lifeboat.spark.sql import ticked

FOLD = f"{PREFIX}fold"
HOLDOUT = f"{PREFIX}holdout"
ROWS_PER_PARTITION = 100_000
MADE_TWICE = r"^([0-9a-f]{20})-[0-9]+$"  # as ``joins.add_key`` names the second of two rows with equal content
# texts that stand in the order of time: one form, no zone or all of UTC
IN_ORDER = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?Z?)?$"


def belongs_to(key: str, group_by: str = "") -> Column:
    """A text that rows which belong together share, and no others.

    Args:
        key: The row's key. Keys that were made of rows with equal content (``HASH``, ``HASH-2``) belong together.
        group_by: A column such as a day or a patient; a row that has none there stands alone. Empty: each row does.
    """
    content = F.regexp_replace(F.col(ticked(key)).cast("string"), MADE_TWICE, "$1")
    if not group_by:
        return content
    return F.coalesce(F.col(ticked(group_by)).cast("string"), F.concat(F.lit(PREFIX), content))


def share(key: str, salt: str, group_by: str = "") -> Column:
    """A number in [0, 1) that only what the row belongs to and ``salt`` decide, on any machine, in any order."""
    salted = F.concat(F.lit(f"{salt}:"), belongs_to(key, group_by))
    return F.pmod(F.xxhash64(salted), F.lit(1_000_000)) / F.lit(1_000_000)


def mark_holdout(
    df: DataFrame, key: str, fraction: float, seed: int, split_by: str = "", group_by: str = ""
) -> DataFrame:
    """Add the boolean column ``lifeboat:holdout``: true for about ``fraction`` of the rows.

    Args:
        df: Rows with the columns ``key``, ``split_by`` and ``group_by``.
        key: The row's key.
        fraction: Between 0 and 1.
        seed: Decides, with a hash of the key or of the group, which rows; not used with ``split_by``.
        split_by: A column without nulls, such as a time: the rows with its largest values are held out, those that
            share one together, so that there may be a few more than ``fraction`` of them. Empty: by a hash.
        group_by: A column whose rows are held out together. With ``split_by``, those groups are held out whose last
            rows are the latest, all their rows with them.

    Raises:
        DataError: ``split_by`` leaves no row to train on.
        ParameterError: ``fraction`` does not lie between 0 and 1, or a column is not there.
    """
    need("holdout_fraction", fraction)
    for role, name in {"split_by": split_by, "group_by": group_by}.items():
        if name and name not in df.columns:
            raise ParameterError(unknown(f"column in {role}", name, df.columns))
    if not split_by:
        return df.withColumn(HOLDOUT, share(key, f"holdout-{seed}", group_by) < F.lit(fraction))
    _refuse_disorder(df, split_by)
    time = F.col(ticked(split_by))
    last = F.max(time).over(Window.partitionBy(belongs_to(key, group_by))) if group_by else time
    timed = df.withColumn(HOLDOUT, last)
    latest = max(1, round(df.count() * fraction))
    first_held = timed.select(ticked(HOLDOUT)).orderBy(F.desc(ticked(HOLDOUT))).offset(latest - 1).first()
    if first_held is None or timed.filter(F.col(ticked(HOLDOUT)) < F.lit(first_held[0])).isEmpty():
        reason = f"groups of {group_by!r} go on to the end" if group_by else "it has too few values"
        raise DataError(f"split_by: the latest {latest} rows by {split_by!r} are all there are: {reason}")
    return timed.withColumn(HOLDOUT, F.col(ticked(HOLDOUT)) >= F.lit(first_held[0]))


def check_classes(rows: DataFrame, split: str, expected: Sequence[Any], label: str, way_out: str) -> int:
    """The number of rows, once each part of them is known to have both classes: without, nothing can be ranked.

    Args:
        rows: A frame with the columns ``split`` and ``label``.
        split: The column that parts the rows: ``lifeboat:holdout`` or ``lifeboat:fold``.
        expected: Its values: a part without rows is refused too.
        label: The label's column, 0 or 1.
        way_out: What to change, as a sentence.

    Raises:
        DataError: A part has no rows, or those of one class alone; the message has all counts.
    """
    positives = F.count_if(F.col(ticked(label)) == 1).alias("positives")
    counted = rows.groupBy(F.col(ticked(split)).alias("value")).agg(positives, F.count("*").alias("n")).collect()
    by_value = {row.value: (int(row.positives), int(row.n)) for row in counted}
    counts = {name: by_value.get(name, (0, 0)) for name in expected}
    if any(positives in (0, n) for positives, n in counts.values()):
        summary = "; ".join(
            f"{n} {_split_name(name)}, {positives} of them with {label} = 1" for name, (positives, n) in counts.items()
        )
        raise DataError(f"each part needs rows of both classes, and there are {summary}. {way_out}")
    return sum(n for _, n in counts.values())


def check_holdout(rows: DataFrame, label: str) -> int:
    """The number of rows of ``mark_holdout``, once both parts are known to have both classes.

    Raises:
        DataError: A part has no rows, or those of one class alone.
    """
    way_out = "Take another holdout_fraction or split_seed, or a split_by and group_by that leave both in both parts"
    return check_classes(rows, HOLDOUT, (False, True), label, way_out)


def _split_name(value: bool | int) -> str:
    if isinstance(value, bool):
        return "rows held out" if value else "rows to learn from"
    return f"rows in fold {value}"


def _refuse_disorder(df: DataFrame, name: str) -> None:
    """Raise DataError where a column of texts does not stand in the order of time."""
    if not isinstance(df.schema[name].dataType, StringType):
        return
    column = F.col(ticked(name))
    wrong = df.filter(~column.rlike(IN_ORDER)).select(column.alias("value")).first()
    if wrong is not None:
        raise DataError(
            f"split_by: {name!r} holds texts such as {wrong.value!r}, whose order is not that of time. Make a date of "
            f"them, enrich: {{compute: {{{name}_date: \"try_to_date({name}, 'd/M/yyyy')\"}}}} in the form they have, "
            f"declare {name}_date DATE in the schema, and split by that"
        )


def sample(df: DataFrame, key: str, most: int = 20_000, rows: int | None = None) -> DataFrame:
    """About ``most`` of the rows, chosen by a hash of the key; all of them where there are no more.

    Args:
        df: Rows with the column ``key``.
        key: The row's key.
        most: How many are wanted.
        rows: How many rows ``df`` has, where that is known; else they are counted.
    """
    rows = df.count() if rows is None else rows
    return df if rows <= most else df.filter(share(key, "a part") < most / rows)


def add_folds(df: DataFrame, key: str, num_folds: int, seed: int, group_by: str = "") -> DataFrame:
    """Add the column ``lifeboat:fold`` (int, 0 to ``num_folds`` - 1).

    Args:
        df: Rows with the columns ``key`` and ``group_by``.
        key: The row's key; only it and the seed decide.
        num_folds: How many folds.
        seed: Another seed gives other folds.
        group_by: A column whose rows come into one fold; then it decides instead of the key.

    Raises:
        ParameterError: There are fewer than two folds.
    """
    need("num_folds", num_folds)
    return df.withColumn(FOLD, F.floor(share(key, f"fold-{seed}", group_by) * num_folds).cast("int"))


def check_folds(rows: DataFrame, label: str, num_folds: int, fold_col: str = FOLD) -> int:
    """The number of rows of ``add_folds``, once every fold is known to have both classes.

    Raises:
        DataError: A fold has no rows, or those of one class alone.
    """
    way_out = "Take fewer folds (num_folds), another split_seed, or a group_by of more and smaller groups"
    return check_classes(rows, fold_col, range(num_folds), label, way_out)


def repartition_by_key(df: DataFrame, key: str, rows: int | None = None) -> DataFrame:
    """Put rows where only their key decides: a partition by its hash, an order by its value.

    Spark's forests depend on how rows are spread and in what order they stand, which differs with the number of
    cores and files. After this it does not: the same rows give the same model anywhere.

    Args:
        df: Any frame with the column ``key``, unique in each row.
        key: The row's key.
        rows: How many rows ``df`` has, near enough, where that is known; else they are counted. One partition holds
            100,000.

    Returns:
        The same rows and columns.
    """
    rows = df.count() if rows is None else rows
    return df.repartition(1 + rows // ROWS_PER_PARTITION, F.col(ticked(key))).sortWithinPartitions(ticked(key))


def worth_of(n: int, groups: int, share: float, squares: float) -> float:
    """How many rows that stand alone tell as much about a share: n over the design effect (Kish 1965, section 5.4).

    The design effect is the variance of the share as groups differ, over what it would be if each row stood alone.
    Never more than n; where all rows are alike, the number of groups.

    Args:
        n: How many rows.
        groups: How many groups.
        share: The share of ones.
        squares: The sum over the groups of (ones - rows x share) squared.
    """
    single = share * (1 - share)
    if groups == n:
        return float(n)
    if groups < 2 or single == 0:
        return float(groups)
    together = squares * groups / (groups - 1) / n
    return min(float(n), n * single / together) if together > 0 else float(n)
