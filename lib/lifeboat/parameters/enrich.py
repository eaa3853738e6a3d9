"""What a data set's rows need before they are whole: the parameter ``enrich``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictStr
from pydantic.dataclasses import dataclass

from lifeboat.parameters.csv_format import CsvFormat
from lifeboat.parameters.field import KNOWN, parameter, parse, refuse

Name = Annotated[StrictStr, Field(min_length=1)]
WORDS = "a list of words, such as [NA], or {column: [words]}; a number in quotes"

# A model may come from a registry: what it computes must neither run code nor ask tables. The words are refused
# wherever they stand, in a text too: telling texts from code is the parser's work, and a mistake here would be a hole.
CODE = re.compile(r"\b(reflect|try_reflect|java_method|identifier)\b", re.IGNORECASE)
QUERY = re.compile(r"\bselect\b|\(\s*(?:table|with|from)\s+[\w`]", re.IGNORECASE)


def _expression(sql: str) -> str:
    if not sql.strip():
        raise ValueError
    if match := CODE.search(sql):
        raise refuse(f"{sql!r} has {match[0]!r} in it, which can run code: write it without")
    if match := QUERY.search(sql):
        raise refuse(f"{sql!r} asks a table ({match[0]!r}): name columns")
    return sql


def _quoted_on(table: Any) -> Any:
    if isinstance(table, Mapping) and True in table:  # YAML's, and papermill cannot hand it on
        raise refuse('YAML takes a bare on for true: put it in quotes, "on": [columns]')
    return table


@dataclass(frozen=True, config=KNOWN)
class Join:
    """A small table whose columns are put beside the rows.

    Attributes:
        path: CSV or parquet.
        on: Columns by which a row finds its partner, named as the rows name them.
        columns: Columns to take, named as the table names them; empty: all.
        rename: Name in the table -> name beside the rows; done first.
        csv: How it is written.
    """

    path: Name = parameter(..., "CSV or parquet", form="the path of a CSV or parquet file")
    on: list[Name] = parameter(
        ..., "columns by which a row finds its partner", form="a list of column names", min_length=1
    )
    columns: list[Name] = parameter([], "columns to take; empty: all", form="a list of column names")
    rename: dict[Name, Name] = parameter({}, "other names beside the rows", form="{name in the table: name to give it}")
    csv: CsvFormat = parameter(CsvFormat(), "how it is written", form="{separator: ';'} or the like")


@dataclass(frozen=True, config=KNOWN)
class Enrich:
    """What a data set's rows need before they are whole; each may be left out.

    Attributes:
        no_value: Column -> the words that say in it that there is no value; those of ``""`` hold in every column.
        join: Tables to put beside the rows.
        compute: New column -> SQL expression, which may use those before it.
        make_key: Whether to make a key from each row's content.
    """

    no_value: Annotated[
        dict[StrictStr, list[Name]],
        BeforeValidator(
            lambda words: {"": words} if isinstance(words, list | tuple) else words,
            json_schema_input_type=list[Name] | dict[str, list[Name]],
        ),
    ] = parameter({}, "words that stand where there is no value", form=WORDS)
    join: list[Annotated[Join, BeforeValidator(_quoted_on)]] = parameter(
        [],
        "small tables beside the rows",
        form='a list of tables, each {path: FILE, "on": [columns], columns: [columns], rename: {old: new}, '
        "csv: {...}}; only path and on must be",
    )
    compute: dict[Name, Annotated[StrictStr, AfterValidator(_expression)]] = parameter(
        {}, "new columns by SQL; each may use those before it", form="{new column: SQL expression}"
    )
    make_key: StrictBool = parameter(
        False, "whether to make the key from each row's content, where no columns name a row"
    )

    def words(self, column: str) -> tuple[str, ...]:
        """The words that say in a column that there is no value."""
        return (*self.no_value.get("", ()), *self.no_value.get(column, ()))


def parse_enrich(written: Mapping[str, Any]) -> Enrich:
    """Read the parameter ``enrich``, a mapping of any of ``Enrich``'s attributes.

    Raises:
        ParameterError: A part is unknown, missing or of another form.
    """
    return parse(Enrich, dict(written), "enrich")
