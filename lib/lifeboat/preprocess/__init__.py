"""Notebook 2: stages that turn raw columns into features, and how parameters become a pipeline of them."""

from lifeboat import moved_from
from lifeboat.preprocess import column_names, features
from lifeboat.preprocess.stages import (
    EqualTo,
    GroupMeanImputer,
    GroupMeanImputerModel,
    ModeImputer,
    ModeImputerModel,
    SumColumns,
    TextCategory,
)

__all__ = [
    "EqualTo",
    "GroupMeanImputer",
    "GroupMeanImputerModel",
    "ModeImputer",
    "ModeImputerModel",
    "SumColumns",
    "TextCategory",
    "column_names",
    "features",
]

__getattr__ = moved_from(__name__)
