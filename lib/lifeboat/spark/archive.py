"""The classes that Spark loads, kept on disk as the JVM has them in memory: it then starts in half the time.

``lifeboat warm`` makes the archive: of classes (JEP 350), from Java 25 on of profiles too (JEP 514 and 515). It belongs
to one Java and one Spark: of another one, broken or none, a JVM starts as it would without.
``LIFEBOAT_JVM_ARCHIVE=off`` in the environment leaves it alone.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from pathlib import Path

from lifeboat.run.paths import checkout
from lifeboat.spark.environment import spark_home
from lifeboat.spark.java import Java, find_java

SWITCH = "LIFEBOAT_JVM_ARCHIVE"
PROFILES = 25  # the Java from which on the archive has them
QUIET = "-Xlog:disable -Xlog:all=error:stderr"  # that an archive does not fit is nothing to tell
KEY_DIGITS = 16


def path(java: Java, spark: Path) -> Path:
    """Where the archive for a Java and a Spark lies: its name changes as they do.

    Args:
        java: The Java.
        spark: Spark's folder, with ``jars`` in it.
    """
    runtime = java.command.resolve().parents[1] / "lib" / "modules"
    files = [runtime if runtime.is_file() else java.command, *sorted((spark / "jars").glob("*.jar"))]
    stamps = "".join(f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}\n" for file in files)
    key = hashlib.sha256(stamps.encode()).hexdigest()[:KEY_DIGITS]
    return checkout() / "outputs" / ".cache" / f"spark-{key}.jsa"


def wanted(where: str) -> bool:
    """Whether an archive would help a session and there is none.

    Args:
        where: Where Spark runs; Spark Connect needs no JVM here.
    """
    return not (where.startswith("sc://") or _off() or path(find_java(), spark_home()).is_file())


def _off() -> bool:
    return os.environ.get(SWITCH, "").lower() == "off"


def options(java: Java, spark: Path, keep: Path | None = None) -> str:
    """The JVM's options, as a shell has them: take the archive; or leave one at ``keep`` when the JVM ends.

    Empty where there is none, or it is not wanted.
    """
    making, taking = (
        ("AOTCacheOutput", "AOTCache") if java.version >= PROFILES else ("ArchiveClassesAtExit", "SharedArchiveFile")
    )
    if keep:
        return f"{QUIET} -XX:{making}={shlex.quote(str(keep))}"
    if _off() or not (kept := path(java, spark)).is_file():
        return ""
    return f"{QUIET} -XX:{taking}={shlex.quote(str(kept))}"
