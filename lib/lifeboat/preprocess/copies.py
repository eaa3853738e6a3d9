"""Stages that hand columns on to Spark's own under names, and as values, that these can read."""

from __future__ import annotations

from typing import Any, ClassVar

from pyspark.ml import Transformer
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.param.shared import HasInputCols, HasOutputCols
from pyspark.sql import DataFrame
from pyspark.sql.types import BooleanType, DataType

from lifeboat.preprocess.expressions import column_of
from lifeboat.preprocess.stages import JsonStage


class CopyColumns(JsonStage, Transformer, HasInputCols, HasOutputCols):
    """Columns under other names, for stages that cannot read theirs: Spark's own take ``a.b`` for a field of ``a``."""

    optional: Param[bool] = Param(
        Params._dummy(),
        "optional",
        "leave out a column that the rows do not have, as those to predict have no label",
        TypeConverters.toBoolean,
    )
    DEFAULTS: ClassVar[dict[str, Any]] = {"optional": False}

    def _transform(self, dataset: DataFrame) -> DataFrame:
        copies = {
            target: column_of(dataset, source, DataType)
            for source, target in zip(self.getInputCols(), self.getOutputCols(), strict=True)
            if source in dataset.columns or not self.getOrDefault("optional")
        }
        return dataset.withColumns(copies)


class BooleanText(JsonStage, Transformer, HasInputCols, HasOutputCols):
    """Boolean columns as text, ``true`` or ``false``, for stages that number texts; null stays null."""

    def _transform(self, dataset: DataFrame) -> DataFrame:
        pairs = zip(self.getInputCols(), self.getOutputCols(), strict=True)
        texts = {target: column_of(dataset, source, BooleanType).cast("string") for source, target in pairs}
        return dataset.withColumns(texts)


for _stage in (CopyColumns, BooleanText):
    _stage.__module__ = "lifeboat.copies"  # the path that saved pipelines name; it leads here
