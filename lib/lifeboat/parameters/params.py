"""Parameters: read from a YAML file and the command line, checked against the notebooks' own cells before a run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from papermill.inspection import inspect_notebook
from papermill.iorw import NoDatesSafeLoader, load_notebook_node
from papermill.utils import find_first_tagged_cell_index
from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from lifeboat.errors import ParameterError, redacted, unknown

RUN_DIR = "run_dir"  # the runner's to set: the folder that --name names
LARGEST_FILE = 1_000_000  # letters: a device has no end
RENAMED = {"fold_by": "group_by"}


@dataclass(frozen=True)
class Parameters:
    """Parameters as a person gave them.

    Attributes:
        values: Name -> value.
        sources: Name -> where the value stands, for messages: the file, or ``-p name=value``.
    """

    values: dict[str, Any]
    sources: dict[str, str]


@dataclass(frozen=True)
class Declared:
    """One line of a notebook's parameter cell.

    Attributes:
        notebook: The notebook's name, such as ``03_train_cv``.
        name: The parameter.
        type_name: Its annotation as it is written, such as ``int`` or ``dict[str, list]``.
        default: Its default, as Python source.
        help: The comment on its line.
    """

    notebook: str
    name: str
    type_name: str
    default: str
    help: str

    @property
    def choices(self) -> list[str]:
        """The values that ``one of: a, b, c`` in the help allows; empty where any will do."""
        listed = re.search(r"\bone of:([^;()]*)", self.help)
        return [choice.strip(" .`'\"") for choice in listed.group(1).split(",")] if listed else []

    def limit_broken(self, value: float) -> str | None:
        """What the help asks of a number, ``between A and B`` (neither of them) or ``N or more``, if it is not met."""
        if limits := re.search(r"\bbetween ([-\d.]+) and ([-\d.]*\d)", self.help):
            return None if float(limits[1]) < value < float(limits[2]) else limits[0]
        if limit := re.search(r"(?<!\S)([-\d.]+) or more", self.help):
            return None if value >= float(limit[1]) else limit[0]
        return None


Declarations = dict[str, dict[str, Declared]]  # notebook -> parameter -> its declaration


class _Loader(NoDatesSafeLoader):  # type: ignore[misc]
    """Reads YAML as papermill does, so that both give a notebook the same; but a key given twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if key.value in lines:
                raise ParameterError(f"{key.value!r} is given twice, in lines {lines[key.value]} and {line}")
            lines[key.value] = line
        return super().construct_mapping(node, deep)  # type: ignore[no-any-return]


