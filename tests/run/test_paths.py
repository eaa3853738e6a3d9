"""A path means the same wherever a process stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from lifeboat.errors import DataError
from lifeboat.run import project_root, resolve, resolve_input
from lifeboat.run.paths import named_by_shell, resolve_store


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project."""
    monkeypatch.setenv("LIFEBOAT_HOME", str(tmp_path))
    return tmp_path


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
    assert project_root() == Path(__file__).parents[2]
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
