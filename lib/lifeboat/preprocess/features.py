"""From parameters to stages: a data set is described in a parameter file, and no line of code is written for it."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyspark.ml import Estimator, PipelineModel, Transformer
from pyspark.ml.feature import StringIndexer, VectorAssembler
from pyspark.ml.param import Param, Params
from pyspark.sql.types import StructType

from lifeboat import moved_from
from lifeboat.errors import ParameterError, unknown
from lifeboat.preprocess import column_names
from lifeboat.preprocess.copies import BooleanText, CopyColumns
from lifeboat.preprocess.stages import EqualTo, GroupMeanImputer, ModeImputer, SumColumns, TextCategory
from lifeboat.scoring.declared import feature_error
from lifeboat.spark.saved_trees import indexed

Stage = Estimator[Any] | Transformer

__getattr__ = moved_from(__name__)

NAMED: dict[str, type[Stage]] = {
    stage.__name__: stage for stage in (TextCategory, SumColumns, EqualTo, GroupMeanImputer, ModeImputer)
}  # what a parameter file may name without a path


def stage_class(name: str) -> type[Stage]:
    """The stage that ``name`` means: one of lifeboat.preprocess, or any by its full path ``package.module.Class``."""
    if name in NAMED:
        return NAMED[name]
    if "." not in name:
        raise ParameterError(unknown("stage", name, NAMED) + "; or write the full path package.module.Class")
    try:
        stage = pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ParameterError(f"stage {name!r} cannot be imported: {error}") from error
    named = isinstance(stage, type) and issubclass(stage, (Estimator, Transformer))
    if not named or stage.__module__ == "pyspark.ml.base" or stage.__name__.endswith("Model"):
        raise ParameterError(f"stage {name!r} is no Spark ML Estimator or Transformer")
    return stage  # type: ignore[no-any-return]


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


def parse_impute(impute: Mapping[str, str]) -> dict[str, str | None]:
    """How each column's gaps are filled, as a parameter file says it.

    Args:
        impute: Column -> how: ``mean``, ``mean by GROUPCOLUMN`` or ``mode``.

    Returns:
        Column -> the column whose groups have a mean each, empty for the mean of all rows; None for the mode.

    Raises:
        ParameterError: Another way to impute was named.
    """
    groups: dict[str, str | None] = {}
    for name, how in impute.items():
        match = re.fullmatch(r"mode|mean(?: by (?P<group>.+))?", how, re.DOTALL)
        if match is None:
            raise ParameterError(f"impute: {name!r} is {how!r}; write 'mean', 'mean by COLUMN' or 'mode'")
        groups[name] = None if how == "mode" else match["group"] or ""
    return groups


@dataclass(frozen=True)
class Features:
    """The columns that a model learns from, and the stages that make them ready for Spark's own.

    >>> features = Features(numeric=["Age", "Fare"], categorical=["Sex"], impute={"Age": "mean by Sex"})

    Attributes:
        numeric: Those that are numbers, or truths taken as 0 and 1.
        categorical: Those that are categories: texts, whole numbers or truths.
        impute: Column -> how its gaps are filled, as for ``parse_impute``.
        booleans: The columns that are true or false: as categories they are read as texts.
        label: The column to predict; rows without it pass.
    """

    numeric: Sequence[str] = ()
    categorical: Sequence[str] = ()
    impute: Mapping[str, str] = field(default_factory=dict)
    booleans: Collection[str] = ()
    label: str = ""

    label_of = staticmethod(column_names.plain_name)  # for people: of a slot, or of a column made on the way

    def source(self, name: str, *, category: bool = False) -> str:
        """The column to read for a feature, as a number or as a category, once copies and imputers have run."""
        if name in self.impute:
            return column_names.imputed(name)
        return column_names.text(name) if category and name in self.booleans else column_names.for_spark(name)

    def copies(self) -> list[Stage]:
        """Stages for the columns that Spark's own cannot read: those with a dot in their names, and truths as texts.

        There are none where Spark can read all as they are, as nearly always.
        """
        modes = [name for name, group in parse_impute(self.impute).items() if group is None]
        texts = [name for name in dict.fromkeys([*self.categorical, *modes]) if name in self.booleans]
        sources = [(name, self.source(name)) for name in self.numeric]
        sources += [(name, self.source(name, category=True)) for name in self.categorical]
        copied = {name: source for name, source in sources if source == column_names.for_spark(name) != name}
        stages: list[Stage] = []
        if texts:
            stages.append(BooleanText(inputCols=texts, outputCols=[column_names.text(name) for name in texts]))
        if copied:
            stages.append(CopyColumns(inputCols=[*copied], outputCols=[*copied.values()]))
        if (copy := column_names.for_spark(self.label)) != self.label:
            stages.append(CopyColumns(inputCols=[self.label], outputCols=[copy], optional=True))
        return stages

    def imputers(self) -> list[Stage]:
        """Stages that fill what is missing: column ``Age`` becomes ``lifeboat:imputed:Age``.

        Raises:
            ParameterError: Another way to impute was named than there is.
        """
        stages: list[Stage] = []
        for name, group in parse_impute(self.impute).items():
            filled = column_names.imputed(name)
            if group is None:
                source = column_names.text(name) if name in self.booleans else name
                stages.append(ModeImputer(inputCol=source, outputCol=filled))
            else:
                stages.append(GroupMeanImputer(inputCol=name, outputCol=filled, groupCol=group))
        return stages

    def indexers(self) -> list[StringIndexer]:
        """One stage that numbers the values of all categorical columns in one pass; none where there is no such column.

        The most frequent value is 0, equals stand in alphabetical order, and a value never seen (or null) has a number
        of its own: the next free one.
        """
        if not self.categorical:
            return []
        indexer = StringIndexer(
            inputCols=[self.source(name, category=True) for name in self.categorical],
            outputCols=[column_names.index(name) for name in self.categorical],
            stringOrderType="frequencyDesc",
            handleInvalid="keep",
        )
        return [indexer]

    def assembler(self) -> VectorAssembler:
        """The stage that puts all features, numeric ones first, into one vector column."""
        columns = [self.source(name) for name in self.numeric]
        columns += [column_names.index(name) for name in self.categorical]
        return VectorAssembler(inputCols=columns, outputCol=column_names.FEATURES)


def check_features(table: StructType, numeric: Sequence[str], categorical: Sequence[str]) -> None:
    """Raise ParameterError unless each feature that stands in the table is of a type that a model can learn from."""
    for role, features in (("numeric", numeric), ("categorical", categorical)):
        for name in features:
            kind = table[name].dataType.simpleString() if name in table.names else ""
            if kind and (message := feature_error(name, kind, role)):
                raise ParameterError(message)


def enough_bins(model: PipelineModel) -> int:
    """A ``maxBins`` that is enough for trees over the fitted categories: a bin for each, and one for the unseen."""
    return max([128, *(len(values) + 1 for _, _, values in indexed(*model.stages))])


def need_bins(prepared: PipelineModel, classifier: Params, points: Sequence[Mapping[Param[Any], Any]]) -> None:
    """Raise ParameterError where trees have fewer bins than a category has values, of which one is for the unseen."""
    if not classifier.hasParam("maxBins"):
        return
    param = classifier.getParam("maxBins")
    bins = min(int(point.get(param, classifier.getOrDefault(param))) for point in points)
    for column, _, values in indexed(*prepared.stages):
        if bins <= len(values):
            raise ParameterError(
                f"estimator_params: maxBins is {bins}, {column_names.plain_name(column)} has {len(values)} values: "
                f"write maxBins: {2 ** len(values).bit_length()}, or leave it out of categorical"
            )


def wiring(stages: list[Stage]) -> list[tuple[str, list[str], list[str]]]:
    """What each stage reads and writes: rows of (class, columns in, columns out), to draw the pipeline from.

    The columns have their names for people.
    """
    reads, makes = ("inputCol", "inputCols", "groupCol"), ("outputCol", "outputCols")
    return [(type(stage).__name__, _columns(stage, reads), _columns(stage, makes)) for stage in stages]


def _columns(stage: Stage, params: Sequence[str]) -> list[str]:
    """The columns that Params name, of those that the stage has and that are set."""
    values = [stage.getOrDefault(name) for name in params if stage.hasParam(name) and stage.isSet(name)]
    columns = [column for value in values for column in ([value] if isinstance(value, str) else value)]
    return [column_names.plain_name(column) for column in columns if column]
