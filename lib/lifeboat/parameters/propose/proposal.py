"""Every parameter that a new data set needs, with the reason for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lifeboat.parameters.names import check_names
from lifeboat.parameters.propose.features import Feature, choose_features
from lifeboat.parameters.propose.label import Label, choose_label, free_name
from lifeboat.parameters.propose.suspects import LEAK, find_key
from lifeboat.parameters.propose.table import Survey, numbers
from lifeboat.parameters.propose.times import Parse, parse_of
from lifeboat.spark.sql import ticked

MADE_KEY = "row_id"
DEFAULT_BINS = 32  # Spark's own maxBins: a category with more values needs more
TELLING = 0.8  # ROC AUC of a column by itself from which it is worth a second look
WORTH_BEATING = 0.1  # how much more area a number must have than any category, to be the rule to beat
RARE = 0.2  # a class with less than this share of the rows


@dataclass(frozen=True)
class Proposal:
    """What to write into the parameter file.

    Attributes:
        table: What was seen.
        label: What is to be predicted.
        features: What each column is to be, in the order of the file.
        values: Parameter -> value.
        why: Parameter -> the reason for it, one line.
        look: What a person should look at before the first run, most important first.
    """

    table: Survey
    label: Label
    features: Sequence[Feature]
    values: dict[str, Any]
    why: dict[str, str]
    look: Sequence[str]

    def of_role(self, role: str) -> list[Feature]:
        """The features that have a role."""
        return [feature for feature in self.features if feature.role == role]


def propose(
    table: Survey,
    label: str,
    positive: str = "",
    unlabelled: Survey | None = None,
    name: str = "",
    paths: Sequence[str] = (),
) -> Proposal:
    """Decide everything that a first run needs.

    Args:
        table: The labelled rows.
        label: The column to predict.
        positive: Its value that is to be 1; empty: see ``choose_label``.
        unlabelled: The rows to predict, if there are any.
        name: What the model is to be called in the registry.
        paths: The labelled and the unlabelled rows' places, as the file is to name them.

    Raises:
        DataError: The label has no two values, no column is left to learn from, or one has a name that none can have.
        ParameterError: There is no such column, or it has no such value.
    """
    for rows in (table, *([unlabelled] if unlabelled else [])):
        check_names(rows.columns, rows.path.name)
    answer = choose_label(table, label, positive)
    key = find_key(table, (label,), unlabelled)
    features = choose_features(table, answer, key, unlabelled)
    taken = [*table.columns, answer.name]
    groups, quarters = _groups(table, features, taken)
    times = _times(table, taken)
    compute = quarters | {time.name: time.sql for time in times}
    compute |= {answer.name: answer.sql} if answer.sql else {}
    values = {
        "labelled_path": (*paths, str(table.path))[0],
        "unlabelled_path": paths[1] if len(paths) > 1 else "",
        "csv": table.csv.changed(),
        "complete": _complete(features, compute, key),
        "schema": _schema(features, answer, quarters, times),
        "label": answer.name,
        "key": next((f.name for f in features if f.role == "key"), "") or free_name(MADE_KEY, taken),
        "ranges": {answer.name: [0, 1]},
        **_of_features([feature for feature in features if feature.used]),
        "compare": groups[:3],
        "metric": "log_loss" if _rare(answer) else "accuracy",
        "baseline": groups[0],
        "groups": groups[:2],
        "registered_model": name,
        "class_names": [*answer.classes],
    }
    look = [*_to_look_at(table, answer, features, key), *_times_to_look_at(times)]
    why = _reasons(answer, key, values, quarters) | _csv_reason(table)
    return Proposal(table, answer, features, values, why, look)


def _csv_reason(table: Survey) -> dict[str, str]:
    whole = "multiline: read so, quoted texts of several lines leave no line unread" if table.csv.multiline else ""
    return {"csv": whole or "how the file is written"}


def _complete(features: Sequence[Feature], compute: Mapping[str, str], key: str) -> dict[str, Any]:
    """What the rows need: in which columns which words are gaps, what is to be computed, and a key if there is none."""
    gaps = {f.name: list(f.column.gap_words) for f in features if f.column.gap_words and f.in_schema}
    entries: dict[str, Any] = {"no_value": gaps, "compute": dict(compute), "make_key": not key}
    return {name: value for name, value in entries.items() if value}


def _of_features(used: Sequence[Feature]) -> dict[str, Any]:
    """The parameters that name features."""
    numeric, categorical = ([f for f in used if f.role == role] for role in ("numeric", "categorical"))
    bins = 2 + max((len(f.column.values) for f in categorical), default=0)  # one for values unseen, one to spare
    return {
        "derive": [],
        "impute": {f.name: "mean" if f.role == "numeric" else "mode" for f in used if f.column.missing},
        "numeric": [f.name for f in numeric],
        "categorical": [f.name for f in categorical],
        "estimator_params": {"maxDepth": 5} | ({"maxBins": bins} if bins > DEFAULT_BINS else {}),
        "show": [f.name for f in sorted(used, key=lambda f: -f.univariate_auc)][:4],
    }


def _rare(label: Label) -> bool:
    return min(label.share, 1 - label.share) < RARE


def _groups(table: Survey, features: Sequence[Feature], taken: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The columns to look at group by group, the rule to beat first, and the SQL of one that must be made for it."""
    used = sorted((feature for feature in features if feature.used), key=lambda feature: -feature.univariate_auc)
    few = [feature for feature in used if feature.group_like]
    numeric = [feature for feature in used if feature.role == "numeric"]
    if numeric and (not few or numeric[0].univariate_auc > few[0].univariate_auc + WORTH_BEATING):
        quarters = _quarters(table, numeric[0], taken)
        return [*quarters, *(feature.name for feature in few)], quarters
    return [feature.name for feature in few or used[:1]], {}


