"""What a run can know about its parameters' values before it starts Spark."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lifeboat.errors import DataError, ParameterError, credential_error, unknown
from lifeboat.parameters.params import Declarations, Parameters, check_declared, effective
from lifeboat.reading.names import check_names
from lifeboat.run import resolve_input
from lifeboat.run.inputs import input_paths
from lifeboat.scoring.classes import names_of_classes
from lifeboat.scoring.declared import FEATURES, feature_error, type_error


def name_model(parameters: Parameters, file: Path, declarations: Declarations) -> None:
    """Let the registered model be called as the parameter file is, where nothing else is said: a file is of one table.

    Args:
        parameters: What was read; completed in place.
        file: The first parameter file.
        declarations: What the notebooks declare.
    """
    if any("registered_model" in declared for declared in declarations.values()):
        parameters.values.setdefault("registered_model", file.stem)
        parameters.sources.setdefault("registered_model", "the parameter file's name")


def forget_classes(parameters: Parameters, declarations: Declarations) -> None:
    """Call the classes no and yes, where a label is given and no names for its classes: the default's are another's.

    Args:
        parameters: What was read; completed in place.
        declarations: What the notebooks declare.
    """
    label = effective({}, declarations).get("label")
    if parameters.values.get("label", label) != label and any(
        "class_names" in lines for lines in declarations.values()
    ):
        parameters.values.setdefault("class_names", [])
        parameters.sources.setdefault("class_names", "the default for another label")


def check(parameters: Parameters, declarations: Declarations) -> dict[str, Any]:
    """Check everything that can be checked before anything starts.

    Returns:
        Every parameter's value, given or default.

    Raises:
        ParameterError: Something will not do; the message lists all of it, and where each value stands.
    """
    errors = check_declared(parameters, declarations)
    values = effective(parameters.values, declarations)
    # a value of the wrong type has been named already, and the rules need the right one
    if not errors:
        named = [(name, error) for rule in RULES for name, error in rule(values)]
        errors = [f"{parameters.sources.get(name, 'the default')}: {error}" for name, error in named]
    if errors:
        head = "a parameter will not do" if len(errors) == 1 else f"{len(errors)} parameters will not do"
        raise ParameterError(f"{head}; nothing was started\n" + "\n".join(f"  {error}" for error in errors))
    return values


Errors = list[tuple[str, str]]  # (parameter, what is wrong with it)


def path_errors(values: Mapping[str, Any]) -> Errors:
    """Each path that a parameter names must have something at it."""
    errors = []
    for name, path in input_paths(values):
        try:
            resolve_input(path)
        except DataError as error:
            errors.append((name, f"{name}: {error}"))
    return errors


def credential_errors(values: Mapping[str, Any]) -> Errors:
    """No value may hold a credential: parameters stand in the executed notebooks, in ``run.json`` and in MLflow."""
    return [(name, error) for name, value in values.items() if (error := credential_error(name, value))]


def estimator_errors(values: Mapping[str, Any]) -> Errors:
    """``estimator_params`` and ``grid`` must name Params of the estimator, with values these take."""
    name = values.get("estimator")
    if name is None:
        return []
    from lifeboat.train_cv.estimators import ESTIMATORS

    if name not in ESTIMATORS:
        return [("estimator", unknown("estimator", name, ESTIMATORS))]
    cls = ESTIMATORS[name]
    errors = []
    for param, value in (values.get("estimator_params") or {}).items():
        errors += [("estimator_params", error) for error in _param_errors(cls, param, [value])]
    for param, points in (values.get("grid") or {}).items():
        if not isinstance(points, list) or not points:
            errors.append(("grid", f"grid: {param} is {points!r}; write a list of values, such as [100, 300]"))
        else:
            errors += [("grid", error) for error in _param_errors(cls, param, points)]
    return errors


def _param_errors(cls: type, name: str, points: list[Any]) -> list[str]:
    """Asked of the class: its instances want a running Spark."""
    from pyspark.ml.param import Param

    params = {known: param for known in dir(cls) if isinstance(param := getattr(cls, known), Param)}
    if name not in params:
        return [unknown(f"Param of {cls.__name__}", str(name), params)]
    errors = []
    for value in points:
        try:
            params[name].typeConverter(value)
        except TypeError as error:
            errors.append(f"{cls.__name__}.{name} cannot be {value!r} ({error}); {params[name].doc}")
    return errors


def stage_errors(values: Mapping[str, Any]) -> Errors:
    """``derive`` and ``impute`` must describe stages there are."""
    from lifeboat.preprocess import features

    readers: dict[str, Callable[[Any], object]] = {"derive": features.derived, "impute": features.imputers}
    errors = []
    for name, read in readers.items():
        try:
            read(values.get(name) or {})
        except ParameterError as error:
            errors.append((name, str(error)))
        except (TypeError, ValueError, AttributeError) as error:
            errors.append((name, f"{name}: {values[name]!r} is not of the form that is wanted ({error})"))
        except AssertionError:
            pass  # one of Spark's own stages: it wants a running Spark, and the notebook will see it
    return errors


TYPE = r"[^\s(<]+(?:\s*\([^)]*\)|\s*<.*>)?"
SCHEMA_COLUMN = re.compile(rf"\s*(?:`((?:[^`]|``)+)`|([^\s,`:]+))(?:\s*:\s*|\s+)({TYPE})", re.DOTALL)


def schema_columns(words: str) -> dict[str, str]:
    """The columns of a schema's SQL words and their types; Spark alone can say whether the rest is right."""
    matches = (SCHEMA_COLUMN.match(column) for column in _columns(words))
    return {match[1].replace("``", "`") if match[1] else match[2]: match[3] for match in matches if match}


