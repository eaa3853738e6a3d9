"""What may stand where. Which room may import which is said in pyproject.toml, and held by import-linter."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import nbformat
from hypothesis import settings

from lifeboat import moved

WORDS = re.compile(
    "judged|said|told|found|asked|given|aside|faults?|leaned|places?|parts?|one|what|settle|recipe|judgement|alone|slot|needs",
    re.I,
)  # that tell a story in place of saying what something is
OTHERS_NAMES = {"JavaNotFoundError", "put_in_place"}  # as Python says it; and the step of a rename

LIB = Path(__file__).resolve().parents[1] / "lib"
COLUMNS_OF_ONE_DATA_SET = re.compile(r"(?<![a-z])(Pclass|Survived|Embarked)(?![a-z])")


def module_name(path: Path) -> str:
    parts = path.relative_to(LIB).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {module_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(LIB.rglob("*.py"))}


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


def test_only_session_and_jvm_reach_behind_spark_s_public_face() -> None:
    hidden = {"_jvm", "sparkContext", "rdd", "_sc"}
    for name, tree in TREES.items():
        if name not in ("lifeboat.spark.session", "lifeboat.spark.jvm"):
            names = {(line, word) for line, word in code(tree) if word in hidden}
            # a name of one's own may be called so, what another object has may not
            assert names - {(n.lineno, n.id) for n in ast.walk(tree) if isinstance(n, ast.Name)} == set(), name


def test_no_module_is_longer_than_can_be_read_at_one_sitting() -> None:
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in LIB.rglob("*.py")}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_the_package_has_sixteen_entries_and_a_room_hands_on_ten_names_at_most() -> None:
    top = {path.name for path in (LIB / "lifeboat").iterdir() if path.is_dir() or path.suffix == ".py"}
    assert len(top - {"__init__.py", "__main__.py", "__pycache__"}) <= 16
    handed_on = {
        name: getattr(importlib.import_module(name), "__all__", [])
        for name, tree in TREES.items()
        if any(isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "__all__" for n in tree.body)
    }
    assert {name: len(names) for name, names in handed_on.items() if len(names) > 10} == {}


def test_no_code_names_a_column_of_one_data_set_but_that_data_set_s_own_module() -> None:
    for name, tree in TREES.items():
        if name not in ("lifeboat.preprocess.titanic", "lifeboat.parameters.titanic"):
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


NAMED_PATH = re.compile(r"(?<![\w/.$-])(?:lib|tests|docs|params|notebooks|tools|bench|deploy|data)/[\w./-]*\w")
NAMED_MODULE = re.compile(r"(?<![\w/.-])lifeboat(?:\.[a-z_]+)+(?![\w/-])")
FILES = ("yaml", "yml")  # lifeboat.yaml is a file


def test_no_page_image_or_manifest_names_a_path_or_a_module_that_is_not_there() -> None:
    root = LIB.parent
    pages = [root / name for name in ("README.md", "CONTRIBUTING.md", "Makefile", "databricks.yml", ".ci/run")]
    pages += [file for folder in ("docs", "deploy", "params") for file in (root / folder).rglob("*") if file.is_file()]
    texts = {file: file.read_text(encoding="utf-8") for file in pages if file.suffix not in (".png", ".svg", ".pyc")}
    paths = {(file.name, path) for file, text in texts.items() for path in NAMED_PATH.findall(text)}
    assert len(paths) > 50
    places = (root, LIB / "lifeboat")  # the design names modules as they lie in the library
    gone = {(name, path) for name, path in paths if not any((place / path).exists() for place in places)}
    assert gone == {("README.md", "params/mydata.yaml")}, "that one is the reader's own"
    modules = {(file.name, name) for file, text in texts.items() for name in NAMED_MODULE.findall(text)}
    named = {(file, name) for file, name in modules if not name.endswith(FILES)}
    assert len(named) > 5
    saved_by = {
        old for old, (_, *alias) in moved().items() if alias
    }  # paths that saved models and parameter files name
    assert {(file, name) for file, name in named if name not in TREES and not defined(name)} <= {
        (file, name) for file, name in named for old in saved_by if name == old or name.startswith(f"{old}.")
    }


def defined(name: str) -> bool:
    """Whether a module has what a dotted name says."""
    module, _, last = name.rpartition(".")
    return module in TREES and hasattr(importlib.import_module(module), last)


def test_the_prose_of_notebooks_and_pages_names_nothing_by_a_name_that_it_no_longer_has() -> None:
    defined_now = {
        name
        for tree in TREES.values()
        for node in ast.walk(tree)
        for name in (getattr(node, "name", ""), getattr(node, "id", ""), getattr(node, "arg", ""))
    } | {part for module in TREES for part in module.split(".")}
    earlier = {name.rpartition(".")[2] for name in moved()} - defined_now
    assert "at_most" in earlier
    notebooks = [nbformat.read(file, as_version=4) for file in sorted((LIB.parent / "notebooks").glob("*.ipynb"))]
    texts = [cell.source for notebook in notebooks for cell in notebook.cells if cell.cell_type == "markdown"]
    texts += [file.read_text(encoding="utf-8") for file in sorted((LIB.parent / "docs").glob("*.md"))]
    quoted = {
        word
        for text in texts
        for code in re.findall(r"`([^`\n]+)`", text)
        for word in re.findall(r"\w+", re.sub(r"--[\w-]+", "", code))
    }
    assert len(quoted) > 100
    assert quoted & earlier == set()


def names_of(tree: ast.Module) -> set[str]:
    """Every name that a module gives to something: modules, functions, classes, arguments, variables, attributes."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
    return found


def test_names_are_nouns_and_verbs_of_the_field_and_tell_no_story() -> None:
    told = [
        (module, name)
        for module, tree in TREES.items()
        for name in sorted(names_of(tree) - OTHERS_NAMES)
        if any(map(WORDS.fullmatch, re.findall(r"[A-Z]?[a-z]+", name)))
    ]
    assert told == []
