"""Keep one JVM warm for many Spark sessions."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any, Literal

import psutil

from lifeboat.errors import VARIABLES, LifeboatError, redacted
from lifeboat.spark import ahead, archive, scratch
from lifeboat.spark.environment import (
    LOOPBACK,
    for_a_while,
    need_local_dirs,
    need_memory,
    spark_home,
    submit_arguments,
    surroundings,
    take_own_address,
)
from lifeboat.spark.java import Java, find_java, java_home

# The quick compiler and the simple garbage collector: on some thousands of rows Spark's time goes into compiling
# Spark, and these halve it. The quick compiler alone would get 48 MB for its code, which five notebooks fill: Java then
# throws code away and compiles it again. From some hundred thousand rows on the thorough compiler is worth its cost.
QUICK_START = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=240m"
# Half of the heap for what lives shortly, and from 8 GB of memory on all of it at once: 37 collections of garbage in a
# small run, not 150. A kernel by itself has not that room: on a hub there are many.
ROOM = "-XX:NewRatio=1 -XX:InitialRAMPercentage=12 -XX:MetaspaceSize=256m"
OPTIONS = {"few": f"{QUICK_START} {ROOM}", "": QUICK_START, "many": "-XX:+UseParallelGC"}
ROWS = "LIFEBOAT_ROWS"  # how many the JVM was started for
Rows = Literal["few", "many", ""]
WHERE = VARIABLES["spark"]
LAST_WORDS = 6  # lines of what a JVM said before it died
LOGGING = Path(__file__).with_name("log4j2.properties")


class SparkDidNotStartError(LifeboatError, RuntimeError):
    """Spark's JVM or its session did not start; the message holds what it said, and what the environment says."""


def where_spark_runs(spark: str) -> str:
    """The environment's ``SPARK_REMOTE``, else its ``LIFEBOAT_SPARK``, else the parameter ``spark``."""
    return next(filter(None, map(os.environ.get, WHERE)), spark)


def shared() -> bool:
    """Whether somebody keeps a JVM warm for this process; an address where none listens any more is forgotten."""
    port = os.environ.get("PYSPARK_GATEWAY_PORT")
    # a number beyond the last port would be taken for another one
    if port and port.isdecimal() and int(port) < 2**16 and os.environ.get("PYSPARK_GATEWAY_SECRET"):
        with suppress(OSError), socket.create_connection((LOOPBACK, int(port)), timeout=5):
            return True
    for name in ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET"):
        os.environ.pop(name, None)
    return False


