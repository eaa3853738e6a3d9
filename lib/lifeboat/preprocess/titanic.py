"""What only the Titanic's passengers need: their titles. A stage like any other, named in the parameter file."""

from __future__ import annotations

from typing import Any, ClassVar

from lifeboat.preprocess.stages import TextCategory

TITLE_PATTERN = r"([A-Za-z]+)\."  # the word before the first full stop: "Braund, Mr. Owen Harris"

TITLE_GROUPS = {
    "Mr": ["Mr", "Dr", "Major", "Capt", "Sir", "Don"],
    "Mrs": ["Mrs", "Lady", "Countess"],
    "Miss": ["Miss", "Mlle", "Mme", "Ms"],
    "Master": ["Master"],
    "Other": ["Jonkheer", "Col", "Rev"],
}


class Title(TextCategory):
    """A passenger's title, of the few that are common; one never seen becomes Other.

    >>> stage = Title(inputCol="Name", outputCol="Title")
    """

    DEFAULTS: ClassVar[dict[str, Any]] = {"pattern": TITLE_PATTERN, "groups": TITLE_GROUPS, "other": "Other"}


Title.__module__ = "lifeboat.titanic"  # the path that saved pipelines and parameter files name; it leads here
