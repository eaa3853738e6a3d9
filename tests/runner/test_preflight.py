"""What is held against files and Spark's classes before a run starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lifeboat.errors import ParameterError
from lifeboat.parameters.files import read_parameters
from lifeboat.parameters.resolve import resolve
from lifeboat.runner.preflight import check_run

ROOT = Path(__file__).parents[2]


def refusal(folder: Path, yaml: str) -> str:
    (folder / "p.yaml").write_text(yaml)
    try:
        check_run(resolve(read_parameters([folder / "p.yaml"])))
    except ParameterError as error:
        return str(error).replace(str(folder), "HOME")
    return ""


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFEBOAT_HOME", str(ROOT))


@pytest.mark.parametrize(
    ("yaml", "sentence"),
    [
        ("labelled_path: data/row.csv", "labelled_path: no file or folder 'data/row.csv'"),
        ("enrich: {join: [{path: data/row.csv, 'on': [a]}]}", "line 1: enrich: no file or folder 'data/row.csv'"),
        ("grid: {numTree: [10]}", "unknown Param of RandomForestClassifier 'numTree': did you mean 'numTrees'?"),
        ("grid: {numTrees: [ten]}", "RandomForestClassifier.numTrees cannot be 'ten'"),
        ("grid: {regParam: [0.1]}", "unknown Param of RandomForestClassifier 'regParam'"),
        ("grid:\n  maxDepth: [2]\n  maxDeep: [3]", "p.yaml, line 3: unknown Param of RandomForestClassifier 'maxDeep'"),
        (
            "estimator_params: {maxDeep: 3}",
            "unknown Param of RandomForestClassifier 'maxDeep': did you mean 'maxDepth'?",
        ),
        ("derive: [{stage: SumColums}]", "unknown stage 'SumColums': did you mean 'SumColumns'?"),
        ("derive:\n- {stage: SumColumns, inputCol: a}", "line 2: unknown Param of SumColumns 'inputCol': did you mean"),
    ],
)
def test_what_cannot_work_is_told_before_anything_starts(tmp_path: Path, yaml: str, sentence: str) -> None:
    assert sentence in refusal(tmp_path, yaml)


def test_it_is_told_together_with_what_the_parameters_tell_by_themselves(tmp_path: Path) -> None:
    text = refusal(tmp_path, "sed: 1\ngrid: {maxDeep: [3]}\nlabelled_path: nowhere.csv\nderive: [{stage: SumColums}]\n")
    assert text.startswith("4 parameters will not do")


def test_a_default_that_does_not_go_with_what_was_given_is_told(tmp_path: Path) -> None:
    assert "default: unknown Param of GBTClassifier 'numTrees'" in refusal(tmp_path, "estimator: gbt\n")


def test_the_grid_is_checked_against_the_estimator_that_was_given(tmp_path: Path) -> None:
    yaml = "estimator: logistic_regression\nestimator_params: {}\ngrid: {regParam: [0.0, 0.1]}\n"
    assert refusal(tmp_path, yaml) == ""


def test_an_address_on_other_storage_is_not_looked_for_on_this_machine(tmp_path: Path) -> None:
    assert refusal(tmp_path, "labelled_path: s3a://bucket/rows.csv") == ""


@pytest.mark.parametrize("file", ["quick", "titanic", "flights"])
def test_the_files_that_come_along_pass(file: str) -> None:
    check_run(resolve(read_parameters([ROOT / f"params/{file}.yaml", ROOT / "params/azure.yaml"])))


def test_a_wrong_name_is_told_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("num_fold: 3\n")
    script = f"""
import sys
sys.argv = ["lifeboat", "run", {str(tmp_path / "p.yaml")!r}]
from lifeboat.__main__ import main
try:
    main()
except SystemExit as end:
    print(end.code, *sorted(sys.modules.keys() & {{"pyspark", "papermill", "mlflow", "pandas", "pyarrow"}}))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.stdout, "unknown parameter 'num_fold'" in done.stderr) == ("2\n", True)
