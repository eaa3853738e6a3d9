"""Look at a CSV file once, from its first byte to its last: is it text, where is its header, how many lines has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain

import pyarrow as pa
import pyarrow.csv as pacsv

from lifeboat.errors import DataError
from lifeboat.parameters.csv_format import CsvFormat
from lifeboat.reading.records import Records, Unreadable, records, values
from lifeboat.reading.text import Block, blocks, compression, splits

SEEN = 1000  # records below the header whose number of values is looked at
OTHERS = ",;\t|"  # what may part values where the separator does not


@dataclass(frozen=True)
class Range:
    """Whole lines of a file, to be read by themselves.

    Attributes:
        start: The first byte.
        end: The place behind the last; None: the file's end.
        line: The number of the first line.
        skip: How many of its lines stand above the data: what is skipped, and the header.
    """

    start: int
    end: int | None
    line: int
    skip: int = 0


@dataclass(frozen=True)
class Scanned:
    """What a CSV file's lines are.

    Attributes:
        names: The header's.
        skipped: How many lines above the data are no header: those of ``skip_lines``, and blank ones.
        trailing: Whether each record ends with one separator more than it has values.
        ranges: The file in pieces.
    """

    names: list[str]
    skipped: int
    trailing: bool
    ranges: list[Range]


def scan(file: str | bytes, name: str, csv: CsvFormat) -> Scanned:
    """Read a file through, and check that it is the CSV file that ``csv`` says.

    Args:
        file: Its path, or its content.
        name: What messages call it.
        csv: How it is written.

    Raises:
        DataError: A byte is no text, there is no header, or most records have another number of values than it.
    """
    whole = blocks(file, name, csv)
    first = next(whole, None)
    if first is None:
        raise DataError(f"{name} is empty: its first line must name the columns")
    names, line, lines = _header(first, csv, name)
    above = line + lines - 1
    data = below(first, above)
    if names[-1] == "" and len(names) > 1:  # the header's line may end with a separator too
        with suppress(DataError):  # then it is a column without a name, and refused as one
            names = names[:-1] if _trailing(data, names[:-1], line, csv, name) else names
    trailing = _trailing(data, names, line, csv, name)
    ranges = []
    for block in chain([first], whole):
        ranges.append(Range(block.start, block.end, block.line, above if block is first else 0))
        if trailing:
            _refuse_values_behind(data if block is first else block, len(names) + 1, csv, name)
    if csv.multiline or not splits(csv.encoding) or compression(file) is not None:  # it can be read as a whole alone
        ranges = [Range(0, None, 1, above)]
    return Scanned(names, line - 1, trailing, ranges)


def below(block: Block, skip: int) -> Block:
    """A block without its first lines."""
    if not skip:
        return block
    lines = block.text.split(b"\n", skip)
    return replace(block, text=lines[-1] if len(lines) > skip else b"", line=block.line + skip)


def _header(block: Block, csv: CsvFormat, name: str) -> tuple[list[str], int, int]:
    """The header's names, the number of its first line, and how many it has."""
    left = below(block, csv.skip_lines)
    if not left.text:
        raise DataError(
            f"{name} has no line below the {csv.skip_lines} that csv: {{skip_lines: {csv.skip_lines}}} leaves out"
        )
    start = replace(left, text=left.text[: 2**20].rpartition(b"\n")[0] + b"\n")
    chunk = next(iter(records(iter([start]), csv, name)))
    lines = chunk.lines.to_pylist()
    if chunk.unreadable and (not lines or chunk.unreadable[0].line < lines[0]):
        wrong = chunk.unreadable[0]
        raise DataError(f"{name}: the header in line {wrong.line} cannot be read: {wrong.reason}: {wrong.text[:200]!r}")
    if not lines:
        raise DataError(f"{name} has no header: all of its first lines are blank")
    record = chunk.each()[0]
    names = values(record, csv.separator)
    if len(names) == 1 and (mark := next((m for m in OTHERS if m in names[0]), "")):
        raise DataError(
            f"{name} has one column, {names[0]!r}: if {mark!r} stands between its values, write "
            f"csv: {{separator: {'tab' if mark == chr(9) else repr(mark)}}}"
        )
    return names, lines[0], record.count("\n") + 1


