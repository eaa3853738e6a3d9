"""What can be known of a run's parameters before Spark starts, beyond what they tell by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lifeboat.errors import DataError, ParameterError
from lifeboat.parameters.resolve import Resolved
from lifeboat.parameters.rules import Errors, Rule, check
from lifeboat.run import resolve_input
from lifeboat.run.inputs import input_paths


def check_run(resolved: Resolved) -> dict[str, Any]:
    """Every parameter's value, checked by themselves, against the files there are and against Spark's classes.

    Raises:
        ParameterError: Something will not do; the message lists all of it, and where each value stands.
    """
    # the defaults go together, and Spark's classes take a second to import
    wanted = [rule for rule in OF_SPARK if resolved.chosen.values.keys() & {*rule[0]}]
    return check(resolved, [PATHS, *wanted])


def path_errors(values: Mapping[str, Any]) -> Errors:
    """Each path that a parameter names must have something at it."""
    for name, path in input_paths(values):
        try:
            resolve_input(path)
        except DataError as error:
            yield (name,), f"{name}: {error}"


def estimator_errors(values: Mapping[str, Any]) -> Errors:
    """``estimator_params`` and ``grid`` must name Params of the estimator, with values these take."""
    from lifeboat.train_cv.estimators import ESTIMATORS, converted

    cls = ESTIMATORS[values["estimator"]]
    settings = [("estimator_params", name, value) for name, value in values["estimator_params"].items()]
    settings += [("grid", name, point) for name, points in values["grid"].items() for point in points]
    for parameter, name, value in settings:
        try:
            converted(cls, name, value)
        except ParameterError as error:
            yield (parameter, name), str(error)


def stage_errors(values: Mapping[str, Any]) -> Errors:
    """``derive`` must describe stages there are."""
    from lifeboat.preprocess import features

    for index, spec in enumerate(values["derive"]):
        try:
            features.derived([spec])
        except ParameterError as error:
            yield ("derive", index), str(error)
        except AssertionError:
            pass  # one of Spark's own stages: it wants a running Spark, and the notebook will see it


PATHS: Rule = (("labelled_path", "unlabelled_path", "enrich"), path_errors)
OF_SPARK: tuple[Rule, ...] = (
    (("estimator", "estimator_params", "grid"), estimator_errors),
    (("derive",), stage_errors),
)
