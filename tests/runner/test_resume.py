"""Which notebooks of a run are up to date, and why those are run that are not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from lifeboat.errors import StageOrderError
from lifeboat.parameters.files import Chosen
from lifeboat.parameters.resolve import Resolved
from lifeboat.runner import made_from
from lifeboat.runner.execute import NotebookError
from lifeboat.runner.runner import run
from lifeboat.runner.series import Options, Series

Write = Callable[..., Path]
NAMES = ("01_load", "02_preprocess", "03_train_cv")
PARAMETERS = {
    "01_load": 'run_dir: str = "x"\nlabelled_path: str = "rows.csv"\nspark: str = "local[*]"',
    "02_preprocess": 'run_dir: str = "x"\nimpute: dict = {}',
    "03_train_cv": 'run_dir: str = "x"\nnum_folds: int = 3',
}
HEAD = """import json
from lifeboat.run import Run, resolve
run = Run(run_dir)
def leave(stage, name, content):
    out = run.begin(stage)
    run.where(name).write_text(json.dumps(content))
    run.commit(out)"""
BODIES = {
    "01_load": "leave('01_load', 'schema', {'columns': resolve(labelled_path).read_text().split()[0]})",
    "02_preprocess": "leave('02_preprocess', 'recipe', {'of': run.schema['columns'], 'impute': impute})",
    "03_train_cv": """recipe = json.loads(run.find('recipe').read_text())
leave('03_train_cv', 'scores', {'best': num_folds, 'of': recipe})""",
}
VALUES: dict[str, Any] = {"labelled_path": "rows.csv", "impute": {"age": "mean"}, "num_folds": 3, "spark": "local[*]"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, write_notebook: Write) -> Path:
    """A project with a finished run of three small notebooks, each reading what the one before left."""
    home = tmp_path_factory.mktemp("finished")
    (home / "rows.csv").write_text("a,b\n1,2\n")
    for name in NAMES:
        write_notebook(home / "notebooks" / f"{name}.ipynb", PARAMETERS[name], HEAD, BODIES[name])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIFEBOAT_HOME", str(home))
        patch.setenv("SPARK_REMOTE", "sc://nowhere")
        run(series(home))
    return home


@pytest.fixture
def home(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it."""
    copy = tmp_path / "project"
    shutil.copytree(finished, copy)
    monkeypatch.setenv("LIFEBOAT_HOME", str(copy))
    monkeypatch.setenv("SPARK_REMOTE", "sc://nowhere")
    return copy


def series(home: Path, values: dict[str, Any] | None = None, **options: Any) -> Series:
    given = VALUES | (values or {})
    resolved = Resolved(given, dict.fromkeys(given, "-p"), Chosen(given), environment={})
    notebooks = [home / "notebooks" / f"{name}.ipynb" for name in NAMES]
    return Series(notebooks, resolved, home / "outputs" / "trial", Options(**options))


def why(home: Path, values: dict[str, Any] | None = None, **options: Any) -> dict[str, list[str]]:
    """The notebooks that would run, with their reasons."""
    plan = series(home, values, **options).plan()
    return {name: reasons for name, reasons in plan.items() if reasons}


def change_cell(notebook: Path, old: str, new: str) -> None:
    text = notebook.read_text()
    assert old in text
    notebook.write_text(text.replace(old, new))


def test_a_finished_run_is_up_to_date(home: Path) -> None:
    assert why(home) == {}


def test_what_a_run_made_first_has_not_run_yet(home: Path) -> None:
    shutil.rmtree(home / "outputs")
    assert why(home) == {key: ["it has not run yet"] for key in NAMES}


def test_a_changed_parameter_is_told_with_its_old_and_new_value_for_the_notebooks_that_take_it(home: Path) -> None:
    assert why(home, {"num_folds": 5}) == {"03_train_cv": ["num_folds was 3, now 5"]}
    changed = ['impute was {"age": "mean"}, now {"age": "mode"}']
    assert why(home, {"impute": {"age": "mode"}}) == {"02_preprocess": changed}


def test_a_long_value_is_cut(home: Path) -> None:
    ((reason,),) = why(home, {"impute": {"age" * 40: "mode"}}).values()
    assert reason == f'impute was {{"age": "mean"}}, now {{"{"age" * 18}a...'


def test_code_counts_and_prose_and_outputs_do_not(home: Path) -> None:
    notebook = home / "notebooks" / "02_preprocess.ipynb"
    content = json.loads(notebook.read_text())
    content["cells"].insert(0, {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["New words."]})
    content["cells"][2]["outputs"] = [{"name": "stdout", "output_type": "stream", "text": ["new"]}]
    notebook.write_text(json.dumps(content))
    assert why(home) == {}
    change_cell(notebook, "'of': run", "'from': run")
    assert why(home) == {"02_preprocess": ["its code cells changed"]}