@contextmanager
def plain_start(where: str, jvm: WarmJvm | None) -> Iterator[None]:
    """What keeps a session from starting becomes a SparkDidNotStartError that names what the environment says."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (Py4JError, PySparkException, OSError) as error:
        lines = [line.strip() for line in redacted(str(error)).splitlines()]
        known = [line for line in lines if line and not line.startswith(("at ", "An error occurred while calling"))]
        words = "\n".join(known[:3] + (jvm.output().splitlines()[-3:] if jvm else []))
        raise SparkDidNotStartError(f"Spark did not start on {where!r}. {surroundings()} It said:\n{words}") from error


class WarmJvm:
    """One JVM that this process and its children share; each makes and stops its own Spark session in it.

    Starting a JVM and loading Spark's classes costs more than all five notebooks' work on a small table.
    While it is open, its address is in the environment, where Spark's own launcher looks for it, so that
    a kernel started meanwhile uses it. The JVM ends with this process, however that ends.

    Args:
        rows: How many to expect. ``many``, some hundred thousand or more: the thorough compiler, and a quarter of the
            machine's memory instead of Spark's 1 GB. ``few``, a hundred thousand at most: a session plans a query once,
            and does not cut its rows up (``lifeboat.spark.session.FEW_ROWS``), and Java takes its heap at once.
            ``LIFEBOAT_JVM_OPTIONS`` and ``LIFEBOAT_DRIVER_MEMORY`` (as Spark writes it, such as ``2g``) in the
            environment win.
        keep: Where to leave the classes that it loads, when it ends; None: it takes those that were kept.
    """

    def __init__(self, rows: Rows = "", keep: Path | None = None) -> None:
        quarter = max(1024, int(psutil.virtual_memory().total) // (4 * 2**20))  # MB: what a JVM takes by itself
        memory = need_memory("LIFEBOAT_DRIVER_MEMORY") or (f"{quarter}m" if rows == "many" else None)
        options = os.environ.get("LIFEBOAT_JVM_OPTIONS", OPTIONS[rows])
        need_local_dirs()
        spark, java = spark_home(), find_java()
        self._folder, self._lock = scratch.make()
        self._messages = (self._folder / "messages.txt").open("w+", errors="replace")
        try:
            self._gateway = self._launch(spark, java, memory, options, archive.options(java, spark, keep))
        except BaseException:
            self._leave()
            raise
        os.environ["PYSPARK_GATEWAY_PORT"] = str(self._gateway.gateway_parameters.port)
        os.environ["PYSPARK_GATEWAY_SECRET"] = self._gateway.gateway_parameters.auth_token
        os.environ[ROWS] = rows
        Thread(target=ahead.set_up, args=(self._gateway,), daemon=True).start()

    def _launch(self, spark: Path, java: Java, memory: str | None, options: str, classes: str) -> Any:
        from pyspark import SparkConf
        from pyspark.errors import PySparkRuntimeError
        from pyspark.java_gateway import launch_gateway

        take_own_address()
        temporary = self._folder / "tmp"  # Java's own default is /tmp, whatever TMPDIR says
        temporary.mkdir()
        own = f'"-Dlog4j2.configurationFile={LOGGING.as_uri()}" "-Djava.io.tmpdir={temporary}" -XX:-UsePerfData'
        conf = SparkConf(loadDefaults=False)
        conf.set("spark.driver.extraJavaOptions", f"{own} {options}")
        conf.set("spark.executor.extraJavaOptions", options)  # on this machine alone there are none
        if memory:
            conf.set("spark.driver.memory", memory)
        links = self._folder / "spark"  # executors of a local-cluster write into its `work`, which goes with the JVM
        links.mkdir()
        for entry in spark.iterdir():
            (links / entry.name).symlink_to(entry)
        environment = {
            "JAVA_HOME": str(java_home(java, self._folder / "java", self._folder, (links, spark), classes)),
            "SPARK_HOME": str(links),
            "PYSPARK_SUBMIT_ARGS": submit_arguments(),
            "PYSPARK_PYTHON": sys.executable,  # a Connect server starts its Python by what it finds here
            "SPARK_REMOTE": None,  # with it the launcher leaves out the classes of a Connect server
            "SPARK_TESTING": None,
            "PYSPARK_GATEWAY_PORT": None,
        }
        locale = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_CTYPE", "LANG"))), "C")
        if "utf" not in locale.lower():  # Java would read the names of files by it, and Python takes UTF-8 for them
            environment["LC_ALL"] = "C.UTF-8"
        try:
            with for_a_while(environment):
                # what a JVM prints at its start would land in the first cell's output
                streams = {"stdout": self._messages, "stderr": self._messages, "pass_fds": [self._lock]}
                return launch_gateway(conf, streams)
        except (PySparkRuntimeError, OSError) as error:
            raise SparkDidNotStartError(
                f"Spark's JVM did not start. {surroundings()} It said:\n{self.output() or error}"
            ) from error

    def output(self) -> str:
        """What the JVM printed so far, which is there after its folder is gone too."""
        self._messages.seek(0)
        return self._messages.read()

    def died(self, within: float = 0) -> str:
        """How the JVM ended before it was closed, and what it said last; empty where it lives.

        Args:
            within: Seconds to wait for its end, where its last words are on their way.
        """
        with suppress(subprocess.TimeoutExpired):
            status = self._gateway.proc.wait(within)
            number = -status if status < 0 else status - 128  # a shell that started it says so
            how = f"by {signal.Signals(number).name}" if number in set(signal.Signals) else f"with status {status}"
            words = "\n".join(self.output().splitlines()[-LAST_WORDS:])
            return f"Spark's JVM died ({how}). It said last:\n{redacted(words) or 'nothing'}"
        return ""

    def close(self) -> None:
        """End the JVM and take its address out of the environment."""
        for name in ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET", ROWS):
            os.environ.pop(name, None)
        with suppress(OSError):  # it may be gone already
            self._gateway.shutdown()
            self._gateway.proc.stdin.close()
        self._gateway.proc.wait()
        self._leave()

    def _leave(self) -> None:
        self._messages.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self._lock)

    def __enter__(self) -> WarmJvm:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
