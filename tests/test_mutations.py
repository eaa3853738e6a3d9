"""The changes that `make mutants` makes, and the tests that it runs for them."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))


def changes(source: str) -> list[str]:
    from mutations import mutations

    return [str(change).removeprefix("lib/x.py:") for change in mutations("lib/x.py", source)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b", ["1  a < b -> a <= b", "1  a < b -> a > b"]),
        ("a and b", ["1  a and b -> a or b"]),
        ("a - 2", ["1  a - 2 -> a + 2", "1  2 -> 3"]),
        ("a['k']", ["1  a['k'] -> a['kX']"]),
        ("{'k': a}", ["1  {'k': a} -> {'kX': a}"]),
        ("f(a, k=b)", ["1  f(a, k=b) -> f(a)"]),
        ("f(a, b)", ["1  f(a, b) -> f(a)"]),
        ("not a", ["1  not a -> a"]),
        ("[a for a in b if c]", ["1   for a in b if c ->  for a in b"]),
    ],
)
def test_a_part_of_an_expression_is_changed(source: str, expected: list[str]) -> None:
    assert changes(f"x = {source}") == expected


def test_statements_are_left_out_and_what_is_returned_becomes_none() -> None:
    source = "def f(a, b=True):\n    if a:\n        raise E\n    g(a)\n    return a"
    assert changes(source) == [
        "2  if a: -> if not a:",
        "4  g(a) -> pass",
        "5  return a -> return None",
        "1  True -> False",
        "3  raise E -> pass",
    ]


def test_docstrings_imports_types_and_the_texts_of_messages_stay() -> None:
    source = """
from a import b
def f(a: Annotated[int, 3] = b) -> dict[int, "4"]:
    "Of 5."
    "and 6"
    echo(f"{a + 7}")
if TYPE_CHECKING:
    c = 8
__all__ = ["f"][:9]
"""
    assert changes(source) == ["6  echo(f'{a + 7}') -> pass"]


def test_each_change_stands_by_itself_in_the_new_source() -> None:
    from mutations import mutations

    found = [change.source for change in mutations("lib/x.py", "x = a + 1\ny = b and c\n")]
    assert found == ["x = a - 1\ny = b and c", "x = a + 1\ny = b or c", "x = a + 2\ny = b and c"]


def test_the_tests_of_a_module_are_those_that_use_its_names_and_else_those_of_its_importers() -> None:
    from mutants import Tests

    tests = Tests(ROOT)
    assert tests.of("lifeboat.load.check")[0] == ["tests/load/test_load.py"]  # by its name, which is the room's
    assert "tests/scoring/test_declared.py" in tests.of("lifeboat.load.check")[1]  # by the room that hands its names on
    assert any("tests/load/test_synth.py" in files for files in tests.of("lifeboat.cli.synth"))  # by its command
    assert "tests/runner/test_runner.py" in tests.of("lifeboat.runner.kernel")[0]  # by what imports it


def test_the_tests_of_a_copy_see_the_copys_library_and_notice_its_change(tmp_path: Path) -> None:
    for file, text in {
        "lib/lifeboat/__init__.py": "ANSWER = 42\n",
        "tests/test_answer.py": "import lifeboat\n\ndef test_it(): assert lifeboat.ANSWER == 42\n",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text(text)
    from mutants import Copy

    copy = Copy(tmp_path)
    assert copy.run(["tests/test_answer.py"]) == ""
    (tmp_path / "lib/lifeboat/__init__.py").write_text("ANSWER = 41\n")
    assert copy.run(["tests/test_answer.py"]) == "tests/test_answer.py::test_it"
