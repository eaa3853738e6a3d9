"""Small notebooks to run and to read parameters from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

WriteNotebook = Callable[..., Path]


@pytest.fixture(scope="session")
def write_notebook() -> WriteNotebook:
    """``write_notebook(path, parameters, *cells)``: a notebook with a parameter cell and code cells."""

    def write(path: Path, parameters: str, *cells: str) -> Path:
        content = nbformat.v4.new_notebook(
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            cells=[nbformat.v4.new_code_cell(parameters.strip(), metadata={"tags": ["parameters"]})]
            + [nbformat.v4.new_code_cell(source) for source in cells],
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(content, path)
        return path

    return write