def read_yaml(text: str) -> Any:
    """The value that a YAML text means.

    Raises:
        ParameterError: It is no YAML, or a key stands in it twice.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ParameterError(f"this is no YAML: {error}") from error


def read_parameters(files: Sequence[Path], overrides: Sequence[str] = ()) -> Parameters:
    """Read parameter files, then what the command line gives instead.

    Args:
        files: YAML, each a mapping of parameter names to values; of a name in several the last counts.
        overrides: ``name=value`` each; the value is read as YAML, the last of a name counts.

    Raises:
        ParameterError: The file is not there, is no mapping or has a key twice; an override has no ``=`` or no YAML.
    """
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for file in files:
        read = _read_file(file)
        values |= read
        sources |= dict.fromkeys(read, str(file))
    for override in overrides:
        name, equals, text = override.partition("=")
        if not equals:
            raise ParameterError(f"-p {override}: write name=value, such as -p num_folds=5")
        try:
            values[name] = read_yaml(text) if text else ""
        except ParameterError as error:
            raise ParameterError(f"-p {override}: {error}") from error
        sources[name] = redacted(f"-p {override}")
    return Parameters(values, sources)


def _read_file(file: Path) -> dict[str, Any]:
    try:
        with file.open(encoding="utf-8") as stream:
            if len(text := stream.read(LARGEST_FILE + 1)) > LARGEST_FILE:
                raise ParameterError(f"this is no parameter file: it has more than {LARGEST_FILE:,} letters")
        values = read_yaml(text)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", "it is no text in UTF-8")
        raise ParameterError(f"cannot read the parameter file {file}: {why}") from error
    except ParameterError as error:
        raise ParameterError(f"{file}: {error}") from error
    if not isinstance(values, dict | None):
        raise ParameterError(f"{file}: lines of `name: value` must stand here; this is a {type(values).__name__}")
    return values or {}


def read_declarations(notebooks: Iterable[Path]) -> Declarations:
    """Read the parameter cell of each notebook.

    Raises:
        ParameterError: A notebook is not there, or papermill would overlook a line of its parameter cell.
    """
    return {notebook.stem: _declared(notebook) for notebook in notebooks}


def _declared(notebook: Path) -> dict[str, Declared]:
    if not notebook.is_file():
        raise ParameterError(f"there is no notebook {notebook}")
    declared = {
        name: Declared(notebook.stem, name, line["inferred_type_name"], line["default"], line["help"])
        for name, line in inspect_notebook(notebook).items()
    }
    content = load_notebook_node(str(notebook))
    index = find_first_tagged_cell_index(content, "parameters")
    source = content.cells[index].source if index >= 0 else ""
    overlooked = _assigned(source) - set(declared)
    if overlooked:
        raise ParameterError(
            f"{notebook.name}: papermill overlooks {', '.join(sorted(overlooked))} in the parameter cell; "
            "write each as `name: type = default  # help`, with one `=` on the line"
        )
    return declared


def _assigned(source: str) -> set[str]:
    targets: list[ast.expr] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.AnnAssign):
            targets.append(node.target)
        elif isinstance(node, ast.Assign):
            targets += node.targets
    return {target.id for target in targets if isinstance(target, ast.Name)}


def effective(chosen: Mapping[str, Any], declarations: Declarations) -> dict[str, Any]:
    """Every parameter's value: as given, else the default of the first notebook that declares it."""
    values: dict[str, Any] = {}
    for declared in (line for lines in declarations.values() for line in lines.values()):
        if declared.name in chosen:
            values[declared.name] = chosen[declared.name]
        elif declared.name not in values:
            try:
                values[declared.name] = ast.literal_eval(declared.default)
            except (ValueError, SyntaxError):
                values[declared.name] = None  # a default that is computed: only the notebook knows it
    return values


def check_declared(parameters: Parameters, declarations: Declarations) -> list[str]:
    """What is wrong with the given parameters' names, types and choices; empty when nothing is."""
    known = {name for lines in declarations.values() for name in lines} - {RUN_DIR}
    errors = []
    for name, value in parameters.values.items():
        lines = [lines[name] for lines in declarations.values() if name in lines]
        if name == RUN_DIR:
            wrong = ["run_dir is not to be given: --name names the folder in outputs/"]
        elif name in RENAMED and RENAMED[name] in known:
            wrong = [
                f"{name} is called {RENAMED[name]} now, and rows that share it are held out together too: rename it"
            ]
        elif not lines:
            wrong = [unknown("parameter", str(name), known)]
        else:
            wrong = [error for line in lines for error in _value_errors(line, value)]
        errors += [f"{parameters.sources[name]}: {error}" for error in dict.fromkeys(wrong)]
    return errors


def _value_errors(declared: Declared, value: Any) -> list[str]:
    error = _type_error(declared, value)
    if error:
        return [error]
    if declared.choices and str(value) not in declared.choices:
        return [unknown(f"value of {declared.name}", str(value), declared.choices)]
    if isinstance(value, (int, float)) and (limit := declared.limit_broken(value)):
        return [f"{declared.name} must be {limit}, not {value}"]
    return []


def _type_error(declared: Declared, value: Any) -> str | None:
    """Both types and the value, where the value is not of the declared type; a whole number is a fine float."""
    if declared.type_name == "None":
        return None  # no annotation: anything goes
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(declared.type_name)  # type: ignore[arg-type]
        adapter.validate_python(value, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"[{key!r}]" for key in first["loc"])
        got = first["input"]
        kind = "null" if got is None else type(got).__name__
        hint = ""
        if declared.type_name == "float" and isinstance(got, str) and re.fullmatch(r"[-+]?\d+[eE][-+]?\d+", got):
            hint = "; YAML wants a point in it, such as 1.0e-3"
        elif declared.type_name == "str" and not isinstance(got, (str, list, dict)):
            hint = "; put it in quotes"
        return f"{declared.name} must be {declared.type_name}, but {declared.name}{where} is {kind} {got!r}{hint}"
    except PydanticUserError as error:
        raise ParameterError(
            f"{declared.notebook}: {declared.name} has the type {declared.type_name!r}, which is none: {error.message}"
        ) from error
    return None
