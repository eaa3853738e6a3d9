"""What may import what, and what may stand where."""

from __future__ import annotations

import ast
import re
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from hypothesis import settings

LIB = Path(__file__).resolve().parents[1] / "lib"
SCORING = {f"lifeboat.serving.{name}" for name in ("fields", "steps", "scorer", "unseen")}
HEAVY = {"pyspark", "mlflow", "pandas", "pyarrow", "matplotlib"}
COLUMNS_OF_ONE_DATA_SET = re.compile(r"(?<![a-z])(Pclass|Survived|Embarked)(?![a-z])")


def module_name(path: Path) -> str:
    parts = path.relative_to(LIB).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {module_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(LIB.rglob("*.py"))}


def imported(name: str) -> set[str]:
    """The modules that a module imports anywhere in it, each by its full name; of our own, down to the module."""
    found = set()
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            inside = {f"{node.module}.{alias.name}" for alias in node.names} & TREES.keys()
            # `from lifeboat import recipe` needs lifeboat.recipe and no more of lifeboat than __init__
            found |= inside | ({node.module or ""} if len(inside) < len(node.names) else set())
    return found


def reached(name: str) -> set[str]:
    """All that importing a module brings along, so far as it is written in our own files."""
    seen, waiting = set[str](), [name]
    while waiting:
        for other in imported(waiting.pop()) - seen:
            parents = {other[:end] for end, letter in enumerate(other) if letter == "."}  # their __init__ runs too
            waiting += ({other} | parents) & TREES.keys() - seen
            seen |= {other} | parents
    return seen


def tops(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


def code(tree: ast.Module) -> list[tuple[int, str]]:
    """Each name and text of a module with its line, docstrings left out."""
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        if ast.get_docstring(node) is not None and isinstance(node.body[0], ast.Expr)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            found.append((node.lineno, node.value))
        elif isinstance(node, ast.Name):
            found.append((node.lineno, node.id))
        elif isinstance(node, ast.Attribute):
            found.append((node.lineno, node.attr))
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            found.append((node.lineno, node.arg))
    return found


def test_the_reader_of_imports_sees_what_is_there() -> None:
    assert "lifeboat.serving.graph" in imported("lifeboat.trees")
    assert {"lifeboat.preprocess", "lifeboat.errors"} <= imported("lifeboat.recipe")
    assert "mlflow" in imported("lifeboat.deploy")  # inside a function
    assert "pyspark" in tops(reached("lifeboat.judgement"))  # by way of another module


def test_serving_and_pipeline_never_import_each_other() -> None:
    for name in TREES:
        for mine, other in (("lifeboat.serving", "lifeboat.pipeline"), ("lifeboat.pipeline", "lifeboat.serving")):
            if name.startswith(mine):
                assert not [found for found in reached(name) if found.startswith(other)], name


def test_modules_import_one_way_so_that_none_waits_for_itself() -> None:
    graph = {name: (imported(name) & TREES.keys()) - {name} for name in TREES}
    assert len(list(TopologicalSorter(graph).static_order())) == len(TREES)


def test_no_module_imports_the_command_line() -> None:
    assert [name for name in TREES if "lifeboat.cli" in imported(name)] == ["lifeboat.__main__"]


@pytest.mark.parametrize("name", sorted(SCORING))
def test_scoring_takes_the_standard_library_numpy_onnxruntime_and_itself_alone(name: str) -> None:
    allowed = SCORING | {"numpy", "numpy.typing", "onnxruntime", "lifeboat.errors", "lifeboat.declared"}
    assert [found for found in imported(name) - allowed if found.split(".")[0] not in sys.stdlib_module_names] == []


@pytest.mark.parametrize("name", ["fields", "steps", "scorer", "bodies", "answers", "score"])
def test_what_answers_a_request_needs_no_spark_mlflow_pandas_or_flask(name: str) -> None:
    assert not tops(reached(f"lifeboat.serving.{name}")) & (HEAVY | {"flask", "waitress", "werkzeug"})


def test_the_server_needs_no_spark_mlflow_or_pandas() -> None:
    assert not tops(reached("lifeboat.serving.app")) & HEAVY


def test_only_session_and_jvm_reach_behind_spark_s_public_face() -> None:
    hidden = {"_jvm", "sparkContext", "rdd", "_sc"}
    for name, tree in TREES.items():
        if name not in ("lifeboat.session", "lifeboat.jvm"):
            names = {(line, word) for line, word in code(tree) if word in hidden}
            # a name of one's own may be called so, what another object has may not
            assert names - {(n.lineno, n.id) for n in ast.walk(tree) if isinstance(n, ast.Name)} == set(), name


def test_no_module_is_longer_than_can_be_read_at_one_sitting() -> None:
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in LIB.rglob("*.py")}
    assert {name: length for name, length in lengths.items() if length > 250} == {}


def test_no_code_names_a_column_of_one_data_set_but_that_data_set_s_own_module() -> None:
    for name, tree in TREES.items():
        if name != "lifeboat.titanic":
            named = [(line, text) for line, text in code(tree) if COLUMNS_OF_ONE_DATA_SET.search(text)]
            assert named == [], name


def test_every_property_draws_the_same_each_time_and_looks_at_no_clock() -> None:
    assert settings.get_current_profile_name() == "lifeboat"
    assert (settings().derandomize, settings().database, settings().deadline) == (True, None, None)
    for path in (LIB.parent / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "settings":
                said = {keyword.arg for keyword in node.keywords}
                assert not said & {"derandomize", "database", "phases", "print_blob"}, (
                    f"{path.name}: the profile says it"
                )
