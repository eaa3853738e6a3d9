"""The portable model inside MLflow: saved from code, loaded and asked as any pyfunc."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

from lifeboat.deploy.server.client import Server
from lifeboat.scoring import pyfunc
from lifeboat.scoring.fields import InputError
from lifeboat.scoring.scorer import Scorer


@pytest.fixture(scope="module")
def saved(forest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mlflow") / "model"
    mlflow.pyfunc.save_model(
        path=str(path), python_model=pyfunc.__file__, artifacts={"portable": str(forest)}, pip_requirements=["lifeboat"]
    )
    return path


@pytest.fixture(scope="module")
def loaded(saved: Path) -> Any:
    return mlflow.pyfunc.load_model(str(saved))


def test_mlflow_keeps_the_model_as_code_and_files_without_a_pickle(saved: Path) -> None:
    names = {path.name for path in saved.rglob("*") if path.is_file()}
    assert {"pyfunc.py", "model.onnx", "preprocess.json", "manifest.json"} <= names
    assert not [name for name in names if name.endswith((".pkl", ".pickle"))]


def test_a_frame_with_missing_values_scores_as_records_with_nulls_do(
    loaded: Any, forest: Path, braund: dict[str, Any], cumings: dict[str, Any]
) -> None:
    rows = [braund, cumings, braund | {"Age": None, "Embarked": None}, cumings | {"Fare": None, "SibSp": 0}]
    frame = pd.DataFrame(rows)
    assert frame.Age.isna().sum() == 1
    predictions = loaded.predict(frame)
    assert np.asarray(predictions).tolist() == Scorer.load(forest).score(rows).predictions.tolist()
    assert np.asarray(predictions).tolist()[:2] == [0, 1]


def test_whole_numbers_that_pandas_made_floats_are_whole_numbers_still(loaded: Any, braund: dict[str, Any]) -> None:
    frame = pd.DataFrame([braund, braund | {"SibSp": 2}]).astype({"SibSp": float, "Pclass": "Int64", "Name": "string"})
    assert np.asarray(loaded.predict(frame)).tolist() == [0, 0]


def test_a_bad_cell_is_refused_with_its_column(loaded: Any, braund: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"^Pclass: got 7 \(number\); allowed: a whole number from 1 to 3"):
        loaded.predict(pd.DataFrame([braund | {"Pclass": 7}]))


def test_mlflow_s_own_client_takes_an_answer_with_warnings(forest: Path, braund: dict[str, Any]) -> None:
    with Server(forest) as server:
        address = urlsplit(server.url)
        client = ScoringServerClient(str(address.hostname), address.port)
        answer = client.invoke(pd.DataFrame([braund, braund | {"Sex": "Male"}]))
        assert answer.get_predictions().shape == (2, 1)
        assert '"unseen":{"Sex":1}' in server.log()
