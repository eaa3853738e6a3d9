"""The kernel that notebooks run on: this very Python, whatever kernels a user has installed."""

from __future__ import annotations

from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from traitlets import default


class ThisPython(AsyncKernelManager):
    """Starts ``python3`` as the interpreter that runs this line, in its own environment."""

    @default("kernel_spec_manager")
    def _no_installed_kernels(self) -> KernelSpecManager:
        # a kernel that a user or another project installed as `python3` would come first
        return KernelSpecManager(kernel_dirs=[], parent=self)

    @default("transport_encryption")
    def _encrypt_where_possible(self) -> Any:
        return "auto"
