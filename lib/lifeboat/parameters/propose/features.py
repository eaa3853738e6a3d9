"""What each column is to be: a feature, the key, the label, or left out; and why."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lifeboat.errors import DataError
from lifeboat.parameters.propose.label import Label
from lifeboat.parameters.propose.suspects import LEAK, LEVELS, counts_rows, looks_like_id, nearly_unique, univariate_auc
from lifeboat.parameters.propose.table import TYPES, Column, Survey

ORDER = ("INT", "BIGINT", "DOUBLE", "STRING")  # each can hold what those before it hold


@dataclass(frozen=True)
class Feature:
    """A column of the file and what it is to be.

    Attributes:
        column: What was seen of it, in the rows to predict too.
        role: ``numeric``, ``categorical``, ``key``, ``label`` or ``out``.
        why: Of a column that is left out: the reason.
        univariate_auc: How well it tells the label by itself, 0.5 to 1.
        in_schema: Whether the loaded rows are to have it.
    """

    column: Column
    role: str = "out"
    why: str = ""
    univariate_auc: float = 0.5
    in_schema: bool = True

    @property
    def name(self) -> str:
        """The column's name, in the file and everywhere."""
        return self.column.name

    @property
    def type(self) -> str:
        """Its type in the schema: one of Spark's SQL words."""
        return "STRING" if self.column.type == "DATE" else self.column.type

    @property
    def used(self) -> bool:
        """Whether a model is to learn from it."""
        return self.role in ("numeric", "categorical")

    @property
    def few_numbers(self) -> bool:
        """Whether it is a feature of so few whole numbers that these may be names of classes."""
        return self.role == "numeric" and self.type in ("INT", "BIGINT") and 2 < len(self.column.values) <= 12


def choose_features(table: Survey, label: Label, key: str, unlabelled: Survey | None) -> list[Feature]:
    """Decide of each column what it is to be.

    Raises:
        DataError: No column is left to learn from; the message gives the reasons.
    """
    merged = [_with_unlabelled(column, unlabelled) for column in table.columns.values()]
    features = [_feature(table, column, label, key, unlabelled) for column in merged]
    if not any(feature.used for feature in features):  # nothing but what looks like a leak: the person must decide
        features = [replace(f, role=_kind(f.column)) if f.univariate_auc > LEAK else f for f in features]
    if not any(feature.used for feature in features):
        reasons = "; ".join(f"{feature.name}: {feature.why}" for feature in features if feature.why)
        raise DataError(f"no column is left to learn {label.source!r} from ({reasons or 'there is no other'})")
    return features


def _with_unlabelled(column: Column, unlabelled: Survey | None) -> Column:
    """The column with what the rows to predict have in it: their gaps, and a type that holds both."""
    other = unlabelled.columns.get(column.name) if unlabelled else None
    if unlabelled is None or other is None:
        return column
    both = {column.type, other.type if other.missing < unlabelled.rows else column.type}
    kind = column.type if len(both) == 1 else "STRING" if both - set(ORDER) else max(both, key=ORDER.index)
    gap_words = tuple(sorted({*column.gap_words, *other.gap_words}))
    return replace(column, type=kind, missing=column.missing + other.missing, gap_words=gap_words)


def _feature(table: Survey, column: Column, label: Label, key: str, unlabelled: Survey | None) -> Feature:
    if column.name == label.source:
        return Feature(column, "label", in_schema=not label.sql)
    if column.type not in TYPES:
        return Feature(column, why=f"no column of a schema is of its type ({column.type})", in_schema=False)
    if unlabelled and column.name not in unlabelled.columns:
        return Feature(column, why="the rows to predict do not have it", in_schema=False)
    if column.name == key:
        return Feature(column, "key")
    if reason := _no_feature(table, column):
        return Feature(column, why=reason)
    score = univariate_auc(table, column, label.target)
    if score > LEAK:
        reason = f"by itself it all but tells the label (ROC AUC {score:.3f}): is it known before the label is?"
        return Feature(column, why=reason, univariate_auc=score)
    return Feature(column, _kind(column), univariate_auc=score)


def _kind(column: Column) -> str:
    with_gaps = column.type == "BOOLEAN" and column.missing > 0  # filled with the mode, as a category is
    return "categorical" if column.type == "STRING" or with_gaps else "numeric"


def _no_feature(table: Survey, column: Column) -> str:
    """Why a column is no feature whatever the label is; empty where it may be one."""
    few = 0 < len(column.values) <= LEVELS
    if table.rows == table.columns[column.name].missing:
        return "it has no value"
    if column.is_number and column.minimum is None:
        return "it holds numbers that are not finite"
    if len(column.values) == 1:
        return f"its value is always {next(iter(column.values))!r}"
    if column.type == "DATE":
        return (
            "a date: as a number it would only say how old the data are; compute by hand what may tell more, such as "
            "its month or weekday; split_by could hold out the latest by it, as ISO writes it or made a DATE"
        )
    if counts_rows(column, table.rows) or (column.unique and looks_like_id(column)):
        return "it names the row"
    if looks_like_id(column) and not few:
        return "by its name it names something; group_by keeps rows that share it together"
    if column.type == "STRING" and nearly_unique(table, column):
        return "a text that differs in most rows"
    if column.type == "STRING" and not few:
        how_many = len(column.values) or "more than 1,000"
        return f"{how_many} different texts: too many for a tree, which asks for {LEVELS} at most here"
    return ""
