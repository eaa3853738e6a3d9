"""A copy of the project's notebooks with a store of its own, and kernels that share the tests' own JVM."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lifeboat.spark.jvm import WarmJvm

ROOT = Path(__file__).parents[2]

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def kernels(jvm: WarmJvm) -> dict[str, str]:
    """The environment for notebooks' kernels: the JVM that is warm, and no telemetry."""
    gateway = {name: value for name, value in os.environ.items() if name.startswith("PYSPARK_GATEWAY")}
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYSPARK_", "LIFEBOAT_", "MLFLOW_", "AZURE_"))
    }
    return env | gateway | {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONHASHSEED": "0"}


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
