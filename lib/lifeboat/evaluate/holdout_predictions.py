"""Keep what a model said of the hold-out, so that the next one can be compared with it on the very same rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from lifeboat import moved_from
from lifeboat.evaluate import Scored

__getattr__ = moved_from(__name__)


def to_table(scored: Scored) -> pd.DataFrame:
    """Held-out rows as they are kept: columns key, label (int64), probability (float64), prediction (int64)."""
    columns = {
        "key": scored.key,
        "label": scored.label,
        "probability": scored.probability,
        "prediction": scored.prediction,
    }
    return pd.DataFrame(columns)


def read_table(path: Path) -> Scored:
    """The rows of a parquet file of ``to_table``."""
    table = pd.read_parquet(path)
    key = np.array(table["key"].tolist(), dtype=object)
    return Scored(table["label"], table["probability"], table["prediction"], key=key)
