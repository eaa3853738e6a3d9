"""What the committed notebooks' cells are: their tags, and the time that they take to read."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from titanic_words import TITANIC

from lifeboat.parameters.model import BESIDE
from lifeboat.run import STAGES
from lifeboat.runner.series import ABOUT_THIS_DATA, DEMONSTRATION

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tools"))


def cells(stage: str) -> list[Any]:
    found: list[Any] = nbformat.read(ROOT / "notebooks" / f"{stage}.ipynb", as_version=4).cells
    return found


def tags(cell: Any) -> set[str]:
    return set(cell.metadata.get("tags", []))


@pytest.mark.parametrize("stage", STAGES)
def test_prose_that_any_data_set_keeps_names_nothing_of_the_titanic(stage: str) -> None:
    kept = [cell.source for cell in cells(stage) if cell.cell_type == "markdown" and ABOUT_THIS_DATA not in tags(cell)]
    assert [(TITANIC.findall(source), source) for source in kept if TITANIC.search(source)] == []
    assert any(ABOUT_THIS_DATA in tags(cell) for cell in cells(stage)[:2]), "the reader is told on top"


def needs_what_was_left_out(sources: list[tuple[str, bool]]) -> list[tuple[str, str]]:
    """Names that a cell which is kept reads and that only cells left out gave, with the cell; of (code, left out)."""
    kept_names: set[str] = set()
    left_out: set[str] = set()
    faults = []
    for source, is_left_out in sources:
        names = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)]
        bound = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        bound |= {node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)}
        if is_left_out:
            left_out |= bound - kept_names
            continue
        read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
        faults += [(name, source) for name in sorted((read & left_out) - bound)]
        kept_names |= bound
        left_out -= bound
    return faults


def test_the_reader_of_names_sees_what_is_needed() -> None:
    assert needs_what_was_left_out([("a = 1", True), ("b = a", False)]) == [("a", "b = a")]
    assert needs_what_was_left_out([("def a(): pass", True), ("b = a()", False)]) == [("a", "b = a()")]
    assert needs_what_was_left_out([("a = 1", False), ("a = 2", True), ("b = a", False)]) == []
    assert needs_what_was_left_out([("a = 1", True), ("a = 2", False), ("b = a", False)]) == []


@pytest.mark.parametrize("tag", [DEMONSTRATION, ABOUT_THIS_DATA])
@pytest.mark.parametrize("stage", STAGES)
def test_no_cell_needs_one_that_may_be_left_out(stage: str, tag: str) -> None:
    code = [(cell.source, tag in tags(cell)) for cell in cells(stage) if cell.cell_type == "code"]
    assert needs_what_was_left_out(code) == []


@pytest.mark.parametrize("stage", [*STAGES, *BESIDE])
def test_the_time_that_a_notebook_says_it_takes_to_read_is_computed_from_it(stage: str) -> None:
    from execute_notebooks import minutes_to_read

    content = nbformat.read(ROOT / "notebooks" / f"{stage}.ipynb", as_version=4)
    assert f"**Time**: {minutes_to_read(content)} minutes to read" in content.cells[0].source


def test_spark_s_words_are_read_in_a_quarter_of_an_hour_and_lead_to_the_first_notebook_which_leads_back() -> None:
    from execute_notebooks import minutes_to_read

    content = nbformat.read(ROOT / "notebooks" / "00_spark.ipynb", as_version=4)
    assert minutes_to_read(content) <= 15
    assert "(01_load.ipynb)" in content.cells[-1].source
    assert "(00_spark.ipynb)" in cells("01_load")[0].source
    demonstrated = [cell for cell in content.cells[6:] if cell.cell_type == "code"]
    assert max(len(cell.source.splitlines()) for cell in demonstrated) <= 6


def test_a_notebook_takes_as_long_as_its_words_lines_and_outputs() -> None:
    from execute_notebooks import minutes_to_read

    prose = nbformat.v4.new_markdown_cell("word " * 360)
    code = nbformat.v4.new_code_cell("a = 1\n\n" * 12, outputs=[nbformat.v4.new_output("stream", text="1")] * 4)
    assert minutes_to_read(nbformat.v4.new_notebook(cells=[prose, code])) == 2 + 2 + 2


def test_the_readme_s_figure_is_that_of_the_committed_run() -> None:
    from execute_notebooks import RESULT, picture

    content = nbformat.read(ROOT / "notebooks" / "04_evaluate.ipynb", as_version=4)
    assert (ROOT / "docs/result.png").read_bytes() == picture(content, RESULT)
