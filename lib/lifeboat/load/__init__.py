"""The first stage: read a table, complete its rows, keep those that fit the schema, and split off a hold-out."""

from lifeboat.load.check import Checked, check_rows, plain_text, typed_value
from lifeboat.load.complete import add_computed, add_joined, add_key, complete, without_gap_words
from lifeboat.load.enrichment import Enrichment, describe, read_enrichment
from lifeboat.load.look import count_missing, missing_rates, rates, with_meaning
from lifeboat.load.needs import Join, Needs, parse_needs
from lifeboat.load.read import read_raw
from lifeboat.load.rejected import need_rows, write_rejected
from lifeboat.load.schema import Ranges, check_ranges, parse_schema, with_label, write_json
from lifeboat.load.split import at_most, belongs_to, check_classes, check_holdout, mark_holdout, share

__all__ = [
    "Checked",
    "Enrichment",
    "Join",
    "Needs",
    "Ranges",
    "add_computed",
    "add_joined",
    "add_key",
    "at_most",
    "belongs_to",
    "check_classes",
    "check_holdout",
    "check_ranges",
    "check_rows",
    "complete",
    "count_missing",
    "describe",
    "mark_holdout",
    "missing_rates",
    "need_rows",
    "parse_needs",
    "parse_schema",
    "plain_text",
    "rates",
    "read_enrichment",
    "read_raw",
    "share",
    "typed_value",
    "with_label",
    "with_meaning",
    "without_gap_words",
    "write_json",
    "write_rejected",
]
