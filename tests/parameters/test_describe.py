"""What is written from the model is what stands in notebooks, files and docs."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import nbformat
import pytest
import yaml
from papermill.inspection import inspect_notebook
from pydantic import BaseModel

from lifeboat.parameters import describe
from lifeboat.parameters.field import fields_of, parameter
from lifeboat.parameters.files import Chosen, read_parameters
from lifeboat.parameters.model import Parameters, Scale, taken_by
from lifeboat.parameters.resolve import resolve
from lifeboat.train_cv.estimators import ESTIMATORS

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("0*.ipynb"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_parameter_cell_is_what_the_model_says_and_papermill_reads_all_of_it(notebook: Path) -> None:
    (cell,) = [
        cell for cell in nbformat.read(notebook, as_version=4).cells if "parameters" in cell.metadata.get("tags", [])
    ]
    assert cell.source == describe.cell(notebook.stem), "make notebooks writes it"
    assert max(map(len, cell.source.splitlines())) <= 120
    inspected = inspect_notebook(str(notebook))
    taken = taken_by(notebook.stem)
    assert list(inspected) == list(taken)
    for name, field in taken.items():
        assert ast.literal_eval(inspected[name]["default"]) == field.default
        assert inspected[name]["help"].startswith(str(field.description))


def test_a_cell_names_type_default_meaning_and_limits() -> None:
    lines = describe.cell("03_train_cv").splitlines()
    assert "num_folds: int = 3  # parts for cross-validation; 2 or more" in lines
    assert 'grid: dict = {"maxDepth": [2, 4, 6]}  # Params to try, each with its values, the simplest first' in lines
    assert (
        'metric: str = "accuracy"  # what the grid is compared by; one of: accuracy, log_loss, roc_auc, pr_auc' in lines
    )
    assert "holdout_fraction: float = 0.2  # share of rows held out; between 0 and 1" in describe.cell("01_load")


def test_the_page_names_what_each_notebook_beside_the_run_takes() -> None:
    page = describe.page()
    assert [line for line in page.splitlines() if line.endswith(" alone")] == [
        "## Of notebook 0 alone",
        "## Of notebook 6 alone",
    ]
    assert page.index("| `partitions` |") < page.index("## Of notebook 6 alone") < page.index("| `workers` |")


def test_notebook_6_has_its_own_defaults_and_shares_what_is_the_same() -> None:
    own, series = fields_of(Scale), fields_of(Parameters)
    assert (own["spark"].default, series["spark"].default) == ("local[2]", "local[*]")
    assert (own["seed"].default, own["seed"].description) == (series["seed"].default, series["seed"].description)


def test_the_page_and_the_schema_are_what_the_model_says() -> None:
    assert (ROOT / "docs/parameters.md").read_text() == describe.page(), "make notebooks writes it"
    assert json.loads((ROOT / "params/schema.json").read_text()) == describe.schema(), "make notebooks writes it"


def test_the_schema_knows_limits_choices_and_parts_and_no_name_that_is_none() -> None:
    schema = describe.schema()
    assert schema["additionalProperties"] is False
    folds = {"default": 3, "description": "parts for cross-validation", "minimum": 2, "type": "integer"}
    assert schema["properties"]["num_folds"] == folds | {"title": "Num Folds"}
    assert schema["properties"]["estimator"]["enum"] == list(ESTIMATORS)
    assert "run_dir" not in schema["properties"]
    assert "required" not in schema["properties"]["azure"]
    assert set(schema["$defs"]["Join"]["properties"]) == {"path", "on", "columns", "rename", "csv"}


@pytest.mark.parametrize("file", sorted((ROOT / "params").glob("*.yaml")), ids=lambda path: path.stem)
def test_each_parameter_file_starts_with_the_line_that_names_the_schema(file: Path) -> None:
    assert file.read_text().startswith("# yaml-language-server: $schema=schema.json\n")


def test_the_titanic_s_file_says_what_the_defaults_are() -> None:
    written = read_parameters([ROOT / "params/titanic.yaml"]).values
    defaults = {name: field.default for name, field in fields_of(Parameters).items()}
    named = {"registered_model": "titanic"}  # by itself a notebook takes the name of its run's folder
    assert written == {name: defaults[name] for name in written} | named


def test_the_table_of_a_run_says_where_each_value_is_from(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("num_folds: 5\n")
    rows = {row[0]: row for row in describe.table(resolve(read_parameters([tmp_path / "p.yaml"]), environ={}))}
    assert rows["num_folds"] == (
        "num_folds", "5", f"{tmp_path / 'p.yaml'}, line 1", "a whole number, 2 or more", "parts for cross-validation",
    )  # fmt: skip
    assert rows["metric"][1:4] == ('"accuracy"', "default", "one of: accuracy, log_loss, roc_auc, pr_auc")
    assert "run_dir" not in rows
    assert yaml.safe_load(rows["derive"][1])[0]["stage"] == "lifeboat.titanic.Title"
    assert len(rows) == len(describe.table(resolve(Chosen(), environ={})))


def test_the_json_schema_says_of_a_parameter_what_it_has_and_no_empty_word() -> None:
    class Small(BaseModel):
        amount: int = parameter(3, "how many", "13", ge=1)

    assert Small.model_json_schema()["properties"]["amount"] == {
        "default": 3,
        "description": "how many",
        "minimum": 1,
        "notebooks": "13",
        "title": "Amount",
        "type": "integer",
    }
