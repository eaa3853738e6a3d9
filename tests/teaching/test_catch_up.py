"""A late learner gets what the notebooks before leave; a notebook that was changed is taken back, and stays beside."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import nbformat
import pytest

from lifeboat.errors import ParameterError
from lifeboat.parameters.model import BESIDE
from lifeboat.run import STAGES, Run
from lifeboat.teaching.catch_up import CHECKPOINTS, catch_up, sources

ROOT = Path(__file__).parents[2]


@pytest.fixture
def notebooks(tmp_path: Path) -> Path:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    shutil.copy(ROOT / "notebooks/03_train_cv.ipynb", folder)
    shutil.copy(ROOT / "notebooks/06_scale.ipynb", folder)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_comes_before_is_laid_and_nothing_else(tmp_path: Path, notebooks: Path) -> None:
    done = catch_up("03", tmp_path / "run", notebooks)
    assert names(tmp_path / "run") == ["01_load", "02_preprocess"]
    assert done.laid == (tmp_path / "run/01_load", tmp_path / "run/02_preprocess")
    run = Run(tmp_path / "run")
    assert run.schema["key"] == "PassengerId"
    assert (run.find("train") / "_SUCCESS").is_file()
    assert not list(run.stale("02_preprocess"))


@pytest.mark.parametrize("number", ["6", "06", "06_scale"])
def test_a_notebook_may_be_named_in_short_and_the_sixth_needs_the_first(
    tmp_path: Path, notebooks: Path, number: str
) -> None:
    assert catch_up(number, tmp_path / "run", notebooks).laid == (tmp_path / "run/01_load",)


def test_what_lay_there_is_replaced_whole(tmp_path: Path, notebooks: Path) -> None:
    messed_up = tmp_path / "run/01_load/train/part-of-mine.parquet"
    messed_up.parent.mkdir(parents=True)
    messed_up.write_text("no parquet")
    catch_up("06", tmp_path / "run", notebooks)
    assert not messed_up.exists()
    assert names(tmp_path / "run") == ["01_load"]


def test_a_changed_notebook_is_taken_back_and_each_change_stays_beside_it(tmp_path: Path, notebooks: Path) -> None:
    notebook = notebooks / "03_train_cv.ipynb"
    shipped = sources(notebook.read_text(encoding="utf-8"))
    content = nbformat.read(notebook, as_version=4)
    content.cells[12].source += "\nmine = 1"
    nbformat.write(content, notebook)
    mine = notebook.read_text(encoding="utf-8")
    assert catch_up("03", tmp_path / "run", notebooks).kept == notebooks / "my_03_train_cv_1.ipynb"
    assert (notebooks / "my_03_train_cv_1.ipynb").read_text(encoding="utf-8") == mine
    assert sources(notebook.read_text(encoding="utf-8")) == shipped
    notebook.write_text("{not JSON", encoding="utf-8")
    assert catch_up("03", tmp_path / "run", notebooks).kept == notebooks / "my_03_train_cv_2.ipynb"
    assert sources(notebook.read_text(encoding="utf-8")) == shipped


def test_a_notebook_of_which_only_the_outputs_differ_stays_as_it_is(tmp_path: Path, notebooks: Path) -> None:
    before = (notebooks / "03_train_cv.ipynb").read_bytes()
    assert catch_up("03", tmp_path / "run", notebooks).kept is None
    assert (notebooks / "03_train_cv.ipynb").read_bytes() == before
    (notebooks / "03_train_cv.ipynb").unlink()
    assert catch_up("03", tmp_path / "run", notebooks).kept is None
    assert (notebooks / "03_train_cv.ipynb").is_file()


def test_a_number_that_is_none_is_refused(tmp_path: Path, notebooks: Path) -> None:
    with pytest.raises(ParameterError, match=r"unknown notebook '07': .*Known: 00, 01, 02, 03, 04, 05, 06"):
        catch_up("07", tmp_path / "run", notebooks)
    assert not (tmp_path / "run").exists()


def test_the_notebooks_that_are_shipped_are_the_committed_ones() -> None:
    with tarfile.open(CHECKPOINTS) as shipped:
        for name in (*STAGES, *BESIDE):
            file = shipped.extractfile(f"notebooks/{name}.ipynb")
            assert file is not None
            committed = (ROOT / f"notebooks/{name}.ipynb").read_text(encoding="utf-8")
            assert sources(file.read().decode()) == sources(committed), f"{name}: make notebooks"
