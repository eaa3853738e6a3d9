"""What `-p name=value` gives is read by the parameter's type; a parameter file may start from another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from lifeboat.cli.app import app
from lifeboat.errors import ParameterError
from lifeboat.parameters.files import read_parameters
from lifeboat.parameters.overrides import read_override
from lifeboat.parameters.resolve import resolve
from lifeboat.parameters.rules import check


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("registered_model=007", "007"),
        ("registered_model='007'", "007"),
        ("label=yes", "yes"),
        ("label=a: b", "a: b"),
        ("label=", ""),
        ("spark=local[2]", "local[2]"),
        ("estimator=gbt", "gbt"),
        ("num_folds=5", 5),
        ("num_folds=5.5", 5.5),  # the check says what is wrong with it
        ("holdout_fraction=3e-1", 0.3),
        ("margin=1", 1.0),
        ("numeric=[1, b, yes]", ["1", "b", "yes"]),
        ("class_names=[no, 2]", ["no", "2"]),
        ("ranges={1: [0, 7]}", {"1": [0.0, 7.0]}),
        ("grid={maxDepth: [2, 4]}", {"maxDepth": [2, 4]}),
        ("columns={Fare: {unit: 1}}", {"Fare": {"unit": "1"}}),
        ("enrich={make_key: true, no_value: {a: [NA, 7]}}", {"make_key": True, "no_value": {"a": ["NA", "7"]}}),
        ("nobody=5", 5),
    ],
)
def test_a_value_is_read_by_the_type_that_its_parameter_has(override: str, value: Any) -> None:
    path, read = read_override(override)
    assert (path, repr(read)) == ((override.partition("=")[0],), repr(value))


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("enrich.no_value={Cabin: [NA]}", ("enrich", "no_value"), {"Cabin": ["NA"]}),
        ("enrich.make_key=true", ("enrich", "make_key"), True),
        ("columns.Age.unit=7", ("columns", "Age", "unit"), "7"),
        ("grid.maxDepth=[2, 4]", ("grid", "maxDepth"), [2, 4]),
        ("csv.separator=;", ("csv", "separator"), ";"),
    ],
)
def test_a_part_of_a_nested_parameter_is_read_by_its_own_type(override: str, path: tuple[str, ...], value: Any) -> None:
    assert read_override(override) == (path, value)


def test_the_other_parts_stay_as_the_file_or_the_default_has_them(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("enrich:\n  make_key: true\n  no_value: [x]\n")
    chosen = read_parameters([file], ["enrich.no_value={Cabin: [NA]}", "columns.Age.unit=months"])
    assert chosen.values["enrich"] == {"make_key": True, "no_value": {"Cabin": ["NA"]}}
    assert chosen.values["columns"] == {"Fare": {"unit": "pounds"}, "Age": {"unit": "months"}}
    origins = resolve(chosen).origins
    assert origins["enrich"] == f"{file}, line 1; -p enrich.no_value={{Cabin: [NA]}}"
    assert origins["columns"] == "default; -p columns.Age.unit=months"


def test_a_part_that_there_is_not_is_told_as_it_was_written() -> None:
    with pytest.raises(ParameterError, match=r"-p enrich.no_valu=1: unknown part of enrich 'no_valu': did you mean"):
        check(resolve(read_parameters([], ["enrich.no_valu=1"])))


@pytest.mark.parametrize("override", ["num_folds", "=5"])
def test_an_override_without_a_name_or_a_value_is_told(override: str) -> None:
    with pytest.raises(ParameterError, match=rf"-p {override}: write name=value"):
        read_override(override)


@pytest.mark.parametrize("value", ["{a: 1, a: 2}", "[1", "&a [*a]"])
def test_a_value_that_is_no_yaml_is_told_with_the_override(value: str) -> None:
    with pytest.raises(ParameterError, match=r"^-p numeric="):
        read_override(f"numeric={value}")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three parameter files, each starting from the one before."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.yaml").write_text("seed: 1\nnum_folds: 3\ngrid: {maxDepth: [2]}\n")
    (tmp_path / "middle.yaml").write_text("extends: base.yaml\nnum_folds: 4\n")
    (tmp_path / "top.yaml").write_text("grid: {numTrees: [5]}\nextends: middle.yaml\n")
    return tmp_path


def test_a_file_says_what_counts_before_the_one_that_it_extends(files: Path) -> None:
    chosen = read_parameters([files / "top.yaml"])
    assert chosen.values == {"seed": 1, "num_folds": 4, "grid": {"numTrees": [5]}}
    assert {name: chosen.origin((name,)) for name in chosen.values} == {
        "seed": "base.yaml, line 1",
        "num_folds": "middle.yaml, line 2",
        "grid": "top.yaml, line 1",
    }


def test_files_that_go_round_in_a_circle_are_shown(files: Path) -> None:
    (files / "base.yaml").write_text("extends: top.yaml\n")
    circle = "top.yaml extends middle.yaml extends base.yaml extends top.yaml"
    with pytest.raises(ParameterError, match=rf"round in a circle: {circle}$"):
        read_parameters([files / "top.yaml"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nextends: none.yaml", r"top.yaml, line 2: it extends 'none.yaml', and there is no .*none.yaml"),
        ("extends: [base.yaml]", r"top.yaml, line 1: extends is \['base.yaml'\]; write the name of a parameter file"),
    ],
)
def test_what_cannot_be_extended_is_told_with_its_line(files: Path, text: str, message: str) -> None:
    (files / "top.yaml").write_text(text)
    with pytest.raises(ParameterError, match=message):
        read_parameters([files / "top.yaml"])


def lifeboat(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_one_file_for_papermill_says_what_the_chain_says_and_reads_as_it(files: Path) -> None:
    ran = lifeboat(
        "params", "top.yaml", "--flat", "-p", "label=2020-01-01", "-p", "schema=2020-01-01 INT, PassengerId INT"
    )
    assert ran.exit_code == 2  # these columns are not the Titanic's
    ran = lifeboat("params", "top.yaml", "--flat", "-p", "registered_model=007")
    assert ran.exit_code == 0, ran.output
    (files / "flat.yaml").write_text(ran.stdout)
    assert "extends" not in ran.stdout
    assert read_parameters([files / "flat.yaml"]).values == {
        "registered_model": "007", "seed": 1, "num_folds": 4, "grid": {"numTrees": [5]},
    }  # fmt: skip
