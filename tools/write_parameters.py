"""Write what follows from the parameters' model: the notebooks' parameter cells, the docs' page, the JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat

from lifeboat.parameters import describe
from lifeboat.run import resolve
from lifeboat.run.writing import write_whole


def write_cell(notebook: Path) -> None:
    """Put the parameter cell that the model says into a notebook; its outputs stay."""
    content = nbformat.read(notebook, as_version=4)
    cell = next(cell for cell in content.cells if "parameters" in cell.metadata.get("tags", []))
    cell.source = describe.cell(notebook.stem)
    write_whole(notebook, nbformat.writes(content) + "\n")


def main() -> None:
    """Write all of it."""
    for notebook in sorted(resolve("notebooks").glob("0*.ipynb")):
        write_cell(notebook)
    write_whole(resolve("docs/parameters.md"), describe.page())
    write_whole(resolve("params/schema.json"), json.dumps(describe.schema(), indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
