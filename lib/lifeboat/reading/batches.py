"""A file's records as Arrow's batches: the columns wanted, and what is known of each record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lifeboat.errors import DataError
from lifeboat.parameters.csv_format import CsvFormat
from lifeboat.reading.records import Unreadable, records
from lifeboat.reading.scan import Range, Scanned, below, parsed
from lifeboat.reading.text import blocks

# columns that reading adds, each null where it says nothing
LINE = "lifeboat:line"  # bigint, the number of a record's first line; in parquet of the row in its file, from 1
FILE = "lifeboat:file"  # its file, where the table is a folder
UNREADABLE = "lifeboat:unreadable"  # the text of a record that is no row; its columns are null
ERROR = "lifeboat:fault"  # why it is none
OURS = pa.schema([(LINE, pa.int64()), (FILE, pa.string()), (UNREADABLE, pa.string()), (ERROR, pa.string())])

ROWS_AT_ONCE = 50_000
BUFFER = 2**20  # bytes, of each column of a parquet file


@dataclass(frozen=True)
class Fragment:
    """One file of a table.

    Attributes:
        path: Where it is.
        name: What messages call it.
        partition: Column -> value, of the folders ``column=value`` that it lies in.
        scanned: Of a CSV file: its lines.
        order: Of a CSV file: for each column of the table its index in this file.
    """

    path: str
    name: str
    partition: dict[str, str | None]
    scanned: Scanned | None = None
    order: Sequence[int] = ()


@dataclass(frozen=True)
class Lines:
    """What became of a CSV table's lines: each is of one of four kinds."""

    header: int = 0
    skipped: int = 0
    rows: int = 0
    rejected: int = 0

    def __add__(self, other: Lines) -> Lines:
        return Lines(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))


def parquet_batches(
    fragment: Fragment, schema: pa.Schema, names: Sequence[str], file: str | None
) -> Iterator[pa.RecordBatch]:
    """A parquet file's rows, read page by page: Arrow's own scanner would hold some row groups whole."""
    inside = [name for name in names if name not in fragment.partition]
    wanted = pa.schema([schema.field(name) for name in names])
    try:
        with pq.ParquetFile(fragment.path, buffer_size=BUFFER, pre_buffer=False) as opened:
            seen = 0
            for batch in opened.iter_batches(ROWS_AT_ONCE, columns=inside):
                numbers = pa.array(np.arange(seen + 1, seen + batch.num_rows + 1))
                seen += batch.num_rows
                columns = {name: batch.column(name).cast(schema.field(name).type) for name in inside}
                yield _with_ours(fragment, columns, wanted, numbers, file, [])
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{fragment.name} cannot be read as parquet: {error}") from error


def csv_batches(
    file: str | bytes,
    fragment: Fragment,
    csv: CsvFormat,
    lines: Range,
    names: Sequence[str],
    all_names: Sequence[str],
    shown: str | None,
) -> Iterator[tuple[pa.RecordBatch, Lines]]:
    """A range of a CSV file: its records as ``Table.batches`` gives them, and what became of these lines.

    Args:
        file: Its path, or its content.
        fragment: What is known of it.
        csv: How it is written.
        lines: The range.
        names: The columns wanted.
        all_names: The table's.
        shown: What is to stand in ``FILE``.
    """
    assert fragment.scanned is not None
    header = [*fragment.scanned.names, *([""] if fragment.scanned.trailing else [])]
    wanted = pa.schema([(name, pa.string()) for name in names])
    text = blocks(file, fragment.name, csv, lines.start, lines.end, lines.line)
    pieces = (below(block, lines.skip if block.line == lines.line else 0) for block in text)
    above = fragment.scanned.skipped if lines.skip else 0
    kinds = Lines(header=lines.skip - above, skipped=above)
    for chunk in records(pieces, csv, fragment.name):
        table, numbers, wrong = parsed(chunk, header, csv)
        bad = sorted([*chunk.unreadable, *wrong], key=lambda record: record.line)
        inside = {name: fragment.order[all_names.index(name)] for name in names if name not in fragment.partition}
        columns = {name: table.column(index).combine_chunks() for name, index in inside.items()}
        rows = chunk.text.count(b"\n") - sum(record.lines for record in wrong)
        kinds += Lines(0, chunk.blank, rows, sum(record.lines for record in bad))
        yield _with_ours(fragment, columns, wanted, numbers, shown, bad), kinds
        kinds = Lines()


def _with_ours(
    fragment: Fragment,
    columns: dict[str, pa.Array],
    wanted: pa.Schema,
    lines: pa.Array,
    file: str | None,
    bad: list[Unreadable],
) -> pa.RecordBatch:
    """Rows and what is known of them; unreadable records between them, where they stand."""
    schema = pa.schema([*wanted, *OURS])
    good = {**fragment.partition, FILE: file}
    rows = {name: pa.repeat(pa.scalar(value, pa.string()), len(lines)) for name, value in good.items()}
    batch = _batch(columns | rows | {LINE: lines}, len(lines), schema)
    if not bad:
        return batch
    records = {
        LINE: pa.array([record.line for record in bad], pa.int64()),
        FILE: pa.repeat(pa.scalar(file, pa.string()), len(bad)),
        UNREADABLE: pa.array([record.text for record in bad]),
        ERROR: pa.array([record.reason for record in bad]),
    }
    both = pa.Table.from_batches([batch, _batch(records, len(bad), schema)]).combine_chunks()
    return both.sort_by(LINE).to_batches()[0]


def _batch(columns: dict[str, pa.Array], rows: int, schema: pa.Schema) -> pa.RecordBatch:
    """The columns in a schema's order, nulls for those that are not there."""
    arrays = [columns[field.name] if field.name in columns else pa.nulls(rows, field.type) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
