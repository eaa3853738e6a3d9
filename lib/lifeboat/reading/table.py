"""A table as it lies: a CSV or parquet file or a folder of them, read the same way for whoever asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lifeboat.errors import DataError
from lifeboat.inputs import files as files_of
from lifeboat.names import check_names
from lifeboat.reading.csv_format import CsvFormat
from lifeboat.reading.records import Unreadable, records
from lifeboat.reading.scan import Range, Scanned, below, parsed, scan
from lifeboat.reading.text import blocks

# columns that reading adds, each null where it says nothing
LINE = "lifeboat:line"  # bigint, the number of a record's first line; in parquet of the row in its file, from 1
FILE = "lifeboat:file"  # its file, where the table is a folder
UNREADABLE = "lifeboat:unreadable"  # the text of a record that is no row; its columns are null
FAULT = "lifeboat:fault"  # why it is none
OURS = pa.schema([(LINE, pa.int64()), (FILE, pa.string()), (UNREADABLE, pa.string()), (FAULT, pa.string())])

ROWS_AT_ONCE = 50_000
BUFFER = 2**20  # bytes, of each column of a parquet file
NO_PARTITION = "__HIVE_DEFAULT_PARTITION__"
NO_TABLE = {  # how files start that are neither CSV nor parquet
    b"PK\x03\x04": "a zip archive, as a spreadsheet of .xlsx is one too: unpack it, or save it as CSV",
    b"ARROW1": "an Arrow file: write it as parquet",
    b"ORC": "an ORC file: write it as parquet",
    b"Obj\x01": "an Avro file: write it as parquet",
    b"SQLite format 3": "a database of SQLite: write its table as CSV",
    b"7z\xbc\xaf": "a 7z archive: unpack it",
    b"\xfd7zXZ": "packed by xz: pack it by gzip, or not at all",
    b"Rar!": "a rar archive: unpack it",
    b"\xd0\xcf\x11\xe0": "a spreadsheet of .xls: save it as CSV",
    b"%PDF": "a PDF",
}


@dataclass(frozen=True)
class Part:
    """One file of a table.

    Attributes:
        path: Where it is.
        name: What messages call it.
        partition: Column -> value, of the folders ``column=value`` that it lies in.
        scanned: Of a CSV file: its lines.
        order: Of a CSV file: for each column of the table its place in this file.
    """

    path: str
    name: str
    partition: dict[str, str | None] = field(default_factory=dict)
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


@dataclass(frozen=True)
class Table:
    """A table on this machine.

    Attributes:
        place: The file or folder.
        parquet: Whether its values have types; else they are text.
        csv: How its CSV files are written.
        parts: Its files, in order of their paths.
        schema: Its columns, those of ``column=value`` folders last.
    """

    place: Path
    parquet: bool
    csv: CsvFormat
    parts: list[Part]
    schema: pa.Schema

    @property
    def names(self) -> list[str]:
        """Its columns' names."""
        return list(self.schema.names)

    def batches(self, wanted: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Its records in order: the columns wanted (None: all), then those of ``OURS``.

        Raises:
            DataError: A file has changed since, or is not whole.
        """
        names = self.names if wanted is None else list(wanted)
        for piece in self.pieces():
            yield from self.read(piece, names)

    def pieces(self) -> list[tuple[int, Range | None]]:
        """What can be read by itself: a file's place in ``parts``, and of a CSV file a range of its lines."""
        found: list[tuple[int, Range | None]] = []
        for number, part in enumerate(self.parts):
            found += [(number, piece) for piece in (part.scanned.ranges if part.scanned else [None])]
        return found

    def read(self, piece: tuple[int, Range | None], names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The records of one of ``pieces``, as ``batches`` gives them."""
        part, lines = self.parts[piece[0]], piece[1]
        file = part.name if len(self.parts) > 1 else None
        if lines is None:
            yield from _pages(part, self.schema, names, file)
            return
        for batch, _ in csv_batches(part.path, part, self.csv, lines, names, self.schema.names, file):
            yield batch

    def lines(self) -> Lines:
        """Read all of a CSV table for what becomes of its lines."""
        whole = Lines()
        for number, lines in self.pieces():
            part = self.parts[number]
            if part.scanned is None or lines is None:
                continue
            if lines.skip:
                whole += Lines(header=part.scanned.header[1], skipped=part.scanned.skipped)
            for _, kinds in csv_batches(part.path, part, self.csv, lines, [], self.schema.names, None):
                whole += kinds
        return whole


def open_table(place: str | Path, csv: CsvFormat | None = None) -> Table:
    """Find a table and look at its files: what a place holds is decided here, whoever asks.

    A file is what its first bytes say, whatever its name. A folder's files are one table: their columns go by name,
    whatever their order; folders ``column=value`` in it are a column each; names that start with ``.`` or ``_`` do
    not count.

    Args:
        place: A file or a folder.
        csv: How its CSV files are written; None: as usual.

    Raises:
        DataError: There is nothing there, a file is neither CSV nor parquet, the files differ in kind or columns, or
            a column's name will not do.
    """
    place, csv = Path(place).absolute(), csv or CsvFormat()
    files = files_of(place)
    if not files:
        raise DataError(f"no file or folder {str(place)!r}" if not place.exists() else f"{place} has no file in it")
    kinds = {file: is_parquet_file(file) for file in files}
    if len(set(kinds.values())) > 1:
        one, other = (next(f for f in files if kinds[f] is kind) for kind in (True, False))
        raise DataError(f"{place} holds parquet ({_below(one, place)}) and CSV ({_below(other, place)}): keep one kind")
    parquet = kinds[files[0]]
    parts = [Part(str(file), _below(file, place), _partition(file, place)) for file in files]
    keys = list(parts[0].partition)
    for part in parts:
        if list(part.partition) != keys:
            raise DataError(f"{place}: {part.name} lies in other folders column=value than {parts[0].name}")
    parts, schema = _parquet_parts(parts) if parquet else _csv_parts(parts, csv)
    for key in keys:
        if key in schema.names:
            raise DataError(f"{place}: {key!r} is a column of {parts[0].name} and a folder's too: rename one")
        schema = schema.append(pa.field(key, pa.string()))
    check_names(schema.names, str(place.name))
    return Table(place, parquet, csv, parts, schema)


def is_parquet_file(file: Path) -> bool:
    """Whether a file starts as parquet does; else it must be a text.

    Raises:
        DataError: It starts as something else does, such as an archive.
    """
    with file.open("rb") as stream:
        head = stream.read(16)
    for mark, what in NO_TABLE.items():
        if head.startswith(mark):
            raise DataError(f"{file.name} is {what}; a table is CSV, plain or packed by gzip, or parquet")
    if file.suffix == ".parquet" and not head.startswith(b"PAR1"):
        raise DataError(f"{file.name} is no parquet, whatever its name says: it does not start with PAR1")
    return head.startswith(b"PAR1")


def _below(file: Path, place: Path) -> str:
    return file.name if file == place else file.relative_to(place).as_posix()


def _partition(file: Path, place: Path) -> dict[str, str | None]:
    """The columns that the folders between a table and a file of it name."""
    found: dict[str, str | None] = {}
    for folder in file.relative_to(place).parts[:-1] if file != place else ():
        column, equals, value = folder.partition("=")
        if equals:
            found[unquote(column)] = None if value == NO_PARTITION else unquote(value)
    return found


def _csv_parts(parts: list[Part], csv: CsvFormat) -> tuple[list[Part], pa.Schema]:
    found: list[Part] = []
    names: list[str] = []
    for part in parts:
        scanned = scan(part.path, part.name, csv)
        check_names(scanned.names, part.name)
        names = names or scanned.names
        same_columns(names, scanned.names, parts[0].name, part.name)
        order = [scanned.names.index(name) for name in names]
        found.append(Part(part.path, part.name, part.partition, scanned, order))
    return found, pa.schema([(name, pa.string()) for name in names])


def same_columns(names: Iterable[str], others: Iterable[str], first: str, file: str) -> None:
    """Raise DataError where two files of one table have other columns; their order does not count."""
    lacking, more = sorted(set(names) - set(others)), sorted(set(others) - set(names))
    if lacking or more:
        differs = [f"lacks {', '.join(map(repr, lacking))}"] if lacking else []
        differs += [f"has {', '.join(map(repr, more))} besides"] if more else []
        raise DataError(
            f"{file} {' and '.join(differs)}, other than {first}: one table has the same columns in each file"
        )


def _parquet_parts(parts: list[Part]) -> tuple[list[Part], pa.Schema]:
    schema: pa.Schema | None = None
    for part in parts:
        try:
            found = pq.read_schema(part.path).remove_metadata()
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{part.name} cannot be read as parquet: {error}") from error
        if schema is None:
            schema = found
            continue
        same_columns(schema.names, found.names, parts[0].name, part.name)
        schema = pa.schema([_one_type(column, found.field(column.name).type, part, parts[0]) for column in schema])
    assert schema is not None
    return parts, schema


def _one_type(column: pa.Field, other: pa.DataType, part: Part, first: Part) -> pa.Field:
    """A column with a type that holds another file's values of it too: the wider of two kindred ones."""
    for kindred in (pa.types.is_signed_integer, pa.types.is_floating):
        if kindred(column.type) and kindred(other):
            return column if column.type.bit_width >= other.bit_width else column.with_type(other)
    if column.type.equals(other):
        return column
    raise DataError(
        f"{part.name}: {column.name!r} is {other} there and {column.type} in {first.name}: a column has one type; "
        "write both files with the same"
    )


def _pages(part: Part, schema: pa.Schema, names: Sequence[str], file: str | None) -> Iterator[pa.RecordBatch]:
    """A parquet file's rows, read page by page: Arrow's own scanner would hold some row groups whole."""
    inside = [name for name in names if name not in part.partition]
    wanted = pa.schema([schema.field(name) for name in names])
    try:
        with pq.ParquetFile(part.path, buffer_size=BUFFER, pre_buffer=False) as opened:
            seen = 0
            for batch in opened.iter_batches(ROWS_AT_ONCE, columns=inside):
                numbers = pa.array(np.arange(seen + 1, seen + batch.num_rows + 1))
                seen += batch.num_rows
                columns = [
                    pa.repeat(pa.scalar(part.partition[name], pa.string()), batch.num_rows)
                    if name in part.partition
                    else batch.column(name).cast(schema.field(name).type)
                    for name in names
                ]
                yield _with_ours(columns, wanted, batch.num_rows, numbers, file, [])
    except pa.ArrowException as error:
        raise DataError(f"{part.name} cannot be read as parquet: {error}") from error


def csv_batches(
    file: str | bytes,
    part: Part,
    csv: CsvFormat,
    lines: Range,
    names: Sequence[str],
    all_names: Sequence[str],
    shown: str | None,
) -> Iterator[tuple[pa.RecordBatch, Lines]]:
    """A range of a CSV file: its records as ``Table.batches`` gives them, and what became of its lines.

    Args:
        file: Its path, or its content.
        part: What is known of it.
        csv: How it is written.
        lines: The range.
        names: The columns wanted.
        all_names: The table's.
        shown: What is to stand in ``FILE``.
    """
    assert part.scanned is not None
    header = [*part.scanned.names, *([""] if part.scanned.trailing else [])]
    wanted = pa.schema([(name, pa.string()) for name in names])
    text = blocks(file, part.name, csv, lines.start, lines.end, lines.line)
    pieces = (below(block, lines.skip if block.line == lines.line else 0) for block in text)
    for found in records(pieces, csv, part.name):
        table, numbers, wrong = parsed(found, header, csv)
        bad = sorted([*found.unreadable, *wrong], key=lambda record: record.line)
        columns = [
            pa.repeat(pa.scalar(part.partition[name], pa.string()), len(table))
            if name in part.partition
            else table.column(part.order[all_names.index(name)]).combine_chunks()
            for name in names
        ]
        rows = found.text.count(b"\n") - sum(record.lines for record in wrong)
        kinds = Lines(0, found.blank, rows, sum(record.lines for record in bad))
        yield _with_ours(columns, wanted, len(table), numbers, shown, bad), kinds


def _with_ours(
    columns: list[pa.Array], wanted: pa.Schema, rows: int, lines: pa.Array, file: str | None, bad: list[Unreadable]
) -> pa.RecordBatch:
    """Rows and what is known of them; unreadable records between them, where they stand."""
    schema = pa.schema([*wanted, *OURS])
    nothing = pa.nulls(rows, pa.string())
    name = pa.repeat(pa.scalar(file, pa.string()), rows)
    batch = pa.RecordBatch.from_arrays([*columns, lines, name, nothing, nothing], schema=schema)
    if not bad:
        return batch
    empty = {column.name: pa.nulls(len(bad), column.type) for column in wanted}
    ours = {
        LINE: [record.line for record in bad],
        FILE: [file] * len(bad),
        UNREADABLE: [record.text for record in bad],
        FAULT: [record.reason for record in bad],
    }
    both = pa.Table.from_batches([batch, pa.RecordBatch.from_pydict(empty | ours, schema=schema)]).combine_chunks()
    return both.sort_by(LINE).to_batches()[0]