def _trailing(data: Block, names: list[str], header: int, csv: CsvFormat, name: str) -> bool:
    """Whether a separator follows each record's last value; raises DataError where most have other widths."""
    wanted = len(names)
    counts: Counter[int] = Counter()
    at: dict[int, int] = {}
    empty_behind = True
    for line, record in first_records(data, csv, name):
        cells = values(record, csv.separator)
        counts[len(cells)] += 1
        at.setdefault(len(cells), line)
        empty_behind &= len(cells) != wanted + 1 or not cells[-1]
    if not counts:
        return False
    most, times = counts.most_common(1)[0]
    if most == wanted or 2 * times <= counts.total():
        return False
    if most == wanted + 1 and empty_behind:
        return True
    several = "; if texts go over several lines, csv: {multiline: true}" if b'"' in data.text else ""
    says = f"{name}: the header, line {header}, names {wanted} columns, but most lines have {most} values"
    raise DataError(
        f"{says}: line {at[most]} is the first of them; if that is the header, write "
        f"csv: {{skip_lines: {at[most] - 1}}}{several}"
    )


def first_records(data: Block, csv: CsvFormat, name: str) -> Iterator[tuple[int, str]]:
    """The well-formed records of a block's first thousand lines, each with its line."""
    if not data.text:
        return
    start = replace(data, text=b"\n".join(data.text.split(b"\n", SEEN)[:SEEN]) + b"\n")
    for chunk in records(iter([start]), csv, name):
        yield from zip(chunk.lines.to_pylist(), chunk.each(), strict=True)


def _refuse_values_behind(block: Block, width: int, csv: CsvFormat, name: str) -> None:
    """Raise DataError where a value stands behind the last column's."""
    for chunk in records(iter([block]), csv, name):
        table, lines, _ = parsed(chunk, [str(index) for index in range(width)], csv)
        last = table.column(width - 1)
        if last.null_count < len(last):
            index = last.is_valid().to_pylist().index(True)
            raise DataError(
                f"{name}: most lines end with a separator, but line {lines[index].as_py()} has a {width}th value, "
                f"{last[index].as_py()!r}, and the header names {width - 1} columns: name it there, or take it out"
            )


def parsed(chunk: Records, names: list[str], csv: CsvFormat) -> tuple[pa.Table, pa.Array, list[Unreadable]]:
    """Records as a table of texts, empty ones null; the line of each row; and those of another width."""
    columns = [str(index) for index in range(len(names))]  # Arrow wants names that differ
    text = pa.schema([(column, pa.string()) for column in columns])
    if not chunk.text:
        return text.empty_table().rename_columns(names), chunk.lines, []
    wrong: dict[int, str] = {}

    def set_apart(row: pacsv.InvalidRow) -> str:
        wrong[row.number - 1] = f"has {row.actual_columns} values where the header names {len(names)}"
        return "skip"

    table = pacsv.read_csv(
        pa.BufferReader(chunk.text),
        pacsv.ReadOptions(column_names=columns, use_threads=False, block_size=len(chunk.text) + 1),
        pacsv.ParseOptions(delimiter=csv.separator, newlines_in_values=csv.multiline, invalid_row_handler=set_apart),
        pacsv.ConvertOptions(
            column_types=text, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=True
        ),
    ).rename_columns(names)
    if not wrong:
        return table, chunk.lines, []
    lines, each = chunk.lines.to_pylist(), chunk.each()
    bad = [Unreadable(lines[p], each[p].count("\n") + 1, each[p], reason) for p, reason in wrong.items()]
    return table, pa.array([line for index, line in enumerate(lines) if index not in wrong], pa.int64()), bad
