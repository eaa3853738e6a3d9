"""From parameters to Spark's own classifiers, grids and evaluators."""

from __future__ import annotations

import itertools
from typing import Any

from pyspark.ml import Estimator
from pyspark.ml.classification import GBTClassifier, LogisticRegression, RandomForestClassifier
from pyspark.ml.evaluation import BinaryClassificationEvaluator, Evaluator, MulticlassClassificationEvaluator
from pyspark.ml.param import Param, Params

from lifeboat.errors import ParameterError, unknown
from lifeboat.parameters.rules import need
from lifeboat.preprocess import column_names
from lifeboat.train_cv.shared_pipeline import ParamMap

ESTIMATORS: dict[str, type[Estimator[Any]]] = {
    "random_forest": RandomForestClassifier,
    "gbt": GBTClassifier,
    "logistic_regression": LogisticRegression,
}

# the same trees sooner: a forest keeps which node a row has come to, in place of walking there anew at each level
SETTINGS: dict[str, dict[str, Any]] = {"random_forest": {"cacheNodeIds": True}}
METRICS = {
    "accuracy": (MulticlassClassificationEvaluator, "accuracy"),
    "log_loss": (MulticlassClassificationEvaluator, "logLoss"),
    "roc_auc": (BinaryClassificationEvaluator, "areaUnderROC"),
    "pr_auc": (BinaryClassificationEvaluator, "areaUnderPR"),
}


def make_estimator(name: str, params: dict[str, Any], label: str, seed: int) -> Estimator[Any]:
    """A classifier by its plain name, with its Params set and its columns named as ``column_names`` says.

    A forest's ``cacheNodeIds`` is true where ``params`` does not say otherwise.

    Raises:
        ParameterError: The name or a Param is unknown, or a Param's value will not do.
    """
    need("estimator", name)
    estimator = ESTIMATORS[name]()
    seeded = {"seed": seed} if estimator.hasParam("seed") else {}
    own = {"labelCol": column_names.for_spark(label), **column_names.CLASSIFIER_COLUMNS, **seeded}
    for key, value in {**own, **SETTINGS.get(name, {}), **params}.items():
        estimator.set(*param_and_value(estimator, key, value))
    return estimator


def make_grid(estimator: Params, grid: dict[str, list[Any]]) -> list[ParamMap]:
    """Every combination of the values in ``grid``, the last name's values changing fastest.

    Raises:
        ParameterError: A Param is unknown, has no list of values, or a value will not do.
    """
    need("grid", grid)
    choices = [[param_and_value(estimator, name, value) for value in values] for name, values in grid.items()]
    return [dict(point) for point in itertools.product(*choices)]


def param_and_value(estimator: Params, name: str, value: Any) -> tuple[Param[Any], Any]:
    """The Param called ``name`` with the value as its type; errors as for ``converted``."""
    value = converted(type(estimator), name, value)
    return estimator.getParam(name), value


def converted(cls: type, name: str, value: Any) -> Any:
    """A value as the type of a Param, asked of the class: its instances want a running Spark.

    Raises:
        ParameterError: There is no such Param: it names the nearest; or the value will not do: it says what is taken.
    """
    params = {known: param for known in dir(cls) if isinstance(param := getattr(cls, known), Param)}
    if name not in params:
        raise ParameterError(unknown(f"Param of {cls.__name__}", name, params))
    try:
        return params[name].typeConverter(value)
    except TypeError as error:
        raise ParameterError(f"{cls.__name__}.{name} cannot be {value!r} ({error}); {params[name].doc}") from error


def make_evaluator(metric: str, label: str) -> Evaluator:
    """Spark's own evaluator for a metric by its plain name: accuracy, log_loss, roc_auc or pr_auc."""
    need("metric", metric)
    kind, name = METRICS[metric]
    evaluator: Evaluator = kind(labelCol=column_names.for_spark(label), metricName=name)
    columns = {param: column for param, column in column_names.CLASSIFIER_COLUMNS.items() if evaluator.hasParam(param)}
    return evaluator._set(**columns)
