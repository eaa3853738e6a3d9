"""Variables of the environment that other programs set: what harms, and what Lifeboat passes over by itself."""

from __future__ import annotations

import glob
import os
import re
import shlex
import socket
import sys
import zipfile
from urllib.parse import urlsplit

from .folders import write_trouble
from .machine import working_java
from .memory import GB
from .setup import FAILED, FINE, JAVA_OPTIONS, REMARK, Note, Setup, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPBACK = ("127.0.0.1", "localhost")
HEAP = GB  # what Spark's Java has where nobody says otherwise
SIZES = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
HIDDEN = "***"
# Spark's launcher and its Python read them; Lifeboat says their own values to its own processes
PASSED_OVER = ("PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON", "SPARK_LOCAL_HOSTNAME", "SPARK_API_MODE", "SPARK_TESTING")


def check_variables(setup: Setup) -> list[Note]:
    """Each variable that harms, with its mend, and each that others would stumble over."""
    notes = [
        note
        for look in (_python, _java, _spark, _settings, _proxy, _stores)
        for note in look(setup)
    ]  # fmt: skip
    return notes or [Note(FINE, "none that would harm")]


def shown(name: str, setup: Setup) -> str:
    """A variable and its value, without what may be a password."""
    value = re.sub(r"(://[^/\s@]*:)[^/\s@]+(?=@)", rf"\1{HIDDEN}", setup.environment[name])
    secret = re.compile(r"((?:key|secret|token|password|sig)\w*[=\s:]\s*)[^\s'\"&;]+", re.IGNORECASE)
    hidden = secret.sub(rf"\g<1>{HIDDEN}", value)
    return f"{name}={hidden}"


def _python(setup: Setup) -> Iterator[Note]:
    if setup.environment.get("PYTHONHOME"):
        yield Note(FAILED, f"{shown('PYTHONHOME', setup)} leads every Python to another's library: `unset PYTHONHOME`.")
    known = {_module(name) for name in setup.inventory.get("modules", ())} | set(
        getattr(sys, "stdlib_module_names", ())
    )
    own = os.path.join(setup.root, "lib")
    for folder in filter(None, setup.environment.get("PYTHONPATH", "").split(os.pathsep)):
        if os.path.realpath(folder) == os.path.realpath(own):
            continue
        hidden = sorted(known & set(_modules(folder)) - {""})
        if hidden:
            names = ", ".join(hidden[:3]) + (f" and {len(hidden) - 3} more" if len(hidden) > 3 else "")
            mend = "take it out of PYTHONPATH, or `unset PYTHONPATH`"
            yield Note(FAILED, f"PYTHONPATH has {folder}, which hides {names} of Lifeboat's packages: {mend}.")


def _module(entry: str) -> str:
    name = entry.partition(".")[0]
    return name if name.isidentifier() and not entry.endswith((".pth", ".txt")) else ""


def _modules(path: str) -> list[str]:
    """What can be imported from a folder, or from a zip file as Spark has them."""
    try:
        if os.path.isfile(path):
            with zipfile.ZipFile(path) as file:
                return [name.partition("/")[0] for name in file.namelist() if name.count("/") == 1]
        entries = os.listdir(path)
    except (OSError, zipfile.BadZipFile):
        return []
    return [
        _module(entry)
        for entry in entries
        if entry.endswith(".py") or os.path.isfile(os.path.join(path, entry, "__init__.py"))
    ]


def _java(setup: Setup) -> Iterator[Note]:
    names = [name for name in JAVA_OPTIONS if setup.environment.get(name)]
    java = working_java(setup) if names else None
    for name in names if java else ():
        rest = {key: value for key, value in setup.environment.items() if key not in JAVA_OPTIONS or key == name}
        status, output, messages = run([str(java), "-version"], rest, 60)
        if status != 0:
            lines = [line for line in (output + messages).splitlines() if "Picked up" not in line]
            lines.sort(key=lambda line: line.startswith(("Error occurred during", "agent library failed")))
            yield Note(
                FAILED, f"no Java runs with {shown(name, setup)} ({(lines or ['no reason'])[0]}): `unset {name}`."
            )
    sizes = re.findall(r"-Xmx(\d+)([kmgt]?)", setup.environment.get("_JAVA_OPTIONS", ""), re.IGNORECASE)
    for number, unit in sizes[-1:]:  # the last counts, and before what Spark says
        if int(number) * SIZES.get(unit.lower(), 1) < HEAP:
            mend = "and Spark wants 1 GB: `unset _JAVA_OPTIONS`"
            yield Note(FAILED, f"{shown('_JAVA_OPTIONS', setup)} holds every Java to that heap, {mend}.")


