"""How much memory a process holds, and a script under a limit of memory, as a container has it."""

from __future__ import annotations

import os
import sys
import tempfile

import psutil

from lifeboat.errors import LifeboatError
from lifeboat.spark.environment import UI

EVERY = 0.1  # seconds between two looks at the memory
MEGABYTE = 2**20


class ScriptError(LifeboatError, RuntimeError):
    """A script failed, and not because of its memory."""


def usage(process: psutil.Process) -> tuple[int, dict[int, float]]:
    """The bytes that a process and its children hold now, and the processor seconds that each has used.

    What processes share is counted once (each one's proportional share): a child that Java is about to start shares
    all of Java's for a moment.
    """
    held, used = 0, {}
    for each in [process, *process.children(recursive=True)]:
        try:
            times = each.cpu_times()
            memory = each.memory_full_info()
            held += getattr(memory, "pss", memory.rss)  # which Linux alone tells
        except psutil.Error:  # it has ended meanwhile
            continue
        used[each.pid] = times.user + times.system
    return held, used


def run_within(script: str, megabytes: int) -> str | None:
    """Run a script by this Python in a process of its own, and end it when it goes over a limit of memory.

    The limit holds for the process and its children together, Java among them. A Spark that the script starts has a
    JVM of its own, with half of the limit as its heap and the rest for what is not in the heap.

    Args:
        script: Python's source.
        megabytes: The limit.

    Returns:
        What the script printed; None where it went over the limit.

    Raises:
        ScriptError: It failed within the limit; the message ends with what it said.
    """
    shared = ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET", UI)
    environment = {name: value for name, value in os.environ.items() if name not in shared}
    environment["LIFEBOAT_DRIVER_MEMORY"] = f"{megabytes // 2}m"
    command = [sys.executable, "-c", script]
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as messages:
        with psutil.Popen(command, env=environment, stdout=output, stderr=messages) as process:
            if not _stays_below(process, megabytes * MEGABYTE):
                return None
        output.seek(0)
        messages.seek(0)
        if process.returncode:
            raise ScriptError(f"the script ended with {process.returncode}:\n{messages.read()[-2000:]}")
        return output.read()


def _stays_below(process: psutil.Popen, limit: int) -> bool:
    """Wait for the end of a process; end it, and all that it started, once it holds more than the limit."""
    while True:
        try:
            if usage(process)[0] > limit:
                started = [*process.children(recursive=True), process]
                for each in started:
                    each.kill()
                psutil.wait_procs(started)  # their memory is free again
                return False
            process.wait(EVERY)
            return True
        except psutil.TimeoutExpired:
            continue
        except psutil.NoSuchProcess:
            return True
