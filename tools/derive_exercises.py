"""Make the learners' copies: of each notebook in notebooks/solutions one in notebooks/exercises, without the answers.

The markers are nbgrader's: what stands between them is taken out of its cell, and is shown again further down, folded,
under the hint.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path

import nbformat

from lifeboat.run import resolve
from lifeboat.run.writing import write_whole

REGION = re.compile(r"^### BEGIN SOLUTION\n(.*?)\n### END SOLUTION$", re.MULTILINE | re.DOTALL)
UNFILLED = "answer = ...  # your code"
HINT, SOLUTION = "hint", "solution"  # tags of the cells to fold


def folded(summary: str, text: str) -> str:
    """Markdown that opens when its summary is clicked."""
    return f"<details>\n<summary>{summary}</summary>\n\n{text}\n\n</details>"


def learners_copy(solved: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A solved notebook without its answers and outputs.

    Raises:
        ValueError: A cell is tagged as an explanation, and no answer stands before it.
    """
    content, code = copy.deepcopy(solved), ""
    for cell in content.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            if region := REGION.search(cell.source):
                code = region[1]
                cell.source = REGION.sub(UNFILLED, cell.source)
        elif HINT in tags:
            cell.source = folded("A hint", cell.source)
        elif SOLUTION in tags:
            if not code:
                raise ValueError(f"cell {cell.id} explains an answer, and there is none before it")
            cell.source, code = folded("A solution", f"```python\n{code}\n```\n\n{cell.source}"), ""
    return content


def main() -> None:
    """Write all learners' copies."""
    target = resolve("notebooks/exercises")
    target.mkdir(exist_ok=True)
    for notebook in sorted(resolve("notebooks/solutions").glob("*.ipynb")):
        content = learners_copy(nbformat.read(notebook, as_version=4))
        write_whole(Path(target, notebook.name), nbformat.writes(content) + "\n")


if __name__ == "__main__":
    main()
