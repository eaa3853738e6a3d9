"""The Titanic's own values: what the notebooks' parameter cells show, and what a file that does not say gets."""

from __future__ import annotations

from typing import Any

LABELLED = "data/titanic/titanic_train.csv"
UNLABELLED = "data/titanic/titanic_test.csv"
SCHEMA = (
    "PassengerId INT NOT NULL, Survived INT NOT NULL, Pclass INT NOT NULL, Name STRING NOT NULL, Sex STRING NOT NULL, "
    "Age DOUBLE, SibSp INT NOT NULL, Parch INT NOT NULL, Ticket STRING, Fare DOUBLE, Cabin STRING, Embarked STRING"
)
LABEL, KEY = "Survived", "PassengerId"
CLASSES = ["died", "survived"]
RANGES = {"Survived": [0, 1], "Pclass": [1, 3], "Age": [0, 120], "SibSp": [0, 20], "Parch": [0, 20], "Fare": [0, 1000]}
RELATED, LEAK, BASELINE = "Ticket", "Ticket", "Sex"
DERIVE: list[dict[str, Any]] = [
    {"stage": "lifeboat.titanic.Title", "inputCol": "Name", "outputCol": "Title"},
    {"stage": "SumColumns", "inputCols": ["SibSp", "Parch"], "outputCol": "FamilySize"},
    {"stage": "EqualTo", "inputCol": "FamilySize", "outputCol": "Alone", "value": 0},
]
COMPARE, GROUPS, TOGETHER = ["Sex", "Pclass", "Title"], ["Sex", "Pclass"], ["Sex", "Title"]
IMPUTE = {"Age": "mean by Title", "Fare": "mean by Pclass", "Embarked": "mode"}
NUMERIC, CATEGORICAL = ["Pclass", "Age", "Fare", "Alone"], ["Sex", "Embarked", "Title"]
TEXTS = [
    "Braund, Mr. Owen", "Sagesser, Mlle. Emma", "Rothes, the Countess. of", "Leader, Dr. Alice", "Oliva, Dona. F",
    "Anon",
]  # fmt: skip
SHOW = ["Name", "Sex", "Age", "Pclass"]
COLUMNS = {"Fare": {"unit": "pounds"}, "Age": {"unit": "years"}}
AMOUNT = "Fare"  # of notebook 0
FILLED, GROUP, UNEVEN, COMPLETE = "Age", "Pclass", "Embarked", ["Pclass", "Fare"]  # of notebook 6
