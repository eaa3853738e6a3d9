"""A proposal as a parameter file for people: YAML in sections, each line with its reason."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Any

import yaml

from lifeboat.parameters.field import comment_of, fields_of
from lifeboat.parameters.model import SECTIONS, Parameters
from lifeboat.parameters.propose.features import Feature
from lifeboat.parameters.propose.proposal import Proposal
from lifeboat.parameters.propose.table import Column

WIDTH = 118
STARTS: dict[str, Any] = {  # where a file for any table starts otherwise than the Titanic's
    "seed": 42,
    "group_by": "",
    "related_by": "",
    "texts": [],
    "leak_column": "",
    "grid": {"maxDepth": [3, 6]},
    "together": [],
    "resamples": 1000,
    "columns": {},
}
USUAL = ("spark", "holdout_fraction", "estimator", "num_folds", "verdict_metric", "margin")  # as everywhere, but said


def written(proposal: Proposal, command: str, path: str, schema: str = "schema.json") -> str:
    """The text of the parameter file.

    Args:
        proposal: What to write.
        command: What was typed to get it, to stand at its head.
        path: Where the file is going to be, for the command to run it.
        schema: Where its editor finds the JSON Schema, from there.
    """
    table, fields = proposal.table, fields_of(Parameters)
    values = {name: fields[name].default for name in USUAL} | STARTS | proposal.values
    why = {name: comment_of(field) for name, field in fields.items()} | {n: r for n, r in proposal.why.items() if r}
    head = [
        f"A first parameter file for {table.path.name}, written by",
        "",
        f"  {command}",
        "",
        "from what it saw. Nothing in it is settled: read it, change it, and run it with",
        "",
        f"  lifeboat run {path}",
        "",
        f"Seen: {table.rows:,} rows.",
    ]
    lines = [f"# yaml-language-server: $schema={schema}"]
    lines += [*(f"# {printable(line)}".rstrip() for line in head), *_seen(proposal.features)]
    if proposal.look:
        lines += ["#", "# To look at:"]
        lines += [line for remark in proposal.look for line in _comment(remark, "#   - ", "#     ")]
    for section in SECTIONS:
        lines += ["", f"# --- {section.__doc__}"]
        for name in [name for name in section.__annotations__ if name in values]:
            lines += _parameter(name, values[name], why[name], proposal)
    return "\n".join(lines) + "\n"


def _comment(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(printable(text), WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def printable(text: str) -> str:
    """A text without what would end a comment, or stop YAML from reading it."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def inline(value: Any) -> str:
    """A value as YAML on one line."""
    text = _yaml(value, allow_unicode=True)
    # some letters that YAML takes for the end of a line are written as they are
    return text if text.isprintable() else _yaml(value, allow_unicode=False)


def _yaml(value: Any, allow_unicode: bool, flow: bool | None = True) -> str:
    text: str = yaml.safe_dump(
        value, default_flow_style=flow, allow_unicode=allow_unicode, width=10**9, sort_keys=False
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _seen(features: Sequence[Feature]) -> list[str]:
    """A table of the columns: what they are called, their type, their gaps, and what is in them."""
    head = ("column", "type", "missing", "values", "")
    rows = [head, *[_row(feature.column) for feature in features]]
    widths = [max(len(row[index]) for row in rows) for index in range(4)]
    return [
        "#   " + "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[4]]).rstrip()
        for row in rows
    ]


def _row(column: Column) -> tuple[str, str, str, str, str]:
    missing = f"{column.missing:,}" if column.missing else "-"
    different = f"{len(column.values):,}" if column.values else "over 1,000" if column.many else "none"
    if column.minimum is not None and column.maximum is not None:
        inside = f"{column.minimum:g} to {column.maximum:g}"
    else:
        most = sorted(column.values, key=lambda value: (-column.values[value], value))[:3]
        inside = ", ".join(textwrap.shorten(value, 20, placeholder="...") or repr(value) for value in most)
    words = f"; a gap: {', '.join(column.gap_words)}" if column.gap_words else ""
    return (printable(column.name), column.type, missing, different, printable(inside + words))


def _parameter(name: str, value: Any, why: str, proposal: Proposal) -> list[str]:
    if name == "schema":
        folded = ["schema: >-", *(f"  {line}" for line in _folded(value))]
        return folded if value.isprintable() else [f"schema: {inline(value)}"]
    if name in ("numeric", "categorical"):
        return _feature_list(name, proposal)
    if name == "enrich" and value:
        return [*_with_reason("enrich:", why), *_enriched(value)]
    return _with_reason(f"{name}: {inline(value)}", why)


def _enriched(enrich: dict[str, Any]) -> list[str]:
    """A line for each column with words for gaps, and each expression."""
    gaps, compute = enrich.get("no_value", {}), enrich.get("compute", {})
    lines = _with_reason("  no_value:", "words that stand where there is none") if gaps else []
    for name, words in gaps.items():
        block = _yaml({name: words}, allow_unicode=name.isprintable(), flow=None)
        lines += [f"    {line}" for line in block.split("\n")]
    lines += _with_reason("  compute:", "new columns, by SQL") if compute else []
    lines += [f"    {inline({name: sql})[1:-1]}" for name, sql in compute.items()]
    return lines + (_with_reason("  make_key: true", "from each row's content") if enrich.get("make_key") else [])


def _folded(schema: str) -> list[str]:
    """A column a line where they are many, else all in few lines; a name is never broken."""
    columns = re.findall(r"(?:`(?:[^`]|``)*`|[^,`])+,?(?: |$)", schema)
    lines = [""]
    for column in columns:
        if len(lines[-1]) + len(column) > WIDTH - 4 and lines[-1]:
            lines.append("")
        lines[-1] += column
    return [line.rstrip() for line in lines]


def _with_reason(line: str, why: str) -> list[str]:
    if not why:
        return [line]
    if max(len(line), 27) + len(why) + 4 <= WIDTH and len(line) < 60:
        return [f"{line:<27}  # {printable(why)}"]
    return [*_comment(why, "# ", "# "), line]


def _feature_list(name: str, proposal: Proposal) -> list[str]:
    """The features of a kind, one a line, and commented out those that were left out, each with its reason."""
    kept = proposal.of_role(name)
    kinds = {True: "categorical", False: "numeric"}
    out = [f for f in proposal.of_role("out") if f.in_schema and kinds[f.type == "STRING"] == name]
    lines = [f"{name}:" if kept else f"{name}: []"]
    for feature in kept:
        remark = f"{len(feature.column.values)} whole numbers, taken as amounts" if feature.few_numbers else feature.why
        lines += _with_reason(f"  - {inline(feature.name)}", remark)
    for feature in out:
        lines += [f"  # - {inline(feature.name)}", *_comment(feature.why, "  #     ", "  #     ")]
    return lines