def _columns(words: str) -> list[str]:
    """The words of each column: between commas that stand in no name, text or type with parts."""
    columns, depth = [""], 0
    for token in re.findall(r"`(?:[^`]|``)*`|'[^']*'|.", words, re.DOTALL):
        depth += (token in "(<") - (token in ")>")
        if token == "," and not depth:
            columns.append("")
        else:
            columns[-1] += token
    return columns


def type_errors(values: Mapping[str, Any]) -> Errors:
    """The schema's types must be those there are, and features of types that a model can learn from."""
    columns = schema_columns(values.get("schema") or "")
    wrong = {name: error for name, kind in columns.items() if (error := type_error(name, kind))}
    errors = [("schema", f"schema: {error}") for error in wrong.values()]
    for role in FEATURES:
        for name in values.get(role) or []:
            if name in columns.keys() - wrong.keys() and (error := feature_error(name, columns[name], role)):
                errors.append((role, error))
    return errors


def class_errors(values: Mapping[str, Any]) -> Errors:
    """``class_names`` must tell the classes apart."""
    try:
        names_of_classes(values.get("class_names") or [])
    except ParameterError as error:
        return [("class_names", str(error))]
    return []


def rows_errors(values: Mapping[str, Any]) -> Errors:
    """``complete`` must have its form, and columns that other parameters name be in the schema."""
    from lifeboat.load.needs import parse_needs
    from lifeboat.reading import parse_csv

    errors, made = [], values.get("key", "")
    try:
        parse_csv(values.get("csv") or {})
    except ParameterError as error:
        errors.append(("csv", str(error)))
    try:
        made = parse_needs(values.get("complete") or {}, made).made_key
    except ParameterError as error:
        errors.append(("complete", str(error)))  # whether it makes the key is not known
    columns = schema_columns(values.get("schema") or "")
    if not columns:
        return errors
    try:
        check_names(columns, "schema")
    except DataError as error:
        errors.append(("schema", str(error)))
    named = [(name, values.get(name)) for name in ("label", "key", "split_by", "group_by")]
    named += [("ranges", column) for column in values.get("ranges") or {}]
    for name, column in named:
        if column and column not in (*columns, made):
            errors.append((name, unknown(f"column in {name}", str(column), columns)))
    return errors


def azure_errors(values: Mapping[str, Any]) -> Errors:
    """``azure`` must hold settings that will do, and no secret: what is given stands in the executed notebooks."""
    if not values.get("azure"):
        return []
    from lifeboat.deploy.azure.settings import AzureSettings

    try:
        AzureSettings.read_dry(values["azure"])
    except ParameterError as error:
        return [("azure", str(error))]
    return []


RULES: tuple[Callable[[Mapping[str, Any]], Errors], ...] = (
    credential_errors,
    path_errors,
    estimator_errors,
    stage_errors,
    rows_errors,
    class_errors,
    type_errors,
    azure_errors,
)
