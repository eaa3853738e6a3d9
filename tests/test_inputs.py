"""Which files the parameters name, and the digest that says whether they changed."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from lifeboat.errors import DataError
from lifeboat.run import digest, input_paths


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
        "complete": {
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
    assert list(input_paths(values)) == [("labelled_path", "rows.csv"), ("complete", "weather.csv")]


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
    monkeypatch.setattr("lifeboat.run.local_place", lambda path: None)  # as if this place were elsewhere
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
