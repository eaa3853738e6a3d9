"""A Pipeline whose grid points share the stages that they have in common."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from pyspark.ml import Pipeline, PipelineModel, Predictor
from pyspark.ml.base import _FitMultipleIterator
from pyspark.ml.param import Param, Params
from pyspark.sql import DataFrame

from lifeboat.preprocess.features import need_bins

ParamMap = dict[Param[Any], Any]


class SharedPipeline(Pipeline):
    """A Pipeline that fits what grid points have in common once.

    ``CrossValidator`` asks for all grid points at once, by ``fitMultiple``. Spark's own Pipeline then fits every stage
    for every point. This one fits the stages before the first that a grid point speaks of once, keeps of their rows
    what the rest reads until all points are fitted, and fits only the rest for each. The models are the same.
    """

    def fitMultiple(self, dataset: DataFrame, paramMaps: Sequence[ParamMap]) -> Iterator[tuple[int, PipelineModel]]:
        """Fit one PipelineModel for each of ``paramMaps``; see ``pyspark.ml.Estimator.fitMultiple``."""
        stages = self.getStages()
        spoken_of = {param.parent for point in paramMaps for param in point}
        shared = next((i for i, stage in enumerate(stages) if stage.uid in spoken_of), len(stages) - 1)
        prepared = Pipeline(stages=stages[:shared]).fit(dataset)
        need_bins(prepared, stages[-1], paramMaps)
        rows = prepared.transform(dataset)
        if shared == len(stages) - 1 and isinstance(stages[-1], Predictor):
            rows = rows.select(columns_read(rows, stages[-1]))
        rows.cache()
        fits = itertools.count(1)

        def fit_point(index: int) -> PipelineModel:
            rest = Pipeline(stages=stages[shared:]).fit(rows, paramMaps[index])
            if next(fits) == len(paramMaps):
                rows.unpersist()
            return PipelineModel([*prepared.stages, *rest.stages])

        return _FitMultipleIterator(fit_point, len(paramMaps))


def columns_read(df: DataFrame, predictor: Params) -> list[str]:
    """The columns of ``df`` that a predictor's Params name: features, label, perhaps a weight."""
    named = {predictor.getOrDefault(p) for p in predictor.params if p.name.endswith("Col") and predictor.isDefined(p)}
    return [name for name in df.columns if name in named]
