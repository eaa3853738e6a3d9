"""What is sent: complete, the same for the same content, and held against the schemas of Azure's own package."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from made_run import EXPECTED, RECORDS, SETTINGS, make_run

from lifeboat.deploy.azure import bundle
from lifeboat.errors import DataError, ParameterError
from lifeboat.parameters.azure import AzureSettings
from lifeboat.run import Run


def prepare(run_dir: Path, **changed: object) -> Path:
    return bundle.prepare(Run(run_dir), AzureSettings.read({**SETTINGS, **changed}, {}))


def versions(folder: Path) -> tuple[str, str, str]:
    """The model's, the environment's, and the digest of the whole deployment."""
    content = yaml.safe_load((folder / "deployment.yml").read_text())
    return content["model"]["version"], content["environment"]["version"], content["tags"]["lifeboat"]


def test_equal_content_has_an_equal_version_and_other_content_another(tmp_path: Path) -> None:
    first, same = versions(prepare(make_run(tmp_path / "one"))), versions(prepare(make_run(tmp_path / "same")))
    other = versions(prepare(make_run(tmp_path / "other", threshold=0.6)))
    assert first == same
    assert [ours == theirs for ours, theirs in zip(first, other, strict=True)] == [False, True, False]


def test_another_kind_of_machine_is_another_deployment_of_the_same_model(tmp_path: Path) -> None:
    first, other = (
        versions(prepare(make_run(tmp_path / kind), instance_type=kind)) for kind in ("Standard_F4", "Standard_F8")
    )
    assert [ours == theirs for ours, theirs in zip(first, other, strict=True)] == [True, True, False]


def test_the_rows_to_ask_about_come_with_what_spark_said(tmp_path: Path) -> None:
    assert bundle.read_answers(prepare(make_run(tmp_path / "run"))) == (RECORDS, EXPECTED)


def test_a_run_without_spark_s_answers_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "run")
    (run_dir / "05_deploy" / "spark_answers.json").unlink()
    with pytest.raises(DataError, match=r"there is no .*/spark_answers.json: run notebooks/05_deploy.ipynb once more"):
        prepare(run_dir)
    assert not (run_dir / "azure").exists()


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("endpoint.yml", {"auth_mode": "password"}),
        ("endpoint.yml", {"colour": "blue"}),
        ("deployment.yml", {"instance_count": "many"}),
        ("deployment.yml", {"instance_type": None}),
    ],
)
def test_yaml_that_does_not_fit_azure_s_schema_is_refused(
    tmp_path: Path, name: str, changed: dict[str, object]
) -> None:
    folder = prepare(make_run(tmp_path / "run"))
    path = folder / name
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changed))
    with pytest.raises(ParameterError, match=f"{name} does not fit the schema"):
        bundle.load(folder)


def test_a_dry_run_needs_no_account_and_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZURE_ML_WORKSPACE"):
        monkeypatch.delenv(variable, raising=False)
    run_dir = make_run(tmp_path / "run")
    shown = bundle.dry_run(Run(run_dir), {"endpoint": "lifeboat-test", "workspace": "ship"})
    documents = list(yaml.safe_load_all(shown.replace("\n# ", "\n---\n# ")))
    kept = {key: json.loads(json.dumps(item)) for item in documents if item for key in item if key == "instance_type"}
    assert kept, "the deployment is among what is shown"
    assert "still missing: subscription_id (or AZURE_SUBSCRIPTION_ID in the environment), resource_group" in shown
    assert "workspace (or" not in shown
    assert "auth_mode: key" in shown
