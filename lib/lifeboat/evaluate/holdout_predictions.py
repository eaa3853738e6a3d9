"""Keep what a model said of the hold-out, so that the next one can be compared with it on the very same rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lifeboat.errors import DataError
from lifeboat.evaluate import Scored

FILE = "holdout_predictions.parquet"


def write_judgement(folder: Path, scored: Scored) -> Path:
    """Write ``holdout_predictions.parquet``: columns key, label (int64), probability (float64), prediction (int64)."""
    columns = {
        "key": scored.key,
        "label": scored.label,
        "probability": scored.probability,
        "prediction": scored.prediction,
    }
    place = folder / FILE
    pd.DataFrame(columns).to_parquet(place, index=False)
    return place


def read_judgement(place: Path) -> Scored:
    """What ``write_judgement`` wrote."""
    table = pd.read_parquet(place)
    key = np.array(table["key"].tolist(), dtype=object)
    return Scored(table["label"], table["probability"], table["prediction"], key=key)


def read_verdict(folder: Path) -> dict[str, Any]:
    """The verdict that notebook 4 left, and with whom it compared.

    Raises:
        DataError: It was left by an earlier version, whose rule was another.
    """
    found: dict[str, Any] = json.loads((folder / "verdict.json").read_text())
    if "compared_with" not in found:
        raise DataError(
            f"{folder / 'verdict.json'} is of an earlier version, whose rule was another: run notebook 4 again"
        )
    return found