def test_an_input_counts_by_what_is_in_it_and_not_by_its_time(home: Path) -> None:
    os.utime(home / "rows.csv", (1, 1))
    assert why(home) == {}
    (home / "rows.csv").write_text("c,d\n1,2\n")
    assert why(home) == {"01_load": ["rows.csv changed"]}
    (home / "rows.csv").unlink()
    assert why(home) == {"01_load": ["rows.csv is gone"]}


def test_an_unchanged_input_is_not_read_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Any] = []
    real = made_from.digest
    monkeypatch.setattr(made_from, "digest", lambda path: read.append(path) or real(path))
    assert why(home) == {}
    assert "rows.csv" not in read


def test_where_spark_runs_is_no_matter_but_its_kind_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert why(home, {"spark": "local[2]"}) == {}
    monkeypatch.delenv("SPARK_REMOTE")
    assert why(home, {"spark": "local[2]"}) == {key: ["Spark was connect, now local"] for key in NAMES}
    assert [made_from.engine(a) for a in ("local[*]", "local-cluster[2,1,1024]", "yarn")] == [
        "local",
        "cluster",
        "cluster",
    ]


def test_another_version_of_a_package_counts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = made_from.version
    monkeypatch.setattr(made_from, "version", lambda name: "9.9" if name == "numpy" else real(name))
    assert why(home) == {key: [f"numpy was {real('numpy')}, now 9.9"] for key in NAMES}


def test_a_module_that_a_notebook_reaches_counts(home: Path) -> None:
    record = json.loads((home / "outputs/trial/run.json").read_text())
    modules = record["stages"][1]["made_from"]["modules"]
    assert {"run/folder.py", "run/lock.py"} <= modules.keys()
    modules["run/folder.py"] = "another"
    (home / "outputs/trial/run.json").write_text(json.dumps(record))
    assert why(home) == {"02_preprocess": ["run/folder.py changed"]}


def test_a_file_that_was_altered_or_is_gone_makes_its_notebook_run_and_who_read_it(home: Path) -> None:
    file = home / "outputs/trial/01_load/schema.json"
    whole = file.read_text()
    for altered in (whole[:-3], whole.replace("a,b", "a,c")):
        file.write_text(altered)
        assert why(home) == {
            "01_load": ["01_load/schema.json was altered"],
            "02_preprocess": ["01_load/schema.json changed"],
        }
    shutil.rmtree(file.parent)
    assert why(home)["01_load"][0] == "01_load/digests.json is gone"


def test_the_executed_notebook_is_one_of_the_files(home: Path) -> None:
    (home / "outputs/trial/02_preprocess.ipynb").unlink()
    assert why(home) == {"02_preprocess": ["02_preprocess.ipynb is gone"]}


@pytest.mark.parametrize(
    ("state", "reason"),
    [("failed", "it failed"), ("interrupted", "it was interrupted"), ("running", "it was cut short")],
)
def test_what_did_not_end_well_runs_again(home: Path, state: str, reason: str) -> None:
    record = json.loads((home / "outputs/trial/run.json").read_text())
    record["stages"][1]["state"] = state
    (home / "outputs/trial/run.json").write_text(json.dumps(record))
    assert why(home) == {"02_preprocess": [reason]}


def test_a_record_of_an_earlier_version_or_a_broken_one_counts_for_nothing(home: Path) -> None:
    record = json.loads((home / "outputs/trial/run.json").read_text())
    for stage in record["stages"]:
        del stage["made_from"], stage["left"]
    (home / "outputs/trial/run.json").write_text(json.dumps(record))
    assert why(home) == {key: ["there is no record of what it was made from"] for key in NAMES}
    (home / "outputs/trial/run.json").write_text('{"stages": [')
    assert why(home) == {key: ["it has not run yet"] for key in NAMES}


def test_force_runs_all_from_runs_one_and_those_after_it_until_leaves_out_those_after_one(home: Path) -> None:
    assert [*why(home, force=True)] == [*NAMES]
    assert why(home, first="02_preprocess") == {key: ["--from 02_preprocess"] for key in NAMES[1:]}
    assert [*why(home, force=True, last="02_preprocess")] == [*NAMES[:2]]
    assert why(home, {"num_folds": 5}, last="02_preprocess") == {}
    with pytest.raises(StageOrderError, match=r"01_load is not up to date \(labelled_path was rows.csv, now r2.csv\)"):
        why(home, {"labelled_path": "r2.csv"}, first="02_preprocess")


