"""What must be known of a table before it is looked at: how its CSV is written, and what its types are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from lifeboat.errors import DataError
from lifeboat.reading import ERROR, CsvFormat, Table, open_table
from lifeboat.reading.arrow import family
from lifeboat.reading.kinds import is_parquet_file
from lifeboat.reading.records import UNCLOSED, Records, records, values
from lifeboat.reading.text import Block, blocks
from lifeboat.run.inputs import files
from lifeboat.scoring.declared import DATE, DECIMAL, FLOAT, NULLS, TEXT, TIME, TRUTH, WHOLE_NUMBER

SEPARATORS = ",;\t|"  # of equals, the first
SEEN = 200  # records that the separator is guessed from


def find_table(path: Path, csv: CsvFormat, guess: bool) -> Table:
    """Open a table, its separator guessed from its first file unless it is given, and ``multiline`` where it must be.

    Raises:
        DataError: It is no table.
    """
    if not guess:
        return open_table(path, csv)
    csv = replace(csv, separator=guess_separator(path, csv))
    try:
        table = open_table(path, csv)
    except DataError:
        if csv.multiline or (whole := _whole(path, csv)) is None:
            raise
        return whole
    if csv.multiline or table.parquet or not _unclosed(table):
        return table
    return _whole(path, csv) or table


def _whole(path: Path, csv: CsvFormat) -> Table | None:
    """The table by records of several lines; None where such leave a line unread too."""
    try:
        table = open_table(path, replace(csv, multiline=True))
        return table if not table.lines().rejected else None
    except DataError:
        return None


def guess_separator(path: Path, csv: CsvFormat) -> str:
    """The separator that gives most records of the first file as many values as its header, and the most."""
    paths = files(path)
    if not paths or is_parquet_file(paths[0]):
        return csv.separator
    first = next(blocks(str(paths[0]), paths[0].name, csv), None)
    if first is None:
        return csv.separator
    return max(SEPARATORS, key=lambda mark: _fit(first, replace(csv, separator=mark), paths[0].name))


def _fit(block: Block, csv: CsvFormat, name: str) -> int:
    """How many values the separator makes of each record, where it makes as many of most; else 1."""
    lines = block.text.split(b"\n", csv.skip_lines + SEEN)[csv.skip_lines :][:SEEN]
    start = Block(block.start, block.end, b"\n".join(lines) + b"\n", block.line)
    try:
        first: list[Records] = list(islice(records(iter([start]), csv, name), 1))
    except DataError:
        return 1
    widths = [len(values(record, csv.separator)) for chunk in first for record in chunk.each()]
    return widths[0] if widths and 2 * widths.count(widths[0]) > len(widths) else 1


def _unclosed(table: Table) -> bool:
    """Whether a record is no row because its quote is not closed in its line."""
    return any(pc.any(pc.equal(batch.column(ERROR), UNCLOSED)).as_py() for batch in table.batches([]))


def declared_types(table: Table) -> Sequence[str]:
    """What a parquet file says of its columns' types, in SQL words; of text nothing."""
    return [declared_type(field.type) if table.parquet else "" for field in table.schema]


SQL_WORDS = {FLOAT: "DOUBLE", DECIMAL: "DOUBLE", TRUTH: "BOOLEAN", DATE: "DATE", TIME: "DATE", TEXT: "", NULLS: ""}


def declared_type(kind: pa.DataType) -> str:
    """The type of the table's SQL words for one of parquet's; one that no schema takes keeps its own."""
    if pa.types.is_dictionary(kind):
        return declared_type(kind.value_type)
    if family(kind) == WHOLE_NUMBER:
        return "INT" if kind.bit_width <= 16 or kind == pa.int32() else "BIGINT"
    return SQL_WORDS.get(family(kind), str(kind))


def as_text(column: pa.Array) -> pa.Array:
    """A column as text, one that is empty or no number as null; of a type that no schema takes, that there is one."""
    if family(column.type) not in (WHOLE_NUMBER, *SQL_WORDS):
        column = pc.if_else(column.is_valid(), pa.scalar("(untyped)"), pa.scalar(None, pa.string()))
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    text = pc.cast(column, pa.string())
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
