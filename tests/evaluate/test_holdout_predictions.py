"""A judgement that was kept is the one that was made, to the last bit."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from lifeboat.evaluate import Scored

PROBABILITIES = np.array([0.1, math.nextafter(0.5, 1), 0.0, 1.0, 5e-324])
LABEL, PREDICTION = np.array([0, 1, 0, 1, 1]), np.array([0, 1, 0, 1, 0])


def keep(folder: Path, scored: Scored) -> Path:
    """Write held-out rows as notebook 4 does."""
    scored.table.to_parquet(folder / "rows.parquet", index=False)
    return folder / "rows.parquet"


def scored(keys: list[int] | list[str]) -> Scored:
    return Scored(LABEL, PROBABILITIES, PREDICTION, key=np.array(keys, dtype=object))


@pytest.mark.parametrize(
    "keys",
    [[3, 1, 2**53 + 1, -4, 0], ["10", "9", "", "zoë", "None"]],
    ids=["numbers", "texts"],
)
def test_keys_and_numbers_come_back_exactly_and_in_their_order(tmp_path: Path, keys: list[int] | list[str]) -> None:
    before = scored(keys)
    after = Scored.read(keep(tmp_path, before))
    assert after.key is not None
    assert after.key.tolist() == keys
    assert [type(key) for key in after.key] == [type(key) for key in keys]
    assert after.probability.tobytes() == PROBABILITIES.tobytes()
    assert (after.label.tolist(), after.prediction.tolist()) == (LABEL.tolist(), PREDICTION.tolist())
    assert after.same_rows(before)
    assert before.same_rows(after)


def test_another_key_or_another_order_is_not_the_same_rows(tmp_path: Path) -> None:
    kept = Scored.read(keep(tmp_path, scored([1, 2, 3, 4, 5])))
    assert not kept.same_rows(scored([1, 2, 3, 4, 6]))
    assert not kept.same_rows(scored([2, 1, 3, 4, 5]))
    assert not kept.same_rows(scored(["1", "2", "3", "4", "5"]))


def test_the_file_holds_four_columns_that_any_reader_of_parquet_knows(tmp_path: Path) -> None:
    path = keep(tmp_path, scored([1, 2, 3, 4, 5]))
    schema = pq.read_schema(path)
    assert dict(zip(schema.names, map(str, schema.types), strict=True)) == {
        "key": "int64",
        "label": "int64",
        "probability": "double",
        "prediction": "int64",
    }
