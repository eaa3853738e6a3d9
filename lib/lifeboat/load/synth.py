"""Make as many rows as you like, like those of a real table, so that anyone can try a size."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, FloatType, StringType, StructField, StructType

from lifeboat import load
from lifeboat.errors import DataError, ParameterError
from lifeboat.parameters.names import PREFIX
from lifeboat.run import replacing, resolve
from lifeboat.spark.sql import ticked

JITTER = 0.1  # a number is drawn from this share of itself to either side
LABEL_NOISE = 0.05  # share of labels turned round
ROWS_PER_FILE = 250_000
_INDEX, _ID = f"{PREFIX}index", f"{PREFIX}id"


def real_rows(
    spark: SparkSession, path: str | Path, schema: StructType, key: str, ranges: load.schema.Ranges
) -> DataFrame:
    """The rows of a file that fit its schema; columns that the schema does not speak of come along as text.

    Columns of the schema that the file has not (those computed when it is loaded) are left out.

    Raises:
        DataError: There is nothing at ``path``.
    """
    raw = load.read_raw(spark, path)
    known = [field for field in schema if field.name in raw.columns]
    others = [name for name in raw.columns if name not in schema.names and not name.startswith(PREFIX)]
    whole = StructType([*known, *[StructField(name, StringType()) for name in others]])
    within = {name: limits for name, limits in ranges.items() if name in whole.names}
    if key not in whole.names:
        return raw.select(*[load.typed_value(field).alias(field.name) for field in whole])
    return load.check_rows(raw, whole, key, within).rows


def resample(
    real: DataFrame, rows: int, key: str, label: str, seed: int, ranges: load.schema.Ranges | None = None
) -> DataFrame:
    """Rows drawn from ``real`` with replacement, then changed a little: the same for one seed, on any machine.

    Every draw is a hash of the row's number, the column and the seed. A column of doubles moves by up to a tenth of
    its value and stays in its range (the real rows' own where ``ranges`` names none); one label in twenty is turned
    round; all else, gaps and rare values too, is as in the row that was drawn.

    Args:
        real: Typed rows, few enough to be sent to every core.
        rows: How many to make.
        key: The column that becomes 1 to ``rows``; none is made where ``real`` has no such column.
        label: The column of 0 and 1; a label that ``real`` does not have yet follows from its other columns.
        seed: Decides every draw.
        ranges: Column -> [lowest, highest], in the column's own unit.

    Raises:
        DataError: ``real`` has no rows.
        ParameterError: ``rows`` is less than 1.
    """
    if rows < 1:
        raise ParameterError(f"rows is {rows}; make 1 or more")
    drifting = [f.name for f in real.schema if isinstance(f.dataType, DoubleType | FloatType) and f.name != label]
    bounds = (("min", F.min), ("max", F.max))
    limits = [bound(ticked(name)).alias(f"{how} {name}") for name in drifting for how, bound in bounds]
    seen = real.agg(F.count("*").alias("n"), *limits).collect()[0].asDict()
    if not seen["n"]:
        raise DataError("there is no row to draw from: none fits the schema")
    within = {name: [seen[f"min {name}"], seen[f"max {name}"]] for name in drifting} | (ranges or {})
    # one small window over the real rows: the order must not depend on how the file was read
    numbered = real.withColumn(_INDEX, F.row_number().over(Window.orderBy(*map(ticked, real.columns))) - 1)
    ids = real.sparkSession.range(1, rows + 1, 1, 1 + (rows - 1) // ROWS_PER_FILE).withColumnRenamed("id", _ID)
    drawn = ids.withColumn(_INDEX, F.pmod(draw("row", seed), F.lit(seen["n"])).cast("int"))
    joined = drawn.join(F.broadcast(numbered), _INDEX)
    return joined.select(*[_changed(real, name, key, label, seed, within).alias(name) for name in real.columns])


def draw(name: str, seed: int) -> Column:
    """A whole number of 64 bits that only what is drawn (``name``), the seed and the row's number decide."""
    return F.xxhash64(F.lit(f"{name}-{seed}"), F.col(_ID))


def draw_share(name: str, seed: int) -> Column:
    """A number in [0, 1), drawn likewise."""
    return F.pmod(draw(name, seed), F.lit(1 << 32)) / F.lit(float(1 << 32))


def _changed(real: DataFrame, name: str, key: str, label: str, seed: int, within: load.schema.Ranges) -> Column:
    """What becomes of one column in a row that was drawn."""
    column, kind = F.col(ticked(name)), real.schema[name].dataType
    if name == key:
        return F.col(_ID).cast(kind)
    if name == label:
        return F.when(draw_share("label", seed) < LABEL_NOISE, 1 - column).otherwise(column).cast(kind)
    if name in within and isinstance(kind, DoubleType | FloatType) and within[name][0] is not None:
        moved = column * (1 + JITTER * (2 * draw_share(name, seed) - 1))
        low, high = (F.lit(float(limit)) for limit in within[name])
        return F.when(column.isNotNull(), F.greatest(low, F.least(high, moved))).cast(kind)
    return column


def write(made: DataFrame, out: str | Path) -> Path:
    """Write rows as a parquet folder, aside first and then renamed, so that nobody reads half of it.

    Returns:
        The folder; a relative ``out`` starts at the project's root, as in a parameter file.

    Raises:
        DataError: There is something at ``out``.
    """
    target = resolve(out)
    if target.exists():
        raise DataError(f"{target} is there already: take another name, or delete it first")
    with replacing(target) as written:
        made.write.parquet(str(written))
    return target
