"""A table as it lies: a CSV or parquet file or a folder of them, read the same way for whoever asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from lifeboat.errors import DataError
from lifeboat.reading.batches import Lines, Part, csv_batches, parquet_batches
from lifeboat.reading.csv_format import CsvFormat
from lifeboat.reading.kinds import is_parquet_file
from lifeboat.reading.names import check_names
from lifeboat.reading.scan import Range, scan
from lifeboat.run.inputs import files as files_of

NO_PARTITION = "__HIVE_DEFAULT_PARTITION__"


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
            yield from parquet_batches(part, self.schema, names, file)
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
