"""The kernel that notebooks run on: this very Python, whatever kernels a user has installed."""

from __future__ import annotations

import os
from typing import Any

import zmq
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from traitlets import Unicode, default


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
        with open(self.messages, "ab") as messages:
            await super().start_kernel(stderr=messages, **options)
