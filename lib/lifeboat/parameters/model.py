"""All parameters: name, type, default, limits, meaning, and which notebooks take it. Everything else follows from here.

The notebooks' parameter cells, the check before a run, ``lifeboat params``, the JSON Schema that editors use, the
table in the docs and what ``lifeboat new`` writes are made of this model.
"""

from __future__ import annotations

from copy import copy
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StrictFloat, StrictInt, StrictStr
from pydantic.dataclasses import dataclass
from pydantic.fields import FieldInfo

from lifeboat.errors import VARIABLES
from lifeboat.parameters import titanic
from lifeboat.parameters.csv_format import CsvFormat
from lifeboat.parameters.enrich import Enrich
from lifeboat.parameters.field import KNOWN, about, fields_of, parameter
from lifeboat.scoring.classes import names_of_classes

Names = list[StrictStr]
Count = Annotated[StrictInt, Field(ge=1)]
Share = Annotated[StrictFloat, Field(gt=0, lt=1)]
Cost = Annotated[StrictFloat, Field(ge=0, allow_inf_nan=False)]


def _named(names: list[str]) -> list[str]:
    names_of_classes(names)
    return names


def _ordered(limits: list[float]) -> list[float]:
    if not limits[0] <= limits[1]:
        raise ValueError
    return limits


