"""Every parameter that a new data set needs, with the reason for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from lifeboat.parameters.propose.features import Feature, choose_features
from lifeboat.parameters.propose.label import Label, choose_label, free_name
from lifeboat.parameters.propose.suspects import LEAK, find_key
from lifeboat.parameters.propose.table import Survey
from lifeboat.parameters.propose.times import Parse, parse_of
from lifeboat.spark.sql import ticked

MADE_KEY = "row_id"
DEFAULT_BINS = 32  # Spark's own maxBins: a category with more values needs more
TELLING = 0.8  # ROC AUC of a column by itself from which it is worth a second look
RARE = 0.2  # a class with less than this share of the rows
MANY_VALUES = "no column has few values: compute one by hand that cuts this in a few, and name it here and in groups"


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
        DataError: The label has too few values or too many, or no column is left to learn from.
        ParameterError: There is no such column, or it has no such value.
    """
    answer = choose_label(table, label, positive)
    key = find_key(table, label, unlabelled)
    features = choose_features(table, answer, key, unlabelled)
    taken = [*table.columns, answer.name]
    times = _times(table, taken)
    rare = min(answer.share, 1 - answer.share) < RARE
    used = [feature for feature in features if feature.used]
    telling = sorted(used, key=lambda feature: -feature.univariate_auc)
    few = [feature.name for feature in telling if 2 <= len(feature.column.values) <= 12]
    groups = few or [telling[0].name]
    most = max((len(f.column.values) for f in used if f.role == "categorical"), default=0)
    bins = {"maxBins": most + 2} if most + 2 > DEFAULT_BINS else {}  # one for values unseen, one to spare
    values = {
        "labelled_path": (*paths, str(table.path))[0],
        "unlabelled_path": paths[1] if len(paths) > 1 else "",
        "csv": table.csv.changed(),
        "enrich": _enrich(features, answer, times, key),
        "schema": _schema(features, answer, times),
        "label": answer.name,
        "key": key or free_name(MADE_KEY, taken),
        "ranges": {answer.name: [0, 1]},
        "derive": [],
        "impute": {f.name: "mean" if f.role == "numeric" else "mode" for f in used if f.column.missing},
        "numeric": [f.name for f in used if f.role == "numeric"],
        "categorical": [f.name for f in used if f.role == "categorical"],
        "estimator_params": {"maxDepth": 5} | bins,
        "show": [f.name for f in telling[:4]],
        "compare": groups[:3],
        "metric": "log_loss" if rare else "accuracy",
        "baseline": groups[0],
        "groups": groups[:2],
        "registered_model": name,
        "class_names": [*answer.classes],
    }
    whole = "multiline: read so, quoted texts of several lines leave no line unread" if table.csv.multiline else ""
    why = {
        "csv": whole or "how the file is written",
        "label": f"1: {answer.meaning} ({answer.share:.1%} of the rows)",
        "key": "differs in every row" if key else "no column names a row: a key is made from the row's content",
        "baseline": "of the columns with few values, the one that tells most by itself" if few else MANY_VALUES,
        "metric": "one class is rare: calling all the other gets a high accuracy" if rare else "",
        "estimator_params": f"maxBins: the largest category has {most} values" if bins else "",
    }
    return Proposal(table, answer, features, values, why, _to_look_at(table, answer, features, key, times))


def _enrich(features: Sequence[Feature], label: Label, times: Sequence[Parse], key: str) -> dict[str, Any]:
    """What the rows need: in which columns which words are gaps, what is to be computed, and a key if there is none."""
    gaps = {f.name: list(f.column.gap_words) for f in features if f.column.gap_words and f.in_schema}
    compute = {time.name: time.sql for time in times} | ({label.name: label.sql} if label.sql else {})
    entries: dict[str, Any] = {"no_value": gaps, "compute": compute, "make_key": not key}
    return {name: value for name, value in entries.items() if value}


def _times(table: Survey, taken: Sequence[str]) -> list[Parse]:
    """The columns to make of texts that are dates or times in another order than that of time."""
    times = []
    for column in table.columns.values():
        if column.type == "DATE" and not table.parquet:
            parse = parse_of(column.name, table.sample[column.name].drop_null().to_pylist())
            times += [replace(parse, name=free_name(parse.name, taken))] if parse else []
    return times


def _schema(features: Sequence[Feature], label: Label, times: Sequence[Parse]) -> str:
    columns = []
    for feature in features:
        if feature.in_schema:
            required = not feature.column.missing or feature.role in ("key", "label")
            columns.append(f"{ticked(feature.name)} {feature.type}{' NOT NULL' if required else ''}")
    columns += [f"{ticked(time.name)} {time.type}" for time in times]
    columns += [f"{ticked(label.name)} INT NOT NULL"] if label.sql else []
    return ", ".join(columns)


def _to_look_at(
    table: Survey, label: Label, features: Sequence[Feature], key: str, times: Sequence[Parse]
) -> list[str]:
    fewest = round(min(label.share, 1 - label.share) * table.rows)
    gone = table.columns[label.source].missing
    by_score = sorted(features, key=lambda feature: -feature.univariate_auc)
    telling = [f"{f.name} {f.univariate_auc:.2f}" for f in by_score if f.used and f.univariate_auc > TELLING][:3]
    amounts = [f.name for f in features if f.few_numbers]
    more = f" and {len(amounts) - 5} more" if amounts[5:] else ""
    look = [
        label.loud,
        *[f"{f.name}: {f.why}" for f in features if f.univariate_auc > LEAK],
        fewest < 30 and f"one class has about {fewest} rows: intervals will be wide, and folds may lack it",
        gone and f"{gone:,} rows have no {label.source}: notebook 1 will set them aside",
        table.unreadable
        and f"{table.unreadable:,} lines have too many or too few values: notebook 1 will set them aside",
        not key and "no column names a row: if one should, name it as `key` and drop make_key",
        *[f"{f.name}: left out: {f.why}" for f in features if f.role == "out" and f.univariate_auc <= LEAK],
        telling
        and f"these tell the label best by themselves (ROC AUC): {', '.join(telling)}; are they known before "
        "the label is?",
        amounts
        and f"{', '.join(amounts[:5])}{more}: few whole numbers, taken as amounts: one that stands for a name "
        "is to be STRING in the schema and stand under categorical",
        *[time.remark for time in times],
        *[f"{time.name}: made so that split_by could hold out the latest rows by it" for time in times],
    ]
    return [remark for remark in look if remark]
