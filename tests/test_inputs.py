"""Which files the parameters name, and the digest that says whether they changed."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from lifeboat.errors import DataError
from lifeboat.inputs import digest, input_paths


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
