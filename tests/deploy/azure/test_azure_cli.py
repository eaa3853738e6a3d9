"""The commands: what they print, what they refuse, and that a key is never shown."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from fake_azure import FakeAzure
from made_run import RECORDS, SETTINGS, make_run
from typer.testing import CliRunner, Result

from lifeboat.cli.app import app

KEY = "key-of-lifeboat-test"


class Shell:
    """Runs ``lifeboat azure`` with one parameter file."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.config = folder, folder / "azure.yaml"
        self.config.write_text(yaml.safe_dump({"deploy_target": "azure", "azure": SETTINGS}))
        self.printed = ""

    def __call__(self, command: str, *arguments: str, answer: str = "") -> Result:
        line = ["azure", command, *arguments, "--config", str(self.config)]
        result = CliRunner().invoke(app, line, input=answer)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        self.printed += result.output
        return result


@pytest.fixture
def shell(azure: FakeAzure, credential: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setattr("azure.identity.DefaultAzureCredential", lambda: credential)
    make_run(tmp_path / "run")
    return Shell(tmp_path)


def test_from_the_run_s_folder_to_an_answer_and_back(shell: Shell, azure: FakeAzure) -> None:
    deployed = shell("deploy", str(shell.folder / "run"), "--create")
    assert deployed.exit_code == 0, deployed.output
    uri = "https://lifeboat-test.westeurope.inference.ml.azure.com/score"
    assert f"scoring URI: {uri}\ncurl -H " in deployed.output
    assert "blue       100 %  Succeeded      1  made/" in shell("status").output
    body = shell.folder / "rows.json"
    body.write_text(json.dumps({"input_data": RECORDS}))
    assert shell("invoke", str(body)).output == '{"predictions": [1, 1, 0, 0, 0, 0]}\n'
    assert shell("invoke", str(body), "--deployment", "blue").exit_code == 0
    assert shell("delete", answer="n\n").exit_code == 1
    assert azure.endpoint("lifeboat-test") is not None
    assert shell("delete", "--yes").output == "endpoint lifeboat-test and its deployments (blue) are deleted\n"
    assert azure.endpoint("lifeboat-test") is None
    assert KEY not in shell.printed


def test_the_command_s_share_is_the_one_that_is_given_and_a_rollback_takes_it_back(
    shell: Shell, azure: FakeAzure
) -> None:
    shell("deploy", str(shell.folder / "run"), "--create")
    make_run(shell.folder / "other", threshold=0.6)
    deployed = shell("deploy", str(shell.folder / "other"), "--traffic", "30")
    assert "the traffic: blue 70 %, green 30 %" in deployed.output
    assert azure.traffic("lifeboat-test") == {"blue": 70, "green": 30}
    assert "has all the traffic again; before: blue 70 %, green 30 %" in shell("rollback").output
    assert azure.traffic("lifeboat-test") == {"blue": 100}


def test_an_answer_that_refuses_is_shown_as_it_came(shell: Shell, azure: FakeAzure) -> None:
    shell("deploy", str(shell.folder / "run"), "--create")
    body = shell.folder / "rows.json"
    body.write_text(json.dumps({"input_data": [{**RECORDS[0], "count": "many"}]}))
    refused = shell("invoke", str(body))
    assert refused.exit_code == 1
    assert "'many'" in refused.output.replace('\\"', '"')
    azure.fail("score", "malformed")
    assert "an answer that is none of the model's (<html>" in shell("invoke", str(body)).output
    body.write_text("{")
    assert "cannot be sent" in shell("invoke", str(body)).output
    assert shell("invoke", str(body)).exit_code == 1


def test_a_dry_run_prints_both_files_and_sends_nothing(shell: Shell, azure: FakeAzure) -> None:
    shown = shell("deploy", str(shell.folder / "run"), "--dry-run").output
    assert "# endpoint.yml" in shown
    assert "scoring_script: score.py" in shown
    assert "then 100 % of the traffic; nothing was sent" in shown
    shown = shell("deploy", str(shell.folder / "run"), "--dry-run", "--traffic", "10").output
    assert "; 6 rows with Spark's answers for the smoke test, then 10 % of the traffic; nothing was sent" in shown
    assert azure.requests == []


@pytest.mark.parametrize("share", ["-1", "101", "some"])
def test_a_share_that_is_no_percentage_is_refused_before_anything_is_read(
    shell: Shell, azure: FakeAzure, share: str
) -> None:
    refused = shell("deploy", "no such run", "--traffic", share)
    assert refused.exit_code == 2
    assert "Invalid value for '--traffic'" in refused.output
    assert azure.requests == []


def test_settings_that_are_missing_end_before_anything_is_sent(shell: Shell, azure: FakeAzure) -> None:
    shell.config.write_text(yaml.safe_dump({"azure": {"endpoint": "lifeboat-test"}}))
    for command in ("status", "rollback"):
        refused = shell(command)
        assert refused.exit_code == 2
        assert "3 settings will not do; nothing was sent" in refused.output
    assert azure.requests == []


def test_without_the_extra_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    make_run(tmp_path / "run")
    (tmp_path / "azure.yaml").write_text(yaml.safe_dump({"azure": SETTINGS}))
    bare = "import sys; sys.modules['azure.ai.ml'] = None; from lifeboat.cli.app import app; app(sys.argv[1:])"
    for command in (["deploy", str(tmp_path / "run"), "--dry-run"], ["status"]):
        line = [sys.executable, "-c", bare, "azure", *command, "--config", str(tmp_path / "azure.yaml")]
        result = subprocess.run(line, capture_output=True, text=True)
        assert result.returncode == 1
        assert result.stderr.startswith(
            "lifeboat: the commands for Azure need two more packages: pip install 'lifeboat[azure]'"
        )
        assert len(result.stderr.splitlines()) == 1
