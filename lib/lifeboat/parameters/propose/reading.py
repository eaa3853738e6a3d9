"""What must be known of a table before it is looked at: how its CSV is written, and what its types are called."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from lifeboat.errors import DataError
from lifeboat.reading import CsvFormat, open_table
from lifeboat.reading.arrow import family
from lifeboat.reading.kinds import is_parquet_file
from lifeboat.reading.records import values
from lifeboat.reading.scan import below, first_records
from lifeboat.reading.text import Block, blocks
from lifeboat.run.inputs import files
from lifeboat.scoring.declared import DATE, DECIMAL, FLOAT, NULLS, TEXT, TIME, TRUTH, WHOLE_NUMBER

SEPARATORS = ",;\t|"  # of equals, the first
SQL_WORDS = {FLOAT: "DOUBLE", DECIMAL: "DOUBLE", TRUTH: "BOOLEAN", DATE: "DATE", TIME: "DATE", TEXT: "", NULLS: ""}


def guess_format(path: Path, csv: CsvFormat) -> CsvFormat:
    """The format with the separator that the first file has, and ``multiline`` where that leaves no line unread.

    Args:
        path: A file or a folder.
        csv: What is known: its encoding, and the lines above its header.
    """
    csv = replace(csv, separator=_separator(path, csv))
    several_lines = replace(csv, multiline=True)
    with suppress(DataError):
        if not open_table(path, csv).lines().rejected:
            return csv
    with suppress(DataError):
        if not open_table(path, several_lines).lines().rejected:
            return several_lines
    return csv


def _separator(path: Path, csv: CsvFormat) -> str:
    """The separator that gives most records of the first file as many values as its header, and the most."""
    paths = files(path)
    if not paths or is_parquet_file(paths[0]):
        return csv.separator
    first = next(blocks(str(paths[0]), paths[0].name, csv), Block(0, 0, b"", 1))
    return max(SEPARATORS, key=lambda mark: _width(first, replace(csv, separator=mark), paths[0].name))


def _width(block: Block, csv: CsvFormat, name: str) -> int:
    """How many values the separator makes of each record, where it makes as many of most; else 1."""
    try:
        records = first_records(below(block, csv.skip_lines), csv, name)
        widths = [len(values(record, csv.separator)) for _, record in records]
    except DataError:
        return 1
    return widths[0] if widths and 2 * widths.count(widths[0]) > len(widths) else 1


def declared_type(kind: pa.DataType) -> str:
    """What a file says of a column's type, in SQL words: of text nothing; one that no schema takes keeps its own."""
    if pa.types.is_dictionary(kind):
        return declared_type(kind.value_type)
    if family(kind) == WHOLE_NUMBER:
        return "INT" if kind.bit_width <= 16 or kind == pa.int32() else "BIGINT"
    return SQL_WORDS.get(family(kind), str(kind))


def as_text(column: pa.Array) -> pa.Array:
    """A column as text, one that is empty or no number as null; of a type that no schema takes, that there is one."""
    nothing = pa.scalar(None, pa.string())
    if family(column.type) not in (WHOLE_NUMBER, *SQL_WORDS):
        return pc.if_else(column.is_valid(), "(untyped)", nothing)
    gaps = pa.array(["", "nan"] if family(column.type) == FLOAT else [""])
    text = pc.cast(column, pa.string())
    return pc.if_else(pc.is_in(text, gaps), nothing, text)
