"""Words of the Titanic: columns, people and places aboard. "class" and "sex" have other uses."""

from __future__ import annotations

import re

TITANIC = re.compile(
    r"(?i:titanic|passenger|surviv)|Pclass|SibSp|Parch|Embarked|Cabin|Fare\b|\bMrs?\b|\bMiss\b|Title\b"
)
