"""One contract for every reader: each physical line is header, skipped, a row or a rejected record, and all agree."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from lifeboat.errors import DataError, ParameterError
from lifeboat.load import read_raw
from lifeboat.reading import ERROR, LINE, OURS, UNREADABLE, CsvFormat, Lines, open_table, parse_csv

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(content: bytes | str, name: str = "rows.csv") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return to_file


def rows(path: Path, **csv: Any) -> list[tuple[Any, ...]]:
    """The values of each row, and of a record that is none its text and reason."""
    table = open_table(path, parse_csv(csv))
    records = pa.Table.from_batches(list(table.batches())).to_pylist()
    return [
        tuple(row[name] for name in table.names) if row[ERROR] is None else (row[LINE], row[UNREADABLE], row[ERROR])
        for row in records
    ]


UNCLOSED = "a quote is not closed in its line (csv: {multiline: true} reads texts of several lines)"
BEHIND = "text stands behind a closing quote: a quote within a text is written twice"


def test_a_line_is_a_record_and_an_unclosed_quote_rejects_its_line_by_itself(write: Write) -> None:
    path = write('a,b\n1,"x\n2,"y ""z"", w"\n\n3,5" pipe\n4,"q"r\n5\n')
    assert rows(path) == [
        (2, '1,"x', UNCLOSED),
        ("2", 'y "z", w'),
        ("3", '5" pipe'),
        (6, '4,"q"r', BEHIND),
        (7, "5", "has 1 values where the header names 2"),
    ]
    assert open_table(path).lines() == Lines(header=1, skipped=1, rows=2, rejected=3)


def test_with_multiline_a_quoted_text_goes_over_lines_and_each_line_is_still_counted_once(write: Write) -> None:
    path = write('a,b\n1,"x\n\ny"\n2,z\n\n3,"never\nclosed\n')
    assert rows(path, multiline=True) == [
        ("1", "x\n\ny"),
        ("2", "z"),
        (7, '3,"never\nclosed', "a quote is never closed"),
    ]
    assert open_table(path, CsvFormat(multiline=True)).lines() == Lines(header=1, skipped=1, rows=4, rejected=2)
    assert open_table(write("a,b\n"), CsvFormat(multiline=True)).lines() == Lines(header=1)


def test_a_record_of_more_than_a_hundred_lines_is_refused_by_the_line_that_opened_it(write: Write) -> None:
    path = write('a,b\n0,w\n1,"x\n' + "2,y\n" * 100)
    with pytest.raises(DataError, match=r"rows\.csv: the quote that line 3 opens is not closed within 100 lines"):
        rows(path, multiline=True)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_on_any_system_and_a_byte_order_mark_is_no_letter(write: Write, end: str) -> None:
    assert rows(write(b"\xef\xbb\xbf" + end.join(["Größe,b", "1,", ",2"]).encode())) == [("1", None), (None, "2")]
    assert open_table(write(end.join(["a,b", "1,2"]))).lines() == Lines(1, 0, 1, 0)


@pytest.mark.parametrize("encoding", ["latin-1", "windows-1252", "utf-16", "utf-16-le", "utf-32"])
def test_any_encoding_is_read_when_it_is_declared(write: Write, encoding: str) -> None:
    assert rows(write("Größe,b\n1,é\n".encode(encoding)), encoding=encoding) == [("1", "é")]


def test_a_wrong_encoding_is_refused_by_byte_line_and_parameter(write: Write) -> None:
    latin = write("a,b\n1,é\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"byte 6 \(0xE9\) in line 2 is no UTF-8: .* csv: \{encoding: latin-1\}"):
        rows(latin)
    with pytest.raises(DataError, match=r"byte 0 \(0xFF\) in line 1 is no UTF-8: .* csv: \{encoding: utf-16\}"):
        rows(write("a,b\n1,2\n".encode("utf-16")))
    with pytest.raises(DataError, match=r"byte 1 in line 1 is NUL.* csv: \{encoding: utf-16-le\}"):
        rows(write("a,b\n1,2\n".encode("utf-16-le")))
    with pytest.raises(DataError, match=r"from 6 on, in line 2, are UTF-8; as iso8859-1 they would be other letters"):
        rows(write("a,b\n1,é\n"), encoding="latin-1")


@pytest.mark.parametrize(("name", "letter"), [(";", ";"), ("tab", "\t"), ("|", "|"), ("bar", "|")])
def test_another_separator_is_taken_and_a_wrong_separator_is_named(write: Write, name: str, letter: str) -> None:
    path = write(f"a{letter}b\n1{letter}2,5\n")
    assert rows(path, separator=name) == [("1", "2,5")]
    with pytest.raises(DataError, match=r"has one column, 'a.*b': .* write csv: \{separator: "):
        rows(path)


def test_a_separator_behind_each_record_is_taken_where_nothing_follows_it(write: Write) -> None:
    assert rows(write("a,b\n1,2,\n3,,\n")) == [("1", "2"), ("3", None)]
    assert rows(write("a,b,\n1,2,\n3,4,\n")) == [("1", "2"), ("3", "4")]
    late = "".join(f"{n},2,\n" for n in range(2000)) + "7,8,9\n"
    with pytest.raises(DataError, match=r"line 2002 has a 3th value, '9', and the header names 2 columns"):
        rows(write(f"a,b\n{late}"))


def test_lines_above_the_header_are_refused_with_the_parameter_that_leaves_them_out(write: Write) -> None:
    path = write("Report,Orders\nMade,today\n\na,b,c\n1,2,3\n4,5,6\n7,8,9\n")
    with pytest.raises(DataError, match=r"names 2 columns, but most lines have 3 values: line 4 .*skip_lines: 3\}"):
        rows(path)
    assert rows(path, skip_lines=3) == [("1", "2", "3"), ("4", "5", "6"), ("7", "8", "9")]
    assert open_table(path, CsvFormat(skip_lines=2)).lines() == Lines(header=1, skipped=3, rows=3, rejected=0)


def test_a_folder_is_a_single_table_by_the_names_of_its_columns_with_its_partitions(
    write: Write, tmp_path: Path
) -> None:
    write("a,b\n1,2\n", "t/colour=red/x.csv")
    write("b,a\n4,3\n", "t/colour=dark%20blue/y.csv")
    write("junk", "t/_notes/z.csv")
    assert sorted(rows(tmp_path / "t")) == [("2", "1", "red"), ("4", "3", "dark blue")]


def test_files_of_two_kinds_and_files_that_are_no_table_are_refused(write: Write, tmp_path: Path) -> None:
    write("a\n1\n", "t/x.csv")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "t" / "y.parquet")
    with pytest.raises(DataError, match=r"holds parquet \(y\.parquet\) and CSV \(x\.csv\): keep one kind"):
        open_table(tmp_path / "t")
    for content, message in ((b"PK\x03\x04rest", "a zip archive"), (b"", "is empty"), (b"\n\n", "has no header")):
        with pytest.raises(DataError, match=message):
            open_table(write(content, "one.csv"))


def test_a_packed_file_is_read_as_the_same_file_unpacked_whatever_its_name(write: Write) -> None:
    assert rows(write(gzip.compress(b"a,b\n1,2\n"), "rows.csv.gz")) == rows(write("a,b\n1,2\n")) == [("1", "2")]
    assert rows(write(gzip.compress(b"a,b\n1,2\n"), "rows.csv")) == [("1", "2")]


def test_unknown_keys_and_wrong_values_of_csv_are_refused() -> None:
    for written, message in (
        ({"seperator": ";"}, "unknown part of csv 'seperator': did you mean 'separator'"),
        ({"separator": "ab"}, "csv.separator is 'ab'; write one character"),
        ({"encoding": "utf-9"}, "csv.encoding is 'utf-9'; write an encoding that is known"),
        ({"skip_lines": -1}, "csv.skip_lines is -1; write a whole number, 0 or more"),
        ({"multiline": "yes"}, "csv.multiline is 'yes', a text; write true or false"),
    ):
        with pytest.raises(ParameterError, match=message):
            parse_csv(written)


PIECES = st.sampled_from(["a", "b", ",", ",", '"', '""', "\n", "\r\n", "\r", " ", "é", "1", "\t", "\u2028", "\\"])


@settings(max_examples=150)
@given(text=st.lists(PIECES, max_size=40).map("".join), multiline=st.booleans())
def test_whatever_the_text_each_of_its_lines_is_of_a_single_kind(
    text: str, multiline: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / "rows.csv"
    path.write_bytes(f"x,y\n1,2\n3,4\n{text}".encode())
    try:
        table = open_table(path, CsvFormat(multiline=multiline))
    except DataError:
        return  # most of its records have another number of values
    kinds = table.lines()
    ends = text.replace("\r\n", "\n").replace("\r", "\n")
    physical = 3 + ends.count("\n") + (not ends.endswith("\n") and ends != "")
    assert kinds.header + kinds.skipped + kinds.rows + kinds.rejected == physical


def test_spark_reads_hostile_files_as_arrow_does_record_by_record(
    spark: SparkSession, write: Write, tmp_path: Path
) -> None:
    hostile = 'a,b\n1,"x\n2,"y ""z"", w"\r\n\n3,5" pipe\r4,"q"r\n5\n6,é\u2028\n"7","\t"\n'
    for number, (content, csv) in enumerate((
        (hostile.encode(), {}), (hostile.encode(), {"multiline": True}), (gzip.compress(hostile.encode()), {}),
        (hostile.replace("\u2028", "").encode("latin-1"), {"encoding": "latin-1"}),
        (hostile.encode("utf-16"), {"encoding": "utf-16"}), (hostile.replace(",", ";").encode(), {"separator": ";"}),
    )):  # fmt: skip
        path = write(content, f"{number}.csv")
        arrow = pa.Table.from_batches(list(open_table(path, parse_csv(csv)).batches())).to_pylist()
        raw = read_raw(spark, path, csv)
        assert [row.asDict() for row in raw.orderBy(f"`{LINE}`").collect()] == arrow
        assert raw.columns == ["a", "b", *OURS.names]


def test_a_large_file_is_read_in_pieces_that_know_their_lines(
    write: Write, monkeypatch: pytest.MonkeyPatch, spark: SparkSession
) -> None:
    path = write("n,t\n" + "".join(f"{n},{'x' * (n % 7)}\n" for n in range(500)))
    monkeypatch.setattr("lifeboat.reading.text.BLOCK", 300)
    table = open_table(path)
    assert len(table.pieces()) > 5
    records = pa.Table.from_batches(list(table.batches()))
    assert records["n"].to_pylist() == [str(n) for n in range(500)]
    assert records[LINE].to_pylist() == list(range(2, 502))
    spread = read_raw(spark, path)
    assert spread.rdd.getNumPartitions() > 5
    assert {(row.n, row[LINE]) for row in spread.collect()} == {(str(n), n + 2) for n in range(500)}
