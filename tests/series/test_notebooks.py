"""The committed outputs are what the notebooks compute, on any number of cores and under any hash seed."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from lifeboat.runfolder import STAGES

ROOT = Path(__file__).parents[2]
NBVAL = ("pytest", "-q", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env", "--nbval-cell-timeout=300")


@pytest.fixture(scope="module")
def series(run) -> None:  # type: ignore[no-untyped-def]
    """All five, in order, as committed."""
    run(*NBVAL, *(f"notebooks/{stage}.ipynb" for stage in STAGES))


def test_the_committed_outputs_of_all_five_are_computed_again(series: None, workspace: Path) -> None:
    for stage in STAGES:
        assert (workspace / "outputs/tutorial" / stage).is_dir()
    assert not list((workspace / "outputs/tutorial").glob(".*")), "nothing half written is left"


@pytest.mark.parametrize(
    ("stage", "spark", "hash_seed"), [("03_train_cv", "local[1]", "1"), ("04_evaluate", "local[4]", "2")]
)
def test_training_and_evaluation_give_the_same_on_other_cores_and_hash_seeds(
    series: None,
    run,  # type: ignore[no-untyped-def]
    tmp_path: Path,
    stage: str,
    spark: str,
    hash_seed: str,
) -> None:
    store = f"sqlite:///{tmp_path / 'empty.db'}"  # the series has made its model the champion of the other one
    env = {"LIFEBOAT_SPARK": spark, "PYTHONHASHSEED": hash_seed, "MLFLOW_TRACKING_URI": store}
    run(*NBVAL, f"notebooks/{stage}.ipynb", **env)


@pytest.mark.parametrize("stage", [*STAGES, "06_scale"])
def test_a_committed_notebook_is_whole_and_fit_to_read(stage: str) -> None:
    notebook = nbformat.read(ROOT / "notebooks" / f"{stage}.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1)), "run from top to bottom, once"
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"], "no warning is left for a reader"
    parameters = [cell for cell in code if "parameters" in cell.metadata.get("tags", [])]
    assert len(parameters) == 1
    assert all(len(cell.source.splitlines()) <= 15 for cell in code if cell is not parameters[0])
    pictures = [cell for cell in code if any("image/png" in output.get("data", {}) for output in cell.outputs)]
    assert all(cell.metadata.get("alt") for cell in pictures), "every figure has a text for those who cannot see it"
    words = {
        kind: sum(len(c.source.split()) for c in notebook.cells if c.cell_type == kind) for kind in ("markdown", "code")
    }
    assert words["markdown"] >= words["code"]
