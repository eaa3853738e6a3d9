"""What a process that scores without Spark must have: packages, and the part of this one that scores."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path

SCORING = ("numpy", "onnxruntime")
INFERENCE_SERVER = "azureml-inference-server-http==1.5.1"  # what runs ``azure_entry.py``
ROOM = Path(__file__).parent


def requirements() -> list[str]:
    """``name==version`` of each package that ``Scorer`` imports, as installed here."""
    return [f"{name}=={version(name)}" for name in SCORING]


def copy_code(folder: Path) -> Path:
    """Copy what scores into ``folder/lifeboat``: ``scoring``, and the two modules above it that it imports.

    Where the whole package is installed too, the rest of it is found beside the copy.

    Returns:
        The copy's own folder, called as the package is.
    """
    package = ROOM.parent
    copied = folder / package.name
    copied.mkdir(parents=True)
    for name in ("__init__.py", "errors.py"):
        shutil.copy(package / name, copied)
    shutil.copytree(ROOM, copied / ROOM.name, ignore=shutil.ignore_patterns("__pycache__"))
    return copied
