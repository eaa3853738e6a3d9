from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lifeboat.parameters.params import Parameters, check_declared, effective, read_declarations, read_parameters

from lifeboat.errors import ParameterError
from lifeboat.parameters.rules import check, forget_classes, name_model, schema_columns
from lifeboat.run import STAGES

Write = Callable[..., Path]

CELL = """
run_dir: str = "outputs/tutorial"  # the run's folder
label: str = "Survived"  # the column to predict
seed: int = 42  # of every random choice
holdout_fraction: float = 0.2  # share of rows, between 0 and 1
estimator: str = "random_forest"  # one of: random_forest, gbt, logistic_regression; the classifier
estimator_params: dict = {"maxDepth": 5}  # its Params
grid: dict = {"numTrees": [10, 20]}  # Params to try
numeric: list[str] = ["Age"]  # columns
categorical: list[str] = []  # columns
derive: list = []  # stages that make new columns
num_folds: int = 3  # parts, 2 or more
labelled_path: str = "data/rows.csv"  # CSV
key: str = "id"  # names a row
schema: str = "id INT NOT NULL, Survived INT, `a (cm)` DOUBLE, Age DOUBLE, Name STRING, day DATE, size DOUBLE"  # types
ranges: dict = {}  # lowest and highest
complete: dict = {}  # what the rows need
split_by: str = ""  # column
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_notebook: Write) -> Path:
    monkeypatch.setenv("LIFEBOAT_HOME", str(tmp_path))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.csv").write_text("a\n1\n")
    write_notebook(tmp_path / "notebooks" / "01_load.ipynb", CELL)
    return tmp_path


def faults(home: Path, yaml: str, *overrides: str) -> str:
    """The message for a parameter file with this text; empty where nothing is wrong."""
    file = home / "p.yaml"
    file.write_text(yaml)
    try:
        check(read_parameters([file], overrides), read_declarations([home / "notebooks" / "01_load.ipynb"]))
    except ParameterError as error:
        return str(error).replace(str(home), "HOME")
    return ""


def test_a_file_with_good_values_passes_and_defaults_fill_the_rest(home: Path) -> None:
    file = home / "p.yaml"
    file.write_text("seed: 7\nholdout_fraction: 0.25\n")
    values = check(read_parameters([file], ["num_folds=5"]), read_declarations([home / "notebooks" / "01_load.ipynb"]))
    assert (values["seed"], values["holdout_fraction"], values["num_folds"]) == (7, 0.25, 5)
    assert values["grid"] == {"numTrees": [10, 20]}


def test_the_model_is_called_as_the_parameter_file_where_nothing_else_is_said(
    tmp_path: Path,
    write_notebook: Write,
) -> None:
    notebook = tmp_path / "05_deploy.ipynb"
    write_notebook(notebook, 'registered_model: str = ""  # the model\'s name\n')
    declared, file = read_declarations([notebook]), tmp_path / "patients.yaml"
    names, said = list[str](), list[str]()
    for text in ("", "registered_model: wards\n"):
        file.write_text(text)
        given = read_parameters([file])
        name_model(given, file, declared)
        names.append(check(given, declared)["registered_model"])
        said.append(given.sources["registered_model"])
    assert names == ["patients", "wards"]
    assert (said[0], Path(said[1])) == ("the parameter file's name", file)
    given = read_parameters([file])
    name_model(given, file, {})
    assert given.values == {"registered_model": "wards"}, "notebooks that declare none are given none"


CLASSES = 'label: str = "Survived"  # column\nclass_names: list = ["died", "survived"]  # of the classes\n'


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("", ["died", "survived"]),
        ("label: Survived\n", ["died", "survived"]),
        ("label: late\n", []),
        ("label: late\nclass_names: [in time, late]\n", ["in time", "late"]),
    ],
)
def test_the_classes_of_another_label_are_not_called_as_those_of_the_notebooks_own(
    text: str, classes: list[str], tmp_path: Path, write_notebook: Write
) -> None:
    notebook, file = tmp_path / "04_evaluate.ipynb", tmp_path / "p.yaml"
    write_notebook(notebook, CLASSES)
    file.write_text(text)
    given, declared = read_parameters([file]), read_declarations([notebook])
    forget_classes(given, declared)
    assert check(given, declared)["class_names"] == classes


def test_class_names_that_yaml_took_for_truths_are_refused_before_anything_starts(
    tmp_path: Path, write_notebook: Write
) -> None:
    notebook, file = tmp_path / "04_evaluate.ipynb", tmp_path / "p.yaml"
    write_notebook(notebook, CLASSES)
    file.write_text("class_names: [no, yes]\n")
    with pytest.raises(ParameterError, match=r"p.yaml: class_names is \[False, True\]; .* YAML wants quotes around"):
        check(read_parameters([file]), read_declarations([notebook]))


def test_a_credential_is_refused_wherever_it_stands_and_is_not_repeated(home: Path) -> None:
    said = faults(home, "labelled_path: s3a://KEY:SECRET@bucket/rows\n")
    assert "HOME/p.yaml: labelled_path holds a credential (s3a://KEY:***@bucket/rows): set the storage's own" in said
    assert "SECRET" not in said
    assert "SECRET" not in faults(home, "", "labelled_path=s3a://KEY:SECRET@bucket/rows")


def test_a_parameter_that_is_called_otherwise_now_is_named_with_its_new_name(
    tmp_path: Path,
    write_notebook: Write,
) -> None:
    notebook, file = tmp_path / "03.ipynb", tmp_path / "p.yaml"
    write_notebook(notebook, 'group_by: str = ""  # column\n')
    file.write_text("fold_by: day\n")
    with pytest.raises(ParameterError, match="fold_by is called group_by now, and rows that share it are held out"):
        check(read_parameters([file]), read_declarations([notebook]))


def test_an_unknown_key_is_named_with_the_nearest_one_and_the_file(home: Path) -> None:
    said = faults(home, "num_fold: 3\n")
    assert "HOME/p.yaml: unknown parameter 'num_fold': did you mean 'num_folds'?" in said


def test_an_unknown_key_of_the_command_line_is_named_as_it_was_typed(home: Path) -> None:
    assert "-p sed=3: unknown parameter 'sed': did you mean 'seed'?" in faults(home, "", "sed=3")


@pytest.mark.parametrize(
    ("yaml", "said"),
    [
        ("seed: forty", "seed must be int, but seed is str 'forty'"),
        ("seed: true", "seed must be int, but seed is bool True"),
        ("seed: 1.0", "seed must be int, but seed is float 1.0"),
        ("seed:", "seed must be int, but seed is null None"),
        ("label: 1", "label must be str, but label is int 1; put it in quotes"),
        ("label: no", "label must be str, but label is bool False; put it in quotes"),
        ("holdout_fraction: true", "holdout_fraction must be float, but holdout_fraction is bool True"),
        ("holdout_fraction: 2e-1", "holdout_fraction is str '2e-1'; YAML wants a point in it"),
        ("numeric: Age", "numeric must be list[str], but numeric is str 'Age'"),
        ("numeric: [Age, 3]", "numeric must be list[str], but numeric[1] is int 3"),
        ("grid: [1]", "grid must be dict, but grid is list [1]"),
    ],
)
def test_a_wrong_type_is_told_with_both_types(home: Path, yaml: str, said: str) -> None:
    assert said in faults(home, yaml)


def test_a_value_outside_a_closed_choice_is_named_with_the_nearest_one(home: Path) -> None:
    said = faults(home, "estimator: random_forrest")
    assert "unknown value of estimator 'random_forrest': did you mean 'random_forest'?" in said
    assert "Known: gbt, logistic_regression, random_forest" in said


def test_all_errors_are_told_at_once(home: Path) -> None:
    said = faults(home, "num_fold: 3\nseed: x\nestimator: svm\n")
    assert said.startswith("3 parameters will not do; nothing was started\n")
    assert all(part in said for part in ("num_fold", "seed must be int", "estimator 'svm'"))


@pytest.mark.parametrize(
    ("yaml", "said"),
    [
        ("num_folds: 1", "num_folds must be 2 or more, not 1"),
        ("holdout_fraction: 1", "holdout_fraction must be between 0 and 1, not 1"),
        ("holdout_fraction: 0.0", "holdout_fraction must be between 0 and 1, not 0.0"),
        ("labelled_path: data/row.csv", "labelled_path: no file or folder 'data/row.csv'"),
        ("grid: {numTree: [10]}", "unknown Param of RandomForestClassifier 'numTree': did you mean 'numTrees'?"),
        ("grid: {numTrees: 10}", "grid: numTrees is 10; write a list of values"),
        ("grid: {numTrees: [ten]}", "RandomForestClassifier.numTrees cannot be 'ten'"),
        ("grid: {regParam: [0.1]}", "unknown Param of RandomForestClassifier 'regParam'"),
        (
            "estimator_params: {maxDeep: 3}",
            "unknown Param of RandomForestClassifier 'maxDeep': did you mean 'maxDepth'?",
        ),
        ("derive: [{stage: SumColums}]", "unknown stage 'SumColums': did you mean 'SumColumns'?"),
        ("derive: [SumColumns]", "derive: ['SumColumns'] is not of the form that is wanted"),
        (
            "complete: {join: [{path: data/rows.csv, column: [a]}]}",
            "p.yaml: complete: join: unknown part of a table 'column': did you mean 'columns'?",
        ),
        ("complete: {join: [{path: data/row.csv, on: [a]}]}", "complete: no file or folder 'data/row.csv'"),
        ("complete: {compute: {late: 3}}", "compute: 'late' is 3; write a column's name and an SQL expression"),
        ("complete: {makekey: true}", "complete: unknown part 'makekey': did you mean 'make_key'?"),
        ("label: Survive", "unknown column in label 'Survive': did you mean 'Survived'?"),
        ("key: ids", "unknown column in key 'ids': did you mean 'id'?"),
        ("split_by: age", "unknown column in split_by 'age': did you mean 'Age'?"),
        (
            "schema: 'a INT, `b (cm)` DECIMAL(4, 1) NOT NULL, c INT'",
            "schema: column 'b (cm)' is DECIMAL(4, 1): write DOUBLE",
        ),
        ("schema: 'a INT, b ARRAY<MAP<INT, INT>>, c float'", "schema: column 'c' is FLOAT: write DOUBLE"),
        (
            "schema: 'a INT, b ARRAY<INT>'",
            "column 'b' is ARRAY<INT>: write one of INT, BIGINT, DOUBLE, STRING, BOOLEAN, DATE, TIMESTAMP",
        ),
        (
            "numeric: [day]",
            "column 'day' under numeric is DATE; allowed: INT, BIGINT, DOUBLE, BOOLEAN. To mend it, compute a number ",
        ),
        (
            "categorical: [size]",
            "column 'size' under categorical is DOUBLE; allowed: STRING, INT, BIGINT, BOOLEAN. To mend it, write ",
        ),
        ("numeric: [Name]", "column 'Name' under numeric is STRING; allowed: INT, BIGINT, DOUBLE, BOOLEAN"),
        ("ranges: {Ages: [0, 1]}", "unknown column in ranges 'Ages': did you mean 'Age'?"),
    ],
)
def test_a_value_that_cannot_work_is_told_before_anything_starts(home: Path, yaml: str, said: str) -> None:
    assert said in faults(home, yaml)


def test_a_default_that_does_not_go_with_what_was_given_is_told(home: Path) -> None:
    said = faults(home, "estimator: gbt\n")
    assert "the default: unknown Param of GBTClassifier 'numTrees'" in said


def test_the_grid_is_checked_against_the_estimator_that_was_given(home: Path) -> None:
    yaml = "estimator: logistic_regression\nestimator_params: {}\ngrid: {regParam: [0.0, 0.1]}\n"
    assert faults(home, yaml) == ""


def test_an_address_on_other_storage_is_not_looked_for_on_this_machine(home: Path) -> None:
    assert faults(home, "labelled_path: s3a://bucket/rows.csv") == ""


def test_a_column_with_a_name_in_quotes_and_a_key_that_is_made_are_known(home: Path) -> None:
    assert faults(home, "split_by: a (cm)\nkey: row\ncomplete: {make_key: true}\n") == ""


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


def test_a_schema_with_a_name_that_no_column_can_have_is_told(home: Path) -> None:
    said = faults(home, "schema: 'id INT, Survived: INT, survived INT'\nranges: {}\n")
    assert "schema: Spark cannot tell the columns 'Survived', 'survived' apart" in said


def test_a_key_that_might_be_made_is_no_second_fault(home: Path) -> None:
    assert faults(home, "key: row\ncomplete: {make_key: 'yes'}\n").startswith("a parameter will not do")
    assert "unknown column in key 'row'" in faults(home, "key: row\ncomplete: {make_key: false}\n")


def test_run_dir_is_not_to_be_given(home: Path) -> None:
    assert "run_dir is not to be given: --name names the folder" in faults(home, "run_dir: outputs/x")


def test_a_key_given_twice_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("seed: 1\nlabel: a\nseed: 2\n")
    with pytest.raises(ParameterError, match=r"p\.yaml: 'seed' is given twice, in lines 1 and 3"):
        read_parameters([file])


def test_a_key_given_twice_deep_inside_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("grid:\n  a: [1]\n  a: [2]\n")
    with pytest.raises(ParameterError, match="'a' is given twice, in lines 2 and 3"):
        read_parameters([file])


@pytest.mark.parametrize(("text", "kind"), [("- a\n- b\n", "list"), ("hello\n", "str")])
def test_a_file_that_is_no_mapping_is_an_error(tmp_path: Path, text: str, kind: str) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(text)
    with pytest.raises(ParameterError, match=f"this is a {kind}"):
        read_parameters([file])


def test_a_file_that_is_no_yaml_or_not_there_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("a: [1\n")
    with pytest.raises(ParameterError, match="this is no YAML"):
        read_parameters([tmp_path / "p.yaml"])
    with pytest.raises(ParameterError, match=r"cannot read the parameter file .*q\.yaml"):
        read_parameters([tmp_path / "q.yaml"])


def test_overrides_are_read_as_yaml_and_win(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("a: 1\nb: x\n")
    given = read_parameters([file], ["a=true", "c=[1, 2]", "d=007", "e=local[2]", "f=", "g=x=y", "h=2026-11-24"])
    assert given.values == {
        "a": True, "b": "x", "c": [1, 2], "d": 7, "e": "local[2]", "f": "", "g": "x=y", "h": "2026-11-24",
    }  # fmt: skip
    assert given.sources["a"] == "-p a=true"


def test_an_override_without_an_equals_sign_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("")
    with pytest.raises(ParameterError, match="-p seed: write name=value"):
        read_parameters([file], ["seed"])


def test_a_parameter_line_that_papermill_overlooks_is_an_error(tmp_path: Path, write_notebook: Write) -> None:
    notebook = write_notebook(tmp_path / "01.ipynb", 'a: int = 1\nb: str = "x=y"  # help\n')
    with pytest.raises(ParameterError, match=r"01\.ipynb: papermill overlooks b"):
        read_declarations([notebook])


def test_a_type_that_is_none_is_the_notebooks_fault(tmp_path: Path, write_notebook: Write) -> None:
    declared = read_declarations([write_notebook(tmp_path / "01.ipynb", "a: itn = 1")])
    with pytest.raises(ParameterError, match="01: a has the type 'itn', which is none"):
        check_declared(Parameters({"a": 1}, {"a": "f"}), declared)


def test_two_notebooks_that_declare_a_parameter_both_check_it_and_say_it_once(
    tmp_path: Path, write_notebook: Write
) -> None:
    declared = read_declarations(
        [write_notebook(tmp_path / f"{n}.ipynb", 'a: str = "x"  # one of: x, y') for n in ("01", "02")]
    )
    assert check_declared(Parameters({"a": "z"}, {"a": "f"}), declared) == ["f: unknown value of a 'z': Known: x, y"]
    assert effective({}, declared) == {"a": "x"}


def test_the_titanic_s_file_says_what_the_notebooks_own_cells_say() -> None:
    root = Path(__file__).parents[2]
    declarations = read_declarations([root / "notebooks" / f"{stage}.ipynb" for stage in STAGES])
    own, said = effective({}, declarations), read_parameters([root / "params/titanic.yaml"]).values
    named = {"registered_model": "titanic"}  # by itself a notebook takes the name of its run's folder
    assert said == {name: own[name] for name in said} | named


def test_the_quick_file_passes_the_check_before_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).parents[2]
    monkeypatch.setenv("LIFEBOAT_HOME", str(root))
    declarations = read_declarations([root / "notebooks" / f"{stage}.ipynb" for stage in STAGES])
    values = check(read_parameters([root / "params/quick.yaml"]), declarations)
    assert values["estimator_params"] == {"numTrees": 5}
