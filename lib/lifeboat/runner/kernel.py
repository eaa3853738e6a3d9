"""The kernel that notebooks run on: this very Python, whatever kernels a user has installed."""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any, ClassVar

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from traitlets import Type, Unicode, default

from lifeboat.run.writing import remove, staging
from lifeboat.runner.forked import ForkedProvisioner, can_fork
from lifeboat.spark.environment import for_a_while
from lifeboat.spark.jvm import WarmJvm


class Client(AsyncKernelClient):
    """Speaks with a kernel, and takes it as ready once it has answered."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers on both channels; Jupyter's own then listens for 0.2 s for more to come."""
        async with asyncio.timeout(timeout):
            while True:
                self.kernel_info()
                try:
                    answer = await self.shell_channel.get_msg(timeout=1)
                    await self.iopub_channel.get_msg(timeout=0.2)  # else its first outputs would be lost
                except Empty:
                    if not await self._async_is_alive():
                        raise RuntimeError("the kernel died before it answered") from None
                else:
                    return self._handle_kernel_info_reply(answer)


class ThisPython(AsyncKernelManager):
    """Starts ``python3`` as the interpreter that runs this line, in its own environment."""

    messages = Unicode(
        os.devnull, help="File for what the kernel's process itself says, which is no cell's output."
    ).tag(config=True)

    client_factory = Type(Client)
    jvm: ClassVar[WarmJvm | None] = None
    returned: ClassVar[int | None] = None

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
        if can_fork():
            self.kernel_id = str(uuid.uuid4())
            self.provisioner = ForkedProvisioner(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
        with open(self.messages, "ab") as messages:
            await super().start_kernel(stderr=messages, **options)

    async def _async_finish_shutdown(
        self, waittime: float | None = None, pollinterval: float = 0.01, restart: bool = False
    ) -> None:
        await super()._async_finish_shutdown(waittime, pollinterval, restart)

    async def _async_is_alive(self) -> bool:
        """Whether it can go on: a kernel whose JVM is gone cannot, even if it has not noticed."""
        if await super()._async_is_alive():
            return self.jvm is None or not self.jvm.died()
        if self.provisioner is not None:
            type(self).returned = getattr(getattr(self.provisioner, "process", None), "returncode", None)
        return False

    is_alive = _async_is_alive

    @classmethod
    def ended(cls) -> str:
        """How the kernel's process ended, as the end of a sentence; empty where it did by itself, or lives."""
        if cls.returned is None or cls.returned >= 0:
            return ""
        memory = ", as the system does where memory runs out" if -cls.returned == signal.SIGKILL else ""
        return f" (by {signal.Signals(-cls.returned).name}{memory})"


def watching(jvm: WarmJvm | None) -> type[ThisPython]:
    """A class of kernels for one notebook, which end with a JVM."""
    return type(ThisPython.__name__, (ThisPython,), {"jvm": jvm, "returned": None})


def without_habits(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without what a person has set for a Python to work with by hand: it would run in each notebook."""
    not_theirs = ("PYTHONSTARTUP", "PYTHONWARNINGS", "PYTHONIOENCODING", "PYTHONINSPECT", "MPLBACKEND")
    return {name: value for name, value in environment.items() if name not in not_theirs} | {"PYTHONUTF8": "1"}


@contextmanager
def own_homes(run_dir: Path) -> Iterator[None]:
    """Jupyter, IPython and Matplotlib keep their files where they may: in the run's folder, for a while.

    What a person's IPython runs at its start belongs to no notebook. Matplotlib's list of fonts takes seconds to make,
    and stays where it is if there is a home to write into.
    """
    folder = staging(run_dir / "kernel")
    folder.mkdir(mode=0o700)
    homes = {"IPYTHONDIR": "ipython", "JUPYTER_RUNTIME_DIR": "runtime"}
    if not os.access(Path.home(), os.W_OK):
        homes |= {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data"}
        homes |= {} if "MPLCONFIGDIR" in os.environ else {"MPLCONFIGDIR": "matplotlib"}
    try:
        with for_a_while({name: str(folder / subfolder) for name, subfolder in homes.items()}):
            yield
    finally:
        remove(folder)
