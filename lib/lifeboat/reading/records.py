"""Lines to records: which lines are rows, which are blank, and what is wrong with the others.

A record's values stand between separators. One that starts with a quote ends with a quote, and a quote within is
written twice; in any other a quote is a letter like any other. Nothing else is taken: a line that does not fit is
kept whole, with the reason.
"""

from __future__ import annotations

import csv as stdlib_csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lifeboat.errors import DataError
from lifeboat.parameters.csv_format import LARGEST_RECORD, CsvFormat
from lifeboat.reading.text import Block

UNCLOSED = "a quote is not closed in its line (csv: {multiline: true} reads texts of several lines)"
AFTER_QUOTE = "text stands behind a closing quote: a quote within a text is written twice"
NEVER_CLOSED = "a quote is never closed"
MAY_BE_BLANK = (b"\n\n", b"\n ", b"\n\t")


@dataclass(frozen=True)
class Unreadable:
    """A record that is no row: the number of its first line, how many it has, its text, and the reason."""

    line: int
    lines: int
    text: str
    reason: str


@dataclass(frozen=True)
class Records:
    """Records of a file, in its order.

    Attributes:
        text: Those that may be rows, in UTF-8.
        lines: The number of the line where each of them starts.
        unreadable: The others.
        blank: How many lines are blank.
        several: The records one by one, where one may have several lines.
    """

    text: bytes
    lines: pa.Int64Array
    unreadable: list[Unreadable] = field(default_factory=list)
    blank: int = 0
    several: list[str] | None = None

    def each(self) -> list[str]:
        """The records that may be rows, each without its line's end."""
        return self.text.decode().split("\n")[:-1] if self.several is None else self.several


@dataclass(frozen=True)
class Grammar:
    """The patterns of one separator, for one record without its line's end."""

    well: str
    opens: str
    blank: str


@lru_cache
def grammar(separator: str) -> Grammar:
    """What a record, a line that leaves a quote open, and a blank line look like."""
    s = re.escape(separator)
    value = rf'(?:"(?:[^"]|"")*"|[^"{s}][^{s}]*|)'
    space = " " if separator == "\t" else r" \t"
    return Grammar(rf"^{value}(?:{s}{value})*$", rf'^(?:{value}{s})*"(?:[^"]|"")*$', rf"^[{space}]*$")


def records(blocks: Iterator[Block], csv: CsvFormat, name: str) -> Iterator[Records]:
    """The records of a file's lines.

    Args:
        blocks: The lines below the header.
        csv: How they are written.
        name: What messages call the file.

    Raises:
        DataError: A record of more than 100 lines.
    """
    if csv.multiline:
        return _multiline(blocks, csv, name)
    return (_by_line(block, csv) for block in blocks)


def _split(text: bytes) -> pa.Array:
    """A text's lines, without their ends."""
    return pc.split_pattern(pa.array([text[:-1].decode()], pa.string()), "\n").values


def _by_line(block: Block, csv: CsvFormat) -> Records:
    patterns, text = grammar(csv.separator), block.text
    numbers = pa.array(np.arange(block.line, block.line + block.lines()))
    if not text or not (b'"' in text or text[:1].isspace() or any(mark in text for mark in MAY_BE_BLANK)):
        return Records(text, numbers)
    lines = _split(text)
    blank = pc.match_substring_regex(lines, patterns.blank)
    well = pc.match_substring_regex(lines, patterns.well)
    rows = pc.and_(well, pc.invert(blank))
    bad = pc.invert(pc.or_(well, blank))
    unclosed = pc.match_substring_regex(lines.filter(bad), patterns.opens).to_pylist()
    unreadable = [
        Unreadable(number, 1, text, UNCLOSED if opens else AFTER_QUOTE)
        for number, text, opens in zip(
            numbers.filter(bad).to_pylist(), lines.filter(bad).to_pylist(), unclosed, strict=True
        )
    ]
    if pc.all(rows).as_py():
        return Records(block.text, numbers)
    return Records(_joined(lines.filter(rows)), numbers.filter(rows), unreadable, pc.sum(blank).as_py())


def _joined(lines: pa.Array) -> bytes:
    text: str = pc.binary_join(pa.ListArray.from_arrays([0, len(lines)], lines), "\n")[0].as_py()
    return (text + "\n").encode() if len(lines) else b""


@dataclass
class _Open:
    """A record whose last line left a quote open."""

    line: int
    lines: list[str]


def _multiline(blocks: Iterator[Block], csv: CsvFormat, name: str) -> Iterator[Records]:
    patterns = grammar(csv.separator)
    well, opens = re.compile(patterns.well), re.compile(patterns.opens)
    blank = re.compile(patterns.blank)
    open_: _Open | None = None
    for block in blocks:
        texts: list[str] = []
        numbers: list[int] = []
        bad: list[Unreadable] = []
        empty = 0
        for number, line in enumerate(block.text[:-1].decode().split("\n"), block.line):
            if open_ is None:
                if blank.fullmatch(line):
                    empty += 1
                elif '"' not in line or well.fullmatch(line):
                    texts.append(line)
                    numbers.append(number)
                elif opens.fullmatch(line):
                    open_ = _Open(number, [line])
                else:
                    bad.append(Unreadable(number, 1, line, AFTER_QUOTE))
                continue
            open_.lines.append(line)
            if len(open_.lines) > LARGEST_RECORD:
                raise DataError(
                    f"{name}: the quote that line {open_.line} opens is not closed within {LARGEST_RECORD} lines: mend "
                    f"that line, or leave csv: {{multiline: true}} out, and it alone is no row: {open_.lines[0][:60]!r}"
                )
            state = _after(line, csv.separator, well, opens)
            if state == "open":
                continue
            whole = "\n".join(open_.lines)
            if state == "closed":
                texts.append(whole)
                numbers.append(open_.line)
            else:
                bad.append(Unreadable(open_.line, len(open_.lines), whole, AFTER_QUOTE))
            open_ = None
        text = "".join(f"{t}\n" for t in texts).encode()
        yield Records(text, pa.array(numbers, pa.int64()), bad, empty, texts)
    if open_ is not None:
        whole = "\n".join(open_.lines)
        left = Unreadable(open_.line, len(open_.lines), whole, NEVER_CLOSED)
        yield Records(b"", pa.array([], pa.int64()), [left], 0, [])


_CLOSES = re.compile(r'(?:[^"]|"")*"(?!")')


def _after(line: str, separator: str, well: re.Pattern[str], opens: re.Pattern[str]) -> str:
    """``open``, ``closed`` or ``bad``: how a line leaves a quote that an earlier one opened."""
    closing = _CLOSES.match(line)
    if closing is None:
        return "open"
    rest = line[closing.end() :]
    if not rest:
        return "closed"
    if not rest.startswith(separator):
        return "bad"
    rest = rest[1:]
    return "closed" if well.fullmatch(rest) else "open" if opens.fullmatch(rest) else "bad"


def values(record: str, separator: str) -> list[str]:
    """A well-formed record's values."""
    if '"' not in record:
        return record.split(separator)
    return next(stdlib_csv.reader([record], delimiter=separator, strict=True), [""])
