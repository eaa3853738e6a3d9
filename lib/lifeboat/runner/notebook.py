"""A notebook as a run sees it: which cells it keeps, and which parameters they take. By JSON: nbformat takes long."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lifeboat.run import STAGES
from lifeboat.runner.folders import notebooks_folder

MAGIC = re.compile(r"^\s*[%!].*$", re.MULTILINE)  # what IPython takes and Python does not


@dataclass(frozen=True)
class Notebook:
    """One of a run's notebooks.

    Attributes:
        path: Its file.
        left_out: The tags of cells that this run leaves out.
    """

    path: Path
    left_out: Collection[str] = ()

    @property
    def name(self) -> str:
        """The file's name without its ending, such as ``01_load``."""
        return self.path.stem

    @cached_property
    def cells(self) -> list[dict[str, Any]]:
        """The cells that are kept, each with its ``source`` as one text."""
        kept = json.loads(self.path.read_text(encoding="utf-8"))["cells"]
        cells = [{**cell, "source": "".join(cell["source"])} for cell in kept]
        return [cell for cell in cells if not {*self.left_out} & {*cell["metadata"].get("tags", [])}]

    @property
    def code(self) -> list[str]:
        """The code cells' sources."""
        return [cell["source"] for cell in self.cells if cell["cell_type"] == "code"]

    @property
    def taken(self) -> list[str]:
        """The names that the parameter cell sets."""
        cells = (cell["source"] for cell in self.cells if "parameters" in cell["metadata"].get("tags", []))
        targets = [node.target for node in ast.parse(next(cells, "")).body if isinstance(node, ast.AnnAssign)]
        return [target.id for target in targets if isinstance(target, ast.Name)]

    @property
    def plain_code(self) -> str:
        """All code as one text that Python can read."""
        return MAGIC.sub("pass", "\n".join(self.code))


def series() -> list[Path]:
    """The five notebooks, in order."""
    return [notebooks_folder() / f"{stage}.ipynb" for stage in STAGES]
