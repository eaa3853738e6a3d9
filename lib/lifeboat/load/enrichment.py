"""How raw files become rows, as it was written for training: the model carries it, and scoring applies the same."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql.types import StructType

from lifeboat.load.joins import complete
from lifeboat.load.needs import Join, Needs, parse_needs
from lifeboat.load.schema import Ranges, parse_schema
from lifeboat.reading import open_table, parse_csv
from lifeboat.run import digest, resolve_input
from lifeboat.scoring.fields import Column


@dataclass(frozen=True)
class Enrichment:
    """What is done to a raw file before its rows are held to a schema.

    Attributes:
        csv: How its CSV is written, as ``reading.parse_csv`` takes it.
        complete: As ``parse_needs`` takes it.
        schema: The data set's, in SQL's words.
        key: The column that names a row.
        tables: Path of each joined table on this machine -> its SHA-256 when the model was trained.
    """

    csv: Mapping[str, Any] = field(default_factory=dict)
    complete: Mapping[str, Any] = field(default_factory=dict)
    schema: str = ""
    key: str = ""
    tables: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def needs(self) -> Needs:
        """``complete``, read."""
        return parse_needs(self.complete, self.key)

    @cached_property
    def joined(self) -> dict[str, Join]:
        """Each column that comes from another table."""
        return {name: join for join in self.needs.joins for name in joined_columns(join)}

    def written(self) -> dict[str, Any]:
        """All of it as JSON can hold it; ``Enrichment(**written)`` is the same."""
        return asdict(self)

    def of_column(self, name: str) -> dict[str, Any]:
        """What is to stand with a column in ``schema.json``: its words for gaps, and how it is made."""
        about: dict[str, Any] = {"gaps": tuple(words)} if (words := self.needs.words(name)) else {}
        if name in self.needs.compute:
            about["made"] = self.needs.compute[name]
        elif name in self.joined:
            join = self.joined[name]
            old = next((old for old, new in join.rename.items() if new == name), name)
            about["made"] = f"{old} of {join.path}, found by {', '.join(join.on)}"
        elif name == self.needs.made_key:
            about["made"] = "a hash of the row's content"
        return about

    def changed_tables(self, joins: Iterable[Join]) -> list[str]:
        """The paths of joined tables whose content is no longer that of training.

        Raises:
            DataError: One is not there.
        """
        return [join.path for join in joins if join.path in self.tables and digest(join.path) != self.tables[join.path]]

    def needs_for(self, wanted: Collection[str], known: Collection[str]) -> Needs:
        """The part of ``needs`` that makes the columns wanted which a file does not have."""
        lacking = set(wanted) - set(known)
        compute: dict[str, str] = {}
        for name, sql in reversed(list(self.needs.compute.items())):
            if name in lacking:
                compute = {name: sql} | compute
                lacking |= {other for other in (*self.needs.compute, *self.joined) if _names(sql, other)}
        joins: list[Join] = []
        for join in reversed(self.needs.joins):
            if lacking & set(joined_columns(join)):
                joins = [join, *joins]
                lacking |= set(join.on)
        made_key = self.needs.made_key if self.needs.made_key in lacking else ""
        return replace(self.needs, compute=compute, joins=tuple(joins), made_key=made_key)

    def apply(self, raw: DataFrame, needs: Needs) -> DataFrame:
        """The rows with the columns that ``needs_for`` says, by the same code as in training."""
        return complete(raw, parse_schema(self.schema, made_key=needs.made_key), needs)


def read_enrichment(csv: Mapping[str, Any], complete: Mapping[str, Any], schema: str, key: str) -> Enrichment:
    """The parameters that say how raw files become rows, checked, with the digests of the tables they name.

    Raises:
        DataError: A table is not there.
        ParameterError: A part is unknown or of another form.
    """
    parse_csv(csv)
    joins = parse_needs(complete, key).joins
    return Enrichment(csv, complete, schema, key, {j.path: digest(j.path) for j in joins if "://" not in j.path})


def describe(
    schema: StructType, key: str, label: str, ranges: Ranges, enrichment: Enrichment | None = None
) -> dict[str, Any]:
    """The schema as later stages read it from ``schema.json``: key, label, columns, and how raw rows are completed."""
    columns = [
        Column(
            field.name,
            field.dataType.simpleString(),
            field.nullable,
            *ranges.get(field.name, [None, None]),
            **(enrichment.of_column(field.name) if enrichment else {}),
        ).described()
        for field in schema
    ]
    described = {"key": key, "label": label, "columns": columns}
    return described | ({"enrichment": enrichment.written()} if enrichment else {})


def joined_columns(join: Join) -> list[str]:
    """The names that a table's columns have beside the rows."""
    names = join.columns or open_table(resolve_input(join.path), parse_csv(join.csv)).names
    return [name for name in (join.rename.get(name, name) for name in names) if name not in join.on]


def _names(sql: str, column: str) -> bool:
    """Whether an expression may read a column; Spark does not tell cases apart."""
    return re.search(rf"(?<!\w){re.escape(column)}(?!\w)", sql, re.IGNORECASE) is not None
