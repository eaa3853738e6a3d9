"""`lifeboat new` on a data set that nobody has written a file for, and `lifeboat run` on what it wrote."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from sklearn.datasets import load_iris  # type: ignore[import-untyped, unused-ignore]

from lifeboat.runfolder import STAGES


def test_a_file_that_new_wrote_runs_from_rows_to_a_registered_model(run, workspace: Path) -> None:  # type: ignore[no-untyped-def]
    load_iris(as_frame=True).frame.to_csv(workspace / "data" / "iris.csv", index=False)
    run("lifeboat", "new", "data/iris.csv", "--label", "target")
    quick = ("grid={numTrees: [5]}", "num_folds=2", "resamples=50", "spark=local[2]")
    run("lifeboat", "run", "params/iris.yaml", *(word for setting in quick for word in ("-p", setting)))
    outputs = workspace / "outputs" / "iris"
    assert [place.stem for place in sorted(outputs.glob("*.ipynb"))] == list(STAGES)
    rows = json.loads((outputs / "01_load/summary.json").read_text())["rows"]
    assert rows["train"] + rows["holdout"] == 150
    metrics = json.loads((outputs / "04_evaluate/metrics.json").read_text())
    assert metrics["model"]["roc_auc"]["value"] > 0.9
    deployed = json.loads((outputs / "05_deploy/deployed.json").read_text())
    assert (deployed["name"], deployed["version"]) == ("iris", 1)
    with (outputs / "05_deploy/predictions.csv").open(newline="") as file:
        predicted = list(csv.DictReader(file))
    assert list(predicted[0]) == ["row_id", "target_is_2"]
    assert {row["target_is_2"] for row in predicted} == {"0", "1"}
