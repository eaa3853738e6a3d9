"""The settings: all that is wrong is said at once, the environment wins, and no secret is taken from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_state import SUBSCRIPTION
from made_run import SETTINGS

from lifeboat.cli.azure import read_file
from lifeboat.errors import ParameterError
from lifeboat.parameters.azure import AzureSettings
from lifeboat.parameters.rules import azure_errors


def refusal(values: dict[str, Any], environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ParameterError) as caught:
        AzureSettings.read(values, environ or {})
    return str(caught.value)


def test_everything_that_is_missing_is_named_at_once_with_where_to_write_it() -> None:
    text = refusal({"subscription_id": "", "workspace": None})
    assert "4 settings will not do; nothing was sent" in text
    assert "azure.subscription_id is missing: write a GUID, such as 0" in text
    assert (
        "resource_group is missing: write letters, digits and . _ - ( ), at most 90, or set AZURE_RESOURCE_GROUP"
        in text
    )
    assert "workspace is missing" in text
    assert "azure.endpoint is missing: write 3 to 32 letters" in text


def test_what_the_environment_says_wins_over_the_file() -> None:
    environ = {"AZURE_SUBSCRIPTION_ID": "0" * 8 + "-0000" * 3 + "-" + "0" * 12, "AZURE_ML_WORKSPACE": "other"}
    settings = AzureSettings.read(SETTINGS, environ)
    assert (settings.subscription_id, settings.workspace) == (environ["AZURE_SUBSCRIPTION_ID"], "other")
    assert AzureSettings.read(SETTINGS, {}).subscription_id == SUBSCRIPTION


@pytest.mark.parametrize("name", ["client_secret", "api_key", "password", "sas_token", "connection_string"])
def test_a_secret_in_the_file_is_refused_and_never_repeated(name: str) -> None:
    message = refusal({**SETTINGS, name: "hunter2", "workspac": "x"})
    assert f"{name}: a secret has no place in a parameter file" in message
    assert "unknown part of azure 'workspac': did you mean 'workspace'?" in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("subscription_id", "7", "write a GUID"),
        ("endpoint", "1st", "a letter first"),
        ("endpoint", "a" * 33, "3 to 32"),
        ("instance_count", 0, "write a whole number, 1 or more, 50 at most"),
        ("request_timeout_ms", "soon", "a text; write a whole number, 500 or more, 180,000 at most"),
    ],
)
def test_a_value_that_will_not_do_is_named_with_what_is_allowed(name: str, value: Any, expected: str) -> None:
    message = refusal({**SETTINGS, name: value})
    assert name in message
    assert repr(value) in message
    assert expected in message


@pytest.mark.parametrize("name", ["traffic_steps", "requests_a_step", "max_error_share", "max_latency_ms"])
def test_a_setting_that_is_gone_is_refused_with_what_to_write_instead(name: str) -> None:
    (error,) = refusal({**SETTINGS, name: [10, 50, 100]}).splitlines()[1:]
    assert error.strip().startswith(f"azure.{name}: it is gone: leave it out")
    assert "`lifeboat azure deploy --traffic`" in error
    ((_, message),) = azure_errors({"azure": {**SETTINGS, name: 0.0}})
    assert error in message


def test_a_credential_in_a_setting_s_value_is_never_repeated() -> None:
    message = refusal({**SETTINGS, "endpoint": "https://ann:hunter2@host"})
    assert "azure.endpoint is 'https://ann:***@host'; write 3 to 32 letters" in message


def test_a_file_without_the_block_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("seed: 7\n")
    with pytest.raises(ParameterError, match=r"no block `azure:`.*params/azure.yaml"):
        read_file(tmp_path / "a.yaml")


def test_the_file_that_comes_along_lacks_only_what_is_a_reader_s_own() -> None:
    message = refusal(read_file(Path("params/azure.yaml")))
    names = [line.split()[0] for line in message.splitlines()[1:]]
    assert names == ["azure.subscription_id", "azure.resource_group", "azure.workspace"]


def test_the_file_that_comes_along_says_every_default() -> None:
    written = {name: value for name, value in read_file(Path("params/azure.yaml")).items() if value != ""}
    assert AzureSettings.read_dry(written) == AzureSettings.read_dry({"endpoint": written["endpoint"]})
    fields = AzureSettings.model_fields.items()
    assert written.keys() >= {name for name, field in fields if not field.is_required()} - {"model"}


def test_a_run_refuses_a_secret_before_it_starts_as_its_notebooks_would_keep_it() -> None:
    ((name, message),) = azure_errors({"azure": {"endpoint": "lifeboat-test", "api_key": "hunter2"}})
    assert name == ("azure",)
    assert "api_key: a secret has no place in a parameter file" in message
    assert "hunter2" not in message


def test_a_run_asks_for_no_account_as_it_sends_nothing() -> None:
    assert [*azure_errors({"azure": {"endpoint": "lifeboat-test"}})] == []
    assert [*azure_errors({"azure": {}})] == []
