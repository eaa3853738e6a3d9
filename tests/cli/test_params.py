"""``lifeboat params``: what a run would take, and from where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lifeboat.cli.app import app
from lifeboat.parameters import describe

CLI = CliRunner()


def test_it_shows_each_value_with_where_it_is_from_what_may_be_written_and_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIFEBOAT_SPARK", "local[7]")
    (tmp_path / "p.yaml").write_text("num_folds: 5\n")
    shown = CLI.invoke(app, ["params", "p.yaml", "-p", "seed=7"])
    assert shown.exit_code == 0
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown.stdout.splitlines() if "│" in line]
    rows = {cells[0]: cells[1:] for cells in lines if cells[0]}
    assert rows["num_folds"] == ["5", "p.yaml, line 1", "a whole number, 2 or more", "parts for cross-validation"]
    assert rows["seed"][:2] == ["7", "-p seed=7"]
    assert rows["spark"][:2] == ['"local[7]"', "LIFEBOAT_SPARK in the"]
    assert rows["metric"][:2] == ['"accuracy"', "default"]


def test_without_a_file_it_shows_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LIFEBOAT_SPARK", "SPARK_REMOTE"):
        monkeypatch.delenv(variable, raising=False)
    shown = CLI.invoke(app, ["params"])
    assert shown.exit_code == 0
    assert "local[*]" in shown.stdout


def test_what_will_not_do_is_refused_with_status_2_and_no_table(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("num_fold: 5\n")
    refused = CLI.invoke(app, ["params", str(tmp_path / "p.yaml")])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "p.yaml, line 1: unknown parameter 'num_fold': did you mean 'num_folds'?" in refused.stderr


def test_the_schema_is_printed_as_it_lies_beside_the_parameter_files() -> None:
    printed = CLI.invoke(app, ["params", "--schema"])
    assert json.loads(printed.stdout) == describe.schema()
