"""The rows of a CSV or parquet file, or of a folder of them, block by block and as text."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from lifeboat.errors import DataError
from lifeboat.inputs import files

BLOCK = 4 * 2**20  # bytes of a file that are read at once


@dataclass
class Source:
    """Where rows come from.

    Attributes:
        place: The file or folder.
        names: The columns' names, as Spark names them: one without a name is ``_c0`` by its place.
        types: What a parquet file says of their types, in the table's SQL words; empty where only the texts can tell.
        parquet: Whether the values have types of their own.
        unreadable: Lines with too many or too few values, so far.
    """

    place: Path
    parts: list[Path]
    names: list[str]
    types: list[str]
    parquet: bool
    unreadable: int = field(default=0)

    def blocks(self) -> Iterator[list[pa.Array]]:
        """The rows, some thousand at a time: all columns as text, null where there is nothing."""
        for part in self.parts:
            try:
                for batch in self._batches(part):
                    yield [as_text(column) for column in batch.columns]
            except (pa.ArrowInvalid, UnicodeDecodeError) as error:
                form = "parquet" if self.parquet else "CSV in UTF-8"
                raise DataError(f"{part.name} cannot be read as {form}: {error}") from error

    def _batches(self, part: Path) -> Iterator[pa.RecordBatch]:
        if self.parquet:
            return pq.ParquetFile(part).iter_batches()  # type: ignore[no-any-return]
        return pacsv.open_csv(  # type: ignore[no-any-return]
            pa.input_stream(part, compression="detect"),
            pacsv.ReadOptions(column_names=self.names, skip_rows=1, block_size=BLOCK),
            pacsv.ParseOptions(invalid_row_handler=self._count),
            pacsv.ConvertOptions(
                column_types=dict.fromkeys(self.names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )

    def _count(self, _: pacsv.InvalidRow) -> str:
        self.unreadable += 1
        return "skip"


def open_source(path: str | Path) -> Source:
    """Find a table and read what its columns are called.

    Raises:
        DataError: There is nothing at ``path``, no comma in its first line, or two columns have one name.
    """
    place = Path(path)
    parts = files(place)
    if not parts:
        raise DataError(f"no file or folder {str(path)!r}")
    if any(part.suffix == ".parquet" for part in parts):
        try:
            schema = pq.read_schema(parts[0])
        except pa.ArrowInvalid as error:
            raise DataError(f"{parts[0].name} cannot be read as parquet: {error}") from error
        return Source(place, parts, _named(schema.names, place), [declared_type(kind) for kind in schema.types], True)
    names = _named(_header(parts[0]), place)
    return Source(place, parts, names, [""] * len(names), False)


def _named(header: list[str], place: Path) -> list[str]:
    names = [name or f"_c{i}" for i, name in enumerate(header)]
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        raise DataError(f"{place.name} has one column, {names[0]!r}: put commas between the values")
    lower = Counter(name.lower() for name in names)
    twice = [name for name in names if lower[name.lower()] > 1]
    if twice:
        raise DataError(
            f"{place.name} has columns that Spark cannot tell apart: {', '.join(twice)}; rename all but one"
        )
    return names


def _header(part: Path) -> list[str]:
    with pa.input_stream(part, compression="detect") as stream:
        lines = csv.reader(io.TextIOWrapper(stream, encoding="utf-8-sig", newline=""))
        header = next(lines, [])
    if not header:
        raise DataError(f"{part.name} is empty: its first line must name the columns")
    return header


def declared_type(kind: pa.DataType) -> str:
    """The type of the table's SQL words for one of parquet's; a cell with parts keeps its own."""
    if pa.types.is_dictionary(kind):
        return declared_type(kind.value_type)
    if pa.types.is_integer(kind):
        return "INT" if kind.bit_width <= 16 or kind == pa.int32() else "BIGINT"
    tests = {
        "DOUBLE": (pa.types.is_floating, pa.types.is_decimal),
        "BOOLEAN": (pa.types.is_boolean,),
        "DATE": (pa.types.is_date, pa.types.is_timestamp),
        "": (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
    }
    return next((name for name, checks in tests.items() if any(check(kind) for check in checks)), str(kind))


def as_text(column: pa.Array) -> pa.Array:
    """A column as text, one that is empty or no number as null; a cell with parts, as the fact that there is one."""
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
        column = pc.if_else(column.is_valid(), pa.scalar("(parts)"), pa.scalar(None, pa.string()))
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    text = pc.cast(column, pa.string())
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
