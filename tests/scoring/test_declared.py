"""What a value of each of a file's types is under each declared type: the same for Spark, for Arrow and in JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from lifeboat import load
from lifeboat.deploy.batch import columns
from lifeboat.errors import DataError
from lifeboat.load.check import REASONS
from lifeboat.reading import arrow
from lifeboat.scoring import declared
from lifeboat.scoring.fields import Column, InputError

BAD = "refused"  # of a value; None is a gap
TYPES = ("int", "bigint", "double", "string", "boolean", "date", "timestamp")
ON, AT = date(2024, 5, 1), datetime(2024, 5, 1, 10, 0, 0, 500_000)
MIDNIGHT = datetime(2024, 5, 1)
BIG, HUGE = 2**31, 2**63
EARLY = datetime(1969, 12, 31, 23, 59, 59, 999_999)

# Arrow type, values, and under each declared type that takes it what they are; under all others the column is refused.
Taken = dict[str, list[Any]]
NO_TIMES = "int bigint double string boolean"


def numbers(of_int: list[Any], of_bigint: list[Any], of_double: list[Any], text: list[Any], truth: list[Any]) -> Taken:
    return dict(zip(NO_TIMES.split(), (of_int, of_bigint, of_double, text, truth), strict=True))


def small(*kinds: pa.DataType) -> list[tuple[pa.DataType, list[Any], Taken]]:
    """Whole numbers that each of these types holds."""
    same = numbers([0, 1, 7, None], [0, 1, 7, None], [0.0, 1.0, 7.0, None], ["0", "1", "7", None],
                   [False, True, BAD, None])  # fmt: skip
    return [(kind, [0, 1, 7, None], same) for kind in kinds]


def times(kind: pa.DataType, value: Any, moment: datetime, text: str) -> tuple[pa.DataType, list[Any], Taken]:
    return kind, [value, None], {"string": [text, None], "date": [moment.date(), None], "timestamp": [moment, None]}


def texts(kind: pa.DataType) -> tuple[pa.DataType, list[Any], Taken]:
    cells = ["1", " 7.0\t", "07", "2.5", "1e3", "NaN", "yes", "2024-5-1", "2024-05-01T12:00:00.5+02:00", "", None]
    return (
        kind,
        cells,
        {
            "int": [1, 7, 7, BAD, BAD, BAD, BAD, BAD, BAD, None, None],
            "bigint": [1, 7, 7, BAD, BAD, BAD, BAD, BAD, BAD, None, None],
            "double": [1.0, 7.0, 7.0, 2.5, 1000.0, BAD, BAD, BAD, BAD, None, None],
            "string": [*cells[:-2], None, None],
            "boolean": [True, BAD, BAD, BAD, BAD, BAD, True, BAD, BAD, None, None],
            "date": [BAD, BAD, BAD, BAD, BAD, BAD, BAD, ON, BAD, None, None],
            "timestamp": [BAD, BAD, BAD, BAD, BAD, BAD, BAD, MIDNIGHT, AT, None, None],
        },
    )


FLOATS: list[Any] = [0.0, -0.0, 1.0, 7.0, 2.5, math.inf, math.nan, None]
OF_FLOATS = numbers(
    [0, 0, 1, 7, BAD, BAD, None, None],
    [0, 0, 1, 7, BAD, BAD, None, None],
    [0.0, -0.0, 1.0, 7.0, 2.5, BAD, None, None],
    ["0", "0", "1", "7", BAD, BAD, None, None],
    [False, False, True, BAD, BAD, BAD, None, None],
)
DECIMALS = [Decimal("0.00"), Decimal("1.00"), Decimal("7.00"), Decimal("-0.25"), Decimal("3000000000.00"), None]
OF_DECIMALS = numbers(
    [0, 1, 7, BAD, BAD, None],
    [0, 1, 7, BAD, 3_000_000_000, None],
    [0.0, 1.0, 7.0, -0.25, 3e9, None],
    ["0", "1", "7", BAD, "3000000000", None],
    [False, True, BAD, BAD, BAD, None],
)
TABLE: list[tuple[pa.DataType, list[Any], Taken]] = [
    *small(pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint16()),
    (pa.int64(), [BIG, -BIG, HUGE - 1, 2**53 + 1, -1], numbers(
        [BAD, -BIG, BAD, BAD, -1], [BIG, -BIG, HUGE - 1, 2**53 + 1, -1],
        [2.0**31, -(2.0**31), 2.0**63, 2.0**53, -1.0],
        ["2147483648", "-2147483648", "9223372036854775807", "9007199254740993", "-1"], [BAD] * 5)),
    (pa.uint32(), [2**32 - 1, 1], numbers(
        [BAD, 1], [2**32 - 1, 1], [4294967295.0, 1.0], ["4294967295", "1"], [BAD, True])),
    (pa.uint64(), [2**64 - 1, 1], numbers(
        [BAD, 1], [BAD, 1], [2.0**64, 1.0], ["18446744073709551615", "1"], [BAD, True])),
    (pa.float32(), FLOATS, OF_FLOATS),
    (pa.float64(), FLOATS, OF_FLOATS),
    (pa.float32(), [0.1], numbers([BAD], [BAD], [0.10000000149011612], [BAD], [BAD])),
    (pa.float64(), [2.0**63, -(2.0**63), 1e20, 1e16], numbers(
        [BAD] * 4, [BAD, -HUGE, BAD, 10**16], [2.0**63, -(2.0**63), 1e20, 1e16],
        [BAD, "-9223372036854775808", BAD, "10000000000000000"], [BAD] * 4)),
    (pa.decimal128(12, 2), DECIMALS, OF_DECIMALS),
    (pa.decimal256(12, 2), DECIMALS, OF_DECIMALS),
    (pa.decimal128(38, 37), [Decimal("0.1"), Decimal("1")], numbers(
        [BAD, 1], [BAD, 1], [0.1, 1.0], [BAD, "1"], [BAD, True])),
    (pa.decimal128(38, 0), [Decimal(10) ** 37, Decimal(0)], numbers(
        [BAD, 0], [BAD, 0], [1e37, 0.0], ["1" + "0" * 37, "0"], [BAD, False])),
    (pa.bool_(), [True, False, None], numbers(
        [1, 0, None], [1, 0, None], [1.0, 0.0, None], ["true", "false", None], [True, False, None])),
    *[texts(kind) for kind in (pa.string(), pa.large_string(), pa.string_view())],
    texts(pa.dictionary(pa.int32(), pa.string())),
    (pa.dictionary(pa.int8(), pa.int64()), [7, 1, None], numbers(
        [7, 1, None], [7, 1, None], [7.0, 1.0, None], ["7", "1", None], [BAD, True, None])),
    (pa.null(), [None], {name: [None] for name in TYPES}),
    times(pa.date32(), ON, MIDNIGHT, "2024-05-01"),
    times(pa.date64(), ON, MIDNIGHT, "2024-05-01"),
    *[times(pa.timestamp(unit, zone), MIDNIGHT, MIDNIGHT, "2024-05-01 00:00:00")
      for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC")],
    *[times(pa.timestamp(unit, zone), AT, AT, "2024-05-01 10:00:00.5")
      for unit in ("ms", "us", "ns") for zone in (None, "UTC")],
    times(pa.timestamp("us", "Europe/Berlin"), AT.replace(tzinfo=UTC), AT, "2024-05-01 10:00:00.5"),
    times(pa.timestamp("ns", "Asia/Tokyo"), AT.replace(tzinfo=UTC), AT, "2024-05-01 10:00:00.5"),
    times(pa.timestamp("ns"), -1, EARLY, "1969-12-31 23:59:59.999999"),  # not cut towards 1970
    (pa.timestamp("us"), [-(10**17), 10**18], {name: [BAD, BAD] for name in ("string", "date", "timestamp")}),
    (pa.date32(), [-800_000, 3_000_000], {name: [BAD, BAD] for name in ("string", "date", "timestamp")}),
    (pa.time32("ms"), [time(1)], {}),
    (pa.time64("us"), [time(1)], {}),
    (pa.time64("ns"), [time(1)], {}),
    (pa.duration("us"), [timedelta(1)], {}),
    (pa.list_(pa.int64()), [[1]], {}),
    (pa.struct({"a": pa.int64()}), [{"a": 1}], {}),
    (pa.struct({"a": pa.time64("us")}), [{"a": time(1)}], {}),
    (pa.map_(pa.string(), pa.int64()), [[("a", 1)]], {}),
    (pa.binary(), [b"1"], {}),
    (pa.large_binary(), [b"1"], {}),
    (pa.binary(2), [b"12"], {}),
    (pa.float16(), [1.0], {}),
    (pa.decimal256(50, 2), [Decimal(1)], {}),
]  # fmt: skip
ROWS = max(len(cells) for _, cells, _ in TABLE)


def pairs() -> Iterator[tuple[str, str, pa.DataType, list[Any], list[Any]]]:
    """Each pair that is taken: a name for the column, the declared type, and the cells with what they are."""
    for index, (kind, cells, taken) in enumerate(TABLE):
        for declared_as, expected in taken.items():
            yield f"{index} {kind} as {declared_as}", declared_as, kind, cells, expected


def array(kind: pa.DataType, cells: list[Any]) -> pa.Array:
    whole = cells + [None] * (ROWS - len(cells))
    if pa.types.is_dictionary(kind):
        return pa.array(whole, kind.value_type).dictionary_encode().cast(kind)
    return pa.array(whole, kind)


def same(value: Any, expected: Any) -> bool:
    return type(value) is type(expected) and repr(value) == repr(expected)  # -0.0 is not 0.0


@pytest.mark.parametrize("chunk", range(3))
def test_spark_takes_each_pair_as_the_table_says(spark: SparkSession, tmp_path: Path, chunk: int) -> None:
    in_chunk = [pair for index, pair in enumerate(pairs()) if index % 3 == chunk]
    file = pa.table({"key": range(ROWS)} | {name: array(kind, cells) for name, _, kind, cells, _ in in_chunk})
    pq.write_table(file, tmp_path / "rows.parquet")
    raw = load.read_raw(spark, tmp_path / "rows.parquet")
    schema = load.parse_schema(", ".join(["key INT", *(f"`{name}` {kind}" for name, kind, *_ in in_chunk)]))
    checked = load.check_rows(raw, schema, "key")
    rejected = {row.key: row[REASONS] for row in checked.rejected.select("key", REASONS).collect()}
    rows = {row.key: row for row in everything(raw, schema).collect()}
    for name, _, _, cells, expected in in_chunk:
        for row, cell in enumerate(cells):
            reasons = [reason for reason in rejected.get(row, []) if reason.startswith(f"{name}: ")]
            wanted = None if expected[row] == BAD else expected[row]
            assert same(rows[row][name], wanted), (name, cell, rows[row][name])
            assert len(reasons) == (expected[row] == BAD), (name, cell, reasons)


def everything(raw: DataFrame, schema: StructType) -> DataFrame:
    """The rows in their types, those too that are rejected."""
    came = {field.name: field.dataType for field in raw.schema}
    return raw.select(*[load.typed_value(field, came[field.name]).alias(field.name) for field in schema])


def test_arrow_s_readers_take_each_pair_of_a_feature_as_the_table_says() -> None:
    for name, declared_as, kind, cells, expected in pairs():
        if declared_as not in declared.TIMES:
            column, reasons = Column(name, declared_as, True, None, None), [None] * ROWS
            values = columns._checked(column, columns._values(array(kind, cells)), reasons).spread()
            for row, cell in enumerate(cells):
                refused = expected[row] == BAD
                assert (reasons[row] is not None) == refused, (name, cell, values[row])
                assert refused or same(values[row], expected[row]), (name, cell, values[row])


def test_a_number_or_truth_in_json_is_what_it_is_in_a_file() -> None:
    for name, declared_as, kind, cells, expected in pairs():
        if arrow.family(kind) in ("whole", "float", "truth") and declared_as not in declared.TIMES:
            read = Column(name, declared_as, True, None, None).reader()
            for cell, wanted in zip(array(kind, cells).to_pylist(), expected, strict=False):
                try:
                    assert same(read([json.loads(json.dumps(cell))])[0], wanted), (name, cell)
                except InputError:
                    assert wanted == BAD, (name, cell)


REFUSED = [(kind, name) for kind, _, taken in TABLE for name in TYPES if name not in taken]


@pytest.fixture(scope="module")
def untaken(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("untaken") / "rows.parquet"
    table = {"key": [0]} | {str(i): pa.array(cells[:1], kind) if not pa.types.is_dictionary(kind)
                            else pa.array(cells[:1], kind.value_type).dictionary_encode().cast(kind)
                            for i, (kind, cells, _) in enumerate(TABLE)}  # fmt: skip
    pq.write_table(pa.table(table), path)
    return load.read_raw(spark, path)


def test_a_pair_that_cannot_be_is_refused_before_a_row_is_read_with_column_types_and_mend(untaken: Any) -> None:
    for index, (kind, _, taken) in enumerate(TABLE):
        for name in set(TYPES) - taken.keys():
            with pytest.raises(DataError) as caught:
                load.check_rows(untaken, load.parse_schema(f"key INT, `{index}` {name}"), "key")
            message = declared.refusal(str(index), "", arrow.family(kind), name)
            assert str(caught.value).startswith(f"column '{index}' is "), (kind, name)
            assert str(caught.value).endswith(message.removeprefix(f"column '{index}' is  ")), (kind, name)
    assert len(REFUSED) > 100


# --- texts: what Spark's own expressions make of them is what Python does

PIECES = st.sampled_from(
    [*"0123456789+-.eEdfxTZ: \t\n_,", "true", "False", "yes", "NO", "NaN", "Infinity", "0x1p3", "1e400", "2147483648",
     "\u0663", "9223372036854775808", "2024-02-29", "2023-02-29", "-13-01", " 10:00:00", ".1234567", "+02:00", "UTC",
     "\xa0"]
)  # fmt: skip
LIKELY = st.one_of(
    *[st.from_regex(f"(?:{pattern})", fullmatch=True) for pattern in declared.PATTERNS.values()],
    st.lists(PIECES, max_size=6).map("".join),
    st.dates().map(str),
    st.datetimes(timezones=st.timezones() | st.none()).map(str),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5),
)


def time_of(text: str, kind: str) -> date | None:
    """A text as a date, or as UTC's point in time: by Python's own reader of ISO's form, once its zeros are there."""
    match = re.fullmatch(declared.PATTERNS[kind], text)
    if not match:
        return None
    numbers = re.match(
        r"\s*(\d+)-(\d+)-(\d+)(?:[ T](\d+):(\d+)(?::(\d+)(?:\.(\d+))?)?)? ?(?:Z|UTC|([+-])(\d\d):?(\d\d)?)?", text
    )
    assert numbers
    *clock, fraction, sign, hours, minutes = numbers.groups()
    try:
        if kind == "date":
            return date(*map(int, clock[:3]))
        time = datetime(*(int(item or 0) for item in clock), int((fraction or "0").ljust(6, "0")[:6]))
        east = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
        return time - east
    except (ValueError, OverflowError):
        return None


