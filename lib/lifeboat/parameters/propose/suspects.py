"""Columns that had better not be features: what names a row, and what knows the answer."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import TargetEncoder
from sklearn.tree import DecisionTreeClassifier

from lifeboat.parameters.propose.table import Column, Survey, numbers

LEAK = 0.99  # the area under the ROC curve from which a column by itself is too good to be true
LEVELS = 200  # categories: of more, a tree would have to learn each from a handful of rows
ID_WORDS = (
    r"(?i:(^|[^a-z])(id|ids|key|uuid|guid|index|nr|no|num|number|rownames)|^_c0|^unnamed: 0)$|[a-z](Id|ID|Key|No)$"
)

Floats = npt.NDArray[np.float64]


def looks_like_id(column: Column) -> bool:
    """Whether the column's name says that it names something."""
    return re.search(ID_WORDS, column.name) is not None


def counts_rows(column: Column, rows: int) -> bool:
    """Whether it holds whole numbers without a gap between them, each once."""
    if column.minimum is None or column.maximum is None:
        return False
    return column.unique and column.type in ("INT", "BIGINT") and int(column.maximum - column.minimum) + 1 == rows


def find_key(table: Survey, label: str, unlabelled: Survey | None) -> str:
    """The column that names a row; empty where there is none.

    Of the columns of whole numbers or texts that differ in every row: one whose name says so, one that counts the
    rows, or a text. A number that only happens to differ in each row is a measurement, and no key.

    Args:
        table: The labelled rows.
        label: The column to predict, which cannot be the key.
        unlabelled: The rows to predict: the key must name these, too.
    """
    tables = [table] if unlabelled is None else [table, unlabelled]
    able = [
        column
        for column in table.columns.values()
        if column.name != label and column.type in ("INT", "BIGINT", "STRING")
        if not pc.any(pc.match_substring_regex(table.sample[column.name], r"[\r\n]")).as_py()
        if all(column.name in t.columns and t.columns[column.name].unique for t in tables)
    ]
    by_name = [column for column in able if looks_like_id(column)]
    counting = [column for column in able if counts_rows(column, table.rows)]
    text = [column for column in able if column.type == "STRING"]
    return next((column.name for column in (*by_name, *counting, *text)), "")


def nearly_unique(table: Survey, column: Column) -> bool:
    """Whether a text differs in most rows that have one, as far as the sample tells."""
    known = table.sample[column.name].drop_null()
    return len(known) > 20 and len(known.unique()) > 0.5 * len(known)


def univariate_auc(table: Survey, column: Column, target: Floats) -> float:
    """How well the column by itself tells the label: the area under the ROC curve on rows not learned from.

    A small tree for numbers, the label's rate of each value for categories; half of the sample to learn from, the
    other to judge. A gap is a value like any other: where only the dead lack a number, that it is missing tells.

    Args:
        table: The labelled rows.
        column: One of its columns.
        target: The label of the sample's rows, shape (n,): 0, 1, or NaN where there is none.

    Returns:
        0.5 (nothing) to 1 (everything); 0.5 too where a half has only one class.
    """
    known = ~np.isnan(target)
    y = target[known]
    order = np.random.default_rng(0).permutation(len(y))
    learn, judge = order[::2], order[1::2]
    if len(set(y[learn])) < 2 or len(set(y[judge])) < 2:
        return 0.5
    if column.is_number:
        x = _in_single(numbers(table.sample[column.name])[known]).reshape(-1, 1)
        tree = DecisionTreeClassifier(max_depth=3, min_samples_leaf=3, random_state=0).fit(x[learn], y[learn])
        scores = tree.predict_proba(x[judge])[:, 1]
    else:
        texts = np.array(table.sample[column.name].to_pylist(), dtype=object)[known]
        scores = rates(texts[learn], y[learn], texts[judge])
    return float(roc_auc_score(y[judge], scores))


def _in_single(values: Floats) -> Floats:
    """Numbers as scikit-learn's trees take them, in single precision; their ranks where that would make two one."""
    distinct, ranks = np.unique(values, return_inverse=True)
    with np.errstate(over="ignore"):
        single = np.unique(distinct.astype(np.float32))
    if len(single) == len(distinct) and not np.isinf(single).any():
        return values
    return np.where(np.isnan(values), np.nan, ranks)


def rates(texts: npt.NDArray[np.object_], y: Floats, others: npt.NDArray[np.object_]) -> Floats:
    """The label's rate of each value, one row of the overall rate added."""
    encoder = TargetEncoder(target_type="continuous", smooth=1).fit(texts.reshape(-1, 1), y)
    encoded: Floats = encoder.transform(others.reshape(-1, 1)).ravel()
    return encoded
