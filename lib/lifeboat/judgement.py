"""Keep what a model said of the hold-out, so that the next one can be compared with it on the very same rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

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
