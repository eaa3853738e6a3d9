"""Which modules a piece of code reaches, read from its imports and never by running it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import lifeboat


@dataclass(frozen=True)
class Library:
    """The package ``lifeboat`` as files.

    Attributes:
        folder: The package's own folder.
    """

    folder: Path = Path(lifeboat.__file__).parent

    @cached_property
    def modules(self) -> dict[str, Path]:
        """Each module by its full name; a package by its ``__init__``."""
        paths = {path: path.relative_to(self.folder.parent).with_suffix("").parts for path in self.folder.rglob("*.py")}
        return {
            ".".join(names[:-1] if names[-1] == "__init__" else names): path for path, names in sorted(paths.items())
        }

    def reached(self, source: str) -> list[Path]:
        """The files that code needs, those that they need included: modules, and what lies beside them by name."""
        files, waiting = set[Path](), [source]
        while waiting:
            for path in self.own_files(waiting.pop()) - files:
                files.add(path)
                text = path.read_text(encoding="utf-8")
                waiting.append(text)
                files |= beside(path, text)
        return sorted(files)

    def own_files(self, source: str) -> set[Path]:
        """The files of the modules whose names code uses by itself."""
        return {self.modules[name] for name in self.used(source)}

    def used(self, source: str) -> set[str]:
        """The modules whose names code uses; a name that a package hands on counts for the module it comes from."""
        nodes = _running(source)
        names, aliases, attributes = set[str](), dict[str, str](), set[ast.expr]()
        for node in nodes:
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == self.folder.name:
                aliases |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names if alias.name in self.modules}
            elif isinstance(node, ast.List | ast.Tuple):
                words = {str(item.value) for item in node.elts if isinstance(item, ast.Constant)}
                if self.folder.name in words:  # a command of ours
                    names |= {f"{self.folder.name}.cli.{word}" for word in words} & self.modules.keys()
        for node in nodes:
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
                names.add(f"{aliases[node.value.id]}.{node.attr}")
                attributes.add(node.value)
        loaded = {node.id for node in nodes if isinstance(node, ast.Name) and node not in attributes}
        for alias, name in aliases.items():
            if not self._is_package(name):
                names.add(name)
            elif alias in loaded:  # the package itself: who holds it may ask it for anything
                names |= {f"{name}.{handed}" for handed in self._handed_on(name)}
        return {module for name in names for module in self._home(name)}

    def _is_package(self, name: str) -> bool:
        return name in self.modules and self.modules[name].name == "__init__.py"

    def _handed_on(self, package: str) -> dict[str, str]:
        """Each name that a package imports, with where it is from."""
        tree = ast.parse(self.modules[package].read_text(encoding="utf-8"))
        imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
        return {alias.asname or alias.name: f"{n.module}.{alias.name}" for n in imports for alias in n.names}

    def _home(self, name: str) -> set[str]:
        """The module that a full name belongs to."""
        if name in self.modules:
            return {name}
        package, _, last = name.rpartition(".")
        if package not in self.modules:
            return self._home(package) if "." in package else set()
        if self._is_package(package) and (origin := self._handed_on(package).get(last)):
            return self._home(origin)
        return {package}


@cache  # five notebooks reach much the same modules
def _running(source: str) -> tuple[ast.AST, ...]:
    """Every part of the code but what only a type checker sees."""
    running, waiting = list[ast.AST](), list[ast.AST]([ast.parse(source)])
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        running.append(node)
        waiting += ast.iter_child_nodes(node)
    return tuple(running)


def beside(path: Path, text: str) -> set[Path]:
    """The files beside a module that it names: a style, a setting."""
    files = {file for file in path.parent.iterdir() if file.is_file() and file.suffix != ".py"}
    words = {node.value for node in _running(text) if isinstance(node, ast.Constant)} if files else set()
    return {file for file in files if file.name in words}
