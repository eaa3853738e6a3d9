"""A table as it lies: a CSV or parquet file or a folder of them, read the same way for whoever asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from lifeboat.errors import DataError
from lifeboat.parameters.csv_format import CsvFormat
from lifeboat.parameters.names import check_names
from lifeboat.reading.batches import Fragment, Lines, csv_batches, parquet_batches
from lifeboat.reading.kinds import is_parquet_file
from lifeboat.reading.scan import Range, scan
from lifeboat.run.inputs import files as files_of

NO_PARTITION = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Table:
    """A table on this machine.

    Attributes:
        path: The file or folder.
        parquet: Whether its values have types; else they are text.
        csv: How its CSV files are written.
        fragments: Its files, in order of their paths.
        schema: Its columns, those of ``column=value`` folders last.
    """

    path: Path
    parquet: bool
    csv: CsvFormat
    fragments: list[Fragment]
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
        """What can be read by itself: a file's index in ``fragments``, and of a CSV file a range of its lines."""
        pieces: list[tuple[int, Range | None]] = []
        for number, fragment in enumerate(self.fragments):
            pieces += [(number, piece) for piece in (fragment.scanned.ranges if fragment.scanned else [None])]
        return pieces

    def read(self, piece: tuple[int, Range | None], names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The records of one of ``pieces``, as ``batches`` gives them."""
        return (batch for batch, _ in self._read(piece, names))

    def numbered(self, numbers: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The records of the ``pieces`` whose numbers come in batches: what a Spark task does, with few imports."""
        pieces = self.pieces()
        for batch in numbers:
            for number in batch.column(0).to_pylist():
                yield from self.read(pieces[number], self.names)

    def lines(self) -> Lines:
        """Read all of a CSV table for what becomes of its lines."""
        return sum((kinds for piece in self.pieces() if piece[1] for _, kinds in self._read(piece, [])), Lines())

    def _read(self, piece: tuple[int, Range | None], names: Sequence[str]) -> Iterator[tuple[pa.RecordBatch, Lines]]:
        fragment, lines = self.fragments[piece[0]], piece[1]
        file = fragment.name if len(self.fragments) > 1 else None
        if lines is None:
            return ((batch, Lines()) for batch in parquet_batches(fragment, self.schema, names, file))
        return csv_batches(fragment.path, fragment, self.csv, lines, names, self.schema.names, file)


def open_table(path: str | Path, csv: CsvFormat | None = None) -> Table:
    """Find a table and look at its files: what a path holds is decided here, whoever asks.

    A file is what its first bytes say, whatever its name. A folder's files are one table: their columns go by name,
    whatever their order; folders ``column=value`` in it are a column each; names that start with ``.`` or ``_`` do
    not count.

    Args:
        path: A file or a folder.
        csv: How its CSV files are written; None: as usual.

    Raises:
        DataError: There is nothing there, a file is neither CSV nor parquet, the files differ in kind or columns, or
            a column's name will not do.
    """
    path, csv = Path(path).absolute(), csv or CsvFormat()
    files = files_of(path)
    if not files:
        raise DataError(f"no file or folder {str(path)!r}" if not path.exists() else f"{path} has no file in it")
    kinds = {file: is_parquet_file(file) for file in files}
    if len(set(kinds.values())) > 1:
        parquet_file, csv_file = (_below(next(f for f in files if kinds[f] is kind), path) for kind in (True, False))
        raise DataError(f"{path} holds parquet ({parquet_file}) and CSV ({csv_file}): keep one kind")
    parquet = kinds[files[0]]
    fragments = [Fragment(str(file), _below(file, path), _partition(file, path)) for file in files]
    keys = list(fragments[0].partition)
    for fragment in fragments:
        if list(fragment.partition) != keys:
            raise DataError(f"{path}: {fragment.name} lies in other folders column=value than {fragments[0].name}")
    fragments, schema = (fragments, _parquet_schema(fragments)) if parquet else _csv_fragments(fragments, csv)
    for key in keys:
        if key in schema.names:
            raise DataError(f"{path}: {key!r} is a column of {fragments[0].name} and a folder's too: rename one")
        schema = schema.append(pa.field(key, pa.string()))
    check_names(schema.names, str(path.name))
    return Table(path, parquet, csv, fragments, schema)


def _below(file: Path, path: Path) -> str:
    return file.name if file == path else file.relative_to(path).as_posix()


def _partition(file: Path, path: Path) -> dict[str, str | None]:
    """The columns that the folders between a table and a file of it name."""
    columns: dict[str, str | None] = {}
    for folder in file.relative_to(path).parts[:-1] if file != path else ():
        column, equals, value = folder.partition("=")
        if equals:
            columns[unquote(column)] = None if value == NO_PARTITION else unquote(value)
    return columns


def _csv_fragments(fragments: list[Fragment], csv: CsvFormat) -> tuple[list[Fragment], pa.Schema]:
    result: list[Fragment] = []
    names: list[str] = []
    for fragment in fragments:
        scanned = scan(fragment.path, fragment.name, csv)
        check_names(scanned.names, fragment.name)
        names = names or scanned.names
        same_columns(names, scanned.names, fragments[0].name, fragment.name)
        order = [scanned.names.index(name) for name in names]
        result.append(replace(fragment, scanned=scanned, order=order))
    return result, pa.schema([(name, pa.string()) for name in names])


def same_columns(names: Iterable[str], others: Iterable[str], first: str, file: str) -> None:
    """Raise DataError where two files of one table have other columns; their order does not count."""
    lacking, more = sorted(set(names) - set(others)), sorted(set(others) - set(names))
    if lacking or more:
        differs = [f"lacks {', '.join(map(repr, lacking))}"] if lacking else []
        differs += [f"has {', '.join(map(repr, more))} besides"] if more else []
        raise DataError(
            f"{file} {' and '.join(differs)}, other than {first}: one table has the same columns in each file"
        )


def _parquet_schema(fragments: list[Fragment]) -> pa.Schema:
    schema = _schema_of(fragments[0])
    for fragment in fragments[1:]:
        other = _schema_of(fragment)
        same_columns(schema.names, other.names, fragments[0].name, fragment.name)
        schema = pa.schema(
            [_common_type(field, other.field(field.name).type, fragment, fragments[0]) for field in schema]
        )
    return schema


def _schema_of(fragment: Fragment) -> pa.Schema:
    try:
        return pq.read_schema(fragment.path).remove_metadata()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{fragment.name} cannot be read as parquet: {error}") from error


def _common_type(column: pa.Field, other: pa.DataType, fragment: Fragment, first: Fragment) -> pa.Field:
    """A column with a type that holds another file's values of it too: the wider of two kindred ones."""
    for kindred in (pa.types.is_signed_integer, pa.types.is_floating):
        if kindred(column.type) and kindred(other):
            return column if column.type.bit_width >= other.bit_width else column.with_type(other)
    if column.type.equals(other):
        return column
    raise DataError(
        f"{fragment.name}: {column.name!r} is {other} there and {column.type} in {first.name}: a column has one type; "
        "write both files with the same"
    )
