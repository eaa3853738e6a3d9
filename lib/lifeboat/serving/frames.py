"""Score a Spark DataFrame with a portable model: on each worker in Python, by Arrow, on any Spark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as pads
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from lifeboat.inputs import is_parquet
from lifeboat.load import read_raw
from lifeboat.serving.batch import Scored, written_aside
from lifeboat.serving.columns import UNREADABLE, ColumnScorer


def score_frame(
    frame: DataFrame, scorer: ColumnScorer, keep: Sequence[str] | None = None, text: bool = False
) -> DataFrame:
    """Score each row; the workers need lifeboat, but no model and no file: the model travels with the task.

    Args:
        frame: The raw columns of the model, and any others.
        scorer: The model.
        keep: Columns to keep beside the answers; None for all.
        text: Whether the columns are text, as ``load.read_raw`` gives those of a CSV file.

    Returns:
        The columns kept, and those of ``ColumnScorer.answers``.

    Raises:
        DataError: A column is not there, is there twice, or is called as an answer is.
    """
    kept, read = scorer.columns_to_read(frame.columns, keep)

    def scored(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return (scorer.answer(batch, kept, text) for batch in batches)

    added = from_arrow_schema(pa.schema(scorer.answers))
    return frame.select(*read).mapInArrow(scored, StructType([*frame.select(*kept).schema, *added]))


def score_on_spark(
    spark: SparkSession,
    scorer: ColumnScorer,
    source: Path,
    target: Path,
    keep: Sequence[str] | None = None,
    force: bool = False,
) -> Scored:
    """What ``batch.score_file`` does, on Spark: ``target`` is a folder of parquet files.

    The driver and the workers must see both paths.
    """
    with written_aside(source, target, force) as aside:
        raw, text = read_raw(spark, source), not is_parquet(source)
        frame = score_frame(raw if text else raw.drop(UNREADABLE), scorer, keep, text)
        frame.write.parquet(str(aside))
    table = pads.dataset(target, format="parquet")
    return Scored(table.count_rows(), table.count_rows(filter=pads.field("reason").is_valid()))
