"""What the environment says of Spark, Java, Python and the network: what of it counts, and what a message names."""

from __future__ import annotations

import os
import re
import shlex
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import distributions
from pathlib import Path

from lifeboat.errors import HIDDEN, LifeboatError, ParameterError, redacted

LOOPBACK = "127.0.0.1"
UI = "LIFEBOAT_SPARK_UI"  # `on`: Spark shows its jobs on a page, and the session says where
NO_PROXY = ("localhost", LOOPBACK, "::1")
JAVA = ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS")  # every Java on the machine reads them
# what Spark and its JVM read; without those that we set ourselves
WATCHED = re.compile(
    r"(?:PY)?SPARK_\w+|HADOOP_\w+|YARN_CONF_DIR|MASTER|LIFEBOAT_(?:DRIVER_MEMORY|EXECUTOR_MEMORY|JVM_OPTIONS)|"
    + "|".join(JAVA)
)
OURS = re.compile(r"PYSPARK_GATEWAY_\w+|SPARK_BUFFER_SIZE|SPARK_REMOTE|SPARK_AUTH_\w+|SPARK_CONNECT_MODE_ENABLED")
_SECRET = re.compile(r"(?P<before>(?:key|secret|token|password)\w*[=\s:]\s*)[^\s'\"]+", re.IGNORECASE)


class SurroundingsError(LifeboatError, RuntimeError):
    """The environment asks for something that this machine does not have."""


def named(*names: str) -> str:
    """Environment variables with their values as a message shows them, those that are set."""
    hidden = rf"\g<before>{HIDDEN}"
    values = {name: _SECRET.sub(hidden, redacted(os.environ[name])) for name in names if name in os.environ}
    return ", ".join(f"{name}={value!r}" for name, value in values.items())


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


def surroundings() -> str:
    """A sentence that names what the environment says to Spark and Java; empty where it says nothing."""
    ours = {"SPARK_LOCAL_IP": LOOPBACK, "PYSPARK_PYTHON": sys.executable}
    names = [
        name
        for name, value in sorted(os.environ.items())
        if WATCHED.fullmatch(name) and not OURS.fullmatch(name) and ours.get(name) != value
    ]
    if not names:
        return ""
    return f"The environment says {named(*names)}: mend or unset what does not belong there."


def spare_loopback() -> None:
    """Never ask this machine itself through a proxy; other places still go through the one that is set."""
    spared = (os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or "").split(",")
    spared = [host.strip() for host in spared if host.strip()]
    if "*" in spared:
        return
    value = ",".join([*spared, *(host for host in NO_PROXY if host not in spared)])
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = value  # some read one, some the other


def take_own_address() -> None:
    """Let Spark listen where this machine can: ``SPARK_LOCAL_IP`` if it has that address, else the loopback one."""
    if not can_listen_on(os.environ.get("SPARK_LOCAL_IP", "")):
        os.environ["SPARK_LOCAL_IP"] = LOOPBACK
    name = os.environ.get("SPARK_LOCAL_HOSTNAME")
    if name is not None and not can_listen_on(name):
        del os.environ["SPARK_LOCAL_HOSTNAME"]


def can_listen_on(host: str) -> bool:
    """Whether an address or a name is one of this machine's."""
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM) if host else []:
            with socket.socket(family, kind, protocol) as probe:
                probe.bind(address)
                return True
    except (OSError, UnicodeError):
        pass
    return False


def submit_arguments() -> str:
    """What ``PYSPARK_SUBMIT_ARGS`` says to Spark's launcher, made to start a JVM for this process.

    Packages and settings stay. Where Spark runs is the session's to say, and without its last word the launcher
    starts nothing.

    Raises:
        SurroundingsError: Its quotes do not match.
    """
    arguments = os.environ.get("PYSPARK_SUBMIT_ARGS", "")
    try:
        words = [word for word in shlex.split(arguments) if word != "pyspark-shell"]
    except ValueError as error:
        raise SurroundingsError(f"{named('PYSPARK_SUBMIT_ARGS')} cannot be read ({error}): mend or unset it") from error
    return shlex.join([*words, "--master", "local[*]", "--deploy-mode", "client", "pyspark-shell"])


def spark_home() -> Path:
    """The Spark to start: the environment's ``SPARK_HOME`` if it is of the same version, else the package's own.

    Raises:
        SurroundingsError: Python found another ``pyspark`` than the one that is installed with us.
    """
    import pyspark

    installed = next((package.version for package in distributions(name="pyspark")), "none")
    own = Path(pyspark.__file__).parent
    if pyspark.__version__ != installed:
        raise SurroundingsError(
            f"pyspark {pyspark.__version__} in {own} hides the {installed} that is installed; "
            f"{named('PYTHONPATH') or 'sys.path'} leads there: take it out"
        )
    home = Path(os.environ.get("SPARK_HOME") or own)
    same = any(home.glob(f"jars/spark-core_*-{pyspark.__version__}.jar")) and (home / "bin" / "spark-submit").is_file()
    return home if same else own


def need_local_dirs() -> None:
    """Raise SurroundingsError where Spark can write into none of the folders that ``SPARK_LOCAL_DIRS`` names."""
    folders = [Path(name.strip()) for name in os.environ.get("SPARK_LOCAL_DIRS", "").split(",") if name.strip()]
    errors = []
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryDirectory(dir=folder).cleanup()
            return
        except OSError as error:
            errors.append(f"{folder}: {error.strerror}")
    if errors:
        raise SurroundingsError(
            f"{named('SPARK_LOCAL_DIRS')}, and Spark cannot keep its files there ({'; '.join(errors)}): "
            "name a folder that you can write into, or unset it"
        )


def need_memory(name: str) -> str | None:
    """The size of memory in an environment variable, as Spark writes it; None where it is not set.

    Raises:
        ParameterError: It is no size.
    """
    value = os.environ.get(name)
    if value and not re.fullmatch(r"\d+[kmgt]b?", value.strip().lower()):
        raise ParameterError(f"{named(name)}: write a size such as 512m or 8g")
    return value or None
