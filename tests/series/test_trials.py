"""Tables of the kinds that people have, from the file to its answers; all of them by `make trials`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "trials"))

from tables import TABLES
from trial import fault, project_in

from fresh import end_session
from lifeboat.spark.jvm import WarmJvm

FOUR = ("much at once", "a title above", "split by days as texts", "a header that is not UTF-8")


@pytest.mark.parametrize("name", FOUR)
def test_a_table_is_described_run_and_scored_in_full_or_refused_with_its_sentence(
    name: str, kernels: dict[str, str], jvm: WarmJvm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in kernels.items():
        monkeypatch.setenv(variable, value)
    if name == "much at once":  # by Spark Connect; SPARK_TESTING: its server takes any free port
        monkeypatch.setenv("SPARK_REMOTE", "local[1]")
        monkeypatch.setenv("SPARK_TESTING", "yes")
    project = project_in(tmp_path / "project")
    found = fault(TABLES[name], project)
    end_session(jvm)  # a Connect server outlives its session
    assert found == ""
    if name == "much at once":
        assert json.loads((project / "outputs/trial/05_deploy/deployed.json").read_text())["refit"] == "all"