def _spark(setup: Setup) -> Iterator[Note]:
    home = setup.environment.get("SPARK_HOME")
    own = setup.inventory.get("versions", {}).get("pyspark") or _locked("pyspark", setup)
    version = spark_version(home) if home else own
    if home and version != own:
        kind = f"Spark {version}" if version else "no Spark"
        mend = f"Lifeboat passes it over for its own, {own}. A plain `pyspark` would not: `unset SPARK_HOME` for that"
        yield Note(REMARK, f"{shown('SPARK_HOME', setup)} is {kind}: {mend}.")
    address = setup.environment.get("SPARK_LOCAL_IP")
    if address and not _own_address(address):
        mend = "Lifeboat takes 127.0.0.1 instead. A plain `pyspark` would not: `unset SPARK_LOCAL_IP` for that"
        yield Note(REMARK, f"{shown('SPARK_LOCAL_IP', setup)} is no address of this machine: {mend}.")
    try:
        shlex.split(setup.environment.get("PYSPARK_SUBMIT_ARGS", ""))
    except ValueError as error:
        mend = "`unset PYSPARK_SUBMIT_ARGS`"
        yield Note(FAILED, f"{shown('PYSPARK_SUBMIT_ARGS', setup)} cannot be read ({error}): {mend}.")
    folders = [name.strip() for name in setup.environment.get("SPARK_LOCAL_DIRS", "").split(",") if name.strip()]
    if folders and not any(map(_can_be_made, folders)):
        mend = "name a folder that you can write into, or `unset SPARK_LOCAL_DIRS`"
        yield Note(FAILED, f"{shown('SPARK_LOCAL_DIRS', setup)} cannot be written into: {mend}.")
    if others := [shown(name, setup) for name in PASSED_OVER if setup.environment.get(name)]:
        yield Note(REMARK, f"Lifeboat passes over {', '.join(others)}.")


def spark_version(home: str) -> str:
    """The version of the Spark in a folder; empty where there is none."""
    for jar in glob.glob(os.path.join(glob.escape(home), "jars", "spark-core_*.jar")):
        return os.path.basename(jar)[: -len(".jar")].rpartition("-")[2]
    try:
        with open(os.path.join(home, "RELEASE"), encoding="utf-8") as lines:
            return [*lines.readline().split(), "", ""][1]
    except OSError:
        return ""


def _locked(package: str, setup: Setup) -> str:
    try:
        with open(setup.lock, encoding="utf-8") as lines:
            versions = [line.split()[0] for line in lines if line.startswith(f"{package}==")]
    except OSError:
        return ""
    return versions[0].partition("==")[2] if versions else ""


def _own_address(host: str) -> bool:
    """Whether something can listen at an address or a name: whether it is this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, 0), family=family).close()
    except (OSError, UnicodeError):
        return False
    return True


def _can_be_made(folder: str) -> bool:
    """Whether Spark can write into a folder, or make it."""
    while not os.path.exists(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return not write_trouble(folder)


def _settings(setup: Setup) -> Iterator[Note]:
    """Lifeboat's own variables."""
    for name in ("LIFEBOAT_DRIVER_MEMORY", "LIFEBOAT_EXECUTOR_MEMORY"):
        value = setup.environment.get(name)
        if value and not re.fullmatch(r"\d+[kmgt]b?", value.strip().lower()):
            yield Note(FAILED, f"{shown(name, setup)} is no size: write one such as 512m or 8g, or `unset {name}`.")
    for name in ("SPARK_REMOTE", "LIFEBOAT_SPARK"):
        if setup.environment.get(name):
            yield Note(
                REMARK, f"{shown(name, setup)} says where Spark runs, for every notebook: `unset {name}` if not."
            )


def _proxy(setup: Setup) -> Iterator[Note]:
    """A program here that asks a server here would go by the proxy, and get its answer: curl, and many a Python's."""
    names = _proxies(setup)
    spared = setup.environment.get("no_proxy") or setup.environment.get("NO_PROXY") or ""
    hosts = {host.strip() for host in spared.split(",")}
    if not names or "*" in hosts or hosts.issuperset(LOOPBACK):
        return
    mend = "`export NO_PROXY=localhost,127.0.0.1,::1 no_proxy=localhost,127.0.0.1,::1`"
    if spared:
        mend = "add localhost,127.0.0.1,::1 to NO_PROXY and no_proxy"
    yield Note(
        FAILED,
        f"{shown(names[0], setup)} sends what is for this machine to the proxy too. Lifeboat itself does not ask it, "
        f"but `curl` does, and the served model seems not to answer: {mend}.",
    )


def _proxies(setup: Setup) -> list[str]:
    """The variables that name a proxy, the one for plain HTTP first."""
    wanted = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy", "HTTPS_PROXY")
    return [name for name in wanted if setup.environment.get(name)]


def _stores(setup: Setup) -> Iterator[Note]:
    """MLflow's variables: those that lead runs elsewhere."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        value = setup.environment.get(name)
        if value and (why := _unreachable(value, setup)):
            yield Note(FAILED, f"{shown(name, setup)} does not answer ({why}): start that server, or `unset {name}`.")
        elif value:
            yield Note(
                REMARK, f"{shown(name, setup)} takes runs and models, not this project: `unset {name}` if not meant."
            )
    for name in ("MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID", "MLFLOW_RUN_ID"):
        if setup.environment.get(name):
            yield Note(REMARK, f"{shown(name, setup)} names where runs go: `unset {name}` if that is not meant.")


def _unreachable(address: str, setup: Setup) -> str:
    """Why a server's address does not answer; empty where it does, or where only a proxy could tell."""
    try:
        url = urlsplit(address)
        port = url.port or {"http": 80, "https": 443}.get(url.scheme)
        if not url.hostname or not port or (_proxies(setup) and url.hostname not in LOOPBACK):
            return ""
        socket.create_connection((url.hostname, port), timeout=5).close()
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    return ""