def _times(table: Survey, taken: Sequence[str]) -> list[Parse]:
    """The columns to make of texts that are dates or times in another order than that of time."""
    times = []
    for column in table.columns.values():
        if column.type == "DATE" and not table.parquet:
            parse = parse_of(column.name, table.sample[column.name].drop_null().to_pylist())
            times += [replace(parse, name=free_name(parse.name, taken))] if parse else []
    return times


def _times_to_look_at(times: Sequence[Parse]) -> list[str]:
    look = [time.remark for time in times if time.remark]
    return look + [f"{time.name}: made so that split_by could hold out the latest rows by it" for time in times]


def _schema(features: Sequence[Feature], label: Label, quarters: Iterable[str], times: Sequence[Parse]) -> str:
    columns = []
    for feature in features:
        if feature.in_schema:
            required = not feature.column.missing or feature.role in ("key", "label")
            columns.append(f"{ticked(feature.name)} {feature.type}{' NOT NULL' if required else ''}")
    columns += [f"{ticked(name)} STRING" for name in quarters]
    columns += [f"{ticked(time.name)} {time.type}" for time in times]
    columns += [f"{ticked(label.name)} INT NOT NULL"] if label.sql else []
    return ", ".join(columns)


def _quarters(table: Survey, best: Feature, taken: Sequence[str]) -> dict[str, str]:
    """A column that says in which quarter of the rows a number lies, for rows to be looked at group by group."""
    known = numbers(table.sample[best.column.name])
    exact = sorted({float(cut) for cut in np.nanquantile(known, [0.25, 0.5, 0.75]) if cut < np.nanmax(known)})
    exact = exact or [float(np.nanmin(known))]
    rounded = [float(f"{cut:.6g}") for cut in exact]
    # six digits are for people; where they would move a boundary past a neighbour, all digits stay
    cuts = rounded if len(set(rounded)) == len(exact) and max(rounded) < np.nanmax(known) else exact
    name = free_name(re.sub(r"\W+", "_", best.name, flags=re.ASCII).strip("_").lower()[:60] + "_quarter", taken)
    value = ticked(best.name)
    steps = [f"WHEN {value} <= {cut:.15g} THEN '{number}: up to {cut:.15g}'" for number, cut in enumerate(cuts, 1)]
    last = f"WHEN {value} > {cuts[-1]:.15g} THEN '{len(cuts) + 1}: more'"
    return {name: " ".join(["CASE", *steps, last, "END"])}


def _reasons(label: Label, key: str, values: Mapping[str, Any], quarters: Mapping[str, str]) -> dict[str, str]:
    few = "of the columns with few values, the one that tells most by itself"
    bins = values["estimator_params"].get("maxBins")
    return {
        "label": f"1: {label.meaning} ({label.share:.1%} of the rows)",
        "key": "differs in every row" if key else "no column names a row: a key is made from the row's content",
        "baseline": "the number that tells most by itself, cut in four parts" if quarters else few,
        "metric": "one class is rare: calling all the other gets a high accuracy" if _rare(label) else "",
        "estimator_params": f"maxBins: the largest category has {bins - 2} values" if bins else "",
    }


def _to_look_at(table: Survey, label: Label, features: Sequence[Feature], key: str) -> list[str]:
    look = [label.loud] if label.loud else []
    look += [f"{f.name}: {f.why}" for f in features if f.univariate_auc > LEAK]
    fewest = round(min(label.share, 1 - label.share) * table.rows)
    if fewest < 30:
        look.append(f"one class has about {fewest} rows: intervals will be wide, and folds may lack it")
    gone = table.columns[label.source].missing
    look += [f"{gone:,} rows have no {label.source}: notebook 1 will set them aside"] if gone else []
    if table.unreadable:
        look.append(f"{table.unreadable:,} lines have too many or too few values: notebook 1 will set them aside")
    look += [] if key else ["no column names a row: if one should, name it as `key` and drop make_key"]
    look += [f"{f.name}: left out: {f.why}" for f in features if f.role == "out" and f.univariate_auc <= LEAK]
    if telling := sorted(
        (f for f in features if f.used and f.univariate_auc > TELLING), key=lambda f: -f.univariate_auc
    )[:3]:
        scores = ", ".join(f"{f.name} {f.univariate_auc:.2f}" for f in telling)
        look.append(f"these tell the label best by themselves (ROC AUC): {scores}; are they known before the label is?")
    if amounts := [f.name for f in features if f.few_numbers]:
        first = ", ".join(amounts[:5]) + (f" and {len(amounts) - 5} more" if amounts[5:] else "")
        look.append(
            f"{first}: few whole numbers, taken as amounts: one that stands for a name is to be STRING in "
            "the schema and stand under categorical"
        )
    return look