def times(home: Path) -> list[int]:
    return [(home / "outputs/trial" / f"{name}.ipynb").stat().st_mtime_ns for name in NAMES]


def test_a_run_does_what_is_not_up_to_date_and_what_follows_only_if_it_finds_something_else(home: Path) -> None:
    before = times(home)
    change_cell(home / "notebooks" / "02_preprocess.ipynb", "'of': run", "'of':  run")
    record = run(series(home))
    after = times(home)
    assert [new == old for new, old in zip(after, before, strict=True)] == [True, False, True]
    assert [stage.state for stage in record.stages] == ["done"] * 3
    assert why(home) == {}
    run(series(home, {"impute": {"age": "mode"}}))
    assert [new == old for new, old in zip(times(home), before, strict=True)] == [True, False, False]
    scores = json.loads((home / "outputs/trial/03_train_cv/scores.json").read_text())
    assert scores["of"] == {"of": "a,b", "impute": {"age": "mode"}}


def test_a_failed_run_is_taken_up_where_it_stood(home: Path) -> None:
    notebook = home / "notebooks" / "02_preprocess.ipynb"
    good = notebook.read_text()
    change_cell(notebook, "'of': run", "'of': 1 // 0, 'x': run")
    before = times(home)
    with pytest.raises(NotebookError, match="02_preprocess stopped"):
        run(series(home))
    notebook.write_text(good)
    assert why(home) == {"02_preprocess": ["it failed"]}
    run(series(home))
    assert [new == old for new, old in zip(times(home), before, strict=True)] == [True, False, True]


MOVED = """class RegistryChangedError(Exception):
    pass
from lifeboat.run import resolve
if not resolve("moved").exists():
    resolve("moved").touch()
    raise RegistryChangedError("another champion")"""


def test_where_the_champion_moved_while_a_model_was_judged_it_is_judged_again_once(home: Path) -> None:
    notebook = home / "notebooks" / "03_train_cv.ipynb"
    content = nbformat.read(notebook, as_version=4)
    content.cells.append(nbformat.v4.new_code_cell(MOVED))
    nbformat.write(content, notebook)
    events: list[tuple[str, str]] = []

    def tell(event: str, **facts: Any) -> None:
        if event == "notebook":
            events.append((facts["notebook"][:2], facts["state"]))

    record = run(series(home), tell)
    assert events == [
        ("01", "up to date"), ("02", "up to date"), ("03", "running"), ("03", "failed"),
        ("02", "running"), ("02", "done"), ("03", "running"), ("03", "done"),
    ]  # fmt: skip
    assert [stage.state for stage in record.stages] == ["done"] * 3
    change_cell(notebook, "if not resolve", "if resolve")
    with pytest.raises(NotebookError, match="another champion"):
        run(series(home))


def test_what_a_killed_run_left_is_cleaned_up_by_the_next(home: Path) -> None:
    run_dir = home / "outputs" / "trial"
    (run_dir / "02_preprocess").rename(run_dir / ".02_preprocess.old")  # killed between its two renames
    (run_dir / ".03_train_cv.unfinished").mkdir()
    (run_dir / ".03_train_cv.unfinished.ipynb").write_text("{")
    (run_dir / ".kernel.unfinished").mkdir()
    run(series(home))
    assert sorted(file.name for file in run_dir.glob(".*")) == [".lock"]
    assert why(home) == {}


def test_that_all_is_up_to_date_is_known_without_papermill_mlflow_spark_and_pandas(home: Path) -> None:
    (home / "params").mkdir()
    (home / "params" / "trial.yaml").write_text("labelled_path: rows.csv\nunlabelled_path: ''\n")
    for name in ("04_evaluate", "05_deploy"):
        shutil.copy(home / "notebooks/03_train_cv.ipynb", home / "notebooks" / f"{name}.ipynb")
    code = (
        "import sys; from lifeboat.cli.app import app\n"
        "app(['run', 'params/trial.yaml', '--until', '03', '-p', 'impute={age: mean}', *sys.argv[1:]], "
        "standalone_mode=False)\n"
        "print({'mlflow', 'papermill', 'nbformat', 'pyspark', 'pandas', 'zmq'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=home, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[0] == "All is up to date; --force runs it anew."
    assert ran.stdout.splitlines()[-1] == "set()"
    dry = [sys.executable, "-c", code, "--dry-run", "-p", "num_folds=5"]
    ran = subprocess.run(dry, cwd=home, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[:4] == [
        "01_load        is up to date",
        "02_preprocess  is up to date",
        "03_train_cv    runs: num_folds was 3, now 5",
        "04_evaluate    is after --until",
    ]
