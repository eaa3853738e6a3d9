"""Environments of their own, made from a list of packages as a deployment makes them, and servers that run there."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from lifeboat.spark.jvm import WarmJvm


def fresh_environment(folder: Path, *packages: str) -> Path:
    """Make an environment in ``folder`` with these packages, as pip's command line names them; its Python."""
    python, uv = folder / "bin" / "python", Path(sys.executable).with_name("uv")
    if uv.exists():
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
        if (
            subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *packages], check=False).returncode
            == 0
        ):
            return python
    venv.create(folder, with_pip=True, clear=True)  # behind a mirror that only pip knows, pip does it
    subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


def outside_make() -> dict[str, str]:
    """The environment without what `make` hands on to every `make` below it, such as OFFLINE=folder."""
    handed_on = ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "OFFLINE")
    return {name: value for name, value in os.environ.items() if name not in handed_on}


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def interruptible() -> Iterator[None]:
    """A process started in the background ignores SIGINT, and so do its children; those started in here do not."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def end_session(jvm: WarmJvm) -> None:
    """Stop the Spark that another process has left in a JVM, if there is one."""
    spark = jvm._gateway.jvm.org.apache.spark
    left = getattr(getattr(spark, "SparkContext$"), "MODULE$").getActive()  # not among Java's static methods
    if left.isDefined():
        left.get().stop()


@contextmanager
def running(
    command: Sequence[str | Path], until: str, environment: Mapping[str, str], folder: Path, seconds: float = 120
) -> Iterator[subprocess.Popen[str]]:
    """A server from the line in which it says ``until`` to the end of the ``with``; an error if it ends before."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=folder,
        start_new_session=True,
    ) as server:  # fmt: skip
        deadline = threading.Timer(seconds, os.killpg, (server.pid, signal.SIGKILL))
        deadline.start()
        try:
            assert server.stdout is not None
            said = []
            for line in server.stdout:
                said.append(line)
                if until in line:
                    break
            else:
                raise AssertionError(f"the server ended before it said {until!r}:\n{''.join(said)}")
            deadline.cancel()
            reader = threading.Thread(target=server.stdout.read, daemon=True)  # a full pipe would stop it
            reader.start()
            yield server
        finally:
            deadline.cancel()
            stop(server)
    reader.join(timeout=30)


def stop(server: subprocess.Popen[str]) -> None:
    """End a server and what it started, politely and then for sure."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(server.pid, how)
        with suppress(subprocess.TimeoutExpired):
            server.wait(timeout=30)
