"""A copy of the project's notebooks with a store of its own, and one JVM that all kernels share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

HOLD_A_JVM = """
import os, sys
from lifeboat.jvm import WarmJvm
with WarmJvm():
    print(os.environ["PYSPARK_GATEWAY_PORT"], os.environ["PYSPARK_GATEWAY_SECRET"], flush=True)
    sys.stdin.read()
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def kernels() -> Iterator[dict[str, str]]:
    """The environment for notebooks' kernels: a JVM to share that is not the tests' own, and no telemetry."""
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYSPARK_", "LIFEBOAT_", "MLFLOW_", "AZURE_"))
    }
    env |= {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-c", HOLD_A_JVM]
    with subprocess.Popen(command, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        port, secret = holder.stdout.readline().split()
        yield env | {"PYSPARK_GATEWAY_PORT": port, "PYSPARK_GATEWAY_SECRET": secret}
        holder.stdin.close()


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the notebooks, the data and the parameter files, as a newcomer has them."""
    place = tmp_path_factory.mktemp("project")
    for folder in ("notebooks", "params", "data", "docs"):
        shutil.copytree(ROOT / folder, place / folder)
    return place


@pytest.fixture(scope="session")
def run(workspace: Path, kernels: dict[str, str]) -> Run:
    """Run a command of this environment in the workspace, or a folder of it; more environment by keywords."""

    def command(*words: str, folder: str = ".", **env: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", *words], cwd=workspace / folder, env=kernels | env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
        return done

    return command
