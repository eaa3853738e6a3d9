"""Which modules a notebook reaches, by its imports alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from lifeboat.runner.modules import Library
from lifeboat.runner.notebook import Notebook

ROOT = Path(__file__).parents[2]
FILES = {
    "__init__.py": "",
    "alone.py": "from lifeboat.room.first import a",
    "room/__init__.py": "from lifeboat.room import second\nfrom lifeboat.room.first import a\nLIMIT = 1",
    "room/first.py": "STYLE = 'look.txt'\na = 1",
    "room/second.py": "def b():\n    from lifeboat.late import c",
    "room/look.txt": "blue",
    "late.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from lifeboat.alone import x",
    "cli/__init__.py": "",
    "cli/serve.py": "",
}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    for name, text in FILES.items():
        (tmp_path / "lifeboat" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "lifeboat" / name).write_text(text)
    return Library(tmp_path / "lifeboat")


@pytest.mark.parametrize(
    ("source", "reached"),
    [
        ("from lifeboat.room.first import a", ["room/first.py", "room/look.txt"]),
        ("from lifeboat.room import a", ["room/first.py", "room/look.txt"]),
        ("from lifeboat import room\nroom.a", ["room/first.py", "room/look.txt"]),
        ("from lifeboat import room\nroom.second.b()", ["late.py", "room/second.py"]),
        ("from lifeboat import alone", ["alone.py", "room/first.py", "room/look.txt"]),
        ("from lifeboat.room import LIMIT",
         ["late.py", "room/__init__.py", "room/first.py", "room/look.txt", "room/second.py"]),
        ("from lifeboat import room\nprint(room)", ["late.py", "room/first.py", "room/look.txt", "room/second.py"]),
        ("run(['python', '-m', 'lifeboat', 'serve'])", ["cli/serve.py"]),
        ("import json", []),
    ],
)  # fmt: skip
def test_a_name_counts_for_the_module_that_it_comes_from(library: Library, source: str, reached: list[str]) -> None:
    assert [path.relative_to(library.folder).as_posix() for path in library.reached(source)] == reached


def test_a_figure_of_notebook_4_is_reached_by_it_alone_and_the_verdict_s_rule_by_it_and_5() -> None:
    library = Library()
    paths = sorted((ROOT / "notebooks").glob("0[1-5]_*.ipynb"))
    reached = {path.stem[:2]: library.reached(Notebook(path).plain_code) for path in paths}

    def reaching(file: str) -> str:
        return " ".join(number for number, files in reached.items() if library.folder / file in files)

    assert reaching("plots/evaluate.py") == "04"
    assert reaching("plots/train_cv.py") == "03"
    assert reaching("plots/lifeboat.mplstyle") == "01 02 03 04 05"
    assert reaching("evaluate/decision.py") == "04 05"
    assert reaching("deploy/server/app.py") == "05"
    assert reaching("preprocess/stages.py") == "01 02 03 05"
    assert reaching("runner/runner.py") == reaching("cli/run.py") == ""
