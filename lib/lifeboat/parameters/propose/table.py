"""What a table holds, column by column: seen in one pass, within bounded memory, and without Spark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lifeboat.errors import DataError
from lifeboat.parameters.propose.reading import as_text, declared_types, find_table
from lifeboat.reading import ERROR, CsvFormat
from lifeboat.scoring.declared import PATTERNS, WHOLE

MANY = 1000  # different values: of a column with more, they are no longer counted one by one
SAMPLE = 20_000  # rows kept, at most twice as many: each with the same distance to the next
GAP_WORDS = ("na", "n/a", "#n/a", "nan", "null", "none", "nil", "missing", "unknown", "?", "-", "--", ".")
NUMBERS = ("INT", "BIGINT", "DOUBLE")
TYPES = (*NUMBERS, "BOOLEAN", "STRING", "DATE")
FORMS = {  # of a text that may be more than a text
    "whole": f"^({WHOLE})$",
    "number": f"^({PATTERNS['double']})$",
    "boolean": r"^[ \t]*([tT][rR][uU][eE]|[fF][aA][lL][sS][eE])[ \t]*$",  # yes and no may be two of several answers
    "date": r"^(\d{4}-\d{1,2}-\d{1,2}([ T].*)?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}( .*)?)$",
}
CODE = r"^\s*[+-]?(0\d|\d{19,}\s*$)"  # 007 and a long one are names made of digits: a number would lose some


@dataclass(frozen=True)
class Column:
    """What a column holds.

    Attributes:
        name: Its name, as Spark names it: one without a name is ``_c0`` by its place.
        type: INT, BIGINT, DOUBLE, BOOLEAN, STRING, DATE (a text or a point in time), or that of a parquet file as it
            names it where a cell holds more than one value.
        missing: Rows without a value: null, empty, or one of ``gap_words``.
        values: Value, as text -> rows with it; empty where there are more than 1,000.
        unique: Whether every row has a value and no two the same.
        minimum: The lowest number; None where it holds no numbers.
        maximum: The highest number.
        gap_words: What stands in a column of numbers where there is none, such as NA.
        broken: Whether a text goes over more than one line.
        many: Whether there are more different values than are counted.
    """

    name: str
    type: str
    missing: int
    values: Mapping[str, int]
    unique: bool
    minimum: float | None = None
    maximum: float | None = None
    gap_words: tuple[str, ...] = ()
    broken: bool = False
    many: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers."""
        return self.type in NUMBERS


@dataclass(frozen=True)
class Survey:
    """What a table holds.

    Attributes:
        path: Where it was read.
        rows: Rows with as many values as there are columns.
        unreadable: Lines with more or fewer.
        columns: Name -> column, in the order of the file.
        sample: All columns as text, null where there is nothing: every row, or each n-th of many.
        parquet: Whether the values have types of their own.
        csv: How its CSV is written.
    """

    path: Path
    rows: int
    unreadable: int
    columns: Mapping[str, Column]
    sample: pa.Table
    parquet: bool
    csv: CsvFormat = field(default_factory=CsvFormat)


