"""Compute the committed notebooks' outputs anew, in place, with nothing in them that differs from run to run."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from lifeboat.jvm import WarmJvm
from lifeboat.pipeline.kernel import ThisPython
from lifeboat.pipeline.runner import series
from lifeboat.runfolder import resolve


def execute(notebook: Path) -> None:
    """Run the notebook with its own default parameters and replace it, once all of it has run."""
    content = nbformat.read(notebook, as_version=4)
    NotebookClient(
        content,
        kernel_manager_class=ThisPython,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(notebook.parent)}},
    ).execute()
    # the patch version of whoever ran it last
    content.metadata.language_info.pop("version", None)
    aside = notebook.with_name(f".{notebook.name}.unfinished")
    nbformat.write(content, aside)
    os.replace(aside, notebook)


def main() -> None:
    """Run the notebooks that are named, or all six."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    notebooks = [Path(name).resolve() for name in sys.argv[1:]] or [*series(), resolve("notebooks/06_scale.ipynb")]
    with tempfile.TemporaryDirectory() as folder, WarmJvm():
        # a store of its own: what is committed must not hang on the models registered here before
        os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
        for notebook in notebooks:
            print(notebook.name, flush=True)
            execute(notebook)


if __name__ == "__main__":
    main()