def _staged(spec: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(spec.get("stage"), str):
        raise ValueError
    return spec


@dataclass(config=KNOWN)
class ColumnWords:
    """What people call a column, and its unit."""

    title: StrictStr = parameter("", "what people call it")
    unit: StrictStr = parameter("", "what it is measured in")


@dataclass(config=KNOWN)
class Where:
    """where"""

    run_dir: StrictStr = parameter("outputs/tutorial", "folder of this run; paths start at the project's root", "12345")
    spark: StrictStr = parameter(
        "local[*]",
        "where Spark runs: local[2], local[*], spark://host:7077, sc://host",
        "12345",
        environment=VARIABLES["spark"],
    )
    seed: StrictInt = parameter(1912, "decides whatever is drawn by lot", "12345")
    split_seed: StrictInt = parameter(-1, "decides which rows are held out and the folds; -1: as seed", "123")


@dataclass(config=KNOWN)
class Data:
    """the data"""

    labelled_path: StrictStr = parameter(titanic.LABELLED, "CSV or parquet, rows with a label", "15")
    unlabelled_path: StrictStr = parameter(titanic.UNLABELLED, "CSV or parquet, rows to predict; empty for none", "1")
    csv: CsvFormat = parameter(
        {}, "how the CSV files are written: separator, encoding, skip_lines, multiline; empty: as usual", "1"
    )
    enrich: Enrich = parameter({}, "what the rows need before they are whole: no_value, join, compute, make_key", "1")
    schema: StrictStr = parameter(titanic.SCHEMA, "SQL types of the labelled file's columns", "1")
    label: StrictStr = parameter(titanic.LABEL, "column to predict, 0 or 1", "12345")
    class_names: Annotated[Names, AfterValidator(_named)] = parameter(
        titanic.CLASSES,
        "what people call class 0 and class 1; empty: no and yes",
        "1345",
        form="two different texts, class 0's first, such as [died, survived], or [] for no and yes; YAML wants quotes "
        "around a number and around yes, no, true and false",
    )
    key: StrictStr = parameter(titanic.KEY, "column that names a row, different in each", "12345")
    ranges: dict[
        StrictStr, Annotated[list[StrictFloat], Field(min_length=2, max_length=2), AfterValidator(_ordered)]
    ] = parameter(
        titanic.RANGES,
        "lowest and highest value allowed; a row outside is kept aside with its reason",
        "1",
        form="{column: [lowest, highest]}, such as {age: [0, 120]}",
    )
    holdout_fraction: Share = parameter(0.2, "share of rows held out", "1")
    split_by: StrictStr = parameter(
        "", "column, such as a time, whose latest rows are held out; empty: a hash of the key decides", "1"
    )
    group_by: StrictStr = parameter(
        "",
        "column, such as a family or a day, whose rows belong together; empty: each row stands alone",
        "1234",
    )
    related_by: StrictStr = parameter(
        titanic.RELATED,
        "column whose rows may belong together, to see what that does; empty to leave that out",
        "1",
    )
    compare: Names = parameter(titanic.COMPARE, "columns whose groups are compared by how often the label is 1", "1")


@dataclass(config=KNOWN)
class Features:
    """the features"""

    derive: list[Annotated[dict[StrictStr, Any], AfterValidator(_staged)]] = parameter(
        titanic.DERIVE,
        "new columns, each a stage and its Params",
        "12",
        form="a list of stages, such as {stage: SumColumns, inputCols: [a, b], outputCol: both}",
    )
    impute: dict[StrictStr, Annotated[StrictStr, Field(pattern=r"(?s)^(mode|mean|mean by .+)$")]] = parameter(
        titanic.IMPUTE,
        "how gaps are filled: mean, mean by COLUMN or mode",
        "2",
        form="{column: mean, mean by COLUMN or mode}",
    )
    numeric: Names = parameter(titanic.NUMERIC, "features that are numbers", "2")
    categorical: Names = parameter(titanic.CATEGORICAL, "features that are categories", "2")
    texts: Names = parameter(titanic.TEXTS, "texts to show the first derived column of; empty to leave that out", "2")
    leak_column: StrictStr = parameter(
        titanic.LEAK, "a column of many values, to show a leak with; empty to leave that out", "2"
    )


@dataclass(config=KNOWN)
class Training:
    """the model"""

    estimator: Literal["random_forest", "gbt", "logistic_regression"] = parameter(
        "random_forest", "Spark's classifier", "3"
    )
    estimator_params: dict[StrictStr, Any] = parameter(
        {"numTrees": 50}, "Spark's own Params of the estimator, the same at every grid point", "3"
    )
    grid: dict[StrictStr, Annotated[list[Any], Field(min_length=1)]] = parameter(
        {"maxDepth": [2, 4, 6]},
        "Params to try, each with its values, the simplest first",
        "3",
        form="{Param: [values]}, such as {maxDepth: [2, 4]}",
    )
    num_folds: Annotated[StrictInt, Field(ge=2)] = parameter(3, "parts for cross-validation", "3")
    metric: Literal["accuracy", "log_loss", "roc_auc", "pr_auc"] = parameter(
        "accuracy", "what the grid is compared by", "3"
    )
    choose: Literal["best_mean", "one_standard_error"] = parameter(
        "best_mean", "how the best grid point is chosen", "3"
    )
    parallelism: Count = parameter(2, "grid points fitted at the same time", "3")
    show: Names = parameter(titanic.SHOW, "columns to show of single rows", "3")


@dataclass(config=KNOWN)
class Verdict:
    """the verdict"""

    baseline: StrictStr = parameter(titanic.BASELINE, "column whose groups' rates are the rule to beat", "4")
    groups: Names = parameter(titanic.GROUPS, "columns whose groups are looked at one by one", "4")
    together: Names = parameter(
        titanic.TOGETHER, "features to shuffle as one, since they say the same; empty for none", "4"
    )
    verdict_metric: Literal["log_loss", "brier"] = parameter("log_loss", "what the verdict compares by", "4")
    margin: StrictFloat = parameter(
        0.01, "how much worse than the champion a model may be, in that metric's unit", "4", ge=0
    )
    confidence: Share = parameter(0.95, "share of resamples an interval holds", "4")
    resamples: Count = parameter(2000, "how often the hold-out is drawn anew", "4")
    cost_false_positive: Cost = parameter(1.0, "cost of calling a 0 a 1, any unit", "4")
    cost_false_negative: Cost = parameter(2.0, "cost of calling a 1 a 0, the same unit", "4")


@dataclass(config=KNOWN)
class Deployment:
    """the registry, and where it goes"""

    registered_model: StrictStr = parameter(
        "", "the model's name in the registry; empty: that of the run's folder", "45"
    )
    champion_model: StrictStr = parameter(
        "",
        "model whose champion it is compared with; empty: registered_model; none: with none",
        "4",
    )
    refit: Literal["none", "all"] = parameter(
        "none", "what the deployed model is fitted on anew: nothing, or all rows with a label", "5"
    )
    columns: dict[StrictStr, ColumnWords] = parameter(
        titanic.COLUMNS,
        "title and unit of columns, each may be left out",
        "5",
        form="{column: {title: words, unit: words}}",
    )
    unseen: Literal["warn", "refuse"] = parameter(
        "warn", "what an answer does about a value that training never met", "5"
    )
    deploy_target: Literal["local", "azure"] = parameter("local", "where section 4 of notebook 5 takes the model", "5")
    azure: dict[StrictStr, Any] = parameter({}, "settings of an endpoint on Azure, see params/azure.yaml", "5")
    tracking_uri: StrictStr = parameter(
        "", "MLflow store; empty: outputs/mlflow.db", "45", environment=VARIABLES["tracking_uri"]
    )


SECTIONS = (Where, Data, Features, Training, Verdict, Deployment)


@dataclass(config=KNOWN)
class Parameters(Deployment, Verdict, Training, Features, Data, Where):
    """What the five notebooks take."""


def _as_in(name: str, default: Any = None) -> Any:
    """A parameter of the series, for a notebook outside it, with another default where one is given."""
    field = copy(fields_of(Parameters)[name])
    if default is not None:
        field.default = default
    return field


@dataclass(config=KNOWN)
class Spark:
    """What notebook 0 takes, which is no part of a run."""

    spark: StrictStr = _as_in("spark")
    labelled_path: StrictStr = parameter(titanic.LABELLED, "a CSV file, small enough for the driver")
    key: StrictStr = _as_in("key")
    group: StrictStr = parameter(titanic.BASELINE, "a column of few values, by which rows are counted")
    amount: StrictStr = parameter(titanic.AMOUNT, "a column of numbers without gaps")
    partitions: Count = parameter(4, "piles that the rows are cut into")


@dataclass(config=KNOWN)
class Scale:
    """What notebook 6 takes, which is no part of a run."""

    run_dir: StrictStr = _as_in("run_dir")
    spark: StrictStr = _as_in("spark", "local[2]")
    seed: StrictInt = _as_in("seed")
    label: StrictStr = _as_in("label")
    class_names: Names = _as_in("class_names")
    key: StrictStr = _as_in("key")
    filled: StrictStr = parameter(titanic.FILLED, "a column of numbers with gaps")
    group: StrictStr = parameter(titanic.GROUP, "a column of few values, whose means fill the gaps")
    uneven: StrictStr = parameter(titanic.UNEVEN, "a column with one value far more frequent than others")
    numeric: Names = parameter(titanic.COMPLETE, "features that are numbers without gaps")
    rows: list[Count] = parameter([10_000, 30_000, 100_000], "how many rows to make, from few to many")
    letters: Count = parameter(600_000, "long texts of the table that does not fit, about a kilobyte each")
    memory: Annotated[StrictInt, Field(ge=1024)] = parameter(1024, "megabytes that a process may hold in section 7")
    workers: Count = parameter(2, "workers of the cluster, each a core and a process")


BESIDE: dict[str, type] = {"00_spark": Spark, "06_scale": Scale}  # notebooks that no run takes


def taken_by(notebook: str) -> dict[str, FieldInfo]:
    """The parameters that a notebook takes, in the order of its cell.

    Args:
        notebook: Its name, such as ``03_train_cv``.
    """
    if notebook in BESIDE:
        return dict(fields_of(BESIDE[notebook]))
    fields = fields_of(Parameters).items()
    return {name: field for name, field in fields if notebook[1:2] in about(field, "notebooks")}
