"""Libraries are imported without their optional parts, which stay to be imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lifeboat.runner.without import without


def test_a_module_is_as_if_it_were_not_installed_and_afterwards_as_it_was() -> None:
    sys.modules.pop("this", None)
    with without("this", "json"):
        with pytest.raises(ImportError, match="this"):
            __import__("this")
        assert __import__("json").loads("1") == 1, "what is imported already stays"
    assert "this" not in sys.modules
    assert __import__("json").loads("2") == 2


@pytest.mark.parametrize(
    ("imports", "needless"),
    [
        (
            "lifeboat.load, lifeboat.plots.load, lifeboat.plots.train_cv",
            {"sklearn", "scipy.stats", "mlflow", "nbformat"},
        ),
        ("lifeboat.runner.execute, lifeboat.runner.report", {"rfc3987_syntax", "azure.storage.blob", "sklearn"}),
    ],
    ids=["notebook 1", "the runner"],
)
def test_what_takes_a_second_to_import_is_not_imported_before_it_is_used(imports: str, needless: set[str]) -> None:
    code = f"import {imports}, sys; print(*sorted({needless!r} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert told.stdout.split() == []
