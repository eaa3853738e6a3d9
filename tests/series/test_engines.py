"""The same numbers on any Spark: fold scores, metrics and the portable model's bytes, a worker killed or not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from engine_work import FIRST_ALONE, WORK

from fresh import end_session
from lifeboat.spark.jvm import WarmJvm

LOCAL = ("local[1]", "local[2]", "local[4]")
TWO_WORKERS = "local-cluster[2,1,1024]"


def work(kernels: dict[str, str], *arguments: str, **variables: str) -> list[dict[str, Any]]:
    """Do the work in a process of its own, as one process has one Spark."""
    command = [sys.executable, str(Path(__file__).with_name("engine_work.py")), *arguments]
    done = subprocess.run(command, env=kernels | variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


@pytest.fixture(scope="module")
def results(kernels: dict[str, str], jvm: WarmJvm) -> dict[str, dict[str, Any]]:
    """Engine -> estimator -> what came out; on two cores and where an executor was killed, the forest's alone."""
    classic = work(kernels, *LOCAL, TWO_WORKERS, "--kill", str(jvm._gateway.proc.pid))
    # SPARK_TESTING: a Connect server takes any free port
    (connect,) = work(kernels, "wherever SPARK_REMOTE says", SPARK_REMOTE="local[2]", SPARK_TESTING="yes")
    end_session(jvm)
    return dict(zip([*LOCAL, "two workers", "one killed"], classic, strict=True)) | {"Connect": connect}


@pytest.mark.parametrize("estimator", WORK)
def test_scores_metrics_and_the_portable_model_s_bytes_are_the_same_on_every_engine(
    results: dict[str, dict[str, Any]], estimator: str
) -> None:
    engines = [engine for engine in (*LOCAL, "two workers", "Connect") if estimator in results[engine]]
    assert [engine for engine in LOCAL if engine not in engines] == [*FIRST_ALONE] * (estimator != "random_forest")
    found = {engine: results[engine][estimator] for engine in engines}
    assert found == dict.fromkeys(found, found["local[1]"])


def test_with_an_executor_killed_amid_cross_validation_the_numbers_are_the_same(
    results: dict[str, dict[str, Any]],
) -> None:
    assert results["one killed"] == {"random_forest": results["local[1]"]["random_forest"]}


def test_the_rows_tell_folds_and_estimators_apart(results: dict[str, dict[str, Any]]) -> None:
    ((first, second),) = results["local[1]"]["random_forest"]["scores"]
    assert first != second
    assert len({found["files"]["model.onnx"] for found in results["local[1]"].values()}) == len(WORK)
