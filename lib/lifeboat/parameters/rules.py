"""What a run can know about its parameters' values before it starts Spark."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lifeboat.errors import DataError, ParameterError, credential_fault, unknown
from lifeboat.parameters.params import Declarations, Given, check_declared, effective
from lifeboat.reading.names import check_names
from lifeboat.run import resolve_input
from lifeboat.run.inputs import input_paths
from lifeboat.scoring.classes import names_of_classes
from lifeboat.scoring.declared import FEATURES, feature_fault, type_fault


def name_model(given: Given, file: Path, declarations: Declarations) -> None:
    """Let the registered model be called as the parameter file is, where nothing else is said: a file is of one table.

    Args:
        given: What was read; completed in place.
        file: The first parameter file.
        declarations: What the notebooks declare.
    """
    if any("registered_model" in declared for declared in declarations.values()):
        given.values.setdefault("registered_model", file.stem)
        given.sources.setdefault("registered_model", "the parameter file's name")


def forget_classes(given: Given, declarations: Declarations) -> None:
    """Call the classes no and yes, where a label is given and no names for its classes: the default's are another's.

    Args:
        given: What was read; completed in place.
        declarations: What the notebooks declare.
    """
    label = effective({}, declarations).get("label")
    if given.values.get("label", label) != label and any("class_names" in lines for lines in declarations.values()):
        given.values.setdefault("class_names", [])
        given.sources.setdefault("class_names", "the default for another label")


def check(given: Given, declarations: Declarations) -> dict[str, Any]:
    """Check everything that can be checked before anything starts.

    Returns:
        Every parameter's value, given or default.

    Raises:
        ParameterError: Something will not do; the message lists all of it, and where each value stands.
    """
    faults = check_declared(given, declarations)
    values = effective(given.values, declarations)
    # a value of the wrong type has been named already, and the rules need the right one
    if not faults:
        named = [(name, fault) for rule in RULES for name, fault in rule(values)]
        faults = [f"{given.sources.get(name, 'the default')}: {fault}" for name, fault in named]
    if faults:
        head = "a parameter will not do" if len(faults) == 1 else f"{len(faults)} parameters will not do"
        raise ParameterError(f"{head}; nothing was started\n" + "\n".join(f"  {fault}" for fault in faults))
    return values


Faults = list[tuple[str, str]]  # (parameter, what is wrong with it)


def path_faults(values: Mapping[str, Any]) -> Faults:
    """Each path that a parameter names must have something at it."""
    faults = []
    for name, path in input_paths(values):
        try:
            resolve_input(path)
        except DataError as error:
            faults.append((name, f"{name}: {error}"))
    return faults


def credential_faults(values: Mapping[str, Any]) -> Faults:
    """No value may hold a credential: parameters stand in the executed notebooks, in ``run.json`` and in MLflow."""
    return [(name, fault) for name, value in values.items() if (fault := credential_fault(name, value))]


def estimator_faults(values: Mapping[str, Any]) -> Faults:
    """``estimator_params`` and ``grid`` must name Params of the estimator, with values these take."""
    name = values.get("estimator")
    if name is None:
        return []
    from lifeboat.train_cv.estimators import ESTIMATORS

    if name not in ESTIMATORS:
        return [("estimator", unknown("estimator", name, ESTIMATORS))]
    cls = ESTIMATORS[name]
    faults = []
    for param, value in (values.get("estimator_params") or {}).items():
        faults += [("estimator_params", fault) for fault in _param_faults(cls, param, [value])]
    for param, points in (values.get("grid") or {}).items():
        if not isinstance(points, list) or not points:
            faults.append(("grid", f"grid: {param} is {points!r}; write a list of values, such as [100, 300]"))
        else:
            faults += [("grid", fault) for fault in _param_faults(cls, param, points)]
    return faults


def _param_faults(cls: type, name: str, points: list[Any]) -> list[str]:
    """Asked of the class: its instances want a running Spark."""
    from pyspark.ml.param import Param

    params = {known: param for known in dir(cls) if isinstance(param := getattr(cls, known), Param)}
    if name not in params:
        return [unknown(f"Param of {cls.__name__}", str(name), params)]
    faults = []
    for value in points:
        try:
            params[name].typeConverter(value)
        except TypeError as error:
            faults.append(f"{cls.__name__}.{name} cannot be {value!r} ({error}); {params[name].doc}")
    return faults


def recipe_faults(values: Mapping[str, Any]) -> Faults:
    """``derive`` and ``impute`` must describe stages there are."""
    from lifeboat.preprocess import features

    readers: dict[str, Callable[[Any], object]] = {"derive": features.derived, "impute": features.imputers}
    faults = []
    for name, read in readers.items():
        try:
            read(values.get(name) or {})
        except ParameterError as error:
            faults.append((name, str(error)))
        except (TypeError, ValueError, AttributeError) as error:
            faults.append((name, f"{name}: {values[name]!r} is not of the form that is wanted ({error})"))
        except AssertionError:
            pass  # one of Spark's own stages: it wants a running Spark, and the notebook will see it
    return faults


TYPE = r"[^\s(<]+(?:\s*\([^)]*\)|\s*<.*>)?"
SCHEMA_COLUMN = re.compile(rf"\s*(?:`((?:[^`]|``)+)`|([^\s,`:]+))(?:\s*:\s*|\s+)({TYPE})", re.DOTALL)


def schema_columns(words: str) -> dict[str, str]:
    """The columns of a schema's SQL words and their types; Spark alone can say whether the rest is right."""
    found = (SCHEMA_COLUMN.match(column) for column in _columns(words))
    return {match[1].replace("``", "`") if match[1] else match[2]: match[3] for match in found if match}


