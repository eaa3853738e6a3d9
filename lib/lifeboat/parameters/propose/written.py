"""A proposal as a parameter file for people: YAML in sections, each line with its reason."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Any

import yaml

from lifeboat.parameters.propose.features import Feature
from lifeboat.parameters.propose.proposal import Proposal
from lifeboat.parameters.propose.table import Column

WIDTH = 118
FIXED: dict[str, tuple[Any, str]] = {  # the same for any data set, and why
    "spark": ("local[*]", "all cores of this machine; local[2], spark://host:7077, sc://host"),
    "seed": (42, "of every draw and forest, and of the split unless split_seed says another"),
    "holdout_fraction": (0.2, "kept away from training, by a hash of the key"),
    "group_by": ("", "a column, such as a customer or a day, whose rows belong together"),
    "related_by": ("", "a column whose rows may belong together: notebook 1 looks whether it matters"),
    "texts": ([], "a few texts to show the first stage of `derive` on"),
    "leak_column": ("", "a text of many values, to see a leak with in notebook 2; empty to leave that out"),
    "estimator": ("random_forest", "random_forest, gbt or logistic_regression"),
    "grid": ({"maxDepth": [3, 6]}, "each combination is cross-validated, the simplest first"),
    "num_folds": (3, ""),
    "together": ([], "features that say the same, to shuffle as one"),
    "verdict_metric": ("log_loss", "or brier"),
    "margin": (0.01, "so much worse than the champion a model may be"),
    "resamples": (1000, "of the bootstrap"),
    "class_names": ([], "what people call class 0 and class 1, such as [died, survived]; empty: no and yes"),
    "columns": ({}, "what people call columns, and units, such as {Fare: {title: fare, unit: pounds}}"),
}
WHY = {
    "labelled_path": "rows with a label",
    "unlabelled_path": "rows to predict; empty for none",
    "complete": "what the rows need before they are whole",
    "ranges": "lowest and highest value, such as [0, 120]; a row outside is kept aside with its reason",
    "derive": "new columns by stages, such as {stage: SumColumns, inputCols: [a, b], outputCol: both}",
    "compare": "columns whose groups are compared by how often the label is 1",
    "impute": "columns with gaps: mean, mean by COLUMN, or mode",
    "show": "of single rows",
    "groups": "looked at one by one",
    "registered_model": "its champion is the model to compare with",
}
SECTIONS = {
    "where": ("spark", "seed"),
    "the data": ("labelled_path", "unlabelled_path", "csv", "complete", "schema", "label", "key", "ranges",
                 "holdout_fraction", "group_by", "related_by"),
    "the features": ("derive", "compare", "impute", "numeric", "categorical", "texts", "leak_column"),
    "the model": ("estimator", "estimator_params", "grid", "num_folds", "metric", "show"),
    "the verdict": ("baseline", "groups", "together", "verdict_metric", "margin", "resamples"),
    "the registry": ("registered_model", "class_names", "columns"),
}  # fmt: skip


def written(proposal: Proposal, command: str, path: str) -> str:
    """The text of the parameter file.

    Args:
        proposal: What to write.
        command: What was typed to get it, to stand at its head.
        path: Where the file is going to be, for the command to run it.
    """
    table = proposal.table
    values = {name: value for name, (value, _) in FIXED.items()} | proposal.values
    why = {name: reason for name, (_, reason) in FIXED.items()} | WHY | {n: r for n, r in proposal.why.items() if r}
    head = [f"A first parameter file for {table.path.name}, written by", "", f"  {command}", ""]
    head += [
        "from what it saw. Nothing in it is settled: read it, change it, and run it with",
        "",
        f"  lifeboat run {path}",
    ]
    head += ["", f"Seen: {table.rows:,} rows."]
    lines = [*_comments(head), *_seen(proposal.features)]
    if proposal.look:
        lines += [
            "#",
            "# To look at:",
            *(line for note in proposal.look for line in _comment(note, "#   - ", "#     ")),
        ]
    for title, names in SECTIONS.items():
        lines += ["", f"# --- {title}"]
        for name in names:
            lines += _parameter(name, values[name], why.get(name, ""), proposal)
    return "\n".join(lines) + "\n"


def _comments(texts: Sequence[str]) -> list[str]:
    return [f"# {printable(text)}".rstrip() for text in texts]


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
    if name == "complete" and value:
        return [*_with_reason("complete:", why), *_completed(value)]
    return _with_reason(f"{name}: {inline(value)}", why)


def _completed(complete: dict[str, Any]) -> list[str]:
    """A line for each column with words for gaps, each expression, and each case of one that has several."""
    gaps, compute = complete.get("no_value", {}), complete.get("compute", {})
    lines = _with_reason("  no_value:", "words that stand where there is none") if gaps else []
    for name, words in gaps.items():
        block = _yaml({name: words}, allow_unicode=name.isprintable(), flow=None)
        lines += [f"    {line}" for line in block.split("\n")]
    lines += _with_reason("  compute:", "new columns, by SQL") if compute else []
    for name, sql in compute.items():
        first, *cases = sql.split(" WHEN ")
        if len(cases) > 1 and sql.isprintable():
            lines += [f"    {inline(name)}: >-", f"      {first}", *(f"      WHEN {case}" for case in cases)]
        else:
            lines.append(f"    {inline({name: sql})[1:-1]}")
    return lines + (_with_reason("  make_key: true", "from each row's content") if complete.get("make_key") else [])


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
    if len(line) + len(why) + 4 <= WIDTH and len(line) < 60:
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
