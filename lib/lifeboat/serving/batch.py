"""Score a file of any size with a portable model: no Spark, no Java, and no more memory for many rows than for few."""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from lifeboat.errors import DataError
from lifeboat.inputs import is_parquet
from lifeboat.serving.columns import UNREADABLE, ColumnScorer

ROWS_AT_ONCE = 50_000
BYTES_AT_ONCE = 8 * 2**20  # of a CSV file
BUFFER = 2**20  # bytes, of each column of a parquet file

_In = TypeVar("_In")
_Out = TypeVar("_Out")


@dataclass(frozen=True)
class Source:
    """A table to read bit by bit.

    Attributes:
        schema: Its columns.
        text: Whether they are text that stands for something else: those of a CSV file.
        batches: Reads the columns asked for.
    """

    schema: pa.Schema
    text: bool
    batches: Callable[[Sequence[str]], Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class Scored:
    """How many rows were written, and how many of these have a reason in the place of a prediction."""

    rows: int
    refused: int


def score_file(
    scorer: ColumnScorer, source: Path, target: Path, keep: Sequence[str] | None = None, force: bool = False
) -> Scored:
    """Read a table, score it and write it as one parquet file, each row in its place.

    Args:
        scorer: The model.
        source: A parquet or CSV file, or a folder of them.
        target: The file to write: the columns kept, and those of ``ColumnScorer.answers``.
        keep: Columns to write beside the answers; None for all.
        force: Whether to replace what is at ``target``.

    Raises:
        DataError: The source is not there, is no table or lacks a column, or the target is there.
    """
    with written_aside(source, target, force) as aside:
        table = open_source(source)
        kept, read = scorer.columns_to_read(table.schema.names, keep)
        schema = pa.schema([*(table.schema.field(name) for name in kept), *scorer.answers])
        work = partial(scorer.answer, kept=kept, text=table.text)
        rows = refused = 0
        with pq.ParquetWriter(aside, schema) as writer:
            for batch in in_order(work, table.batches(read), threads=min(os.cpu_count() or 1, 8)):
                writer.write_batch(batch)
                rows += batch.num_rows
                refused += batch.num_rows - batch.column("reason").null_count
    return Scored(rows, refused)


def open_source(place: Path) -> Source:
    """A parquet or CSV file, or a folder of them, ready to be read."""
    if is_parquet(place):
        with said_of(place, "parquet"):
            table = pads.dataset(place, format="parquet")
        return Source(table.schema, False, lambda names: _pages(table, names))
    files = [place] if place.is_file() else sorted(file for file in place.glob("[!._]*") if file.is_file())
    if not files:
        raise DataError(f"{place} has no file in it: there is nothing to score")
    names = [*_header(files[0]), UNREADABLE]
    for file in files:
        if _header(file) != names[:-1]:
            raise DataError(f"{file} has other columns than {files[0]}: score them one by one")
    schema = pa.schema([(name, pa.string()) for name in names])
    return Source(schema, True, lambda wanted: (b.select(list(wanted)) for file in files for b in _lines(file, schema)))


def _pages(table: pads.Dataset, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """A parquet dataset's rows, read page by page: its own scanner would hold some row groups whole."""
    schema = pa.schema([table.schema.field(name) for name in names])
    for name in table.files:
        with said_of(name, "parquet"), pq.ParquetFile(name, buffer_size=BUFFER, pre_buffer=False) as file:
            if lacking := set(names).difference(file.schema_arrow.names):
                raise DataError(f"{name} has no column {', '.join(sorted(lacking))}, which {table.files[0]} has")
            for batch in file.iter_batches(ROWS_AT_ONCE, columns=list(names)):
                yield batch.select(list(names)).cast(schema)


def _header(file: Path) -> list[str]:
    with said_of(file, "CSV"), _reader(file, []) as reader:
        names: list[str] = reader.schema.names
    return names


def _reader(file: Path, spoilt: list[str], types: pa.Schema | None = None) -> pacsv.CSVStreamingReader:
    """Arrow's reader; it adds each line that has too many or too few values to ``spoilt``, and goes on."""

    def set_aside(line: pacsv.InvalidRow) -> str:
        spoilt.append(line.text)
        return "skip"

    return pacsv.open_csv(
        file,
        pacsv.ReadOptions(block_size=BYTES_AT_ONCE, use_threads=False),
        pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=set_aside),
        pacsv.ConvertOptions(
            column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=True
        ),
    )


def _lines(file: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """A CSV file's rows as text; after them the lines that are no rows, each in ``_unreadable`` alone."""
    spoilt: list[str] = []
    with said_of(file, "CSV"), _reader(file, spoilt, schema) as reader:
        for batch in reader:
            yield batch.append_column(schema.field(UNREADABLE), pa.nulls(batch.num_rows, pa.string()))
    if spoilt:
        empty = {name: pa.nulls(len(spoilt), pa.string()) for name in schema.names}
        yield pa.RecordBatch.from_pydict(empty | {UNREADABLE: pa.array(spoilt)}, schema=schema)


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
def said_of(place: Path | str, kind: str) -> Iterator[None]:
    """Arrow's faults with a file as a DataError that names it."""
    try:
        yield
    except pa.ArrowException as error:
        raise DataError(f"{place} cannot be read as {kind}: {error}") from error


@contextmanager
def written_aside(source: Path, target: Path, force: bool) -> Iterator[Path]:
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
    aside = target.with_name(f".{target.name}.unfinished")
    _remove(aside)
    try:
        yield aside
        _refuse_to_replace(target, force)
        old = target.with_name(f".{target.name}.old")
        if target.is_dir() or (aside.is_dir() and target.exists()):
            _remove(old)
            target.rename(old)
        aside.replace(target)
        _remove(old)
    finally:
        _remove(aside)


def _refuse_to_replace(target: Path, force: bool) -> None:
    if target.exists() and not force:
        raise DataError(f"{str(target)!r} is there already: name another, or replace it with --force")


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
