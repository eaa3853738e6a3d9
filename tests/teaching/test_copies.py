"""The learners' copies follow from the solved notebooks, hold no answer in their code, and have the same parts."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from lifeboat.runner.kernel import ThisPython

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tools"))
from derive_exercises import learners_copy  # noqa: E402

NOTEBOOKS = ["00_spark", "01_load", "02_preprocess", "03_train_cv", "04_evaluate", "05_deploy", "06_scale"]


def read(folder: str, name: str) -> Any:
    return nbformat.read(ROOT / "notebooks" / folder / f"{name}.ipynb", as_version=4)


def test_each_notebook_of_the_series_has_its_exercises_solved_and_unsolved() -> None:
    for folder in ("", "solutions", "exercises"):
        assert [path.stem for path in sorted((ROOT / "notebooks" / folder).glob("*.ipynb"))] == NOTEBOOKS


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_learners_copy_is_what_the_solved_notebook_gives(name: str) -> None:
    assert read("exercises", name) == learners_copy(read("solutions", name)), "run tools/derive_exercises.py"


def test_what_stands_between_the_markers_moves_out_of_its_cell_and_into_the_fold() -> None:
    new = nbformat.v4
    solved = new.new_notebook(
        cells=[
            new.new_code_cell(
                "a = 1\n### BEGIN SOLUTION\nb = a + 1\nanswer = b\n### END SOLUTION\nc = 3",
                outputs=[new.new_output("stream", text="2")],
                execution_count=7,
            ),
            new.new_markdown_cell("Think.", metadata={"tags": ["hint"]}),
            new.new_markdown_cell("For one and one is two.", metadata={"tags": ["solution"]}),
        ]
    )
    code, hint, solution = learners_copy(solved).cells
    assert (code.source, code.outputs, code.execution_count) == ("a = 1\nanswer = ...  # your code\nc = 3", [], None)
    assert hint.source == "<details>\n<summary>A hint</summary>\n\nThink.\n\n</details>"
    assert "\n\n```python\nb = a + 1\nanswer = b\n```\n\nFor one and one is two.\n\n" in solution.source
    assert solved.cells[0].source.startswith("a = 1\n### BEGIN"), "the solved notebook stays as it is"


def test_an_explanation_without_an_answer_before_it_is_refused() -> None:
    explained = nbformat.v4.new_markdown_cell("So.", id="why", metadata={"tags": ["solution"]})
    with pytest.raises(ValueError, match="cell why explains an answer, and there is none before it"):
        learners_copy(nbformat.v4.new_notebook(cells=[explained]))


@pytest.mark.parametrize("folder", ["solutions", "exercises"])
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_an_exercise_notebook_is_valid_has_no_outputs_and_short_cells(folder: str, name: str) -> None:
    content = read(folder, name)
    nbformat.validate(content)
    code = [cell for cell in content.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code if cell.outputs or cell.execution_count] == []
    (parameters,) = [cell for cell in code if "parameters" in cell.metadata.get("tags", [])]
    written = {cell.id: re.sub(r"### (BEGIN|END) SOLUTION\n?", "", cell.source) for cell in code}
    assert [id for id, source in written.items() if id != parameters.id and len(source.splitlines()) > 10] == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_each_exercise_says_how_long_it_takes_and_has_a_prediction_an_answer_a_check_a_hint_and_a_solution(
    name: str,
) -> None:
    letters = "ab" if name in ("00_spark", "06_scale") else "abc"
    takes = {"a": "Recall · 5 minutes", "b": "Apply · 10 minutes", "c": "Stretch · for the quick, or for home"}
    cells = {cell.id: cell for cell in read("exercises", name).cells}
    for letter in letters:
        steps = ["question", "prediction", "answer", "check", "hint", "why"]
        own = [id.removeprefix(f"{letter}-") for id in cells if id.startswith(f"{letter}-")]
        assert [step for step in own if step in steps] == steps
        assert cells[f"{letter}-question"].source.startswith(f"## {int(name[:2])}{letter} · {takes[letter]}\n")
        assert "*Where to look*: notebook" in cells[f"{letter}-question"].source
        assert cells[f"{letter}-prediction"].source.startswith("prediction = ...")
        assert cells[f"{letter}-answer"].source == "answer = ...  # your code"
        assert cells[f"{letter}-check"].source.startswith(f'check("{int(name[:2])}{letter}", answer, run')
    assert [id for id in cells if re.fullmatch("[a-z]-question", id)] == [f"{letter}-question" for letter in letters]


def test_a_kernel_shows_a_learner_the_message_and_no_traceback(run_dir: Path) -> None:
    content = read("exercises", "03_train_cv")
    (parameters,) = [cell for cell in content.cells if "parameters" in cell.metadata.get("tags", [])]
    parameters.source = f"run_dir = {str(run_dir)!r}"
    folder = {"metadata": {"path": str(ROOT / "notebooks/exercises")}}
    NotebookClient(content, kernel_manager_class=ThisPython, resources=folder, allow_errors=True).execute()
    errors = {
        cell.id: output.traceback
        for cell in content.cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    }
    unfilled = "Nothing filled in yet: write your answer in place of `...` in the cell above, run it, then this again."
    assert errors == {f"{letter}-check": [f"3{letter}: {unfilled}"] for letter in "abc"}