def _columns(words: str) -> list[str]:
    """The words of each column: between commas that stand in no name, text or type with parts."""
    columns, depth = [""], 0
    for part in re.findall(r"`(?:[^`]|``)*`|'[^']*'|.", words, re.DOTALL):
        depth += (part in "(<") - (part in ")>")
        if part == "," and not depth:
            columns.append("")
        else:
            columns[-1] += part
    return columns


def type_faults(values: Mapping[str, Any]) -> Faults:
    """The schema's types must be those there are, and features of types that a model can learn from."""
    columns = schema_columns(values.get("schema") or "")
    wrong = {name: fault for name, kind in columns.items() if (fault := type_fault(name, kind))}
    faults = [("schema", f"schema: {fault}") for fault in wrong.values()]
    for role in FEATURES:
        for name in values.get(role) or []:
            if name in columns.keys() - wrong.keys() and (fault := feature_fault(name, columns[name], role)):
                faults.append((role, fault))
    return faults


def class_faults(values: Mapping[str, Any]) -> Faults:
    """``class_names`` must tell the classes apart."""
    try:
        names_of_classes(values.get("class_names") or [])
    except ParameterError as error:
        return [("class_names", str(error))]
    return []


def rows_faults(values: Mapping[str, Any]) -> Faults:
    """``complete`` must have its form, and columns that other parameters name be in the schema."""
    from lifeboat.load.needs import parse_needs
    from lifeboat.reading import parse_csv

    faults, made = [], values.get("key", "")
    try:
        parse_csv(values.get("csv") or {})
    except ParameterError as error:
        faults.append(("csv", str(error)))
    try:
        made = parse_needs(values.get("complete") or {}, made).made_key
    except ParameterError as error:
        faults.append(("complete", str(error)))  # whether it makes the key is not known
    columns = schema_columns(values.get("schema") or "")
    if not columns:
        return faults
    try:
        check_names(columns, "schema")
    except DataError as error:
        faults.append(("schema", str(error)))
    named = [(name, values.get(name)) for name in ("label", "key", "split_by", "group_by")]
    named += [("ranges", column) for column in values.get("ranges") or {}]
    for name, column in named:
        if column and column not in (*columns, made):
            faults.append((name, unknown(f"column in {name}", str(column), columns)))
    return faults


def azure_faults(values: Mapping[str, Any]) -> Faults:
    """``azure`` must hold settings that will do, and no secret: what is given stands in the executed notebooks."""
    if not values.get("azure"):
        return []
    from lifeboat.deploy.azure.settings import AzureSettings

    try:
        AzureSettings.read_dry(values["azure"])
    except ParameterError as error:
        return [("azure", str(error))]
    return []


RULES: tuple[Callable[[Mapping[str, Any]], Faults], ...] = (
    credential_faults,
    path_faults,
    estimator_faults,
    recipe_faults,
    rows_faults,
    class_faults,
    type_faults,
    azure_faults,
)
