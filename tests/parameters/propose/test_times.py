"""Days and times as texts: which SQL reads them, and where nobody can tell."""

from __future__ import annotations

import pytest

from lifeboat.parameters.propose.times import Parse, parse_of


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["31/1/2024", "1/2/2024"], Parse("d_date", "DATE", "try_to_date(d, 'd/M/yyyy')")),
        (["1.31.24", "2.1.24"], Parse("d_date", "DATE", "try_to_date(d, 'M.d.yy')")),
        (["31/1/2024 9:05", "1/2/2024 17:30"], Parse("d_time", "TIMESTAMP", "try_to_timestamp(d, 'd/M/yyyy H:mm')")),
        (["31.1.24 9:05:01"], Parse("d_time", "TIMESTAMP", "try_to_timestamp(d, 'd.M.yy H:mm:ss')")),
        (
            ["1/2/2024", "3/4/2024"],
            Parse(
                "d_date", "DATE", "try_to_date(d, 'd/M/yyyy')", "d: read as day/month, and may be month/day"
            ),
        ),
        (["2024-1-31", "2024-02-01"], Parse("d_date", "DATE", "try_to_date(d, 'yyyy-M-d')")),
        (["2024-01-31", "2024-02-01"], None),
        (["31/1/2024 9:05", "1/2/2024"], None),
        (["31/1/2024", "1.2.2024"], None),
        (["31/1/2024", "1/2/24"], None),
        (["31/1/2024", "1/31/2024"], None),
        (["31/1/2024", "soon"], None),
        ([], None),
    ],
)  # fmt: skip
def test_texts_of_the_same_form_are_read_by_it_and_others_are_left(texts: list[str], expected: Parse | None) -> None:
    assert parse_of("d", texts) == expected