@dataclass
class _Seen:
    """What has been seen of a column so far."""

    name: str
    declared: str = ""
    nulls: int = 0
    counts: Counter[str] | None = field(default_factory=Counter)
    gaps: Counter[str] = field(default_factory=Counter)
    forms: set[str] = field(default_factory=lambda: set(FORMS))
    known: bool = False
    low: float = np.inf
    high: float = -np.inf
    hashes: list[npt.NDArray[np.uint64]] | None = field(default_factory=list)
    broken: bool = False

    def add(self, text: pa.Array) -> None:
        """Look at the next rows of the column, as text."""
        self.nulls += text.null_count
        counted = text.drop_null().value_counts()
        values, times = counted.field("values"), counted.field("counts")
        self._count(values, times, len(text))
        is_gap = pc.is_in(pc.utf8_lower(pc.utf8_trim_whitespace(values)), pa.array(GAP_WORDS))
        self.gaps.update(dict(zip(values.filter(is_gap).to_pylist(), times.filter(is_gap).to_pylist(), strict=True)))
        values = values.filter(pc.invert(is_gap))
        self.known |= len(values) > 0
        self.broken |= bool(pc.any(pc.match_substring_regex(values, r"[\r\n]")).as_py())
        self._form(values)

    def _count(self, values: pa.Array, times: pa.Array, rows: int) -> None:
        if self.counts is not None:
            self.counts.update(dict(zip(values.to_pylist(), times.to_pylist(), strict=True)))
            self.counts = self.counts if len(self.counts) <= MANY else None
        if self.hashes is not None:
            hashes = pd.util.hash_array(values.to_numpy(zero_copy_only=False), categorize=False)
            self.hashes = [*self.hashes, hashes] if len(values) == rows else None

    def _form(self, values: pa.Array) -> None:
        if not self.declared:
            for form in sorted(self.forms):
                if not pc.all(pc.match_substring_regex(values, FORMS[form])).as_py():
                    self.forms.discard(form)
            if pc.any(pc.match_substring_regex(values, CODE)).as_py():
                self.forms -= {"whole", "number"}
        if self.declared in NUMBERS or (not self.declared and "number" in self.forms):
            ends = pc.min_max(pc.cast(pc.utf8_trim_whitespace(values), pa.float64()))
            if ends["min"].is_valid:
                self.low, self.high = min(self.low, ends["min"].as_py()), max(self.high, ends["max"].as_py())

    def column(self) -> Column:
        """What has been seen, once all has."""
        kind = self.declared or self._kind()
        # a word for a gap is one only where all others are no words
        gaps = self.gaps if kind != "STRING" and kind in TYPES else {}
        values = {value: times for value, times in (self.counts or {}).items() if value not in gaps}
        finite = kind in NUMBERS and np.isfinite([self.low, self.high]).all()
        return Column(
            self.name,
            kind,
            self.nulls + sum(gaps.values()),
            values,
            not gaps and self._unique(),
            self.low if finite else None,
            self.high if finite else None,
            tuple(sorted(gaps)),
            self.broken,
            self.counts is None,
        )

    def _kind(self) -> str:
        if not self.known:
            return "STRING"
        if "number" in self.forms and np.isfinite([self.low, self.high]).all():
            small = self.low >= -(2**31) and self.high < 2**31
            return "DOUBLE" if "whole" not in self.forms else "INT" if small else "BIGINT"
        return "BOOLEAN" if "boolean" in self.forms else "DATE" if "date" in self.forms else "STRING"

    def _unique(self) -> bool:
        if not self.hashes:
            return False
        hashes = np.concatenate(self.hashes)
        return len(np.unique(hashes)) == len(hashes)


def survey(path: str | Path, csv: CsvFormat | None = None, guess: bool = True) -> Survey:
    """Look at a CSV or parquet file, or a folder of them, once from its first row to its last.

    Memory holds a block of the file, the sample, and eight bytes a row for each column whose values have all been
    different so far.

    Args:
        path: Where it is.
        csv: How its CSV is written; None: as usual.
        guess: Whether its separator, and whether texts go over several lines, are to be found out.

    Raises:
        DataError: There is nothing at ``path``, no row, or what is there is no table.
    """
    source = find_table(Path(path), csv or CsvFormat(), guess)
    seen = [_Seen(name, kind) for name, kind in zip(source.names, declared_types(source), strict=True)]
    sample, rows, unreadable = _Sample(), 0, 0
    for batch in source.batches():
        good = batch.filter(batch.column(ERROR).is_null())
        unreadable += batch.num_rows - good.num_rows
        texts = [as_text(column) for column in good.columns[: len(seen)]]
        for column, text in zip(seen, texts, strict=True):
            column.add(text)
        sample.add(pa.table(texts, source.names))
        rows += good.num_rows
    if not rows:
        raise DataError(f"{source.path.name} holds no row: there is nothing to learn from")
    columns = {column.name: column.column() for column in seen}
    return Survey(source.path, rows, unreadable, columns, sample.table(), source.parquet, source.csv)


class _Sample:
    """Each n-th row, n growing so that there are never more than twice ``SAMPLE``."""

    def __init__(self) -> None:
        self.stride, self.rows, self.seen = 1, 0, 0
        self.kept: list[pa.Table] = []

    def add(self, rows: pa.Table) -> None:
        first = -self.seen % self.stride
        self.kept.append(rows.take(np.arange(first, len(rows), self.stride)))
        self.seen += len(rows)
        self.rows += len(self.kept[-1])
        while self.rows > 2 * SAMPLE:
            thinned = self.table().take(np.arange(0, self.rows, 2))
            self.kept, self.rows, self.stride = [thinned], len(thinned), 2 * self.stride

    def table(self) -> pa.Table:
        return pa.concat_tables(self.kept).combine_chunks()


def numbers(text: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """A column of the sample as numbers, shape (n,): NaN where there is none."""
    series = pd.Series(text.to_pylist(), dtype=object)
    values: npt.NDArray[np.float64] = pd.to_numeric(series, errors="coerce").to_numpy(dtype=np.float64)
    return values