def drawn() -> list[str]:
    """A few thousand different texts, half of them of a declared type's form."""
    gathered: set[str] = set()

    @settings(max_examples=3000)
    @given(LIKELY)
    def gather(text: str) -> None:
        gathered.add(text)

    gather()
    return sorted(gathered - {""})


def test_any_text_is_to_spark_what_it_is_to_python(spark: SparkSession) -> None:
    texts = drawn()
    frame = spark.createDataFrame(pa.table({"text": texts})).select(*[F.col("text").alias(name) for name in TYPES])
    rows = everything(frame, load.parse_schema(", ".join(f"{name} {name}" for name in TYPES))).collect()
    for name in TYPES:
        taken = 0
        for text, row in zip(texts, rows, strict=True):
            expected = time_of(text, name) if name in declared.TIMES else declared.of_text(text, name)
            assert same(row[name], expected), (name, text, row[name])
            taken += expected is not None
        assert taken > 50, name
    assert len(texts) > 2000


@pytest.mark.parametrize("declared_as", ["int", "bigint", "double", "string", "boolean"])
def test_a_column_s_own_words_say_that_there_is_no_value_in_a_request_and_in_a_file(declared_as: str) -> None:
    column = Column("x", declared_as, True, None, None, ("-1", "n/a"))
    assert column.reader()(["n/a", "-1", "", math.nan, None]) == [None] * 5
    cells = pa.array(["n/a", "-1", "", None])
    assert columns._checked(column, columns._values(cells), [None] * 4).spread() == [None] * 4
    with pytest.raises(InputError, match=r"x: got 'n/a' \(text\)"):
        Column("x", declared_as, False, None, None, ("n/a",)).reader()(["n/a"])
