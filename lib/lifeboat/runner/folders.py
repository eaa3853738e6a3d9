"""The folders of a project that a run works with: its notebooks, and the run's own."""

from __future__ import annotations

import re
from pathlib import Path

from lifeboat.errors import DataError, ParameterError
from lifeboat.run import project_root, resolve


def notebooks_folder() -> Path:
    """The folder of the project's notebooks.

    Raises:
        DataError: There is no project here.
    """
    folder = project_root() / "notebooks"
    if not folder.is_dir():
        raise DataError(
            f"no notebooks in {str(project_root())!r}: a run wants a checkout of the project, which has the folders "
            "notebooks and params; go there, or name it in LIFEBOAT_HOME"
        )
    return folder


def run_folder(name: str) -> Path:
    """The folder ``outputs/<name>``.

    Raises:
        ParameterError: The name is no plain folder name.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name) or name in ("mlartifacts", "mlflow.db"):
        raise ParameterError(f"a run cannot be named {name!r}: take letters, digits, '_', '-' and '.'")
    return resolve("outputs") / name
