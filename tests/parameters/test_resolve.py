"""Which value counts, and where it is from: explicit before environment before file before default."""

from __future__ import annotations

from pathlib import Path

import pytest

from lifeboat.parameters.files import Chosen, read_parameters
from lifeboat.parameters.resolve import resolve

NOWHERE: dict[str, str] = {}


def in_file(folder: Path, text: str, *overrides: str) -> Chosen:
    (folder / "p.yaml").write_text(text)
    return read_parameters([folder / "p.yaml"], overrides)


@pytest.mark.parametrize(
    ("text", "override", "environ", "value", "origin"),
    [
        ("", "", {}, "local[*]", "default"),
        ("spark: yarn\n", "", {}, "yarn", "p.yaml, line 1"),
        ("spark: yarn\n", "", {"LIFEBOAT_SPARK": "local[1]"}, "local[1]", "LIFEBOAT_SPARK in the environment"),
        ("", "", {"LIFEBOAT_SPARK": "a", "SPARK_REMOTE": "sc://h"}, "sc://h", "SPARK_REMOTE in the environment"),
        ("spark: yarn\n", "spark=local[3]", {"SPARK_REMOTE": "sc://h"}, "local[3]", "-p spark=local[3]"),
        ("", "", {"LIFEBOAT_SPARK": ""}, "local[*]", "default"),
    ],
)
def test_the_command_line_counts_before_the_environment_the_file_and_the_default(
    tmp_path: Path, text: str, override: str, environ: dict[str, str], value: str, origin: str
) -> None:
    resolved = resolve(in_file(tmp_path, text, *filter(None, [override])), environ=environ)
    assert resolved.values["spark"] == value
    assert resolved.origins["spark"].removeprefix(f"{tmp_path}/") == origin
    hidden = {"SPARK_REMOTE": None, "LIFEBOAT_SPARK": None} if override else {}
    assert resolved.environment == hidden, "what the command line overrules must not reach a kernel"


def test_a_notebook_is_handed_what_somebody_gave_but_not_what_it_has_or_the_environment_tells_it(
    tmp_path: Path,
) -> None:
    chosen = in_file(tmp_path, "seed: 1912\nspark: yarn\n", "num_folds=5")
    resolved = resolve(chosen, "patients", {"LIFEBOAT_SPARK": "local[1]"})
    assert resolved.handed() == {"seed": 1912, "num_folds": 5, "registered_model": "patients"}


def test_a_credential_of_the_environment_is_not_kept() -> None:
    resolved = resolve(Chosen(), environ={"MLFLOW_TRACKING_URI": "https://ann:SECRET@host"})
    assert resolved.values["tracking_uri"] == "https://ann:***@host"


def test_the_model_is_called_as_the_parameter_file_where_nothing_else_is_said(tmp_path: Path) -> None:
    by_name = resolve(in_file(tmp_path, ""), "patients", NOWHERE)
    assert (by_name.values["registered_model"], by_name.origins["registered_model"]) == (
        "patients",
        "the parameter file's name",
    )
    by_line = resolve(in_file(tmp_path, "registered_model: wards\n"), "patients", NOWHERE)
    assert (by_line.values["registered_model"], by_line.origins["registered_model"]) == (
        "wards",
        f"{tmp_path / 'p.yaml'}, line 1",
    )
    assert resolve(in_file(tmp_path, ""), environ=NOWHERE).values["registered_model"] == ""


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("", ["died", "survived"]),
        ("label: Survived\n", ["died", "survived"]),
        ("label: late\n", []),
        ("label: late\nclass_names: [in time, late]\n", ["in time", "late"]),
    ],
)
def test_the_classes_of_another_label_are_not_called_as_those_of_the_default(
    text: str, classes: list[str], tmp_path: Path
) -> None:
    assert resolve(in_file(tmp_path, text), environ=NOWHERE).values["class_names"] == classes
