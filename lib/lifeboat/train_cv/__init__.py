"""Notebook 3: cross-validate a grid over the whole pipeline, and fit the best of it."""

from lifeboat import moved_from
from lifeboat.train_cv import refit
from lifeboat.train_cv.cross_validation import CrossValidated, cross_fit, cross_validate
from lifeboat.train_cv.estimators import make_estimator, make_evaluator, make_grid
from lifeboat.train_cv.progress import Progress
from lifeboat.train_cv.shared_pipeline import SharedPipeline
from lifeboat.train_cv.trees import first_tree

__all__ = [
    "CrossValidated",
    "Progress",
    "SharedPipeline",
    "cross_fit",
    "cross_validate",
    "first_tree",
    "make_estimator",
    "make_evaluator",
    "make_grid",
    "refit",
]

__getattr__ = moved_from(__name__)
