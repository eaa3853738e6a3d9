"""Compute the committed notebooks' outputs anew, in place, with nothing in them that differs from run to run."""

from __future__ import annotations

import base64
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from teaching_times import pieces

from lifeboat.parameters.model import BESIDE
from lifeboat.run import STAGES, resolve
from lifeboat.run.writing import write_whole
from lifeboat.runner.kernel import ThisPython
from lifeboat.spark.jvm import WarmJvm

RESULT = "figures.metric_intervals("  # what draws the figure that the README shows


def minutes_to_read(content: nbformat.NotebookNode) -> int:
    """What a reader takes: 180 words of prose a minute, ten seconds a line of code, half a minute a figure or table."""
    return round(sum(minutes for _, minutes in pieces(content)))


def say_how_long(content: nbformat.NotebookNode) -> None:
    """Write into the first cell how long the notebook takes to read."""
    first = content.cells[0]
    first.source, found = re.subn(
        r"(\*\*Time\*\*: ).*?( to read)", rf"\g<1>{minutes_to_read(content)} minutes\g<2>", first.source
    )
    if found != 1:
        raise SystemExit("the first cell must say '**Time**: ... to read' once")


def picture(content: nbformat.NotebookNode, drawn_by: str) -> bytes:
    """The figure, as PNG, of the one cell with this code in it."""
    (cell,) = [cell for cell in content.cells if cell.cell_type == "code" and drawn_by in cell.source]
    (png,) = [output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {})]
    return base64.b64decode(png)


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
    say_how_long(content)
    # the patch version of whoever ran it last
    content.metadata.language_info.pop("version", None)
    write_whole(notebook, nbformat.writes(content) + "\n")
    if notebook.stem == "04_evaluate":
        resolve("docs/result.png").write_bytes(picture(content, RESULT))


def main() -> None:
    """Run the notebooks that are named, or all."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    notebooks = [Path(name).resolve() for name in sys.argv[1:]]
    if not notebooks:
        notebooks = [resolve(f"notebooks/{name}.ipynb") for name in sorted([*STAGES, *BESIDE])]
        shutil.rmtree(resolve("outputs/tutorial"), ignore_errors=True)  # a run before this has looked at the hold-out
    with tempfile.TemporaryDirectory() as folder, WarmJvm():
        # a store of its own: what is committed must not hang on the models registered here before
        os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
        for notebook in notebooks:
            print(notebook.name, flush=True)
            execute(notebook)


if __name__ == "__main__":
    main()
