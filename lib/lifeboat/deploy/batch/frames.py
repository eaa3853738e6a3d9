"""Score a Spark DataFrame with a portable model: on each worker in Python, by Arrow, on any Spark."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.sql.types import StructType

from lifeboat.deploy.batch.columns import ColumnScorer
from lifeboat.deploy.batch.files import Counts, replacing_target
from lifeboat.errors import DataError
from lifeboat.reading import FILE, LINE
from lifeboat.scoring.declared import refusal
from lifeboat.scoring.scorer import Scorer
from lifeboat.spark.sql import ticked
from lifeboat.spark.typed import has_values, in_file


def score_frame(frame: DataFrame, scorer: Scorer, keep: Sequence[str] | None = None) -> DataFrame:
    """Score each row; the workers need lifeboat, but no model and no file: the model travels with the task.

    Args:
        frame: The raw columns of the model, and any others; a text is taken for what it says.
        scorer: The model.
        keep: Columns to keep beside the answers; None for all.

    Returns:
        The columns kept, and those of ``ColumnScorer.answers``.

    Raises:
        DataError: A column is not there, or of a type that the model cannot take.
    """
    model = ColumnScorer(scorer)
    kept, read = model.columns_to_read(to_arrow_schema(frame.schema, timezone="UTC"), keep)
    _check_marked(frame.schema, scorer, kept)

    def scored(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return (model.answer(batch, kept) for batch in batches)

    added = from_arrow_schema(pa.schema(model.answers(kept)))
    columns = frame.select(*map(ticked, kept)).schema
    return frame.select(*map(ticked, read)).mapInArrow(scored, StructType([*columns, *added]))


def _check_marked(file: StructType, scorer: Scorer, kept: Sequence[str]) -> None:
    """Raise DataError for a column that Spark does not read, or takes for numbers that it is not."""
    for column in scorer.columns:
        if refused := refusal(column.name, *in_file(file[column.name]), column.type):
            raise DataError(refused)
    for name in kept:
        if not has_values(file[name]):
            came, _ = in_file(file[name])
            raise DataError(f"column {name!r} is {came}, which Spark does not read: keep others alone")


def score_on_spark(
    frame: DataFrame,
    scorer: Scorer,
    source: Path,
    target: Path,
    keep: Sequence[str] | None = None,
    force: bool = False,
    single_file: bool = False,
) -> Counts:
    """What ``batch.score_file`` does, on Spark. The driver and the workers must see both paths.

    Args:
        frame: The rows of ``source``, with all columns that the model reads.
        scorer: The model.
        source: Where they come from.
        target: The folder of parquet files to write.
        keep: Columns to write beside the answers; None for all.
        force: Whether to replace what is at ``target``.
        single_file: Whether ``target`` is to be one file instead, each row in its place.
    """
    with replacing_target(source, target, force) as beside:
        rows = frame.orderBy(ticked(FILE), ticked(LINE)) if single_file else frame
        score_frame(rows, scorer, keep).write.parquet(str(beside))
        table = pads.dataset(beside, format="parquet")
        counts = Counts()
        for batch in table.to_batches(columns=table.schema.names[-2:]):
            counts.add(batch)
        if single_file:
            _merge(table, beside)
    return counts


def _merge(table: pads.Dataset, folder: Path) -> None:
    """Put a folder's files into one in its place."""
    whole = folder.with_name(f"{folder.name}.whole")
    with pq.ParquetWriter(whole, table.schema) as writer:
        for batch in table.to_batches():
            writer.write_batch(batch)
    shutil.rmtree(folder)
    whole.rename(folder)
