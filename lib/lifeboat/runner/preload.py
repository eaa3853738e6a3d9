"""What is imported once, in the process that kernels are copied from."""

import gc
import importlib
import os
import warnings
from contextlib import suppress

with warnings.catch_warnings():  # who sees them? A notebook that has something to warn of does it where it is used
    warnings.simplefilter("ignore")
    for name in os.environ.get("LIFEBOAT_PRELOAD", "").split():
        with suppress(Exception):  # the notebook says it, in the cell that imports it
            importlib.import_module(name)

gc.freeze()  # what is imported stays: no copy walks through it again, not even to end
