"""Write the five notebooks into outputs/databricks as Databricks runs them, after checking every parameter.

    python deploy/databricks/prepare.py params/titanic.yaml -p registered_model=main.default.titanic

A Databricks task hands its notebook widgets, where papermill writes a cell: so the cell is written here. The cell
before it makes the cluster's session and files known, so that the notebooks themselves need not know where they run.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import nbformat
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from lifeboat.errors import LifeboatError
from lifeboat.parameters import resolve
from lifeboat.parameters.files import read_parameters
from lifeboat.run.paths import project_root
from lifeboat.runner.notebook import Notebook, series
from lifeboat.runner.preflight import check_run

HERE = """\
import os, sys
lib = os.path.abspath("../../lib")  # this notebook's folder is where it runs
sys.path.insert(0, lib)
os.environ["PYTHONPATH"] = lib  # for the server that notebook 5 starts
type(spark).stop = lambda session: None  # the cluster's session serves the tasks after this one too"""


def prepare(params: Path, overrides: Sequence[str] = (), name: str = "", folder: Path | None = None) -> list[Path]:
    """Write each notebook with its parameters and without outputs.

    Args:
        params: The parameter file.
        overrides: ``name=value`` each, instead of what the file says.
        name: The run's folder in ``outputs``; the parameter file's name by default.
        folder: Where to write; ``outputs/databricks`` by default.

    Returns:
        The notebooks' places, in order.

    Raises:
        ParameterError: A parameter will not do; nothing was written.
    """
    notebooks, folder = series(), folder or project_root() / "outputs/databricks"
    parameters = resolve.resolve(read_parameters([params], overrides), params.stem, environ={})
    check_run(parameters)
    values = parameters.handed() | {resolve.RUN_DIR: f"outputs/{name or params.stem}"}
    folder.mkdir(parents=True, exist_ok=True)
    for notebook in notebooks:
        handed = {key: value for key, value in values.items() if key in Notebook(notebook).taken}
        content = parameterize_notebook(load_notebook_node(str(notebook)), handed)
        for cell in content.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        content.cells.insert(0, nbformat.v4.new_code_cell(HERE, id="here"))
        nbformat.write(content, folder / notebook.name)
    return [folder / notebook.name for notebook in notebooks]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("params", type=Path)
    parser.add_argument("-p", dest="overrides", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--name", default="")
    given = parser.parse_args()
    try:
        print(*prepare(given.params, given.overrides, given.name), sep="\n")
    except LifeboatError as error:
        raise SystemExit(str(error)) from error
