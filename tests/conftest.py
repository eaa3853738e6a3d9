"""Fixtures for all tests: one real Spark session, and the Titanic's rows."""

from __future__ import annotations

import os
from collections.abc import Iterator

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # before anything imports mlflow

import pytest
from hypothesis import HealthCheck, settings
from pyspark.sql import SparkSession

from lifeboat import session

# every property draws the same on any machine, however busy: no chance, no memory of other runs, no clock
settings.register_profile(
    "lifeboat", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("lifeboat")


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """Spark on two cores of this machine, its web page off."""
    started = session.start("local[2]")
    yield started
    started.stop()


LONG = ("engines", "train_cv", "preprocess", "names", "passes", "jvm", "importance", "declared")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that two workers end at about the same time."""
    names = {f"test_{name}.py" for name in LONG}
    items.sort(key=lambda item: ("series" not in item.path.parts, item.path.name not in names))
