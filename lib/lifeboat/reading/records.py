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


@lru_cache
def grammar(separator: str) -> tuple[str, str, str]:
    """What a record, a line that leaves a quote open, and a blank line look like, each without its line's end."""
    s = re.escape(separator)
    value = rf'(?:"(?:[^"]|"")*"|[^"{s}][^{s}]*|)'
    space = " " if separator == "\t" else r" \t"
    return rf"^{value}(?:{s}{value})*$", rf'^(?:{value}{s})*"(?:[^"]|"")*$', rf"^[{space}]*$"


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


def _by_line(block: Block, csv: CsvFormat) -> Records:
    text, numbers = block.text, pa.array(np.arange(block.line, block.line + block.lines()))
    if not text or not (b'"' in text or text[:1].isspace() or any(mark in text for mark in MAY_BE_BLANK)):
        return Records(text, numbers)
    lines = pc.split_pattern(pa.array([text[:-1].decode()], pa.string()), "\n").values
    well, opens, blank = grammar(csv.separator)
    blanks, fits = (pc.match_substring_regex(lines, pattern) for pattern in (blank, well))
    rows, bad = pc.and_not(fits, blanks), pc.invert(pc.or_(fits, blanks))
    if pc.all(rows).as_py():
        return Records(text, numbers)
    unreadable = [
        Unreadable(line, 1, record, UNCLOSED if re.match(opens, record) else AFTER_QUOTE)
        for line, record in zip(numbers.filter(bad).to_pylist(), lines.filter(bad).to_pylist(), strict=True)
    ]
    ended = pc.binary_join_element_wise(lines.filter(rows), "", "\n")
    kept = pc.binary_join(pa.ListArray.from_arrays([0, len(ended)], ended), "")[0].as_py().encode()
    return Records(kept, numbers.filter(rows), unreadable, pc.sum(blanks).as_py())


def _multiline(blocks: Iterator[Block], csv: CsvFormat, name: str) -> Iterator[Records]:
    well, opens, blank = map(re.compile, grammar(csv.separator))
    first, lines = 0, list[str]()  # of a record whose last line left a quote open
    for block in blocks:
        texts: list[str] = []
        numbers: list[int] = []
        bad: list[Unreadable] = []
        empty = 0
        for number, line in enumerate(block.text.decode().split("\n")[:-1], block.line):
            if not lines and blank.fullmatch(line):
                empty += 1
                continue
            if not lines and ('"' not in line or well.fullmatch(line)):
                texts.append(line)
                numbers.append(number)
                continue
            state = _state(line, bool(lines), csv.separator, well, opens)
            first = first if lines else number
            lines.append(line)
            if len(lines) > LARGEST_RECORD:
                raise DataError(
                    f"{name}: the quote that line {first} opens is not closed within {LARGEST_RECORD} lines: mend "
                    f"that line, or leave csv: {{multiline: true}} out, and it alone is no row: {lines[0][:60]!r}"
                )
            if state == "closed":
                texts.append("\n".join(lines))
                numbers.append(first)
            elif state == "bad":
                bad.append(Unreadable(first, len(lines), "\n".join(lines), AFTER_QUOTE))
            lines = lines if state == "open" else []
        text = "".join(f"{t}\n" for t in texts).encode()
        yield Records(text, pa.array(numbers, pa.int64()), bad, empty, texts)
    if lines:
        left = Unreadable(first, len(lines), "\n".join(lines), NEVER_CLOSED)
        yield Records(b"", pa.array([], pa.int64()), [left], 0, [])


_CLOSES = re.compile(r'(?:[^"]|"")*"(?!")')


def _state(line: str, inside: bool, separator: str, well: re.Pattern[str], opens: re.Pattern[str]) -> str:
    """``open``, ``closed`` or ``bad``: how a line leaves a record, ``inside`` a quote that an earlier one opened."""
    if inside:
        closing = _CLOSES.match(line)
        if closing is None:
            return "open"
        line = line[closing.end() :]
        if line and not line.startswith(separator):
            return "bad"
        line = line.removeprefix(separator)
    return "closed" if '"' not in line or well.fullmatch(line) else "open" if opens.fullmatch(line) else "bad"


def values(record: str, separator: str) -> list[str]:
    """A well-formed record's values."""
    if '"' not in record:
        return record.split(separator)
    return next(stdlib_csv.reader([record], delimiter=separator, strict=True), [""])
