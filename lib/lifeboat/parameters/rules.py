"""What is wrong with parameters, as far as they tell by themselves: types, limits, credentials, contradictions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from lifeboat.errors import DataError, ParameterError, credential_error, unknown
from lifeboat.parameters.enrich import parse_enrich
from lifeboat.parameters.field import Path, fields_of, sentences
from lifeboat.parameters.model import Parameters
from lifeboat.parameters.names import check_names
from lifeboat.parameters.resolve import RUN_DIR, Resolved
from lifeboat.scoring.declared import FEATURES, feature_error, type_error

RENAMED = {
    "fold_by": "fold_by is called group_by now, and rows that share it are held out together too: rename it",
    "complete": "complete is called enrich now: rename it",
}
Errors = Iterator[tuple[Path, str]]  # where it is, and what is wrong
Rule = tuple[tuple[str, ...], Callable[[Mapping[str, Any]], Errors]]  # the parameters it reads, and what it finds


def need(name: str, value: Any) -> None:
    """Raise ParameterError where a parameter cannot have a value: its limits stand in the model and nowhere else."""
    try:
        _adapter(name).validate_python(value)
    except ValidationError as error:
        raise ParameterError(next(sentence for _, sentence in sentences(error, Parameters, inside=(name,)))) from error


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    """Built once: functions that draw a thousand times ask each time."""
    return TypeAdapter(fields_of(Parameters)[name].rebuild_annotation())


def check(resolved: Resolved, more: Sequence[Rule] = ()) -> dict[str, Any]:
    """Check everything that can be checked before anything starts.

    Args:
        resolved: The parameters.
        more: Rules that need what parameters by themselves do not tell, such as Spark's classes.

    Returns:
        Every parameter's value, given or default.

    Raises:
        ParameterError: Something will not do; the message lists all of it, and where each value stands.
    """
    errors = list(dict.fromkeys(_errors(resolved, [*RULES, *more])))
    if errors:
        head = "a parameter will not do" if len(errors) == 1 else f"{len(errors)} parameters will not do"
        lines = (f"  {resolved.origin(path)}: {error}" for path, error in errors)
        raise ParameterError(f"{head}; nothing was started\n" + "\n".join(lines))
    return resolved.values


def _errors(resolved: Resolved, rules: Iterable[Rule]) -> Errors:
    """What is wrong; a rule is asked where the values that it reads are of the right types."""
    values = resolved.values
    wrong = set()
    for path, error in _model_errors(values):
        wrong.add(path[0])
        yield path, error
    if RUN_DIR in resolved.chosen.values:
        yield (RUN_DIR,), "run_dir is not to be given: --name names the folder in outputs/"
    for names, rule in rules:
        if not wrong & {*names}:
            yield from rule(values)


def _model_errors(values: Mapping[str, Any]) -> Errors:
    try:
        TypeAdapter(Parameters).validate_python(dict(values))
    except ValidationError as error:
        for path, sentence in sentences(error, Parameters):
            yield path, RENAMED.get(str(path[0]), sentence)


def credential_errors(values: Mapping[str, Any]) -> Errors:
    """No value may hold a credential: parameters stand in the executed notebooks, in ``run.json`` and in MLflow."""
    for name, value in values.items():
        if message := credential_error(name, value):
            yield (name,), message


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


def schema_errors(values: Mapping[str, Any]) -> Errors:
    """The schema's names and types must be those there can be, and features of types that a model can learn from."""
    columns = schema_columns(values["schema"])
    try:
        check_names(columns, "schema")
    except DataError as error:
        yield ("schema",), str(error)
    wrong = {name: message for name, kind in columns.items() if (message := type_error(name, kind))}
    yield from ((("schema",), f"schema: {message}") for message in wrong.values())
    for role in FEATURES:
        for index, name in enumerate(values[role]):
            if name in columns.keys() - wrong.keys() and (message := feature_error(name, columns[name], role)):
                yield (role, index), message


def column_errors(values: Mapping[str, Any]) -> Errors:
    """What other parameters take for a column of the rows must be one."""
    columns = [*schema_columns(values["schema"])]
    if parse_enrich(values["enrich"]).make_key:
        columns.append(values["key"])
    if len(columns) < 2:  # a schema that Spark cannot read either
        return
    for name in ("label", "key", "split_by", "group_by"):
        if values[name] and values[name] not in columns:
            yield (name,), unknown(f"column in {name}", values[name], columns)
    for column in values["ranges"]:
        if column not in columns:
            yield ("ranges", column), unknown("column in ranges", column, columns)


def feature_contradictions(values: Mapping[str, Any]) -> Errors:
    """A feature is a number or a category, and neither the label nor the key."""
    for index, name in enumerate(values["categorical"]):
        if name in values["numeric"]:
            yield ("categorical", index), f"{name!r} is under numeric and under categorical: take it out of one"
    for role in FEATURES:
        for index, name in enumerate(values[role]):
            if name in (values["label"], values["key"]):
                role_of = "label" if name == values["label"] else "key"
                yield (role, index), f"{name!r} under {role} is the {role_of}: a model must not see it, take it out"
    if not values["numeric"] and not values["categorical"]:
        yield ("numeric",), "numeric and categorical are both empty: a model needs a feature, name one"


def azure_errors(values: Mapping[str, Any]) -> Errors:
    """``azure`` must hold settings that will do, and no secret: what is given stands in the executed notebooks."""
    if values["azure"]:
        from lifeboat.parameters.azure import AzureSettings  # built when it is asked for: most runs name no cloud

        try:
            AzureSettings.read_dry(values["azure"])
        except ParameterError as error:
            yield ("azure",), str(error)


RULES: tuple[Rule, ...] = (
    ((), credential_errors),
    (("schema", "numeric", "categorical"), schema_errors),
    (("schema", "enrich", "label", "key", "split_by", "group_by", "ranges"), column_errors),
    (("numeric", "categorical", "label", "key"), feature_contradictions),
    (("azure",), azure_errors),
)
