"""Lifeboat: from a CSV to a served machine-learning model, in five notebooks."""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib import import_module
from importlib.machinery import ModuleSpec

TYPE_CHECKING = False  # what is imported here comes before any error can be told as a sentence: little does
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

__version__ = "0.1.0"

if not os.path.isdir(os.path.join(__path__[0], "cli")):
    # a saved model's copy, of the part that scores: the other parts are found in what is installed
    __path__ += [
        folder
        for folder in (os.path.join(path, __name__) for path in sys.path)
        if folder not in __path__ and os.path.isfile(os.path.join(folder, "__init__.py"))
    ]


@cache
def moved() -> dict[str, list[str]]:
    """Each name of an earlier version -> its name now, and ``alias`` where what was saved still asks by the old one."""
    tables = [table for folder in __path__ if os.path.isfile(table := os.path.join(folder, "moved.txt"))]
    if not tables:
        return {}
    with open(tables[0], encoding="utf-8") as lines:
        return {old: more for old, *more in map(str.split, lines)}


def moved_from(module: str) -> Callable[[str], object]:
    """A module's ``__getattr__``: of a name that it had once, the error says the new one."""

    def missing(name: str) -> object:
        if f"{module}.{name}" in moved():
            raise ImportError(f"{module}.{name} is {moved()[f'{module}.{name}'][0]} now")
        raise AttributeError(f"module {module!r} has no attribute {name!r}", name=name)

    return missing


class _Moved:
    """Finds modules by their earlier names: those that saved models ask for; of all others it says the new one."""

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not name.startswith(f"{__name__}."):
            return None
        if name not in moved():
            gone = any(old.startswith(f"{name}.") for old in moved())  # a package whose modules may be asked for
            return ModuleSpec(name, cls, is_package=True) if gone else None  # type: ignore[arg-type]
        now, *alias = moved()[name]
        if not alias:
            raise ImportError(f"{name} is {now} now", name=name)
        return ModuleSpec(name, cls)  # type: ignore[arg-type]

    @classmethod
    def create_module(cls, spec: ModuleSpec) -> ModuleType | None:
        return import_module(moved()[spec.name][0]) if spec.name in moved() else None

    @classmethod
    def exec_module(cls, module: ModuleType) -> None:
        """It is another one, which has run; or an empty package."""


sys.meta_path.append(_Moved)
