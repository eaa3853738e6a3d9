"""What is refused before anything starts, with file and line, what came, and what may be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from lifeboat.errors import ParameterError
from lifeboat.parameters.files import read_parameters
from lifeboat.parameters.resolve import resolve
from lifeboat.parameters.rules import check, need, schema_columns

SCHEMA = "schema: id INT NOT NULL, y INT, `a (cm)` DOUBLE, Age DOUBLE, Name STRING, day DATE, size DOUBLE\n"
TABLE = SCHEMA + "label: y\nkey: id\nranges: {}\nnumeric: [Age]\ncategorical: [Name]\n"  # seven lines of one table


def refusal(folder: Path, yaml: str, *overrides: str) -> str:
    """The message for a parameter file with this text; empty where nothing is wrong."""
    file = folder / "p.yaml"
    file.write_text(yaml)
    try:
        check(resolve(read_parameters([file], overrides), environ={}))
    except ParameterError as error:
        return str(error).replace(str(folder), "HOME")
    return ""


def test_a_file_with_good_values_passes_and_defaults_fill_the_rest(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("seed: 7\nholdout_fraction: 0.25\n")
    values = check(resolve(read_parameters([tmp_path / "p.yaml"], ["num_folds=5"])))
    assert (values["seed"], values["holdout_fraction"], values["num_folds"]) == (7, 0.25, 5)
    assert values["grid"] == {"maxDepth": [2, 4, 6]}


def test_an_unknown_name_is_told_with_the_nearest_one_and_the_line(tmp_path: Path) -> None:
    assert "HOME/p.yaml, line 2: unknown parameter 'num_fold': did you mean 'num_folds'?" in refusal(
        tmp_path, "seed: 1\nnum_fold: 3\n"
    )
    assert "-p sed=3: unknown parameter 'sed': did you mean 'seed'?" in refusal(tmp_path, "", "sed=3")


@pytest.mark.parametrize(
    ("yaml", "sentence"),
    [
        ("seed: forty", "seed is 'forty', a text; write a whole number"),
        ("seed: true", "seed is True, true or false; write a whole number"),
        ("seed: 1.0", "seed is 1.0, a number; write a whole number"),
        ("seed:", "seed is None, nothing; write a whole number"),
        ("label: 1", "label is 1, a whole number; write a text; put it in quotes"),
        ("label: no", "label is False, true or false; write a text; put it in quotes"),
        ("holdout_fraction: true", "holdout_fraction is True, true or false; write a number, between 0 and 1"),
        ("holdout_fraction: 2e-1", "'2e-1', a text; write a number, between 0 and 1; YAML wants a point in it"),
        ("numeric: Age", "numeric is 'Age', a text; write a list of texts"),
        ("numeric: [Age, 3]", "numeric[1] is 3, a whole number; write a list of texts"),
        ("grid: [1]", "grid is [1], a list; write {Param: [values]}, such as {maxDepth: [2, 4]}"),
        ("grid: {numTrees: 10}", "grid.numTrees is 10, a whole number; write {Param: [values]}"),
        ("grid: {numTrees: []}", "grid.numTrees is []; write {Param: [values]}"),
        ("num_folds: 1", "num_folds is 1; write a whole number, 2 or more"),
        ("holdout_fraction: 1", "holdout_fraction is 1; write a number, between 0 and 1"),
        ("holdout_fraction: 0.0", "holdout_fraction is 0.0; write a number, between 0 and 1"),
        ("margin: -0.1", "margin is -0.1; write a number, 0 or more"),
        ("confidence: .nan", "confidence is nan; write a number, between 0 and 1"),
        ("resamples: 0", "resamples is 0; write a whole number, 1 or more"),
        (
            "estimator: random_forrest",
            "unknown value of estimator 'random_forrest': did you mean 'random_forest'? Known",
        ),
        ("estimator: 7", "estimator is 7, a whole number; write one of: random_forest, gbt, logistic_regression"),
        ("impute: {Age: median}", "impute.Age is 'median'; write {column: mean, mean by COLUMN or mode}"),
        ("impute: {Age: mean by}", "impute.Age is 'mean by'; write {column: mean"),
        ("ranges: {Age: [3]}", "ranges.Age is [3]; write {column: [lowest, highest]}"),
        ("ranges: {Age: [9, 3]}", "ranges.Age is [9, 3]; write {column: [lowest, highest]}"),
        ("ranges: {Age: [0, old]}", "ranges.Age[1] is 'old', a text; write {column: [lowest, highest]}"),
        ("columns: {Fare: {units: pounds}}", "unknown part of columns.Fare 'units': did you mean 'unit'? Known: title"),
        ("columns: {Fare: pounds}", "columns.Fare is 'pounds', a text; write {column: {title: words, unit: words}}"),
        ("derive: [SumColumns]", "derive[0] is 'SumColumns', a text; write a list of stages, such as {stage: Sum"),
        ("derive: [{inputCol: a}]", "derive[0] is {'inputCol': 'a'}; write a list of stages"),
        ("csv: {separator: ab}", "csv.separator is 'ab'; write one character"),
        ("csv: {skip_lines: -1}", "csv.skip_lines is -1; write a whole number, 0 or more"),
        ("class_names: [died, yes]", "class_names[1] is True, true or false; write two different texts"),
        ("class_names: [a, a]", "class_names is ['a', 'a']; write two different texts"),
        ("class_names: [a]", "class_names is ['a']; write two different texts"),
        ("enrich: {makekey: true}", "unknown part of enrich 'makekey': did you mean 'make_key'?"),
        ("azure: {instance_count: 0, endpoint: abc}", "azure.instance_count is 0; write a whole number, 1 or more, 50"),
        ("run_dir: outputs/x", "run_dir is not to be given: --name names the folder"),
        ("fold_by: day", "fold_by is called group_by now, and rows that share it are held out together too"),
        ("complete: {make_key: true}", "complete is called enrich now: rename it"),
    ],
)
def test_a_value_that_will_not_do_is_told_with_what_may_be_written(tmp_path: Path, yaml: str, sentence: str) -> None:
    text = refusal(tmp_path, yaml)
    assert text.startswith("a parameter will not do; nothing was started\n  HOME/p.yaml, line 1: ")
    assert sentence in text


def test_a_part_of_a_value_is_told_with_its_own_line(tmp_path: Path) -> None:
    text = refusal(tmp_path, "grid:\n  maxDepth: [2]\n  numTrees: 10\nshow:\n  - a\n  - 7\n")
    assert "HOME/p.yaml, line 3: grid.numTrees is 10" in text
    assert "HOME/p.yaml, line 6: show[1] is 7" in text


def test_all_errors_are_told_at_once(tmp_path: Path) -> None:
    text = refusal(
        tmp_path, "num_fold: 3\nseed: x\nestimator: svm\nazure: {api_key: hunter2, endpoint: abc}\n", "sed=1"
    )
    assert text.startswith("5 parameters will not do; nothing was started\n")
    for sentence in ("'num_fold'", "seed is 'x'", "estimator 'svm'", "-p sed=1", "a secret has no place"):
        assert sentence in text
    assert "hunter2" not in text


def test_a_credential_is_refused_wherever_it_stands_and_is_not_repeated(tmp_path: Path) -> None:
    text = refusal(tmp_path, "labelled_path: s3a://KEY:SECRET@bucket/rows\n")
    assert "line 1: labelled_path holds a credential (s3a://KEY:***@bucket/rows): set the storage's own" in text
    assert "SECRET" not in text
    assert "SECRET" not in refusal(tmp_path, "", "labelled_path=s3a://KEY:SECRET@bucket/rows")
    assert "SECRET" not in refusal(tmp_path, "seed: 'https://ann:SECRET@host'\n")


@pytest.mark.parametrize(
    ("yaml", "sentence"),
    [
        ("label: z", "unknown column in label 'z': Known: Age, Name, a (cm), day, id, size, y"),
        ("key: ids", "unknown column in key 'ids': did you mean 'id'?"),
        ("split_by: age", "unknown column in split_by 'age': did you mean 'Age'?"),
        ("group_by: name", "unknown column in group_by 'name': did you mean 'Name'?"),
        ("ranges: {Ages: [0, 1]}", "unknown column in ranges 'Ages': did you mean 'Age'?"),
        (
            "numeric: [day]",
            "column 'day' under numeric is DATE; allowed: INT, BIGINT, DOUBLE, BOOLEAN. To mend it, compute",
        ),
        ("categorical: [size]", "column 'size' under categorical is DOUBLE; allowed: STRING, INT, BIGINT, BOOLEAN."),
        ("numeric: [Name]\ncategorical: []", "column 'Name' under numeric is STRING; allowed: INT, BIGINT, DOUBLE"),
        (
            "numeric: [Age, Age2]\ncategorical: [Age2]",
            "'Age2' is under numeric and under categorical: take it out of one",
        ),
        ("numeric: [y]", "'y' under numeric is the label: a model must not see it"),
        ("categorical: [id]", "'id' under categorical is the key: a model must not see it"),
        ("numeric: []\ncategorical: []", "numeric and categorical are both empty: a model needs a feature, name one"),
    ],
)
def test_what_contradicts_the_schema_or_another_parameter_is_told(tmp_path: Path, yaml: str, sentence: str) -> None:
    named = {line.partition(":")[0] for line in yaml.splitlines()}
    table = "".join(f"{line}\n" for line in TABLE.splitlines() if line.partition(":")[0] not in named)
    assert refusal(tmp_path, TABLE) == ""
    assert sentence in refusal(tmp_path, table + yaml)


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ("a INT, `b (cm)` DECIMAL(4, 1) NOT NULL, c INT", "schema: column 'b (cm)' is DECIMAL(4, 1): write DOUBLE"),
        ("a INT, b ARRAY<MAP<INT, INT>>, c float", "schema: column 'c' is FLOAT: write DOUBLE"),
        (
            "a INT, b ARRAY<INT>",
            "column 'b' is ARRAY<INT>: write one of INT, BIGINT, DOUBLE, STRING, BOOLEAN, DATE, TIMESTAMP",
        ),
        ("id INT, y INT, Y INT", "schema: Spark cannot tell the columns 'y', 'Y' apart"),
    ],
)
def test_a_schema_of_types_or_names_that_cannot_be_is_told(tmp_path: Path, schema: str, sentence: str) -> None:
    assert sentence in refusal(tmp_path, TABLE, f"schema={schema}")


def test_a_rule_is_not_asked_of_what_is_of_the_wrong_type(tmp_path: Path) -> None:
    text = refusal(tmp_path, TABLE + "group_by: [nowhere]\n")
    assert text.count("line") == 1
    assert "group_by is ['nowhere'], a list; write a text" in text


def test_a_column_with_a_name_in_quotes_and_a_key_that_is_made_are_known(tmp_path: Path) -> None:
    table = TABLE.replace("key: id\n", "key: row\n")
    assert refusal(tmp_path, table + "split_by: a (cm)\nenrich: {make_key: true}\n") == ""
    assert "unknown column in key 'row'" in refusal(tmp_path, table + "enrich: {make_key: false}\n")
    assert refusal(tmp_path, table + "enrich: {make_key: 'yes'}\n").count("\n") == 1, "no second error"


@pytest.mark.parametrize(
    ("schema", "names"),
    [
        ("id: INT, y: INT", ["id", "y"]),
        ("id:INT,y  INT NOT NULL", ["id", "y"]),
        ("`a, b: c` DECIMAL(4, 1) COMMENT 'x, y', `t``k` : MAP<STRING, ARRAY<INT>>", ["a, b: c", "t`k"]),
        ("s STRUCT<a: ARRAY<INT>, b: INT>, `a.b` STRING", ["s", "a.b"]),
        ("nonsense", []),
    ],
)
def test_a_schema_s_columns_are_named_as_spark_names_them(schema: str, names: list[str]) -> None:
    assert list(schema_columns(schema)) == names


def test_one_parameter_is_held_to_its_limits_by_whoever_takes_it() -> None:
    need("num_folds", 2)
    need("margin", 0)
    with pytest.raises(ParameterError, match=r"num_folds is 1; write a whole number, 2 or more"):
        need("num_folds", 1)
    with pytest.raises(ParameterError, match=r"holdout_fraction is 1\.0; write a number, between 0 and 1"):
        need("holdout_fraction", 1.0)
    with pytest.raises(
        ParameterError,
        match=r"unknown value of metric 'auc': did you mean 'pr_auc'\? Known: accuracy, log_loss, pr_auc, roc_auc",
    ):
        need("metric", "auc")
