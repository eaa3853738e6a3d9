"""Six ways to break a run of two small notebooks: going on gives the same results. `make faults` has the real ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from faults import GO, Point, Project, attempt
from lifeboat.run import STAGES

Write = Callable[..., Path]
LOAD = """from lifeboat.run import Run, resolve
import json, time
run = Run(run_dir)
out = run.begin('01_load')
run.where('schema').write_text(json.dumps({'columns': resolve(labelled_path).read_text().split()}))"""
PREPROCESS = """from lifeboat.run import Run, resolve
import json, time
run = Run(run_dir)
out = run.begin('02_preprocess')
run.where('recipe').write_text(json.dumps({'of': run.schema['columns']}))"""
WAIT = f"while not resolve({GO!r}).exists():\n    time.sleep(0.02)"
COMMIT = "_ = run.commit(out)"
LABELLED = 'run_dir: str = "x"\nlabelled_path: str = "rows.csv"\nspark: str = "local[1]"'


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, write_notebook: Write) -> Project:
    """A project whose first two notebooks have run."""
    home = tmp_path_factory.mktemp("finished")
    (home / "rows.csv").write_text("1,2\n3,4\n")
    (home / "params").mkdir()
    (home / "params" / "small.yaml").write_text("labelled_path: rows.csv\nunlabelled_path: ''\nspark: local[1]\n")
    cells = dict.fromkeys(STAGES, ("pass",)) | {
        "01_load": (LOAD, WAIT, COMMIT),
        "02_preprocess": (PREPROCESS, WAIT, COMMIT),
    }
    for name, sources in cells.items():
        write_notebook(home / "notebooks" / f"{name}.ipynb", LABELLED, *sources)
    (home / GO).touch()
    project = Project(home, ("params/small.yaml", "--until", "02"), "rows.csv", {"SPARK_REMOTE": "sc://nowhere"})
    run = project.start()
    _, errors = run.communicate()
    assert run.returncode == 0, errors
    (home / GO).unlink()
    return project


@pytest.mark.parametrize(
    "fault",
    [
        "SIGKILL to the runner",
        "SIGKILL to the kernel",
        "SIGKILL to the JVM",
        "SIGINT to the runner",
        "a cell raises",
        "the data are altered",
    ],
)
def test_a_run_that_is_broken_goes_on_and_ends_as_if_it_had_not_been(
    finished: Project, tmp_path: Path, fault: str
) -> None:
    first = "01_load" if "data" in fault or "JVM" in fault else "02_preprocess"  # of another kind of Spark all is new
    expected = finished.results()
    assert [*expected] == ["01_load/schema.json", "02_preprocess/recipe.json"]
    environment = {} if "JVM" in fault else finished.environment
    project = Project(finished.home, finished.command, finished.data, environment)
    assert attempt(project, expected, Point(fault, first, "middle"), tmp_path / "broken") == []
    shutil.rmtree(tmp_path / "broken")
