"""What raw columns a portable model reads, and which of them may be null: followed through its stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lifeboat.errors import DataError, unknown
from lifeboat.scoring.declared import NUMBERS, WHOLES
from lifeboat.scoring.fields import Column

TEXTS, KEYS = ("string",), (*WHOLES, "string")
# what a stage takes in each of its columns (the last holds for all that follow), and what it gives
TAKES: dict[str, tuple[tuple[str, ...], ...]] = {
    "BooleanText": (("boolean",),),
    "CopyColumns": ((*NUMBERS, *TEXTS, "boolean"),),
    "TextCategory": (TEXTS,),
    "SumColumns": (NUMBERS,),
    "EqualTo": (NUMBERS,),
    "GroupMeanImputerModel": (NUMBERS, KEYS),
    "ModeImputerModel": (TEXTS,),
    "StringIndexerModel": (KEYS,),
    "VectorAssembler": ((*NUMBERS, "boolean"),),
}
GIVES_TEXT = {"BooleanText", "TextCategory", "ModeImputerModel"}
PASSES_NULL = {"CopyColumns", "SumColumns", "EqualTo", "VectorAssembler"}

Described = dict[str, Any]


def raw_columns(stages: list[Described], columns: Sequence[Column]) -> list[Column]:
    """The raw columns that the stages read, in the table's order, and which of them may be null.

    Args:
        stages: As the portable model has them: stage, inputs and outputs of each.
        columns: The raw table's.

    Raises:
        DataError: A stage reads a column that nobody makes, or one of a type that it does not take.
    """
    types = {column.name: column.type for column in columns}
    carried = {name: frozenset([name]) for name in types}  # a column -> the raw columns whose null makes it null
    made: set[str] = set()
    read: set[str] = set()
    for stage in stages:
        kind = stage["stage"]
        for index, name in enumerate(stage["inputs"]):
            takes = TAKES[kind][min(index, len(TAKES[kind]) - 1)]
            if name not in types:
                raise DataError(unknown(f"column of stage {kind}", name, types))
            if types[name] not in takes:
                raise DataError(f"stage {kind}: column {name!r} is {types[name]}; allowed: {', '.join(takes)}")
            read |= {name} - made
        passed = frozenset[str]().union(*[carried[name] for name in stage["inputs"]])
        for name in stage["outputs"]:
            copied = types[stage["inputs"][0]] if kind == "CopyColumns" else "double"
            types[name] = "string" if kind in GIVES_TEXT else copied
            carried[name] = passed if kind in PASSES_NULL else frozenset()
            made.add(name)
    never_null = carried[stages[-1]["outputs"][0]]
    return [
        replace(column, nullable=column.nullable and column.name not in never_null)
        for column in columns
        if column.name in read
    ]
