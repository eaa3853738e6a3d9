"""How good, and how sure: scikit-learn's metrics with bootstrap intervals, and the difference of two models."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lifeboat.errors import DataError, ParameterError, unknown
from lifeboat.evaluate.intervals import Interval, percentiles, resampled
from lifeboat.evaluate.scored import Floats, Ints, Scored

HIGHER_IS_BETTER = {"accuracy": True, "roc_auc": True, "pr_auc": True, "brier": False, "log_loss": False}
RANKING = ("roc_auc", "pr_auc")


def _sklearn() -> Any:
    from sklearn import metrics  # takes a second to import, and who only draws needs none of it

    return metrics


METRICS: dict[str, Callable[[Scored], Any]] = {
    "accuracy": lambda rows: _sklearn().accuracy_score(rows.label, rows.prediction),
    "roc_auc": lambda rows: _sklearn().roc_auc_score(rows.label, rows.probability),
    "pr_auc": lambda rows: _sklearn().average_precision_score(rows.label, rows.probability),
    "brier": lambda rows: _sklearn().brier_score_loss(rows.label, rows.probability, labels=[0, 1], pos_label=1),
    "log_loss": lambda rows: _sklearn().log_loss(rows.label, rows.probability, labels=[0, 1]),
}


def point_metrics(scored: Scored) -> dict[str, float]:
    """Accuracy, ROC AUC, PR AUC (average precision), Brier score and log loss (natural logarithm).

    A metric that these rows do not define is NaN, and ``undefined`` says why.
    """
    return {metric: point_metric(scored, metric) for metric in HIGHER_IS_BETTER}


def point_metric(scored: Scored, metric: str) -> float:
    """One of the metrics of ``point_metrics``, by its name."""
    if metric not in METRICS:
        raise ParameterError(unknown("metric", metric, METRICS))
    return math.nan if metric in undefined(scored) else float(METRICS[metric](scored))


def undefined(scored: Scored) -> dict[str, str]:
    """The metrics that cannot be computed on these rows, and why; empty where all can."""
    first = int(scored.label[0])
    if (scored.label != first).any():
        return {}
    reason = f"all {scored.n} rows have label {first}: to rank, there must be rows of both classes"
    return dict.fromkeys(RANKING, reason)


def loss_rows(scored: Scored, metric: str) -> Floats:
    """Each row's loss, shape (n,), whose mean is the metric; for ``accuracy`` the error, 0 or 1.

    Raises:
        ParameterError: The metric is no mean over rows.
    """
    of_truth = np.where(scored.label == 1, scored.probability, 1 - scored.probability)
    eps = np.finfo(np.float64).eps  # where scikit-learn's log_loss clips: certain and wrong costs 36, not infinity
    losses: dict[str, Floats] = {
        "accuracy": np.not_equal(scored.label, scored.prediction).astype(np.float64),
        "brier": np.square(scored.label - scored.probability),
        "log_loss": -np.log(np.clip(of_truth, eps, 1 - eps)),
    }
    if metric not in losses:
        raise ParameterError(unknown("metric that is a mean over rows", metric, losses))
    return losses[metric]


def bootstrap(scored: Scored, resamples: int = 2000, confidence: float = 0.95, seed: int = 42) -> dict[str, Interval]:
    """Every metric with its percentile bootstrap interval (Efron and Tibshirani 1993, chapter 13).

    Args:
        scored: The rows; those of one group (``kin``) are drawn together.
        resamples: How many times the groups are drawn anew.
        confidence: The share of draws that the interval holds, such as 0.95.
        seed: Of the draws; the same seed draws the same rows for every model.

    Returns:
        Metric -> its value on the rows as they are, and the interval. Draws of a single class count for the ranking
        metrics as not drawn.
    """
    value, drawn = point_metrics(scored), drawn_metrics(scored, resamples, seed)
    return {name: percentiles(value[name], drawn[name], confidence, scored.n_kin) for name in HIGHER_IS_BETTER}


def drawn_metrics(scored: Scored, resamples: int, seed: int) -> dict[str, Floats]:
    """Metric -> its values in draws of the rows' groups, shape (resamples,); NaN where a draw does not define it."""
    right = 1 - loss_rows(scored, "accuracy")
    means = np.column_stack([right, loss_rows(scored, "brier"), loss_rows(scored, "log_loss")])
    order = np.argsort(-scored.probability, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scored.probability[order]) != 0, True))
    drawn = []
    for groups in resampled(scored.n_kin, resamples, seed):
        times = groups[scored.kin]
        drawn.append([*(times @ means / times.sum()), *_rank_metrics(scored.label[order], times[order], ends)])
    names = ("accuracy", "brier", "log_loss", *RANKING)
    return dict(zip(names, np.array(drawn).T, strict=True))


def _rank_metrics(label: Ints, times: Ints, ends: Ints) -> tuple[float, float]:
    """ROC AUC and average precision of one draw: rows from the most probable to the least, ``ends`` those of ties.

    The numbers that scikit-learn's two functions give with ``sample_weight=times``, in a hundredth of their time:
    they sort and check the same rows anew in each of thousands of draws.
    """
    true = np.cumsum(times * label)[ends]
    called = np.cumsum(times)[ends]
    positives, negatives = int(true[-1]), int(called[-1] - true[-1])
    if positives == 0 or negatives == 0:
        return math.nan, math.nan
    new_true = np.diff(true, prepend=0)
    new_false = np.diff(called - true, prepend=0)
    roc_auc = float(new_false @ (true - new_true / 2)) / (positives * negatives)
    pr_auc = float(new_true @ (true / np.maximum(called, 1))) / positives
    return roc_auc, pr_auc


def paired_difference(
    a: Scored, b: Scored, metric: str = "log_loss", resamples: int = 2000, confidence: float = 0.95, seed: int = 42
) -> Interval:
    """How much better ``a`` is than ``b``: the mean of loss(b) - loss(a), row by row, with its bootstrap interval.

    Both judge the same rows, so what makes a row hard for both cancels: the interval is narrower than two apart. Rows
    of one group (``kin`` of ``a``) are drawn together.

    Args:
        a: What one model said.
        b: What another said of the same rows in the same order.
        metric: ``log_loss``, ``brier`` or ``accuracy`` (then the difference of accuracies).
        resamples: How many times the groups are drawn anew.
        confidence: The share of draws that the interval holds.
        seed: Of the draws.

    Raises:
        DataError: The two were not judged on the same rows.
        ParameterError: The metric is no mean over rows.
    """
    if not a.same_rows(b):
        raise DataError("the two were judged on different rows: score both on the same ones, in the same order")
    gain = loss_rows(b, metric) - loss_rows(a, metric)
    sums, sizes = np.bincount(a.kin, weights=gain), np.bincount(a.kin)
    draws = np.array([(times @ sums) / (times @ sizes) for times in resampled(a.n_kin, resamples, seed)])
    return percentiles(float(gain.mean()), draws, confidence, a.n_kin)
