"""Score a file of any size with a portable model: no Spark, no Java, and no more memory for many rows than for few."""

from __future__ import annotations

import os
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from lifeboat.deploy.batch.columns import ColumnScorer
from lifeboat.errors import DataError
from lifeboat.reading import OURS, CsvFormat, open_table
from lifeboat.run import replacing
from lifeboat.scoring.scorer import Scorer

MOST_REASONS = 10_000  # that are counted one by one

_In = TypeVar("_In")
_Out = TypeVar("_Out")


@dataclass
class Counts:
    """How many rows were written.

    Attributes:
        rows: All of them.
        reasons: For each reason how many have it in the place of a prediction.
        warnings: For each warning how many have it beside their prediction.
    """

    rows: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)

    @property
    def refused(self) -> int:
        """How many rows have no prediction."""
        return self.reasons.total()

    def add(self, batch: pa.RecordBatch) -> None:
        """Count scored rows, of which reason and warning are the last two columns.

        Of reasons that only differ by their line one is counted, and of too many different ones the rest as one.
        """
        self.rows += batch.num_rows
        for counted, column in zip((self.reasons, self.warnings), batch.columns[-2:], strict=True):
            for entry in column.drop_null().value_counts().to_pylist():
                text = re.sub(r"^line \d+: ([^:]*).*", r"\1", entry["values"], flags=re.DOTALL)
                counted[text if text in counted or len(counted) < MOST_REASONS else "other reasons"] += entry["counts"]


def score_file(
    scorer: Scorer,
    source: Path,
    target: Path,
    keep: Sequence[str] | None = None,
    force: bool = False,
    csv: CsvFormat | None = None,
) -> Counts:
    """Read a table, score it and write it as one parquet file, each row in its place.

    Args:
        scorer: The model.
        source: A parquet or CSV file, or a folder of them.
        target: The file to write: the columns kept, and those of ``ColumnScorer.answers``.
        keep: Columns to write beside the answers; None for all.
        force: Whether to replace what is at ``target``.
        csv: How CSV files are written; None: as usual.

    Raises:
        DataError: The source is not there, is no table or lacks a column, or the target is there.
    """
    with replacing_target(source, target, force) as beside:
        table = open_table(source, csv)
        columns = ColumnScorer(scorer)
        kept, read = columns.columns_to_read(pa.schema([*table.schema, *OURS]), keep)
        schema = pa.schema([*(table.schema.field(name) for name in kept), *columns.answers(kept)])
        batches = table.batches([name for name in read if name not in OURS.names])
        counts = Counts()
        with pq.ParquetWriter(beside, schema) as writer:
            for batch in in_order(partial(columns.answer, kept=kept), batches, threads=min(os.cpu_count() or 1, 8)):
                writer.write_batch(batch)
                counts.add(batch)
    return counts


def in_order(work: Callable[[_In], _Out], items: Iterable[_In], threads: int) -> Iterator[_Out]:
    """``map(work, items)`` by several threads, which run ahead by no more than one item each."""
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[_Out]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def replacing_target(source: Path, target: Path, force: bool) -> Iterator[Path]:
    """A place beside ``target`` to write to; it becomes ``target`` when all went well, and nothing is left otherwise.

    Raises:
        DataError: The source is not there, or the target is and ``force`` is not.
    """
    if not source.exists():
        raise DataError(f"no file or folder {str(source)!r} to score")
    if not target.parent.is_dir():
        raise DataError(f"no folder {str(target.parent)!r} to write {target.name!r} into: make it first")
    if source.resolve() in (target.resolve(), *target.resolve().parents):
        raise DataError(f"{str(target)!r} is a part of what is scored: write elsewhere")
    _refuse_to_replace(target, force)
    with replacing(target) as beside:
        yield beside
        _refuse_to_replace(target, force)


def _refuse_to_replace(target: Path, force: bool) -> None:
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise DataError(f"{str(target)!r} is a device or a pipe, and is never replaced: name a file")
    if target.exists() and not force:
        raise DataError(f"{str(target)!r} is there already: name another, or replace it with --force")
