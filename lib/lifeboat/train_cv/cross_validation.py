"""Cross-validate a grid over a whole pipeline: folds by hash, shared stages fitted once a fold, every score kept."""

from __future__ import annotations

import math
import statistics
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from multiprocessing.pool import ThreadPool
from typing import Any

from pyspark import inheritable_thread_target
from pyspark.ml import Estimator, Model, PipelineModel
from pyspark.ml.tuning import CrossValidator
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from lifeboat import sampling
from lifeboat.errors import DataError
from lifeboat.parameters.rules import need
from lifeboat.preprocess import column_names
from lifeboat.sampling import check_folds, repartition_by_key


@dataclass(frozen=True)
class CrossValidated:
    """What cross-validation found.

    Attributes:
        points: The grid, each point as Param name -> value; shape (n_points,).
        scores: Each fold's score of each point; shape (n_points, n_folds).
        larger_is_better: Whether a larger score is a better one.
        best: Index of the chosen point.
        model: The whole pipeline with the chosen point, fitted on all rows.
        out_of_fold: All rows with fold, probability and prediction, in columns of ``preprocess.column_names``, by a
            model that never saw them.
    """

    points: list[dict[str, Any]]
    scores: list[list[float]]
    larger_is_better: bool
    best: int
    model: PipelineModel
    out_of_fold: DataFrame

    def mean(self, point: int) -> float:
        """The mean of a point's scores over the folds."""
        return statistics.fmean(self.scores[point])

    def standard_error(self, point: int) -> float:
        """The standard error of that mean: the folds' standard deviation over the root of their number."""
        return statistics.stdev(self.scores[point]) / math.sqrt(len(self.scores[point]))


def cross_fit(estimator: Estimator[Any], rows: DataFrame) -> DataFrame:
    """Each row as transformed by what the estimator learns from all other folds, so never from the row's own label.

    Args:
        estimator: What learns from the label, such as Spark's TargetEncoder, or a Pipeline with it.
        rows: Rows with their folds, as ``sampling.add_folds`` gives them.

    Returns:
        All rows, fold by fold, with the columns that the fitted estimator adds.

    Raises:
        DataError: All rows are in one fold.
    """
    fold = F.col(sampling.FOLD)
    folds = sorted(row[0] for row in rows.select(fold).distinct().collect())
    if len(folds) < 2:
        raise DataError(
            f"cross_fit got rows of the folds {folds}; it takes two or more, as one learns from the others: "
            "take more folds, another seed, or a group_by of more and smaller groups"
        )
    transformed: Iterator[DataFrame] = (
        estimator.fit(rows.filter(fold != number)).transform(rows.filter(fold == number)) for number in folds
    )
    return reduce(DataFrame.union, transformed)


def cross_validate(
    cv: CrossValidator,
    rows: DataFrame,
    key: str,
    choose: str = "best_mean",
    progress: Callable[[int, int, str], None] = lambda done, total, step: None,
) -> CrossValidated:
    """Do what ``cv.fit(rows)`` does, and keep what it throws away: each fold's score and the out-of-fold predictions.

    Args:
        cv: Spark's CrossValidator with estimator, grid, evaluator, numFolds, foldCol and parallelism.
        rows: The training rows, with the columns ``key`` and the one that foldCol names.
        key: The row's key; only it decides where a row stands, so the same rows give the same models anywhere.
        choose: ``best_mean``: the point with the best mean score. ``one_standard_error``: the first point of the grid
            whose mean lies within one standard error of the best (Breiman et al. 1984, section 3.4.3); so write the
            simplest first.
        progress: Called after each fit with the number done, the number in all, and which it was.

    Raises:
        DataError: A fold has no rows, or those of one class alone.
        ParameterError: ``choose`` is no rule.
    """
    need("choose", choose)
    grid, evaluator, folds = cv.getEstimatorParamMaps(), cv.getEvaluator(), cv.getNumFolds()
    label = column_names.plain_name(evaluator.getOrDefault("labelCol"))
    rows = repartition_by_key(rows, key, check_folds(rows, label, folds, cv.getFoldCol())).cache()
    models: list[dict[int, Model]] = [{} for _ in range(folds)]
    scores = [[math.nan] * folds for _ in grid]
    at_once = min(cv.getParallelism(), folds * len(grid))
    # as many folds at a time as threads: one prepares its rows while another fits
    by_number = [Fold(number, cv, rows) for number in range(folds)]
    fits = sorted(by_number * len(grid), key=lambda fold: fold.number // at_once)
    with ThreadPool(at_once) as pool:
        task = inheritable_thread_target(rows.sparkSession)(Fold.fit_and_score)
        for fold, index, model, score in pool.imap_unordered(task, fits):
            models[fold][index], scores[index][fold] = model, score
            step = f"fold {fold + 1} of {folds}, grid point {len(models[fold])} of {len(grid)}"
            progress(sum(map(len, models)), len(fits) + 1, step)
    best = choose_point(scores, evaluator.isLargerBetter(), choose)
    scored = (models[fold.number][best].transform(fold.unseen) for fold in by_number)
    model = cv.getEstimator().fit(rows, grid[best])
    progress(len(fits) + 1, len(fits) + 1, "fitted on all rows")
    points = [{param.name: value for param, value in point.items()} for point in grid]
    return CrossValidated(points, scores, evaluator.isLargerBetter(), best, model, reduce(DataFrame.union, scored))


@dataclass
class Fold:
    """One fold: what all grid points share is fitted by the first that comes, and each is scored on rows unseen.

    Attributes:
        number: Its number.
        cv: Spark's CrossValidator.
        rows: All rows, with their folds.
        unseen: Its own rows, which its models are scored on.
    """

    number: int
    cv: CrossValidator
    rows: DataFrame

    def __post_init__(self) -> None:
        mine = F.col(self.cv.getFoldCol()) == self.number
        self.unseen, self._others = self.rows.filter(mine), self.rows.filter(~mine)
        self._fitted: Iterator[tuple[int, Model]] | None = None
        self._lock = threading.Lock()

    def fit_and_score(self) -> tuple[int, int, Model, float]:
        """Fit the next grid point and score it: the fold's number, the point's index, its model and its score."""
        with self._lock:
            if self._fitted is None:
                self._fitted = self.cv.getEstimator().fitMultiple(self._others, self.cv.getEstimatorParamMaps())
        index, model = next(self._fitted)
        return self.number, index, model, self.cv.getEvaluator().evaluate(model.transform(self.unseen))


def choose_point(scores: list[list[float]], larger_is_better: bool, choose: str) -> int:
    """The index of the grid point that the rule picks; of equals the first."""
    means = [statistics.fmean(folds) * (1 if larger_is_better else -1) for folds in scores]
    best = means.index(max(means))
    if choose == "best_mean":
        return best
    error = statistics.stdev(scores[best]) / math.sqrt(len(scores[best]))
    return next(i for i, mean in enumerate(means) if mean >= means[best] - error)
