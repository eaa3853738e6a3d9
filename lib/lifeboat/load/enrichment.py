"""How raw files become rows, as it was written for training: the model carries it, and scoring applies the same."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Self

from pyspark.sql.types import StructType

from lifeboat.load.schema import Ranges
from lifeboat.parameters.csv_format import CsvFormat, parse_csv
from lifeboat.parameters.enrich import Enrich, Join, parse_enrich
from lifeboat.reading import open_table
from lifeboat.run import digest, resolve_input
from lifeboat.scoring.fields import Column


@dataclass(frozen=True)
class Enrichment:
    """What is done to a raw file before its rows are held to a schema.

    Attributes:
        csv: How its CSV is written.
        enrich: What its rows need.
        schema: The data set's, in SQL's words.
        key: The column that names a row.
        tables: Path of each joined table on this machine -> its SHA-256 when the model was trained.
    """

    csv: CsvFormat = field(default_factory=CsvFormat)
    enrich: Enrich = field(default_factory=Enrich)
    schema: str = ""
    key: str = ""
    tables: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> Self:
        """What a model's files or ``schema.json`` hold; models of before call ``enrich`` ``complete``."""
        enrich = written.get("enrich", written.get("complete", {}))
        others = {name: written[name] for name in ("schema", "key", "tables") if name in written}
        return cls(parse_csv(written.get("csv", {})), parse_enrich(enrich), **others)

    def written(self) -> dict[str, Any]:
        """All of it as JSON can hold it; ``Enrichment.read(written)`` is the same."""
        usual = asdict(Enrich())
        enrich = {name: value for name, value in asdict(self.enrich).items() if value != usual[name]}
        return asdict(self) | {"csv": self.csv.changed(), "enrich": enrich}

    @property
    def made_key(self) -> str:
        """The name of a key that is made from each row's content; empty: the file has one."""
        return self.key if self.enrich.make_key else ""

    @cached_property
    def joined(self) -> dict[str, Join]:
        """Each column that comes from another table."""
        return {name: join for join in self.enrich.join for name in joined_columns(join)}

    def of_column(self, name: str) -> dict[str, Any]:
        """What is to stand with a column in ``schema.json``: its words for gaps, and how it is made."""
        about: dict[str, Any] = {"gaps": words} if (words := self.enrich.words(name)) else {}
        if name in self.enrich.compute:
            about["made"] = self.enrich.compute[name]
        elif name in self.joined:
            join = self.joined[name]
            old = next((old for old, new in join.rename.items() if new == name), name)
            about["made"] = f"{old} of {join.path}, found by {', '.join(join.on)}"
        elif name == self.made_key:
            about["made"] = "a hash of the row's content"
        return about

    def changed_tables(self) -> list[str]:
        """The paths of joined tables whose content is no longer that of training.

        Raises:
            DataError: One is not there.
        """
        paths = [join.path for join in self.enrich.join if join.path in self.tables]
        return [path for path in paths if digest(path) != self.tables[path]]

    def only(self, wanted: Collection[str], known: Collection[str]) -> Enrichment:
        """What of it makes the columns wanted which a file does not have."""
        lacking = set(wanted) - set(known)
        compute: dict[str, str] = {}
        for name, sql in reversed(list(self.enrich.compute.items())):
            if name in lacking:
                compute = {name: sql} | compute
                lacking |= {other for other in (*self.enrich.compute, *self.joined) if _names(sql, other)}
        joins: list[Join] = []
        for join in reversed(self.enrich.join):
            if lacking & set(joined_columns(join)):
                joins = [join, *joins]
                lacking |= set(join.on)
        make_key = self.made_key in lacking
        return replace(self, enrich=replace(self.enrich, compute=compute, join=joins, make_key=make_key))


def read_enrichment(csv: Mapping[str, Any], enrich: Mapping[str, Any], schema: str, key: str) -> Enrichment:
    """The parameters that say how raw files become rows, checked, with the digests of the tables they name.

    Raises:
        DataError: A table is not there.
        ParameterError: A part is unknown or of another form.
    """
    spec = parse_enrich(enrich)
    tables = {join.path: digest(join.path) for join in spec.join if "://" not in join.path}
    return Enrichment(parse_csv(csv), spec, schema, key, tables)


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
    names = join.columns or open_table(resolve_input(join.path), join.csv).names
    return [name for name in (join.rename.get(name, name) for name in names) if name not in join.on]


def _names(sql: str, column: str) -> bool:
    """Whether an expression may read a column; Spark does not tell cases apart."""
    return re.search(rf"(?<!\w){re.escape(column)}(?!\w)", sql, re.IGNORECASE) is not None
