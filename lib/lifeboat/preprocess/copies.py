"""Stages that hand columns on to Spark's own under names, and as values, that these can read."""

from __future__ import annotations

from pyspark import keyword_only
from pyspark.ml import Transformer
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.param.shared import HasInputCols, HasOutputCols
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, DataType

from lifeboat.preprocess.expressions import check_column
from lifeboat.preprocess.stages import JsonStage
from lifeboat.spark.sql import ticked


class CopyColumns(JsonStage, Transformer, HasInputCols, HasOutputCols):
    """Columns under other names, for stages that cannot read theirs: Spark's own take ``a.b`` for a field of ``a``."""

    optional: Param[bool] = Param(
        Params._dummy(),
        "optional",
        "leave out a column that the rows do not have, as those to predict have no label",
        TypeConverters.toBoolean,
    )

    @keyword_only
    def __init__(
        self,
        *,
        inputCols: list[str] | None = None,
        outputCols: list[str] | None = None,
        optional: bool | None = None,
    ) -> None:
        super().__init__()
        self._setDefault(optional=False)
        self._set(**self._input_kwargs)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        copies = {}
        for source, target in zip(self.getInputCols(), self.getOutputCols(), strict=True):
            if source in dataset.columns or not self.getOrDefault("optional"):
                check_column(dataset, source, (DataType,))
                copies[target] = F.col(ticked(source))
        return dataset.withColumns(copies)


class BooleanText(JsonStage, Transformer, HasInputCols, HasOutputCols):
    """Boolean columns as text, ``true`` or ``false``, for stages that number texts; null stays null."""

    @keyword_only
    def __init__(self, *, inputCols: list[str] | None = None, outputCols: list[str] | None = None) -> None:
        super().__init__()
        self._set(**self._input_kwargs)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        pairs = dict(zip(self.getOutputCols(), self.getInputCols(), strict=True))
        for source in pairs.values():
            check_column(dataset, source, (BooleanType,))
        return dataset.withColumns({target: F.col(ticked(name)).cast("string") for target, name in pairs.items()})


for _stage in (CopyColumns, BooleanText):
    _stage.__module__ = "lifeboat.copies"  # the path that saved pipelines name; it leads here
