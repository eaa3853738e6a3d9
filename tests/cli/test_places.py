"""Where paths start: a command's files where the shell stands, all else at the project's root, from any folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

from hand_made import GOOD, by_hand
from lifeboat.cli.app import app

ROOT = Path(__file__).parents[2]
FOLDERS = (".", "notebooks", "../elsewhere")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a run, and a folder that is none of its own; there LIFEBOAT_HOME says which project is meant."""
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    (folder / "params").mkdir()
    (folder / "outputs/small").mkdir(parents=True)
    by_hand(folder / "outputs/small/05_deploy", [], ["count"]).rename(folder / "portable")
    (folder / "outputs/small/05_deploy").mkdir()
    (folder / "portable").rename(folder / "outputs/small/05_deploy/portable")
    (tmp_path / "elsewhere").mkdir()
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "LIFEBOAT_HOME"):
        monkeypatch.delenv(name, raising=False)
    return folder


def stand_in(project: Path, folder: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    here = (project / folder).resolve()
    if project not in (here, *here.parents):
        monkeypatch.setenv("LIFEBOAT_HOME", str(project))
    monkeypatch.chdir(here)
    return here


def lifeboat(*words: str) -> str:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("folder", FOLDERS)
def test_score_reads_and_writes_where_the_shell_stands_and_finds_the_run_in_the_project(
    project: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = stand_in(project, folder, monkeypatch)
    pq.write_table(pa.Table.from_pylist([GOOD | {"spare": 1.0}]), here / "rows.parquet")
    lifeboat("score", "small", "rows.parquet", "scored.parquet")
    assert (here / "scored.parquet").is_file()


@pytest.mark.parametrize("folder", FOLDERS)
def test_new_reads_where_the_shell_stands_writes_into_the_project_and_names_the_file_from_its_root(
    project: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = stand_in(project, folder, monkeypatch)
    (here / "größe.csv").write_text("id,size,late\n" + "".join(f"{n},{n % 7},{n % 2}\n" for n in range(60)))
    lifeboat("new", "größe.csv", "--label", "late", "--force")
    (written,) = (project / "params").glob("*.yaml")
    named = yaml.safe_load(written.read_text(encoding="utf-8"))["labelled_path"]
    assert (project / named).resolve() == here / "größe.csv"
    lifeboat("new", "größe.csv", "--label", "late", "--out", "mine.yaml")
    assert (here / "mine.yaml").is_file()


@pytest.mark.parametrize("folder", FOLDERS)
def test_run_finds_its_file_where_the_shell_stands_or_at_the_root_and_its_parameters_paths_at_the_root(
    project: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = stand_in(project, folder, monkeypatch)
    for file in (project / "params/root.yaml", here / "mine.yaml"):
        file.write_text(json.dumps({"labelled_path": "data/none.csv"}))
    for named in ("params/root.yaml", "mine.yaml"):
        done = CliRunner().invoke(app, ["run", named])
        assert done.exit_code == 2
        assert f"(looked at {project / 'data/none.csv'})" in done.output
    assert not (here / "outputs").exists() or here == project


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_store_s_relative_address_is_one_store_wherever_a_command_looks_for_a_champion(
    project: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = stand_in(project, folder, monkeypatch)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///outputs/store.db")
    done = CliRunner().invoke(app, ["score", "models:/none@champion", "rows.csv", "out.parquet"])
    assert done.exit_code == 1
    assert "none" in done.output
    stores = list(project.parent.rglob("*.db"))
    assert stores in ([], [project / "outputs/store.db"])
    assert not (here / "outputs").exists() or here == project
