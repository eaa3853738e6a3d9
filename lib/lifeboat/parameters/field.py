"""One parameter: its type, default, limits and meaning, and what follows from them: checks and their sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from lifeboat.errors import ParameterError, redacted_all, unknown

KNOWN = ConfigDict(extra="forbid")  # a name that a model does not know is an error
KINDS = {str: "a text", bool: "true or false", int: "a whole number", float: "a number", list: "a list"}
BOUNDS = {"ge": "{:,g} or more", "gt": "more than {:,g}", "le": "{:,g} at most", "lt": "less than {:,g}"}
SENTENCE = "sentence"  # the type of an error that says all there is to say
LIMIT = ("greater_than", "less_than", "too_", "string_", "value_error")  # errors of a value whose type is right
Path = tuple[Any, ...]  # names and numbers that lead into a parameter's value
T = TypeVar("T")


def parameter(default: Any, meaning: str, notebooks: str = "", *, form: str = "", **more: Any) -> Any:
    """Declare a parameter, or a part of a nested one.

    Args:
        default: Its value where none is given; ``...``: one must be given.
        meaning: What it is, for people.
        notebooks: The digits of those that take it, such as ``"135"``.
        form: What to write; without it type and limits say that.
        more: Limits as pydantic's ``Field`` takes them, such as ``ge=0``; ``environment``, the variables that may say
            it instead.
    """
    own = {"notebooks": notebooks, "form": form, "environment": more.pop("environment", "")}
    return Field(default, description=meaning, json_schema_extra={n: v for n, v in own.items() if v}, **more)


def refuse(sentence: str) -> PydanticCustomError:
    """An error for a validator to raise whose sentence goes to the user as it is."""
    return PydanticCustomError(SENTENCE, "{text}", {"text": sentence})


def fields_of(model: Any) -> Mapping[str, FieldInfo]:
    """A model's fields in order; none of what is no model."""
    return getattr(model, "__pydantic_fields__", {}) if isinstance(model, type) else {}


def about(field: FieldInfo, word: str) -> Any:
    """A field's ``form``, ``notebooks`` or ``environment``; empty where it has none."""
    return field.json_schema_extra.get(word, "") if isinstance(field.json_schema_extra, dict) else ""


def limits(field: FieldInfo) -> str:
    """What a value must keep to beside its type: ``between 0 and 1``, ``one of: a, b``; empty where nothing."""
    if form := about(field, "form"):
        return str(form)
    if get_origin(field.annotation) is Literal:
        return f"one of: {', '.join(get_args(field.annotation))}"
    bounds = {name: getattr(bound, name) for bound in field.metadata for name in BOUNDS if hasattr(bound, name)}
    if bounds.keys() == {"gt", "lt"}:
        return f"between {bounds['gt']:g} and {bounds['lt']:g}"
    return ", ".join(BOUNDS[name].format(value) for name, value in bounds.items())


def comment_of(field: FieldInfo) -> str:
    """A parameter's meaning and its limits, for the line where it is written."""
    short = "" if about(field, "form") else limits(field)
    return "; ".join(filter(None, [field.description, short]))


def plain_type(field: FieldInfo) -> Any:
    """A field's type without what is in it: ``list`` of ``list[str]``."""
    return get_origin(field.annotation) or field.annotation


def takes(field: FieldInfo) -> str:
    """What may be written for a field: its kind and its limits."""
    if about(field, "form") or get_origin(field.annotation) is Literal:
        return limits(field)
    kind = KINDS.get(plain_type(field), "a mapping")
    kind += " of texts" if kind == "a list" and str in map(_bare, get_args(field.annotation)) else ""
    return ", ".join(filter(None, [kind, limits(field)]))


def parse(model: type[T], written: Any, head: str) -> T:
    """The value of a nested parameter, checked.

    Args:
        model: Its model.
        written: What stands in a parameter file.
        head: The parameter's name, for messages.

    Raises:
        ParameterError: Something will not do; all of it is named.
    """
    try:
        return TypeAdapter(model).validate_python(written)
    except ValidationError as error:
        raise ParameterError("\n".join(text for _, text in sentences(error, model, head))) from error


def sentences(error: ValidationError, model: Any, head: str = "", inside: Path = ()) -> Iterator[tuple[Path, str]]:
    """Each finding of pydantic: the path to it, and a sentence that says what came, what is allowed and the mend.

    Args:
        error: What a value of ``model`` met.
        model: The model.
        head: The parameter that the model is the value of; empty: its fields are the parameters.
        inside: The path to the part of the model's value that was checked; empty: all of it was.
    """
    first = (head,) if head else ()
    for detail in error.errors():
        path = (*inside, *detail["loc"])
        yield (*first, *path), _sentence(detail, model, path, first)


def _sentence(detail: ErrorDetails, model: Any, path: Path, first: Path) -> str:
    field, owner = _field_at(model, path)
    value, name, around = redacted_all(detail["input"]), dotted((*first, *path)), dotted((*first, *path[:-1]))
    if detail["type"] == SENTENCE:
        return f"{name}: {detail['msg']}"
    if field is None:
        return _unknown(str(path[-1]), name, around, owner)
    if detail["type"] in ("missing", "missing_argument"):
        return f"{name} is missing: write {takes(field)}"
    if detail["type"] == "literal_error" and isinstance(value, str):
        return unknown(f"value of {name}", value, get_args(field.annotation))
    kind = "" if detail["type"].startswith(LIMIT) and detail["type"] != "string_type" else f", {_kind(value)}"
    return f"{name} is {value!r}{kind}; write {takes(field)}{_hint(field, value)}"


def _unknown(last: str, name: str, around: str, owner: Any) -> str:
    why_not = getattr(owner, "why_not", None)  # a model may know names that are none, and why
    if why_not and (reason := why_not(last)):
        return f"{name}: {reason}"
    return unknown(f"part of {around}" if around else "parameter", last, fields_of(owner))


def _kind(value: Any) -> str:
    return "nothing" if value is None else KINDS.get(type(value), "a mapping")


def _hint(field: FieldInfo, value: Any) -> str:
    """What YAML makes of some texts and numbers, and nobody expects."""
    if field.annotation is float and isinstance(value, str) and "e" in value.lower() and value[:1].isdigit():
        return "; YAML wants a point in it, such as 1.0e-3"
    return "; put it in quotes" if field.annotation is str and isinstance(value, bool | int | float) else ""


def _field_at(model: Any, path: Path) -> tuple[FieldInfo | None, Any]:
    """The innermost field on a path into a model's value, None where the path ends at no field; and whose it is."""
    field, owner, kind = None, model, model
    for step in path:
        if known := fields_of(kind):
            owner, field = kind, known.get(step)
            kind = field.annotation if field else None
        else:
            kind = (get_args(kind) or (None,))[-1]
        kind = _bare(kind)
    return field, owner


def dotted(path: Path) -> str:
    """A path as people write it: ``enrich.join[0].columns``.

    >>> dotted(("enrich", "join", 0, "columns"))
    'enrich.join[0].columns'
    """
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path if step not in ("", "[key]")]
    return "".join(steps)[1:]


def _bare(annotation: Any) -> Any:
    """A type without what is annotated of it."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
