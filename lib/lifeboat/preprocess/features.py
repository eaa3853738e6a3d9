"""From parameters to stages: a data set is described in a parameter file, and no line of code is written for it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pyspark.ml import Estimator, PipelineModel, Transformer
from pyspark.ml.feature import StringIndexer, StringIndexerModel, VectorAssembler
from pyspark.ml.param import Param, Params
from pyspark.sql.types import StructType

from lifeboat.errors import ParameterError, unknown
from lifeboat.preprocess import column_names
from lifeboat.preprocess.copies import BooleanText, CopyColumns
from lifeboat.preprocess.stages import EqualTo, GroupMeanImputer, ModeImputer, SumColumns, TextCategory
from lifeboat.scoring.declared import feature_error

Stage = Estimator[Any] | Transformer

NAMED: dict[str, type[Stage]] = {
    stage.__name__: stage
    for stage in (
        TextCategory,
        SumColumns,
        EqualTo,
        GroupMeanImputer,
        ModeImputer,
    )
}  # what a parameter file may name without a path


def stage_class(name: str) -> type[Stage]:
    """The stage that ``name`` means: one of lifeboat.preprocess, or any by its full path ``package.module.Class``."""
    module_name, _, class_name = name.rpartition(".")
    if not module_name:
        if name not in NAMED:
            raise ParameterError(unknown("stage", name, NAMED) + "; or write the full path package.module.Class")
        return NAMED[name]
    try:
        stage = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        raise ParameterError(f"stage {name!r} cannot be imported: {error}") from error
    if not is_stage(stage):
        raise ParameterError(f"stage {name!r} is no Spark ML Estimator or Transformer")
    return stage  # type: ignore[no-any-return]


def is_stage(candidate: object) -> bool:
    """Whether it is a stage of the project's own or the user's that can be named in a parameter file."""
    if not isinstance(candidate, type) or not issubclass(candidate, (Estimator, Transformer)):
        return False
    return candidate.__module__ != "pyspark.ml.base" and not candidate.__name__.endswith("Model")


def derived(derive: list[dict[str, Any]]) -> list[Stage]:
    """Stages that make new columns.

    Args:
        derive: One dict a stage: ``stage`` names the class, the rest are its Params, such as
            ``{"stage": "SumColumns", "inputCols": ["SibSp", "Parch"], "outputCol": "FamilySize"}``.

    Raises:
        ParameterError: The class or a Param is unknown, or a Param's value will not do.
    """
    stages = []
    for spec in derive:
        params = dict(spec)
        if "stage" not in params:
            raise ParameterError(f"derive: {spec!r} names no stage; write {{'stage': 'SumColumns', ...}}")
        cls = stage_class(params.pop("stage"))
        known = [name for name in dir(cls) if isinstance(getattr(cls, name), Param)]
        for name in params:
            if name not in known:
                raise ParameterError(unknown(f"Param of {cls.__name__}", name, known))
        try:
            stages.append(cls(**params))
        except TypeError as error:
            raise ParameterError(f"derive: {cls.__name__}: {error}") from error
    return stages


def imputers(impute: dict[str, str], booleans: Collection[str] = ()) -> list[Stage]:
    """Stages that fill what is missing: column ``Age`` becomes ``lifeboat:imputed:Age``.

    Args:
        impute: Column -> how: ``mean``, ``mean by GROUPCOLUMN`` or ``mode``.
        booleans: Those that are true or false, and so read as the text that ``copies`` makes of them.

    Raises:
        ParameterError: Another way to impute was named.
    """
    stages: list[Stage] = []
    for name, how in impute.items():
        match = re.fullmatch(r"mode|mean(?: by (?P<group>.+))?", how, re.DOTALL)
        if match is None:
            raise ParameterError(f"impute: {name!r} is {how!r}; write 'mean', 'mean by COLUMN' or 'mode'")
        if how == "mode":
            source = column_names.text(name) if name in booleans else name
            stages.append(ModeImputer(inputCol=source, outputCol=column_names.imputed(name)))
        else:
            group = match["group"] or ""
            stages.append(GroupMeanImputer(inputCol=name, outputCol=column_names.imputed(name), groupCol=group))
    return stages


def copies(
    numeric: list[str], categorical: list[str], impute: dict[str, str], booleans: Collection[str] = (), label: str = ""
) -> list[Stage]:
    """Stages for the columns that Spark's own cannot read: those with a dot in their names, and truths as texts.

    Args:
        numeric: Features that are numbers.
        categorical: Features that are categories.
        impute: As for ``imputers``.
        booleans: The columns that are true or false.
        label: The column to predict; rows without it pass.

    Returns:
        None where Spark can read all as they are, as nearly always.
    """
    modes = [name for name, how in impute.items() if how == "mode"]
    texts = [name for name in dict.fromkeys([*categorical, *modes]) if name in booleans]
    read = [name for name in (*numeric, *categorical) if name not in impute and (name in numeric or name not in texts)]
    unsafe = [name for name in dict.fromkeys(read) if column_names.for_spark(name) != name]
    stages: list[Stage] = []
    if texts:
        stages.append(BooleanText(inputCols=texts, outputCols=[column_names.text(name) for name in texts]))
    if unsafe:
        stages.append(CopyColumns(inputCols=unsafe, outputCols=[column_names.for_spark(name) for name in unsafe]))
    if label and column_names.for_spark(label) != label:
        stages.append(CopyColumns(inputCols=[label], outputCols=[column_names.for_spark(label)], optional=True))
    return stages


def check_features(table: StructType, numeric: list[str], categorical: list[str]) -> None:
    """Raise ParameterError unless each feature that stands in the table is of a type that a model can learn from."""
    for role, features in (("numeric", numeric), ("categorical", categorical)):
        for name in features:
            kind = table[name].dataType.simpleString() if name in table.names else ""
            if kind and (message := feature_error(name, kind, role)):
                raise ParameterError(message)


def once_prepared(columns: list[str], impute: dict[str, str], texts: Collection[str] = ()) -> list[str]:
    """What to read of each column once imputers and copies have run."""
    return [
        column_names.imputed(name)
        if name in impute
        else column_names.text(name)
        if name in texts
        else column_names.for_spark(name)
        for name in columns
    ]


def indexer(categorical: list[str], impute: dict[str, str], booleans: Collection[str] = ()) -> StringIndexer:
    """One stage that numbers the values of all categorical columns in one pass.

    The most frequent value is 0, equals stand in alphabetical order, and a value never seen (or null) has a number
    of its own: the next free one.
    """
    return StringIndexer(
        inputCols=once_prepared(categorical, impute, booleans),
        outputCols=[column_names.index(name) for name in categorical],
        stringOrderType="frequencyDesc",
        handleInvalid="keep",
    )


def indexers(categorical: list[str], impute: dict[str, str], booleans: Collection[str] = ()) -> list[Stage]:
    """The ``indexer`` where there is a categorical column, and else no stage."""
    return [indexer(categorical, impute, booleans)] if categorical else []


def enough_bins(model: PipelineModel, least: int = 128) -> int:
    """A ``maxBins`` that is enough for trees over the fitted categories: a bin for each, and one for the unseen."""
    levels = [
        len(values) + 1
        for stage in model.stages
        if isinstance(stage, StringIndexerModel)
        for values in stage.labelsArray
    ]
    return max([least, *levels])


def need_bins(prepared: PipelineModel, classifier: Params, points: Sequence[Mapping[Param[Any], Any]]) -> None:
    """Raise ParameterError where trees have fewer bins than a category has values, of which one is for the unseen."""
    if not classifier.hasParam("maxBins"):
        return
    param = classifier.getParam("maxBins")
    bins = min(int(point.get(param, classifier.getOrDefault(param))) for point in points)
    for stage in prepared.stages:
        if isinstance(stage, StringIndexerModel):
            columns = stage.getInputCols() if stage.isSet("inputCols") else [stage.getInputCol()]
            for column, labels in zip(columns, stage.labelsArray, strict=True):
                if bins < len(labels) + 1:
                    raise ParameterError(
                        f"estimator_params: maxBins is {bins}, {column_names.plain_name(column)} has {len(labels)} "
                        "values: "
                        f"write maxBins: {2 ** len(labels).bit_length()}, or leave it out of categorical"
                    )


def assembler(numeric: list[str], categorical: list[str], impute: dict[str, str]) -> VectorAssembler:
    """The stage that puts all features, numeric ones first, into one vector column."""
    columns = once_prepared(numeric, impute) + [column_names.index(name) for name in categorical]
    return VectorAssembler(inputCols=columns, outputCol=column_names.FEATURES)


def wiring(stages: list[Stage]) -> list[tuple[str, list[str], list[str]]]:
    """What each stage reads and writes: rows of (class, columns in, columns out), to draw the pipeline from.

    The columns have their names for people.
    """
    rows = []
    for stage in stages:
        reads = [value for name in ("inputCol", "inputCols", "groupCol") for value in _param(stage, name)]
        writes = [value for name in ("outputCol", "outputCols") for value in _param(stage, name)]
        rows.append((type(stage).__name__, reads, writes))
    return rows


def _param(stage: Stage, name: str) -> list[str]:
    """A column Param's value as a list: empty where the stage has no such Param or it is not set."""
    if not stage.hasParam(name) or not stage.isSet(name):
        return []
    value = stage.getOrDefault(name)
    columns = [value] if isinstance(value, str) and value else list(value)
    return [column_names.plain_name(column) for column in columns]
