"""Notebook 1: read a table, enrich its rows, and keep those that fit the schema."""

from lifeboat import moved_from
from lifeboat.load import look
from lifeboat.load.check import check_rows
from lifeboat.load.enrichment import describe, read_enrichment
from lifeboat.load.joins import enrich
from lifeboat.load.read import read_raw
from lifeboat.load.rejected import need_rows, write_rejected
from lifeboat.load.schema import parse_schema
from lifeboat.spark.typed import typed_value

__all__ = [
    "check_rows",
    "describe",
    "enrich",
    "look",
    "need_rows",
    "parse_schema",
    "read_enrichment",
    "read_raw",
    "typed_value",
    "write_rejected",
]

__getattr__ = moved_from(__name__)
