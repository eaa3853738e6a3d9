"""What is written is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from lifeboat.run.writing import replacing, write_json, write_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_takes_the_place_of_a_file_and_of_a_folder_and_a_folder_that_of_both(tmp_path: Path) -> None:
    target = tmp_path / "answers.parquet"
    for kind in ("file", "file", "folder", "folder", "file"):
        with replacing(target) as beside:
            assert beside.parent == tmp_path
            assert not beside.exists()
            if kind == "folder":
                beside.mkdir()
            else:
                beside.write_text("new")
        assert (target.is_dir(), names(tmp_path)) == (kind == "folder", ["answers.parquet"])


def test_when_the_writer_fails_what_was_there_stays_and_nothing_is_left_beside(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.txt", "old")

    def fail() -> None:
        with replacing(tmp_path / "a.txt") as beside:
            beside.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_what_a_killed_writer_left_is_not_taken_for_new(tmp_path: Path) -> None:
    (tmp_path / ".a.unfinished").mkdir()
    (tmp_path / ".a.unfinished" / "stray").touch()
    with replacing(tmp_path / "a") as beside:
        beside.mkdir()
        (beside / "new").touch()
    assert (names(tmp_path), names(tmp_path / "a")) == (["a"], ["new"])


def test_json_is_for_people_and_has_no_number_that_is_not_defined(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"b": "é", "a": 1})
    assert (tmp_path / "x.json").read_text(encoding="utf-8") == '{\n  "b": "é",\n  "a": 1\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "x.json", float("nan"))
