"""A project's folder with an MLflow store of its own, which nothing outside the tests or after them gets to see."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
import pytest


@contextmanager
def project(folder: Path) -> Iterator[Path]:
    """Make ``folder`` the project's root, with ``store.db`` in it as the store.

    MLflow notes in the environment where its store and its registry are; both, and the environment, are put back.
    """
    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri(), dict(os.environ)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIFEBOAT_HOME", str(folder))
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'store.db'}")
        patch.delenv("MLFLOW_REGISTRY_URI", raising=False)
        yield folder
    mlflow.set_tracking_uri(before[0])
    mlflow.set_registry_uri(before[1])
    for name in os.environ.keys() - before[2].keys():
        del os.environ[name]
