"""The rows that fit no schema: why none does, and all of them as one file to open."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.dataset as pads
from pyspark.sql import functions as F

from lifeboat.errors import DataError
from lifeboat.load.check import REASONS, Checked
from lifeboat.reading import FILE, LINE, OURS, UNREADABLE
from lifeboat.spark.sql import ticked


def need_rows(checked: Checked) -> None:
    """Raise DataError where no row fits its schema: with the five commonest reasons, and a line of each."""
    if not checked.rows.isEmpty():
        return
    reasons = checked.rejected.select(F.explode(ticked(REASONS)).alias("reason"), "*")
    kind = F.regexp_replace("reason", r"'.*'|: -?[0-9.]+ ", " ")  # of values that differ, one
    line = F.col(ticked(LINE)) if LINE in checked.rejected.columns else F.lit(None).cast("bigint")
    first = F.min(F.struct(line.alias("line"), "reason")).alias("first")
    counted = reasons.groupBy(kind).agg(F.count("*").alias("n"), first).select("n", "first.*")
    commonest = counted.orderBy(F.desc("n"), "reason").limit(5).collect()
    lines = [f"  {row.n:,} x {row.reason}" + (f" (line {row.line})" if row.line else "") for row in commonest]
    raise DataError("\n".join(["no row fits the schema; the commonest reasons, each with one of its lines:", *lines]))


def write_rejected(folder: Path) -> Path:
    """Write the parquet folder ``rejected`` in a folder once more as ``rejected.csv``: line and reason first.

    Args:
        folder: Where ``rejected`` is, and ``rejected.csv`` is to be.

    Returns:
        The file: columns file, line, reasons (joined by ``; ``) and record, the text of a line that is no row; then
        the table's own.
    """
    table = pads.dataset(folder / "rejected", format="parquet")
    own = [name for name in table.schema.names if name not in (*OURS.names, REASONS)]
    heads = {FILE: "file", LINE: "line", REASONS: "reasons", UNREADABLE: "record"}
    known = [name for name in heads if name in table.schema.names]
    schema = pa.schema([(heads[name], pa.string()) for name in known] + [(name, pa.string()) for name in own])
    path = folder / "rejected.csv"
    with pacsv.CSVWriter(path, schema) as writer:
        for batch in table.to_batches(columns=[*known, *own]):
            writer.write_batch(pa.RecordBatch.from_arrays([_text(column) for column in batch.columns], schema=schema))
    return path


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_list(column.type):
        return pc.binary_join(column, "; ")
    try:
        return column.cast(pa.string())
    except pa.ArrowNotImplementedError:  # cells with parts
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
