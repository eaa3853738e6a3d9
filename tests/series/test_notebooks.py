"""The committed outputs are what the notebooks compute, on any number of cores and under any hash seed."""

from __future__ import annotations

import csv
import json
import math
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import nbformat
import pyarrow.parquet as pq
import pytest
from series_answers import by_spark, in_file, over_http

from fresh import end_session
from lifeboat.deploy.registry import need_unchanged
from lifeboat.deploy.server.client import Server
from lifeboat.parameters.model import BESIDE
from lifeboat.run import STAGES
from lifeboat.run.folder import FILES, STANDS_FOR
from lifeboat.run.inputs import content_digest
from lifeboat.runner.series import DEMONSTRATION
from lifeboat.scoring.scorer import Scorer
from lifeboat.spark.jvm import WarmJvm
from lifeboat.teaching.catch_up import catch_up

ROOT = Path(__file__).parents[2]
NBVAL = ("pytest", "-q", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env", "--nbval-cell-timeout=300")


@pytest.fixture(scope="module")
def series(run, workspace: Path) -> Path:  # type: ignore[no-untyped-def]
    """The folder of all five, in order, on one core; what is committed was computed on all there were."""
    run(*NBVAL, *(f"notebooks/{stage}.ipynb" for stage in STAGES), LIFEBOAT_SPARK="local[1]", PYTHONHASHSEED="1")
    return workspace / "outputs" / "tutorial"


def read(place: Path) -> Any:
    return json.loads(place.read_text())


def alike(mine: Any, others: Any) -> bool:
    """Equal, but for a number's last bit: NumPy's logarithm rounds as the processor's own instructions do."""
    if isinstance(mine, dict):
        return mine.keys() == others.keys() and all(alike(mine[name], others[name]) for name in mine)
    if isinstance(mine, list):
        return len(mine) == len(others) and all(map(alike, mine, others))
    return mine == others or (isinstance(mine, float) and math.isclose(mine, others, rel_tol=sys.float_info.epsilon))


def test_the_committed_outputs_of_all_five_are_computed_again(series: Path) -> None:
    assert all((series / stage).is_dir() for stage in STAGES)
    assert not list(series.glob(".*")), "nothing half written is left"
    assert list(read(series / "04_evaluate/looks.json").values()) == [1], "the hold-out was looked at once"


def test_what_a_late_learner_gets_is_what_the_notebooks_leave(series: Path, tmp_path: Path) -> None:
    laid = tmp_path / "late"
    catch_up("05", laid, notebooks=series.parents[1] / "notebooks")
    names = [name for name, file in FILES.items() if file[:2] < "05" and name not in STANDS_FOR]
    assert {"train", "recipe", "out_of_fold", "holdout_predictions"} < {*names}
    for name in names:
        mine, others = laid / FILES[name], series / FILES[name]
        same = content_digest(mine) == content_digest(others)
        assert same or (name == "metrics" and alike(read(mine), read(others))), name
    for stage in STAGES[:-1]:
        assert read(laid / stage / "read.json") == read(series / stage / "read.json")


def test_every_unlabelled_passenger_has_a_prediction(series: Path) -> None:
    with (series / "05_deploy/predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["PassengerId", "Survived"]
    assert [int(row["PassengerId"]) for row in rows] == list(range(892, 1310))
    assert {row["Survived"] for row in rows} == {"0", "1"}


def test_the_portable_model_that_is_left_is_whole_and_is_the_registered_one(series: Path) -> None:
    deployed = read(series / "05_deploy/deployed.json")
    assert Scorer.load(series / "05_deploy/portable").digest == deployed["model"]
    assert deployed["alias"] == read(series / "04_evaluate/verdict.json")["alias"]


@pytest.mark.parametrize("spark", ["local[1]", "local[*]"])
def test_the_notebook_of_spark_s_words_shows_the_same_on_one_core_and_on_all(run, spark: str) -> None:  # type: ignore[no-untyped-def]
    run(*NBVAL, "notebooks/00_spark.ipynb", LIFEBOAT_SPARK=spark, PYTHONHASHSEED="1")


def test_the_sixth_runs_on_fewer_rows_and_its_checks_pass(series: Path, run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "out.ipynb"
    given = ("-y", "{rows: [1000, 2000, 4000]}", "-p", "run_dir", f"outputs/{series.name}", "-k", "python3")
    run("papermill", "notebooks/06_scale.ipynb", str(out), "--no-progress-bar", *given)
    printed = [text for cell in shown(out) for text in cell if isinstance(text, str)]
    one_limit = "pandas: ended, it took too much memory\nSpark: 600,000 different letters\n"
    assert one_limit in printed, "what one process has no room for, Spark counts in pieces"
    assert printed[-3:] == ["the executor is still there: False\nthe same forest: True\n",
                            "executors that are left: 0\n", "All checks passed.\n"]  # fmt: skip


def test_the_sentence_under_the_readme_s_figure_is_what_the_run_found(series: Path) -> None:
    sentence = 'the model beats the rule "women live, men die" in every metric, and in accuracy alone so few'
    assert sentence in (ROOT / "README.md").read_text()
    metrics = read(series / "04_evaluate/metrics.json")
    better = {
        name: metrics["model"][name]["value"] - metrics["rule by Sex"][name]["value"] for name in metrics["model"]
    }
    assert {name: (gain > 0) == (name not in ("brier", "log_loss")) for name, gain in better.items()} == dict.fromkeys(
        ("accuracy", "roc_auc", "pr_auc", "brier", "log_loss"), True
    )
    committed = nbformat.read(ROOT / "notebooks/04_evaluate.ipynb", as_version=4).cells
    (paired,) = [cell for cell in committed if "better = {m: evaluate.paired_difference" in cell.source]
    found = re.search(r"accuracy +([\d.]+) \((-?[\d.]+) to", paired.outputs[0].data["text/plain"])
    assert found
    assert float(found[2]) < 0 < float(found[1])


def test_the_champion_is_served_by_its_alias(series: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFEBOAT_HOME", str(series.parents[1]))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///outputs/mlflow.db")
    with Server("models:/tutorial@champion") as server:
        assert server.ask("/version")[1]["model"] == read(series / "05_deploy/deployed.json")["model"]
    deployed, verdict = read(series / "05_deploy/deployed.json"), read(series / "04_evaluate/verdict.json")
    before = verdict["compared_with"]
    assert before["champion"] != deployed["version"]
    need_unchanged(before, "", deployed["model"])  # a run that was killed at its very end knows its own champion


@pytest.mark.parametrize("engine", [[], ["--spark", "local[2]"]])
def test_the_file_that_was_trained_on_is_scored_as_spark_scores_its_rows(
    series: Path,
    run,  # type: ignore[no-untyped-def]
    tmp_path: Path,
    engine: list[str],
) -> None:
    source = ROOT / "data/titanic/titanic_train.csv"
    out = tmp_path / "scored.parquet"
    run("lifeboat", "score", str(series), str(source), str(out), *engine)
    keys = pq.read_table(out)["PassengerId"].to_pylist()
    assert in_file(out, keys) == by_spark(series, "PassengerId")


def test_the_lines_of_that_file_sent_over_http_are_answered_as_spark_scores_its_rows(series: Path) -> None:
    numbers = {"PassengerId": int, "Pclass": int, "SibSp": int, "Parch": int, "Age": float, "Fare": float}
    with (ROOT / "data/titanic/titanic_train.csv").open(newline="") as file:
        lines = {
            line["PassengerId"]: {name: numbers.get(name, str)(text) if text else "" for name, text in line.items()}
            for line in csv.DictReader(file)
        }
    expected = {key: found for key, (found, _) in by_spark(series, "PassengerId").items()}
    assert len(expected) == 891
    assert over_http(series, lines) == expected


def registered(store: Path) -> tuple[list[Any], list[Any]]:
    """The versions and the aliases in a store's registry."""
    with closing(sqlite3.connect(store)) as database:
        versions, aliases = (
            database.execute(f"select name, version{more} from {table} order by 1, 2").fetchall()
            for table, more in (("model_versions", ""), ("registered_model_aliases", ", alias"))
        )
    return versions, aliases


def test_where_the_portable_model_answers_otherwise_than_spark_no_alias_moves_and_no_version_is_made(
    series: Path, kernels: dict[str, str], jvm: WarmJvm
) -> None:
    broken = series.with_name("broken")
    for before in STAGES[:4]:
        shutil.copytree(series / before, broken / before)
    notebook = nbformat.read(ROOT / "notebooks/05_deploy.ipynb", as_version=4)
    notebook.cells = [cell for cell in notebook.cells if DEMONSTRATION not in cell.metadata.get("tags", [])]
    place = next(i for i, cell in enumerate(notebook.cells) if "export_model(model" in cell.source)
    otherwise = "model.stages[-1]._set(thresholds=[0.9, 0.1])  # Spark's model calls nearly all 1 from here on"
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(otherwise))
    project, store = series.parents[1], series.parents[1] / "outputs/mlflow.db"
    nbformat.write(notebook, project / "notebooks" / "broken.ipynb")
    before_it = registered(store)
    assert [alias for _, _, alias in before_it[1]] == ["champion", "reference"]
    command = [
        sys.executable,
        "-m",
        "papermill",
        "notebooks/broken.ipynb",
        str(broken / "05.ipynb"),
        "--no-progress-bar",
    ]
    options = ["-p", "run_dir", "outputs/broken", "-p", "registered_model", "tutorial", "-k", "python3"]
    done = subprocess.run([*command, *options], cwd=project, env=kernels, capture_output=True, text=True)
    end_session(jvm)  # the notebook died with its own open
    assert done.returncode
    assert "the portable model gives Spark's classes" in done.stderr
    assert registered(store) == before_it
    assert not (broken / "05_deploy").exists()


def shown(notebook: Path) -> list[Any]:
    """What each cell that was written shows, pictures left out."""
    cells = [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
    written = [cell for cell in cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    return [
        [output.get("text") or {k: v for k, v in output.data.items() if k != "image/png"} for output in cell.outputs]
        for cell in written
    ]


def test_plain_papermill_in_another_folder_on_a_cluster_and_under_another_hash_seed_gives_the_same_files_and_outputs(
    series: Path,
    run,  # type: ignore[no-untyped-def]
    workspace: Path,
    tmp_path: Path,
) -> None:
    plain, stage = series.with_name("plain"), "04_evaluate"
    for before in STAGES[: STAGES.index(stage)]:
        shutil.copytree(series / before, plain / before)
    run(
        *("papermill", f"../notebooks/{stage}.ipynb", str(tmp_path / "out.ipynb"), "-f", "../params/titanic.yaml"),
        *("-p", "run_dir", f"outputs/{plain.name}", "-p", "registered_model", series.name),
        *("-k", "python3", "--no-progress-bar"),
        folder="data",
        LIFEBOAT_SPARK="local-cluster[2,1,1024]",
        PYTHONHASHSEED="2",
        MLFLOW_TRACKING_URI="sqlite:///outputs/empty.db",  # as before: there was no champion yet
    )
    assert not list(workspace.rglob("empty.db")), "to find no champion, no store is made, here or there"
    assert sorted(place.name for place in (workspace / "data").iterdir()) == sorted(os.listdir(ROOT / "data"))
    for file in sorted((series / stage).glob("*.json")):
        if file.name == "digests.json":  # beside each stands when its files were written
            found, expected = (
                {n: noted["digest"] for n, noted in read(f).items()} for f in (plain / stage / file.name, file)
            )
            assert found == expected
        else:
            assert read(plain / stage / file.name) == read(file), file.name
    executed = shown(tmp_path / "out.ipynb")
    started = [cell for cell in executed if cell and str(cell[0]).startswith("Spark runs on")]
    line = (
        "Spark runs on 'local-cluster[2,1,1024]', as LIFEBOAT_SPARK in the environment says; here stands 'local[*]'.\n"
    )
    assert started == [[line]], "where Spark runs is said, as it is not what the cell says"
    assert [[] if cell in started else cell for cell in executed] == shown(ROOT / "notebooks" / f"{stage}.ipynb")


@pytest.mark.parametrize("stage", [*STAGES, *BESIDE])
def test_a_committed_notebook_is_whole_and_fit_to_read(stage: str) -> None:
    notebook = nbformat.read(ROOT / "notebooks" / f"{stage}.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1)), "run from top to bottom, once"
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"], "no warning is left for a reader"
    parameters = [cell for cell in code if "parameters" in cell.metadata.get("tags", [])]
    assert len(parameters) == 1
    assert all(len(cell.source.splitlines()) <= 11 for cell in code if cell not in parameters), "ten, and a blank one"
    pictures = [cell for cell in code if any("image/png" in output.get("data", {}) for output in cell.outputs)]
    assert all(cell.metadata.get("alt") for cell in pictures), "every figure has a text for those who cannot see it"
    shown = "".join(cell.source + str(cell.get("outputs", "")) for cell in code)
    assert not re.search(r"(Survived|\{label\}) = [01]", shown), "classes are called by their names"
    words = {
        kind: sum(len(c.source.split()) for c in notebook.cells if c.cell_type == kind) for kind in ("markdown", "code")
    }
    assert words["markdown"] >= words["code"]
