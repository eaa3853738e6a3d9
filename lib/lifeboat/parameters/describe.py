"""What is written from the model: parameter cells, the table of a run's values, the docs' page and the JSON Schema."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from lifeboat.parameters.azure import AzureSettings
from lifeboat.parameters.csv_format import CsvFormat
from lifeboat.parameters.enrich import Enrich, Join
from lifeboat.parameters.field import about, comment_of, fields_of, plain_type, takes
from lifeboat.parameters.files import EXTENDS
from lifeboat.parameters.model import BESIDE, SECTIONS, ColumnWords, Parameters, taken_by
from lifeboat.parameters.resolve import RUN_DIR, Resolved

WIDTH = 118  # letters on a line of a cell
LONGEST = 40  # letters of a default in the docs
BAR = "&#124;"  # in a cell of a table in Markdown
OURS = ("notebooks", "environment", "form")
TYPES: dict[Any, str] = {int: "int", float: "float", bool: "bool", list: "list"}
BRACKETS: dict[Any, tuple[str, str]] = {list: ("[", "]"), dict: ("{", "}"), str: ("(", ")")}
NESTED: dict[str, type] = {
    "csv": CsvFormat,
    "enrich": Enrich,
    "enrich.join[]": Join,
    "columns.COLUMN": ColumnWords,
    "azure": AzureSettings,
}
INTRODUCTION = (
    "What a parameter file, or `-p name=value`, may say. What is not said has the default of the notebooks' own cells, "
    "which is the Titanic's. For `lifeboat run` and the other commands the command line counts before the environment, "
    "the environment before the file, the file before the default; `lifeboat params FILE` shows which it was. A "
    "notebook by itself, in JupyterLab or under papermill, takes the environment before its cell. All is checked "
    "before anything runs.\n\n"
    "A file may start from another beside it: `extends: titanic.yaml`. What it says itself counts before; a nested "
    "parameter counts as a whole. That is for `lifeboat run`: `lifeboat params FILE --flat` prints one file for plain "
    "papermill. `-p enrich.no_value='{Cabin: [NA]}'` changes a part of a nested one. What `-p` gives is read by the "
    "type that the parameter has: a text needs no quotes."
)


def cell(notebook: str) -> str:
    """The source of a notebook's parameter cell: ``name: type = default  # meaning; limits``, as papermill reads it.

    Args:
        notebook: Its name, such as ``03_train_cv``.
    """
    return "\n".join(line for name, field in taken_by(notebook).items() for line in _lines(name, field))


def _lines(name: str, field: FieldInfo) -> Iterator[str]:
    head = f"{name}: {TYPES.get(plain_type(field), type(field.default).__name__)} = "
    comment, value = f"  # {comment_of(field)}", _python(field.default)
    if len(head + value + comment) <= WIDTH or not field.default:
        yield head + value + comment
        return
    opened, closed = BRACKETS[type(field.default)]
    yield f"{head}{opened}"
    yield from (f"    {line}" for line in _inside(field.default))
    yield f"{closed}{comment}"  # papermill takes the comment behind the last line


def _inside(value: Any) -> list[str]:
    """What stands between the brackets of a long value, on as few lines as will do."""
    if isinstance(value, str):
        wrapped = textwrap.wrap(value, WIDTH - 8, drop_whitespace=False, break_on_hyphens=False)
        return [_python(line) for line in wrapped]
    pairs = value.items() if isinstance(value, dict) else ()
    items = [f"{_python(key)}: {_python(item)}" for key, item in pairs] or [_python(item) for item in value]
    lines = [""]
    for item in items:
        if len(lines[-1]) + len(item) > WIDTH - 6 and lines[-1]:
            lines.append("")
        lines[-1] += f"{item}, "
    return [line.rstrip() for line in lines]


def _python(value: Any) -> str:
    """A value as Python's source, with the quotes that the notebooks have."""
    if isinstance(value, str):
        return _json(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_python, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_python(key)}: {_python(item)}" for key, item in value.items()) + "}"
    return repr(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def table(resolved: Resolved) -> list[tuple[str, ...]]:
    """A run's parameters for people: name, value, where it is from, what may be written, what it is."""
    return [
        (name, _json(resolved.values[name]), resolved.origins[name], takes(field), str(field.description))
        for name, field in fields_of(Parameters).items()
        if name != RUN_DIR
    ]


def page() -> str:
    """The docs' page of all parameters, in Markdown."""
    lines = ["# Parameters", "", INTRODUCTION, ""]
    for section in SECTIONS:
        lines += [f"## {str(section.__doc__).capitalize()}", "", *_markdown(section), ""]
    lines += ["## Parts of nested parameters", ""]
    for name, model in NESTED.items():
        lines += [f"### `{name}`", "", *_markdown(model), ""]
    for notebook, model in BESIDE.items():
        lines += [f"## Of notebook {int(notebook[:2])} alone", "", *_markdown(model), ""]
    return "\n".join(lines)


def _markdown(model: type) -> list[str]:
    rows = ["| name | default | what it is | what may be written | notebooks |", "|---|---|---|---|---|"]
    for name, field in fields_of(model).items():
        default = "must be given" if field.is_required() else f"`{_default(field)}`"
        cells = (f"`{name}`", default, str(field.description), takes(field), ", ".join(about(field, "notebooks")))
        rows.append(f"| {' | '.join(text.replace('|', BAR) for text in cells)} |")
    return rows


def _default(field: FieldInfo) -> str:
    text = _json(TypeAdapter(Any).dump_python(field.default, mode="json"))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def schema() -> dict[str, Any]:
    """The JSON Schema of a parameter file: editors complete names from it and mark what will not do."""
    described = TypeAdapter(Parameters).json_schema()
    del described["properties"][RUN_DIR]
    described["properties"][EXTENDS] = {
        "type": "string",
        "description": "the parameter file to start from",
    }
    azure = AzureSettings.model_json_schema()
    del azure["required"]  # the environment may say these
    described["properties"]["azure"] = azure | {"description": fields_of(Parameters)["azure"].description}
    plain = _plain(described) | {"title": "Lifeboat's parameters"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **plain}


def _plain(described: Any) -> Any:
    """Without what speaks to us alone."""
    if isinstance(described, dict):
        kept = {name: value for name, value in described.items() if name not in OURS or isinstance(value, dict)}
        first = {"description": text.splitlines()[0]} if isinstance(text := kept.get("description"), str) else {}
        return {name: _plain(value) for name, value in (kept | first).items()}
    return [_plain(item) for item in described] if isinstance(described, list) else described
