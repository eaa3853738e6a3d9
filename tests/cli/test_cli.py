from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from lifeboat.cli.app import app
from lifeboat.cli.models import find_run, portable_folder, spark_model
from lifeboat.cli.plainly import plain_errors
from lifeboat.errors import DataError, StageOrderError
from lifeboat.parameters import titanic
from lifeboat.run import STAGES
from lifeboat.run.lock import in_use_here

Write = Callable[..., Path]
WRITE_JSON = """from lifeboat.run import Run
def leave(stage, **contents):
    run = Run(run_dir)
    out = run.begin(stage)
    run.write(**contents)
    run.commit(out)"""
METRICS = {
    "model": {
        "accuracy": {"value": 0.82, "low": 0.76, "high": 0.88},
        "log_loss": {"value": 0.4, "low": 0.3, "high": 0.5},
    },
    "rule by Sex": {"accuracy": {"value": 0.79, "low": 0.72, "high": 0.85}, "log_loss": None},
}
RULE = {"rule": {"metric": "log_loss"}}
VERDICT = {"sentence": "Promote it.", "promote": False, "compared_with": None, "details": RULE}
LEAVE = {
    "04_evaluate": f'leave("04_evaluate", metrics={METRICS!r}, verdict={VERDICT!r})',
    "05_deploy": 'leave("05_deploy", deployed={"name": "titanic", "version": 3, "alias": "champion"})',
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_notebook: Write) -> Path:
    """A project with five small notebooks that use no Spark."""
    monkeypatch.setenv("LIFEBOAT_HOME", str(tmp_path))
    monkeypatch.setenv("SPARK_REMOTE", "sc://nowhere")
    monkeypatch.chdir(tmp_path)
    for stage in STAGES:
        parameters = 'run_dir: str = "outputs/tutorial"\nseed: int = 1  # any'
        write_notebook(tmp_path / "notebooks" / f"{stage}.ipynb", parameters, WRITE_JSON, LEAVE.get(stage, "1 // seed"))
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "small.yaml").write_text("seed: 7\n")
    for path in (titanic.LABELLED, titanic.UNLABELLED):  # no notebook here reads them, but each run looks for its files
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("PassengerId\n")
    return tmp_path


