"""Another data set by its parameter file alone: some of New York's flights through the notebooks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from series_answers import by_spark, in_file, over_http
from titanic_words import TITANIC

from lifeboat.run import STAGES
from lifeboat.sampling import FOLD

SMALL = {
    "grid": "{maxDepth: [2]}",
    "estimator_params": "{maxBins: 128, maxIter: 2, subsamplingRate: 0.7}",
    "num_folds": "2",
    "resamples": "20",
    "leak_column": "''",
    "compare": "[origin]",
    "groups": "[origin]",
    "impute": "{temp: mean by month, plane_age: mean by carrier}",
    "numeric": "[weekday, minute_of_day, distance, temp, plane_age]",
    "together": "[]",
}


@pytest.fixture(scope="module")
def flights(run, workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # type: ignore[no-untyped-def]
    """The folder of a run on every 168th flight: some 2,000, from all through the year."""
    table = pq.read_table(workspace / "data/flights/flights.parquet")
    sample = tmp_path_factory.mktemp("flights") / "some.parquet"
    pq.write_table(table.take(list(range(0, table.num_rows, 168))), sample)
    given = {"labelled_path": str(sample)} | SMALL
    store = f"sqlite:///{sample.with_name('mlflow.db')}"
    options = [word for name, value in given.items() for word in ("-p", f"{name}={value}")]
    run("lifeboat", "run", "params/flights.yaml", "params/azure.yaml", "--lean", *options, MLFLOW_TRACKING_URI=store)
    return workspace / "outputs" / "flights"


def test_all_notebooks_run_and_say_on_top_that_they_were_written_about_other_rows_and_are_shortened(
    flights: Path,
) -> None:
    for stage in STAGES:
        first = nbformat.read(flights / f"{stage}.ipynb", as_version=4).cells[0]
        assert "Another data set" in first.source, stage
        assert "**Lean.**" in first.source, stage


def test_the_run_leaves_five_executed_notebooks_and_says_so(flights: Path) -> None:
    assert [notebook.stem for notebook in sorted(flights.glob("*.ipynb"))] == list(STAGES)
    record = json.loads((flights / "run.json").read_text())
    assert {stage["state"] for stage in record["stages"]} == {"done"}
    assert {Path(path).name for path in record["inputs"]} == {"some.parquet", "weather.csv", "planes.csv"}


def test_the_parameters_that_were_given_reached_the_notebooks(flights: Path) -> None:
    assert json.loads((flights / "03_train_cv/scores.json").read_text())["parameters"]["num_folds"] == 2


def test_with_a_second_parameter_file_the_fifth_shows_what_would_be_sent_to_azure(flights: Path) -> None:
    cells = nbformat.read(flights / "05_deploy.ipynb", as_version=4).cells
    (shown,) = [out.text for cell in cells if "dry_run(run" in cell.source for out in cell.outputs]
    assert "# endpoint.yml" in shown
    assert "  name: flights\n" in shown
    assert "nothing was sent\n# to send it, still missing: subscription_id" in shown
    assert {"endpoint.yml", "code", "model"} <= {place.name for place in (flights / "azure").iterdir()}


def test_every_hold_out_flight_is_later_than_every_training_flight(flights: Path) -> None:
    times = {part: pq.read_table(flights / "01_load" / part)["time_hour"] for part in ("train", "holdout")}
    assert pc.max(times["train"]).as_py() < pc.min(times["holdout"]).as_py()
    noted = json.loads((flights / "01_load/summary.json").read_text())
    assert noted["holdout_from"] == pc.min(times["holdout"]).as_py()


def test_cancelled_flights_are_kept_aside_with_the_reason(flights: Path) -> None:
    rejected = pq.read_table(flights / "01_load/rejected").to_pylist()
    assert rejected
    assert {tuple(row["lifeboat:reasons"]) for row in rejected} == {("late: missing",)}
    assert all(row["arr_delay"] is None for row in rejected)


def test_weather_and_planes_stand_beside_the_flights_and_nothing_that_is_known_too_late(flights: Path) -> None:
    train = pq.read_table(flights / "01_load/train")
    assert pc.count(train["temp"]).as_py() > 0.95 * train.num_rows
    assert 0.7 * train.num_rows < pc.count(train["plane_age"]).as_py() < train.num_rows
    assert not {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"} & set(train.column_names)


def test_flights_of_one_day_are_held_out_together_and_drawn_together(flights: Path) -> None:
    days = {part: set(pq.read_table(flights / "01_load" / part)["date"].to_pylist()) for part in ("train", "holdout")}
    assert not days["train"] & days["holdout"]
    verdict = json.loads((flights / "04_evaluate/verdict.json").read_text())
    assert verdict["details"]["groups"] == len(days["holdout"]) < verdict["details"]["rows"]


def test_flights_of_one_day_are_judged_together(flights: Path) -> None:
    judged = pq.read_table(flights / "03_train_cv/out_of_fold", columns=["flight_id", FOLD]).to_pylist()
    folds: dict[str, set[int]] = {}
    for row in judged:
        folds.setdefault(row["flight_id"][:10], set()).add(row[FOLD])
    assert {len(found) for found in folds.values()} == {1}
    assert {fold for found in folds.values() for fold in found} == {0, 1}


def test_the_file_that_was_trained_on_is_completed_and_scored_as_spark_scores_its_rows(
    flights: Path,
    run,  # type: ignore[no-untyped-def]
    workspace: Path,
    tmp_path: Path,
) -> None:
    source = next(Path(path) for path in json.loads((flights / "run.json").read_text())["inputs"] if "some" in path)
    out = tmp_path / "scored.parquet"
    weather = workspace / "data/flights/weather.csv"
    as_trained = weather.read_bytes()
    weather.write_bytes(as_trained + as_trained.splitlines()[1].replace(b"2013", b"1913") + b"\n")
    said = run("lifeboat", "score", str(flights), str(source), str(out)).stderr
    weather.write_bytes(as_trained)
    assert "data/flights/weather.csv has changed since the model was trained: what it holds now is used" in said
    rows = pq.read_table(out, columns=["time_hour", "carrier", "flight", "origin"]).to_pylist()
    scored, expected = (
        in_file(out, [" ".join(map(str, row.values())) for row in rows]),
        by_spark(flights, "flight_id"),
    )
    assert len(expected) > 1500
    assert {key: scored[key][0] for key in expected} == {key: found[0] for key, found in expected.items()}
    assert max(abs(scored[key][1] - found[1]) for key, found in expected.items()) <= 1e-12  # boosted trees


def test_a_joined_table_that_is_gone_is_named_and_nothing_is_scored(
    flights: Path, kernels: dict[str, str], workspace: Path, tmp_path: Path
) -> None:
    source = next(path for path in json.loads((flights / "run.json").read_text())["inputs"] if "some" in path)
    planes = workspace / "data/flights/planes.csv"
    planes.rename(planes.with_name("aside"))
    command = [sys.executable, "-m", "lifeboat", "score", str(flights), source, str(tmp_path / "out.parquet")]
    done = subprocess.run(command, cwd=workspace, env=kernels, capture_output=True, text=True)
    planes.with_name("aside").rename(planes)
    assert done.returncode == 1
    assert "data/flights/planes.csv" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_server_which_joins_nothing_is_sent_the_completed_rows_and_answers_as_spark(flights: Path) -> None:
    manifest = json.loads((flights / "05_deploy/portable/manifest.json").read_text())
    wanted = [column["name"] for column in manifest["signature"]["inputs"]]
    parts = [pq.read_table(flights / "01_load" / part) for part in ("train", "holdout")]
    rows = pa.concat_tables(parts).select(["flight_id", *wanted]).to_pylist()
    sent = {row.pop("flight_id"): row for row in rows}
    assert over_http(flights, sent) == {key: found for key, (found, _) in by_spark(flights, "flight_id").items()}


@pytest.mark.parametrize("stage", STAGES)
def test_no_line_of_the_titanics_code_ran_and_no_word_of_it_is_printed_or_drawn_or_said(
    flights: Path, stage: str
) -> None:
    prose = [
        cell
        for cell in nbformat.read(flights / f"{stage}.ipynb", as_version=4).cells[1:]
        if cell.cell_type == "markdown"
    ]
    assert [TITANIC.findall(cell.source) for cell in prose if TITANIC.search(cell.source)] == []
    code = [cell for cell in nbformat.read(flights / f"{stage}.ipynb", as_version=4).cells if cell.cell_type == "code"]
    for cell in code:
        shown = [cell.metadata.get("alt", "")]
        shown += [str(output.get("text") or output.get("data", {}).get("text/plain")) for output in cell.outputs]
        if not {"parameters", "injected-parameters"} & set(cell.metadata.get("tags", [])):
            shown.append(cell.source)  # what a figure is labelled with stands here or in the parameters
        assert TITANIC.findall("\n".join(shown)) == [], cell.source
