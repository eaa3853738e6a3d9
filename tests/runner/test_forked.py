"""Kernels are copies of one process: it imports once, and each kernel is its own all the same."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from lifeboat.parameters.files import Chosen
from lifeboat.parameters.resolve import Resolved
from lifeboat.runner.folders import run_folder
from lifeboat.runner.forked import can_fork, imported
from lifeboat.runner.notebook import Notebook
from lifeboat.runner.runner import run
from lifeboat.runner.series import Options, Series

PARAMETERS = 'run_dir: str = "outputs/tutorial"'
DRAW = "import matplotlib.pyplot as plt\nfrom lifeboat import plots\nplots.use_style()\n_ = plt.subplots()"
LOADED = "import sys\nloaded = sorted({'pandas', 'sklearn', 'debugpy', 'mlflow'} & set(sys.modules))"
TELL = """import json, os
import numpy as np
import pandas
print(json.dumps({
    "parent": os.getppid(), "leads": os.getsid(0) == os.getpid(), "name": __name__, "loaded": loaded,
    "drawn": int(np.random.randint(10**9)), "input": os.read(0, 1).decode(), "folder": os.getcwd(),
    "children": __import__("multiprocessing").current_process().daemon,
}))"""


@pytest.mark.skipif(not can_fork(), reason="Python forks no process here")
def test_kernels_have_one_parent_that_has_imported_already_and_nothing_else_in_common(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_notebook: Callable[..., Path]
) -> None:
    monkeypatch.setenv("LIFEBOAT_HOME", str(tmp_path))
    monkeypatch.setenv("SPARK_REMOTE", "sc://nowhere")  # no JVM is started
    notebooks = [
        write_notebook(tmp_path / "notebooks" / f"{name}.ipynb", PARAMETERS, LOADED, DRAW, TELL, f"import {module}")
        for name, module in {"a": "pandas", "b": "sklearn"}.items()
    ]
    run_dir = run_folder("trial")
    run(Series(notebooks, Resolved({}, {}, Chosen({}), environment={}), run_dir, Options()))
    first, second = (told(run_dir / f"{name}.ipynb") for name in "ab")
    assert first["parent"] == second["parent"] != os.getpid()
    assert first["drawn"] != second["drawn"], "a copy would draw what the other draws"
    assert first["loaded"] == ["pandas"], "what the second imports is not waited for"
    assert second["loaded"] == ["pandas", "sklearn"], "the second waits for what it imports"
    drawn = nbformat.read(run_dir / "b.ipynb", as_version=4).cells[-3]
    assert "image/png" in drawn.outputs[0].data, "a figure that is left open is shown at the cell's end"
    for said in (first, second):
        assert (said["leads"], said["name"], said["input"]) == (True, "__main__", "")
        assert (said["folder"], said["children"]) == (str(tmp_path / "notebooks"), False)


def told(notebook: Path) -> dict[str, Any]:
    cell = nbformat.read(notebook, as_version=4).cells[-2]
    answer: dict[str, Any] = json.loads(cell.outputs[0].text)
    return answer


def test_what_is_imported_ahead_is_ours_and_well_known_and_what_a_run_leaves_out_is_not(
    tmp_path: Path, write_notebook: Callable[..., Path]
) -> None:
    cells = ("import pandas as pd\nfrom pyspark.sql import functions as F", "import torch, json\n%time 1", "def f(:")
    path = write_notebook(tmp_path / "a.ipynb", PARAMETERS, *cells[:2])
    always = ["ipykernel.kernelapp"]
    tracked = write_notebook(tmp_path / "c.ipynb", PARAMETERS, "import mlflow")
    assert "mlflow.store.tracking.sqlalchemy_store" in imported([Notebook(tracked)]), "mlflow imports it late"
    assert imported([Notebook(path)]) == [*always, "pandas", "pyspark.sql", "pyspark.sql.functions"]
    assert imported([Notebook(write_notebook(tmp_path / "b.ipynb", PARAMETERS, *cells))]) == always
