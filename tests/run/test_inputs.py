"""Which files the parameters name, and the digest that says whether they changed."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from lifeboat.errors import DataError
from lifeboat.run import digest
from lifeboat.run.inputs import content_digest, input_paths


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIFEBOAT_HOME", str(tmp_path))
    (tmp_path / "rows.csv").write_bytes(b"abc")
    return tmp_path


def test_a_parameter_names_a_file_by_its_own_name_or_inside_a_list_and_a_column_may_be_called_path() -> None:
    values = {
        "labelled_path": "rows.csv",
        "unlabelled_path": "",
        "elsewhere_path": "s3a://bucket/rows.parquet",
        "enrich": {
            "join": [
                {"path": "weather.csv", "on": ["hour"], "rename": {"path": "route"}},
                {"path": "s3a://bucket/planes.csv", "on": ["tail"]},
            ],
            "compute": {"path": "origin || dest"},
        },
        "impute": {"path": "mode"},
        "seed": 3,
        "label": "path",
    }
    assert list(input_paths(values)) == [("labelled_path", "rows.csv"), ("enrich", "weather.csv")]


def test_a_file_s_digest_is_its_sha256(home: Path) -> None:
    assert digest("rows.csv") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    (home / "_rows.csv").write_bytes(b"")
    assert digest("_rows.csv") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_folder_s_digest_follows_its_files_and_not_what_spark_notes_beside_them(tmp_path: Path) -> None:
    (tmp_path / "part-1").write_bytes(b"abc")
    (tmp_path / "part-0").write_bytes(b"")
    expected = sha256(sha256(b"").digest() + sha256(b"abc").digest()).hexdigest()
    assert digest(tmp_path) == expected
    (tmp_path / "_SUCCESS").write_bytes(b"at noon")
    (tmp_path / ".part-0.crc").write_bytes(b"1")
    assert digest(tmp_path) == expected
    (tmp_path / "part-1").write_bytes(b"abd")
    assert digest(tmp_path) != expected


def test_the_digest_of_nothing_is_an_error(home: Path) -> None:
    with pytest.raises(DataError, match=r"no file or folder 'nothing\.csv'"):
        digest("nothing.csv")


def test_an_address_of_a_file_has_the_file_s_digest(home: Path) -> None:
    assert digest((home / "rows.csv").as_uri()) == digest("rows.csv")
    (home / "a b").mkdir()
    (home / "a b" / "part-0").write_bytes(b"abc")
    assert digest((home / "a b").as_uri()) == digest("a b")


def test_an_address_elsewhere_has_its_files_listing_as_digest_and_says_so(
    home: Path, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lifeboat.run.inputs.local_path", lambda path: None)  # as if this place were elsewhere
    (home / "table").mkdir()
    found = []
    for content in (b"abc", b"abcd"):
        (home / "table" / "part-0").write_bytes(content)
        found.append(digest((home / "table").as_uri(), spark))
    assert all(one.startswith("listing:") and len(one) == 72 for one in found)
    assert found[0] != found[1]
    assert digest((home / "table").as_uri(), spark) == found[1]


def test_where_nobody_can_list_an_address_the_digest_says_so(spark: SparkSession) -> None:
    assert digest("nowhere://bucket/rows") == "not read"
    assert digest("nowhere://bucket/rows", spark) == "not read"


ROWS = [(1, "a", 0.5, True), (2, None, None, None), (3, "", 1e-300, False)]
TYPES = "key long, word string, size double, flag boolean"


def test_rows_have_one_digest_in_whatever_order_and_files_and_other_rows_have_another(
    tmp_path: Path, spark: SparkSession
) -> None:
    table = spark.createDataFrame(ROWS, TYPES)
    table.repartition(1).write.parquet(str(tmp_path / "one"))
    table.orderBy("size").repartition(3).write.parquet(str(tmp_path / "three"))
    pd.DataFrame(ROWS, columns=["key", "word", "size", "flag"]).to_parquet(tmp_path / "p.parquet", index=False)
    assert (
        content_digest(tmp_path / "one") == content_digest(tmp_path / "three") == content_digest(tmp_path / "p.parquet")
    )
    others = [
        [(1, "a", 0.5, True), (2, None, None, None), (3, None, 1e-300, False)],  # no text, and an empty one
        [(1, "a", 0.5, True), (2, None, None, None), (3, "", 0.0, False)],
        [(1, "a", 0.5, True), (2, None, None, False), (3, "", 1e-300, None)],
        [(1, "a", 0.5, True), (2, None, None, None), (3, "", 1e-300, False)] * 2,
        [(1, "a", 0.5, True), (2, "", None, None), (3, None, 1e-300, False)],
    ]
    digests = {content_digest(tmp_path / "one")}
    for number, rows in enumerate(others):
        spark.createDataFrame(rows, TYPES).write.parquet(str(tmp_path / str(number)))
        digests.add(content_digest(tmp_path / str(number)))
    assert len(digests) == 1 + len(others)


def test_a_column_s_name_and_type_are_part_of_the_digest(tmp_path: Path, spark: SparkSession) -> None:
    digests = set()
    for number, types in enumerate(("key long", "key int", "other long", "key date", "key timestamp")):
        value = {"date": "DATE '2020-01-01'", "timestamp": "TIMESTAMP '2020-01-01'"}.get(types.split()[1], "1")
        name, kind = types.split()
        spark.sql(f"SELECT CAST({value} AS {kind}) AS {name}").write.parquet(str(tmp_path / str(number)))
        digests.add(content_digest(tmp_path / str(number)))
    assert len(digests) == 5


@pytest.mark.parametrize("kind", ["list<string>", "binary"])
def test_rows_with_lists_or_bytes_have_a_digest_too(tmp_path: Path, kind: str) -> None:
    first, second, null = ([["a", "b"], ["c"]], [["a"], ["b", "c"]], [["a", "b"], None])
    if kind == "binary":
        first, second, null = ([b"\xff", b"b"], [b"\xfe", b"b"], [b"\xff", None])
    column = pa.list_(pa.string()) if kind == "list<string>" else pa.binary()
    digests = []
    for number, values in enumerate((first, first[::-1], second, null)):
        pq.write_table(pa.table({"v": pa.array(values, column)}), tmp_path / f"{number}.parquet")
        digests.append(content_digest(tmp_path / f"{number}.parquet"))
    assert digests[0] == digests[1], "in whatever order"
    assert len(set(digests)) == 3


def test_json_has_one_digest_however_it_is_laid_out_and_whatever_ids_a_registry_gave(tmp_path: Path) -> None:
    texts = ['{"a": 1, "b": [{"version": 1}]}', '{"b":[{"version":2}],"a":1}', '{"a": 2, "b": [{}]}']
    digests = []
    for text in texts:
        (tmp_path / "x.json").write_text(text)
        digests.append(content_digest(tmp_path / "x.json"))
    assert digests[0] == digests[1] != digests[2]
