"""Request bodies to records: MLflow's four forms, Azure's, and plainer ones. It knows nothing of any web framework."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from lifeboat.scoring.fields import InputError, in_words

Record = dict[str, Any]

PARAMS = "params"  # MLflow's own server ignores them
SHOWN = 200  # characters
SPLIT = frozenset({"columns", "index", "data"})


class MalformedError(InputError):
    """The body is not JSON, or not in a way that all read alike."""

    status, reason = 400, "malformed"


def read_json(body: bytes) -> Any:
    """The value that a JSON body holds; ``NaN`` and ``Infinity``, which Python writes into JSON, are read too.

    Raises:
        MalformedError: It is not JSON, or an object in it names a key twice.
    """
    try:
        return json.loads(body, object_pairs_hook=_object)
    except MalformedError:
        raise
    except (ValueError, RecursionError) as error:
        got = in_words(body[:SHOWN].decode(errors="replace"))
        raise MalformedError("body", got, f"JSON ({error})") from error


def _object(pairs: list[tuple[str, Any]]) -> Record:
    record = dict(pairs)
    if len(record) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise MalformedError(twice[:SHOWN], "the same key twice in one object", "each key once")
    return record


def invocations(body: Any) -> list[Record]:
    """Records from a body of MLflow's scoring protocol: exactly one of its four keys.

    Raises:
        InputError: Another shape, or parameters beside it: a model takes none.
    """
    body = _without_params(body)
    if not isinstance(body, dict) or len(body) != 1 or not body.keys() <= FORMS.keys():
        raise InputError("body", _shape(body), f"an object with exactly one of the keys {', '.join(FORMS)}")
    ((name, value),) = body.items()
    return FORMS[name](value, name)


def score(body: Any) -> list[Record]:
    """Records from ``{"input_data": ...}``, ``{"columns": ..., "data": ...}``, a list of records or one record.

    MLflow's four forms do as well: an object whose only key is one of these is no record.

    Raises:
        InputError: Another shape.
    """
    if isinstance(body, dict) and "input_data" in body:
        if len(body) > 1:
            raise InputError("body", _shape(body), "input_data alone")
        return plain(body["input_data"], "input_data")
    return invocations(body) if _is_mlflow_s(body) else plain(body, "body")


def _is_mlflow_s(body: Any) -> bool:
    """Whether an object has one of the four keys and beside it no more than ``params``, which are null or an object."""
    if not isinstance(body, dict) or not isinstance(body.get(PARAMS) or {}, dict):
        return False
    keys = body.keys() - {PARAMS}
    return len(keys) == 1 and keys <= FORMS.keys()


def _without_params(body: Any) -> Any:
    """The body without MLflow's ``params`` where they say nothing."""
    if not isinstance(body, dict) or PARAMS not in body:
        return body
    if body[PARAMS]:
        raise InputError(PARAMS, in_words(body[PARAMS]), "nothing: the model takes no parameters")
    return {name: value for name, value in body.items() if name != PARAMS}


def plain(value: Any, where: str) -> list[Record]:
    """Records from columns with data, a list of records, or one record."""
    if isinstance(value, dict):
        return split(value, where) if value and value.keys() <= SPLIT else [value]
    return records(value, where)


def records(value: Any, where: str) -> list[Record]:
    """Records from a list of them."""
    if not isinstance(value, list):
        raise InputError(where, in_words(value), "a list of records, each an object of column and value")
    for row, record in enumerate(value):
        if not isinstance(record, dict):
            raise InputError(f"{where}[{row}]", in_words(record), "a record: an object of column and value", row=row)
    return value


def split(value: Any, where: str) -> list[Record]:
    """Records from ``{"columns": [...], "data": [[...], ...]}``; an ``index`` is checked and not used."""
    if not isinstance(value, dict) or not {"columns", "data"} <= value.keys() <= SPLIT:
        raise InputError(where, _shape(value), "an object with columns, data and perhaps index")
    columns, data = value["columns"], value["data"]
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        raise InputError(f"{where}.columns", in_words(columns), "a list of column names")
    if len(set(columns)) < len(columns):
        raise InputError(f"{where}.columns", in_words(columns), "each column once")
    if not isinstance(data, list):
        raise InputError(f"{where}.data", in_words(data), "a list of rows, each a list")
    for row, values in enumerate(data):
        if not isinstance(values, list):
            raise InputError(f"{where}.data[{row}]", in_words(values), "a row: a list of values", row=row)
        if len(values) != len(columns):
            raise InputError(f"{where}.data[{row}]", f"{len(values)} values", f"{len(columns)}, one a column", row=row)
    index = value.get("index")
    if index is not None and (not isinstance(index, list) or len(index) != len(data)):
        raise InputError(f"{where}.index", in_words(index), f"a list of {len(data)} labels, one a row")
    return [dict(zip(columns, values, strict=True)) for values in data]


def by_row_or_column(value: Any, where: str) -> list[Record]:
    """Records from a list of them, one record, or an object of columns, each a list of values of one length."""
    if not isinstance(value, dict):
        return records(value, where)
    if not any(isinstance(values, list) for values in value.values()):
        return [value]
    lengths = {name: len(values) if isinstance(values, list) else None for name, values in value.items()}
    count = next(length for length in lengths.values() if length is not None)
    for name, length in lengths.items():
        if length != count:
            got = in_words(value[name]) if length is None else f"{length} values"
            raise InputError(f"{where}.{name}", got, f"a list of {count} values, as the other columns")
    return [dict(zip(value, row, strict=True)) for row in zip(*value.values(), strict=True)]


FORMS: dict[str, Callable[[Any, str], list[Record]]] = {
    "dataframe_split": split,
    "dataframe_records": records,
    "inputs": by_row_or_column,
    "instances": by_row_or_column,
}


def _keys(value: Record) -> str:
    names = ", ".join(value)
    return names if len(names) <= SHOWN else f"{names[:SHOWN]}…"


def _shape(value: Any) -> str:
    if not isinstance(value, dict):
        return in_words(value)
    return f"an object with the keys {_keys(value)}" if value else "an empty object"
