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
from lifeboat.parameters.propose.reading import as_text, declared_type, guess_format
from lifeboat.reading import ERROR, CsvFormat, open_table
from lifeboat.scoring.declared import PATTERNS, WHOLE

MANY = 1000  # different values: of a column with more, they are no longer counted one by one
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
    csv: CsvFormat


@dataclass
class _Seen:
    """What has been seen of a column so far."""

    name: str
    declared: str
    missing: int = 0
    counts: Counter[str] | None = field(default_factory=Counter)
    gaps: Counter[str] = field(default_factory=Counter)
    forms: set[str] = field(default_factory=lambda: set(FORMS))
    low: float = np.inf
    high: float = -np.inf
    hashes: list[npt.NDArray[np.uint64]] | None = field(default_factory=list)

    def add(self, text: pa.Array) -> None:
        """Look at the next rows of the column, as text."""
        self.missing += text.null_count
        counted = text.drop_null().value_counts()
        values = counted.field("values")
        if self.counts is not None:
            self.counts += _counter(counted)
            self.counts = self.counts if len(self.counts) <= MANY else None
        if self.hashes is not None:
            hashes = pd.util.hash_array(values.to_numpy(zero_copy_only=False), categorize=False)
            self.hashes = [*self.hashes, hashes] if len(values) == len(text) else None
        is_gap = pc.is_in(pc.utf8_lower(pc.utf8_trim_whitespace(values)), pa.array(GAP_WORDS))
        self.gaps += _counter(counted.filter(is_gap))
        self._look(values.filter(pc.invert(is_gap)))

    def _look(self, values: pa.Array) -> None:
        """Look at values that are no gaps, each different one once."""
        if not self.declared:
            fits = {form: pc.match_substring_regex(values, pattern) for form, pattern in FORMS.items()}
            self.forms &= {form for form, each in fits.items() if pc.all(each, min_count=0).as_py()}
            if pc.any(pc.match_substring_regex(values, CODE)).as_py():
                self.forms -= {"whole", "number"}
        if self.declared in NUMBERS or (not self.declared and "number" in self.forms):
            numbers = pc.cast(pc.utf8_trim_whitespace(values), pa.float64()).to_numpy()
            self.low, self.high = numbers.min(initial=self.low), numbers.max(initial=self.high)

    def column(self) -> Column:
        """What has been seen, once all has."""
        finite = bool(np.isfinite([self.low, self.high]).all())
        kind = self.declared or self._kind(finite)
        # a word for a gap is one only where all others are no words
        gaps = self.gaps if kind != "STRING" and kind in TYPES else {}
        limited = finite and kind in NUMBERS
        return Column(
            self.name,
            kind,
            self.missing + sum(gaps.values()),
            {value: times for value, times in (self.counts or {}).items() if value not in gaps},
            not gaps and self.hashes is not None and pd.Index(np.concatenate(self.hashes)).is_unique,
            float(self.low) if limited else None,
            float(self.high) if limited else None,
            tuple(sorted(gaps)),
            self.counts is None,
        )

    def _kind(self, finite: bool) -> str:
        if self.forms == set(FORMS):  # no value was there
            return "STRING"
        if "number" in self.forms and finite:
            small = self.low >= -(2**31) and self.high < 2**31
            return "DOUBLE" if "whole" not in self.forms else "INT" if small else "BIGINT"
        return "BOOLEAN" if "boolean" in self.forms else "DATE" if "date" in self.forms else "STRING"


def _counter(counted: pa.StructArray) -> Counter[str]:
    return Counter(dict(zip(*(column.to_pylist() for column in counted.flatten()), strict=True)))


def survey(path: str | Path, csv: CsvFormat | None = None, guess: bool = True, sample: int = 20_000) -> Survey:
    """Look at a CSV or parquet file, or a folder of them, once from its first row to its last.

    Memory holds a block of the file, the sample, and eight bytes a row for each column whose values have all been
    different so far.

    Args:
        path: Where it is.
        csv: How its CSV is written; None: as usual.
        guess: Whether its separator, and whether texts go over several lines, are to be found out.
        sample: Of how many rows the sample is at least, where there are as many; of twice as many at most.

    Raises:
        DataError: There is nothing at ``path``, no row, or what is there is no table.
    """
    csv = csv or CsvFormat()
    source = open_table(path, guess_format(Path(path), csv) if guess else csv)
    seen = [_Seen(column.name, declared_type(column.type)) for column in source.schema]
    kept: list[pa.Table] = []
    rows, unreadable, stride = 0, 0, 1
    for batch in source.batches():
        good = batch.filter(batch.column(ERROR).is_null())
        texts = pa.table([as_text(column) for column in good.columns[: len(seen)]], source.names)
        for column, text in zip(seen, texts.columns, strict=True):
            column.add(text.combine_chunks())
        kept.append(texts.take(np.arange(-rows % stride, len(texts), stride)))
        rows, unreadable = rows + len(texts), unreadable + len(batch) - len(texts)
        while sum(map(len, kept)) > 2 * sample:  # each row stays as far from the next as any other
            whole = pa.concat_tables(kept)
            kept, stride = [whole.take(np.arange(0, len(whole), 2))], 2 * stride
    if not rows:
        raise DataError(f"{source.path.name} holds no row: there is nothing to learn from")
    columns = {column.name: column.column() for column in seen}
    table = pa.concat_tables(kept).combine_chunks()
    return Survey(source.path, rows, unreadable, columns, table, source.parquet, source.csv)


def numbers(text: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """A column of the sample as numbers, shape (n,): NaN where there is none."""
    return np.asarray(pd.to_numeric(text.to_pandas(), errors="coerce"), dtype=np.float64)
