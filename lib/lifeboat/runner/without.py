"""Import libraries without optional parts of theirs that take long to import and that a run has no use for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

# nbformat has it check addresses in notebooks' metadata by a grammar that it compiles for a second
ADDRESSES = "rfc3987_syntax"
# papermill would read and write notebooks there
CLOUD = "azure.storage.blob"
# ipykernel would wait for somebody who debugs
DEBUGGER = "debugpy"


@contextmanager
def without(*modules: str) -> Iterator[None]:
    """For a while, modules that are not imported yet are as if they were not installed."""
    hidden = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # Python's own way to say so
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
