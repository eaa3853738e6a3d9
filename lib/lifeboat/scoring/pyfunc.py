"""The portable model as an MLflow pyfunc, logged from this file's code: ``python_model="…/pyfunc.py"``, no pickle.

Log it with the exported folder as the artifact ``portable``.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from lifeboat.scoring.scorer import Scorer


class PortableModel(PythonModel):  # type: ignore[misc]
    """Scores a frame of raw columns."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the artifact ``portable``."""
        self.scorer = Scorer.load(context.artifacts["portable"])

    def predict(
        self, context: PythonModelContext | None, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> npt.NDArray[np.int64]:
        """The class of each row, int64, shape ``(n,)``; pandas' missing values count as null.

        Raises:
            lifeboat.scoring.fields.InputError: A row does not fit.
        """
        cells = model_input.astype(object)
        records = cells.where(cells.notna(), None).to_dict("records")
        scores = self.scorer.score(records)
        if scores.unseen:
            logging.getLogger(__name__).warning(scores.unseen.summary())
        return scores.predictions


set_model(PortableModel())
