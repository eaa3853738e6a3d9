"""What is imported once, in the process that kernels are copied from.

The first notebook's modules come before the first copy, the others' while that works.
"""

import gc
import importlib
import os
import warnings
from collections.abc import Iterable
from contextlib import suppress
from threading import Thread

from lifeboat.runner.without import DEBUGGER, without


def import_all(modules: Iterable[str]) -> None:
    """Import modules; one that will not is the notebook's to tell, in the cell that imports it."""
    with warnings.catch_warnings():  # who sees them? A notebook that has something to warn of does it where it is used
        warnings.simplefilter("ignore")
        for name in modules:
            with suppress(Exception):
                importlib.import_module(name)
    gc.freeze()  # what is imported stays: no copy walks through it again, not even to end


def import_after_the_first_copy(modules: Iterable[str]) -> None:
    """Import modules beside the first copy's work; the next copy is made when all are there."""
    later = Thread(target=import_all, args=(modules,))

    def begin() -> None:
        if later.ident is None:
            later.start()

    def wait() -> None:
        if later.is_alive():
            later.join()

    os.register_at_fork(before=wait, after_in_parent=begin)


first, others = (names.split() for names in os.environ.get("LIFEBOAT_PRELOAD", ";").split(";"))
with without(DEBUGGER):
    import_all(["ipykernel.debugger"])
import_all(first)
import_after_the_first_copy(others)
