"""What a folder in ``PYTHONPATH`` hides from us. It takes what Python needs to start alone: the rest may be hidden."""

from __future__ import annotations

import os
import sys

OUR_FOLDER = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


def shadow_message() -> str:
    """A sentence that names the modules of Python and its packages that ``PYTHONPATH`` hides; empty where none is."""
    folders = [os.path.abspath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    others = [path for path in sys.path if os.path.abspath(path) not in {*folders, OUR_FOLDER}]
    hidden: dict[str, str] = {}
    for folder in (folder for folder in folders if folder != OUR_FOLDER and os.path.isdir(folder)):
        for file in sorted(os.listdir(folder)):
            name = file.removesuffix(".py")
            theirs = name in sys.stdlib_module_names or any(_module(path, name) for path in others)
            if theirs and (path := _module(folder, name)):
                hidden.setdefault(name, path)
    names = ", ".join(f"{name} by {path}" for name, path in hidden.items())
    return f"PYTHONPATH hides what is needed ({names}): take that folder out of it, or unset it." if hidden else ""


def _module(folder: str, name: str) -> str:
    """The file or folder of a module in a folder; empty where it has none of that name."""
    package, file = os.path.join(folder, name), os.path.join(folder, f"{name}.py")
    if os.path.isfile(os.path.join(package, "__init__.py")):
        return package
    return file if os.path.isfile(file) else ""
