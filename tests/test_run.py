"""Run folders: a stage's files are there whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lifeboat.errors import DataError, LifeboatError, StageOrderError
from lifeboat.run import (
    begin,
    commit,
    finished,
    last_run,
    named_by_shell,
    project_root,
    resolve,
    resolve_input,
    resolve_store,
)

KILLED_HALF_WAY = """
import os, signal
from lifeboat.run import begin
(begin("outputs/a", "01_load") / "rows.txt").write_text("half")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project."""
    monkeypatch.setenv("LIFEBOAT_HOME", str(tmp_path))
    return tmp_path


def leave(run_dir: str, stage: str, text: str) -> Path:
    aside = begin(run_dir, stage)
    (aside / "rows.txt").write_text(text)
    return commit(aside)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_stage_s_folder_is_not_in_its_place_before_commit(home: Path) -> None:
    aside = begin("outputs/a", "01_load")
    (aside / "rows.txt").write_text("whole")
    with pytest.raises(StageOrderError):
        finished("outputs/a", "01_load")
    place = commit(aside)
    assert place == finished("outputs/a", "01_load") == home / "outputs" / "a" / "01_load"
    assert (place / "rows.txt").read_text() == "whole"
    assert names(home / "outputs" / "a") == ["01_load"]


def test_commit_replaces_what_an_earlier_run_left_file_for_file(home: Path) -> None:
    (leave("outputs/a", "01_load", "old") / "only_once.txt").touch()
    place = leave("outputs/a", "01_load", "new")
    assert (place / "rows.txt").read_text() == "new"
    assert names(place) == ["rows.txt"]
    assert names(home / "outputs" / "a") == ["01_load"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_stage_killed_half_way_leaves_the_old_folder_and_the_next_starts_empty(home: Path) -> None:
    old = leave("outputs/a", "01_load", "old")
    killed = subprocess.run([sys.executable, "-c", KILLED_HALF_WAY], env=os.environ | {"LIFEBOAT_HOME": str(home)})
    assert killed.returncode == -signal.SIGKILL
    assert (home / "outputs" / "a" / ".01_load.unfinished" / "rows.txt").read_text() == "half"
    assert finished("outputs/a", "01_load") == old
    assert (old / "rows.txt").read_text() == "old"
    assert names(begin("outputs/a", "01_load")) == []


@pytest.mark.parametrize("killed", ["between the two renames", "while the old folder went"])
def test_commit_mends_what_one_that_was_killed_left(home: Path, killed: str) -> None:
    leave("outputs/a", "01_load", "old").rename(home / "outputs" / "a" / ".01_load.old")
    if killed == "while the old folder went":
        (begin("outputs/a", "01_load") / "rows.txt").write_text("newer")
        (home / "outputs" / "a" / ".01_load.unfinished").rename(home / "outputs" / "a" / "01_load")
    place = leave("outputs/a", "01_load", "new")
    assert (place / "rows.txt").read_text() == "new"
    assert names(home / "outputs" / "a") == ["01_load"]


def test_stages_of_one_run_do_not_touch_each_other(home: Path) -> None:
    leave("outputs/a", "01_load", "one")
    aside = begin("outputs/a", "02_preprocess")
    leave("outputs/a", "01_load", "two")
    (aside / "rows.txt").write_text("three")
    commit(aside)
    assert [(finished("outputs/a", s) / "rows.txt").read_text() for s in ("01_load", "02_preprocess")] == [
        "two",
        "three",
    ]


def test_a_stage_that_has_not_run_is_named_with_the_notebook_to_run(home: Path) -> None:
    with pytest.raises(StageOrderError) as caught:
        finished("outputs/a", "02_preprocess")
    place = home / "outputs" / "a" / "02_preprocess"
    assert str(caught.value) == (
        f"{place} is not there: run notebooks/02_preprocess.ipynb with run_dir='outputs/a' first"
    )
    assert isinstance(caught.value, LifeboatError)
    assert isinstance(caught.value, FileNotFoundError)


def test_the_last_run_is_the_one_that_deployed_last(home: Path) -> None:
    for name, when in (("b", 3000), ("a", 2000), ("c", 1000)):
        os.utime(leave(f"outputs/{name}", "05_deploy", name), (when, when))
    leave("outputs/d", "04_evaluate", "not there yet")
    assert last_run() == home / "outputs" / "b"


def test_without_a_deployed_run_the_message_says_how_to_make_one(home: Path) -> None:
    leave("outputs/a", "04_evaluate", "not there yet")
    with pytest.raises(StageOrderError, match=r"^no finished run in .*outputs: start one with `make run`$"):
        last_run()


def test_a_relative_path_starts_at_the_project_s_root_and_an_absolute_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LIFEBOAT_HOME", raising=False)
    for name in ("notebooks", "params", "data"):
        (tmp_path / "project" / name).mkdir(parents=True)
    (tmp_path / "project" / "data" / "rows.csv").touch()
    for here in ("project", "project/notebooks", "project/data"):
        monkeypatch.chdir(tmp_path / here)
        assert resolve("data/rows.csv") == tmp_path / "project" / "data" / "rows.csv"
        assert resolve_input("data/rows.csv").is_file()
    assert resolve(tmp_path / "elsewhere") == tmp_path / "elsewhere"


def test_lifeboat_home_wins_and_without_a_project_above_the_root_is_where_this_code_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LIFEBOAT_HOME", raising=False)
    (tmp_path / "notebooks").mkdir()  # without params beside it, it is no project's
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert project_root() == Path(__file__).parents[1]
    (tmp_path / "params").mkdir()
    assert project_root() == tmp_path
    monkeypatch.setenv("LIFEBOAT_HOME", str(tmp_path / "home"))
    assert project_root() == tmp_path / "home"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("sqlite:///outputs/a.db", "sqlite:///{root}/outputs/a.db"),
        ("sqlite:///a.db?timeout=5", "sqlite:///{root}/a.db?timeout=5"),
        ("sqlite:////elsewhere/a.db", "sqlite:////elsewhere/a.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("outputs/mlruns", "{root}/outputs/mlruns"),
        ("file:outputs/ml%20runs", "file://{root}/outputs/ml%20runs"),
        ("file:///elsewhere/mlruns", "file:///elsewhere/mlruns"),
        ("file://server/mlruns", "file://server/mlruns"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("postgresql://host/db", "postgresql://host/db"),
        ("databricks", "databricks"),
        ("databricks://profile", "databricks://profile"),
        ("", ""),
    ],
)
def test_a_store_s_relative_path_starts_at_the_project_s_root_and_other_addresses_stay(
    home: Path, address: str, expected: str
) -> None:
    assert resolve_store(address) == expected.format(root=home)


def test_a_command_s_file_starts_where_the_shell_stands_and_else_at_the_root(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "shell"
    here.mkdir()
    monkeypatch.chdir(here)
    (home / "rows.csv").touch()
    assert named_by_shell(Path("rows.csv")) == home / "rows.csv"
    (here / "rows.csv").touch()
    assert named_by_shell(Path("rows.csv")) == here / "rows.csv"
    assert named_by_shell(Path("nowhere.csv")) == here / "nowhere.csv"


def test_an_input_that_is_not_there_is_named_as_given_and_where_it_was_looked_for(home: Path) -> None:
    with pytest.raises(DataError) as caught:
        resolve_input("data/nothing.csv")
    looked = home / "data" / "nothing.csv"
    assert str(caught.value) == (
        f"no file or folder 'data/nothing.csv' (looked at {looked}); paths start at the project's root"
    )
