"""Kernels that are copies of one process which has imported already what the notebooks import.

Starting five Pythons and importing pandas, Spark's client, matplotlib and MLflow in each takes longer than most of the
notebooks' own work on a small table. Python's own fork server imports once, while Java starts, and forks in
milliseconds.
"""

from __future__ import annotations

import ast
import atexit
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver, process
from multiprocessing.context import ForkServerProcess
from types import ModuleType
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from lifeboat.runner.notebook import Notebook
from lifeboat.spark.environment import for_a_while

# What may be imported before a fork: none of these starts a thread while it is imported
FORKED = ("IPython", "ipykernel", "lifeboat", "matplotlib", "mlflow", "numpy", "pandas", "pyspark", "scipy", "sklearn")
# ... and what one of them imports only when it is first used
LATER = {"mlflow": ("mlflow.store.tracking.sqlalchemy_store", "mlflow.store.model_registry.sqlalchemy_store", "git")}
PRELOAD = "LIFEBOAT_PRELOAD"
INLINE = "module://matplotlib_inline.backend_inline"  # as a kernel sets it; matplotlib reads it while it is imported


def can_fork() -> bool:
    """Whether Python itself holds a fork to be safe here: not on macOS, and there is none on Windows."""
    return multiprocessing.get_context().get_start_method() != "spawn"


def imported(notebooks: Iterable[Notebook]) -> list[str]:
    """The modules of ours and of well-known packages that notebooks import, in their order."""
    names = [name for notebook in notebooks for name in _modules(notebook.plain_code)]
    names += [later for name in names for later in LATER.get(name, ())]
    # not what draws: it hooks into a shell as it is imported
    return list(dict.fromkeys(["ipykernel.kernelapp", *names]))


def _modules(source: str) -> Iterator[str]:
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:  # the notebook will say so
        return
    for node in nodes:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.partition(".")[0] in FORKED)


@contextmanager
def preloaded(notebooks: Sequence[Notebook], environment: Mapping[str, str]) -> Iterator[None]:
    """With the process that kernels are copied from, which imports what notebooks do by itself meanwhile.

    Args:
        notebooks: Those that are to run, in order.
        environment: The environment to import in.
    """
    first, *others = notebooks
    modules = f"{' '.join(imported([first]))};{' '.join(imported(others))}"
    variables = {name: environment.get(name) for name in {*os.environ, *environment}}
    with for_a_while(variables | {PRELOAD: modules, "MPLBACKEND": INLINE}), _no_main():
        _stop()  # one that a kernel outside of a run has started
        forkserver.set_forkserver_preload(["lifeboat.runner.preload"])
        forkserver.ensure_running()
    try:
        yield
    finally:
        _stop()  # else it would stay as long as this process


def _stop() -> None:
    forkserver._forkserver._stop()  # type: ignore[attr-defined]


@contextmanager
def _no_main() -> Iterator[None]:
    """Without this process's main module, which a child would run again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


class Kernel(ForkServerProcess):
    """A kernel's process, with what ``jupyter_client`` asks of a ``subprocess.Popen``."""

    stdin = stdout = stderr = None

    def __init__(self, arguments: list[str], folder: str, environment: Mapping[str, str], messages: str) -> None:
        super().__init__(daemon=True)  # ended with this process at the latest
        self._handed = arguments, folder, dict(environment), messages

    def run(self) -> None:
        """Become a kernel; in the child."""
        arguments, folder, environment, messages = self._handed
        os.setsid()
        # the copied process ends when nobody who may ask it is left: that is the runner alone, and kernels end with it
        os.close(forkserver._forkserver._forkserver_alive_fd)  # type: ignore[attr-defined]
        vars(forkserver._forkserver).update(vars(forkserver.ForkServer()))  # what a notebook may start is its own
        process.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
        for file, flags, descriptor in ((os.devnull, os.O_RDONLY, 0), (messages, os.O_WRONLY | os.O_APPEND, 2)):
            os.dup2(os.open(file, flags | os.O_CREAT, 0o600), descriptor)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed()  # each copy would draw the same
        from ipykernel.kernelapp import launch_new_instance

        try:
            # it ends where the process that it is copied from does
            launch_new_instance(argv=[*arguments, f"--IPKernelApp.parent_handle={os.getppid()}"])
        finally:
            atexit._run_exitfuncs()

    @property
    def returncode(self) -> int | None:
        """Its status as of now."""
        return self.exitcode

    def poll(self) -> int | None:
        """Its status, None as long as it runs."""
        return self.exitcode

    def wait(self) -> int | None:
        """Wait for its end; its status."""
        self.join()
        return self.exitcode

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid or 0, number)


class ForkedProvisioner(LocalProvisioner):
    """Starts a kernel as a ``Kernel``."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start it; see ``jupyter_client.LocalProvisioner``."""
        file = cmd[cmd.index("-f") + 1]
        self.cwd = kwargs.get("cwd") or os.getcwd()
        kernel = Kernel(["-f", file], str(self.cwd), kwargs["env"], kwargs["stderr"].name)
        with _no_main():
            kernel.start()
        self.process = kernel  # type: ignore[assignment]  # it has what is asked of a Popen
        self.pid = self.pgid = kernel.pid  # its own group, as it makes a session of its own first
        return self.connection_info
