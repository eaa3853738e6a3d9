"""The kernel that notebooks run on: this very Python, whatever kernels a user has installed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from traitlets import Unicode, default

from lifeboat.spark.environment import for_a_while


class ThisPython(AsyncKernelManager):
    """Starts ``python3`` as the interpreter that runs this line, in its own environment."""

    messages = Unicode(
        os.devnull, help="File for what the kernel's process itself says, which is no cell's output."
    ).tag(config=True)

    @default("kernel_spec_manager")
    def _no_installed_kernels(self) -> KernelSpecManager:
        # a kernel that a user or another project installed as `python3` would come first
        return KernelSpecManager(kernel_dirs=[], parent=self)

    @default("transport_encryption")
    def _encrypted_where_it_can_be(self) -> str:
        return "auto" if zmq.has("curve") else "disabled"

    async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
        """Start the kernel's process; see ``jupyter_client.AsyncKernelManager``."""
        options["env"] = without_habits(options.get("env") or os.environ)
        with open(self.messages, "ab") as messages:
            await super().start_kernel(stderr=messages, **options)


def without_habits(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without what a person has set for a Python to work with by hand: it would run in each notebook."""
    not_theirs = ("PYTHONSTARTUP", "PYTHONWARNINGS", "PYTHONIOENCODING", "PYTHONINSPECT", "MPLBACKEND")
    return {name: value for name, value in environment.items() if name not in not_theirs} | {"PYTHONUTF8": "1"}


@contextmanager
def own_homes() -> Iterator[None]:
    """Jupyter, IPython and Matplotlib keep their files where they may: in a folder for a while.

    What a person's IPython runs at its start belongs to no notebook. Matplotlib's list of fonts takes seconds to make,
    and stays where it is if there is a home to write into.
    """
    with tempfile.TemporaryDirectory(prefix="lifeboat-kernel-", ignore_cleanup_errors=True) as folder:
        homes = {"IPYTHONDIR": "ipython", "JUPYTER_RUNTIME_DIR": "runtime"}
        if not os.access(Path.home(), os.W_OK):
            homes |= {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data"}
            homes |= {} if "MPLCONFIGDIR" in os.environ else {"MPLCONFIGDIR": "matplotlib"}
        with for_a_while({name: str(Path(folder, subfolder)) for name, subfolder in homes.items()}):
            yield