def lifeboat(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_a_run_ends_with_how_good_the_model_is_where_it_is_and_how_to_serve_it(home: Path) -> None:
    ran = lifeboat("run", "params/small.yaml")
    assert ran.exit_code == 0, ran.output
    lines = ran.stdout.splitlines()
    assert lines[0].startswith("outputs/small: 5 notebooks in ")
    assert lines[1:8] == [
        "",
        "On held-out rows  model                     rule by Sex",
        "  accuracy        0.820 (0.760 to 0.880)    0.790 (0.720 to 0.850)",
        "  log_loss        0.400 (0.300 to 0.500)    -",
        "",
        "Verdict  Promote it.",
        "Model    titanic version 3, alias champion",
    ]
    assert lines[8].startswith("Time     01_load ")
    assert "make serve" in lines[9]
    assert "make mlflow" in lines[10]
    assert lines[11] == "Report   outputs/small/report.html (one file to send round)"
    assert lines[12].startswith("Read     outputs/small/01_load.ipynb, 02_preprocess.ipynb")
    assert json.loads((home / "outputs" / "small" / "run.json").read_text())["parameters"]["seed"] == 7
    assert re.search(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00  05_deploy      done ", ran.stderr, re.MULTILINE)
    again = lifeboat("run", "params/small.yaml", "--require-promotion")
    assert again.stdout.startswith("All is up to date; --force runs it anew.\noutputs/small: 5 notebooks in ")
    assert again.exit_code == 3, "the verdict does not make it champion"
    listed = lifeboat("runs").stdout
    assert "log_loss 0.400 (0.300 to 0.500)" in listed
    assert "titanic 3, champion" in listed
    with in_use_here(home / "outputs/small"):
        assert lifeboat("runs", "--prune", "--yes").stdout == "small stays: it is served\n"
    assert lifeboat("verify", "small").exit_code == 0
    (home / "outputs/small/05_deploy/deployed.json").write_text("{}")
    altered = lifeboat("verify", "small")
    assert (altered.exit_code, altered.stderr.splitlines()[1]) == (1, "  05_deploy/deployed.json was altered")
    assert "05: 05_deploy/deployed.json was altered" in lifeboat("runs", "small").stdout
    asked = lifeboat("runs", "--prune")
    assert asked.exit_code != 0, "nobody answered"
    assert "Remove 1 runs" in asked.output
    assert (home / "outputs/small").is_dir()
    lifeboat("runs", "--prune", "--yes")
    assert not (home / "outputs/small").exists()


def test_a_run_can_be_named(home: Path) -> None:
    ran = lifeboat("run", "params/small.yaml", "--name", "other", "-p", "seed=8")
    assert ran.exit_code == 0, ran.output
    assert json.loads((home / "outputs" / "other" / "run.json").read_text())["parameters"]["seed"] == 8


def test_a_wrong_parameter_ends_in_plain_words_before_anything_is_there(home: Path) -> None:
    ran = lifeboat("run", "params/small.yaml", "-p", "sed=8")
    assert ran.exit_code == 2
    assert ran.stdout == ""
    assert ran.stderr.startswith(
        "lifeboat: a parameter will not do; nothing was started\n"
        "  -p sed=8: unknown parameter 'sed': did you mean 'seed'? Known: azure, "
    )
    assert not (home / "outputs").exists()


def test_a_failing_notebook_ends_the_command_with_what_to_open(home: Path) -> None:
    ran = lifeboat("run", "params/small.yaml", "-p", "seed=0")
    assert ran.exit_code == 1
    assert ran.stdout == ""
    assert "lifeboat: 01_load stopped at cell [4]: 1 // seed\n  ZeroDivisionError" in ran.stderr
    assert "01_load.ipynb to see it where it happened." in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_program_reads_what_happens_as_json_and_a_quiet_run_says_nothing(home: Path) -> None:
    ran = lifeboat("run", "params/small.yaml", "--until", "01", "--json")
    assert (ran.exit_code, ran.stderr) == (0, "")
    events = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [event["event"] for event in events] == [
        "run",
        "notebook",
        "cells",
        *["cell"] * 4,
        "notebook",
        *["notebook"] * 4,
        "end",
    ]
    assert events[1]["reasons"] == ["it has not run yet"]
    assert [(event["notebook"], event["state"]) for event in events if event["event"] == "notebook"][:2] == [
        ("01_load", "running"), ("01_load", "done"),
    ]  # fmt: skip
    assert all(re.fullmatch(r"\d{4}-.*\+00:00", event["time"]) for event in events)
    log = (home / "outputs/small/log.txt").read_text()
    assert re.search(r"  01_load        starts       it has not run yet\n.*  01_load        done ", log)
    quiet = lifeboat("run", "params/small.yaml", "--until", "01", "--quiet")
    assert (quiet.exit_code, quiet.output) == (0, "")


def test_a_time_limit_ends_the_run_with_a_status_of_its_own_and_who_is_named_is_told(home: Path) -> None:
    notebook = home / "notebooks/01_load.ipynb"
    notebook.write_text(notebook.read_text().replace("1 // seed", "import threading; threading.Event().wait()"))
    told = f'{sys.executable} -c \'import sys; open("told", "w").write(chr(10).join(sys.argv[1:]))\''
    ran = lifeboat("run", "params/small.yaml", "--timeout", "cell=2s", "--timeout", "1h", "--on-failure", told)
    assert ran.exit_code == 5
    cell = "01_load stopped at cell number 4: import threading; threading.Event().wait()"
    message = f"{cell}\n  a cell may take 2 s (--timeout)"
    assert message in ran.stderr
    assert (home / "told").read_text().startswith(f"small\n{message}")
    assert "What went wrong" in (home / "outputs/small/report.html").read_text()


@pytest.mark.parametrize("limit", ["2", "2d", "cells=2s", "0s", "cell="])
def test_a_limit_that_is_none_is_told(home: Path, limit: str) -> None:
    ran = lifeboat("run", "params/small.yaml", "--timeout", limit)
    assert ran.exit_code == 2
    assert f"--timeout is {limit!r}; write how long the run may take, such as 45m or 2h" in ran.stderr


def test_serving_without_a_run_says_how_to_make_one(home: Path) -> None:
    ran = lifeboat("serve")
    assert ran.exit_code == 1
    assert "no finished run" in ran.stderr
    assert "`make run`" in ran.stderr


def test_the_options_of_a_server_are_listed_and_a_wrong_one_is_refused(home: Path) -> None:
    ran = lifeboat("serve", "--help")
    assert ran.exit_code == 0
    for option in ("--host", "--port", "--workers", "--queue", "--max-rows", "--no-auth", "--watch", "--rollback"):
        assert option in ran.stdout
    assert "LIFEBOAT_TOKEN" in ran.stdout
    for wrong in (["--prot", "1"], ["--port", "65536"], ["--workers", "0"], ["--max-rows", "many"]):
        assert lifeboat("serve", *wrong).exit_code == 2
    ran = lifeboat("serve", "titanic", "--rollback")
    assert (ran.exit_code, "--rollback takes models:/NAME@ALIAS" in ran.stderr) == (2, True)


def test_a_run_is_found_by_name_or_folder_and_a_wrong_name_lists_those_there_are(home: Path) -> None:
    run_dir = home / "outputs" / "mine"
    run_dir.mkdir(parents=True)
    (run_dir / "run.json").write_text("{}")
    assert find_run("mine") == run_dir
    assert find_run(str(run_dir)) == run_dir
    with pytest.raises(DataError, match=r"no run 'yours' .*there are: mine"):
        find_run("yours")


def test_the_portable_model_of_a_run_or_of_a_folder_is_found(home: Path) -> None:
    portable = home / "outputs" / "mine" / "05_deploy" / "portable"
    portable.mkdir(parents=True)
    with pytest.raises(DataError, match="there is no portable model in"):
        portable_folder("mine")
    (portable / "manifest.json").write_text("{}")
    assert portable_folder("mine") == portable
    assert portable_folder("") == portable
    assert portable_folder(str(portable)) == portable


def test_the_spark_model_is_the_deployed_one_else_that_of_03(home: Path) -> None:
    run_dir = home / "outputs" / "mine"
    with pytest.raises(StageOrderError):
        spark_model(run_dir)
    (run_dir / "03_train_cv" / "model").mkdir(parents=True)
    assert spark_model(run_dir) == run_dir / "03_train_cv" / "model"
    (run_dir / "05_deploy" / "spark_model" / "sparkml").mkdir(parents=True)
    assert spark_model(run_dir) == run_dir / "05_deploy" / "spark_model" / "sparkml"


def test_an_address_that_mlflow_does_not_know_is_told_plainly(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    command = [str(Path(sys.executable).with_name("lifeboat")), "serve", "models:/nobody@champion"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "lifeboat: MLflow has no models:/nobody@champion" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_command_that_is_interrupted_says_so_and_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught, plain_errors():
        raise KeyboardInterrupt
    assert (caught.value.exit_code, capsys.readouterr().err) == (130, "lifeboat: interrupted\n")


def test_help_waits_for_nothing_heavy() -> None:
    code = "import sys, lifeboat.cli; print({'pyspark', 'mlflow', 'papermill', 'pandas', 'numpy'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "set()\n"
