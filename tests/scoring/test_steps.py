"""A step is done once for each value, or combination of values, where these are fewer than the rows."""

from __future__ import annotations

import numpy as np

from lifeboat.scoring.steps import STEPS, Values, apply

TOTAL = STEPS["SumColumns"]({})
LOUD = STEPS["CopyColumns"]({})


def coded(distinct: list[object], *indices: int) -> Values:
    return Values(distinct, np.array(indices, dtype=np.intp))


def test_a_step_of_one_column_keeps_the_rows_places() -> None:
    answered = apply(LOUD, [coded(["a", "b"], 1, 0, 1)])
    assert answered.distinct == ["a", "b"]
    assert answered.spread() == ["b", "a", "b"]


def test_a_step_of_two_columns_gets_both_row_by_row_or_combination_by_combination() -> None:
    few, many = coded([1, 2], 0, 1, 1, 0, 1), coded([10, 20], 1, 1, 0, 0, 0)
    combined = apply(TOTAL, [few, many])
    assert len(combined.distinct) == 4, "five rows, four combinations"
    assert combined.spread() == [21.0, 22.0, 12.0, 11.0, 12.0]
    assert apply(TOTAL, [few, Values([1, 2, 3, 4, 5])]).spread() == [2.0, 4.0, 5.0, 5.0, 7.0]
