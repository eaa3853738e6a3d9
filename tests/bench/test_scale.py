"""The scale bench's arithmetic, by numbers made by hand."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

PLACE = Path(__file__).resolve().parents[2] / "bench" / "scale.py"
SPEC = importlib.util.spec_from_file_location("scale_bench", PLACE)
assert SPEC is not None
assert SPEC.loader is not None
scale = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(scale)


def line(engine: str, rows: int, cv: float, peak: int = 100, **more: float) -> dict[str, object]:
    seconds = {"start": 9.0, "load": 1.0, "cv": cv}
    return {"engine": engine, "rows": rows, "seconds": seconds, "cpu_seconds": 2 * cv, "peak_mb": peak, **more}


def test_the_exponent_is_the_slope_of_the_logarithms() -> None:
    assert scale.exponent([10, 100, 1000], [3.0, 30.0, 300.0]) == pytest.approx(1.0)
    assert scale.exponent([10, 100, 1000], [1.0, 100.0, 10_000.0]) == pytest.approx(2.0)
    # 1, 1 and 100: a least-squares line has the slope of its ends here, and the middle lies below it
    assert scale.exponent([10, 100, 1000], [1.0, 1.0, 100.0]) == pytest.approx(1.0)


def test_the_start_of_spark_is_no_work() -> None:
    assert scale.work_seconds(line("lifeboat", 10, 4.0)) == 5.0
    assert scale.work_seconds({"seconds": {"start": 1.0, "a few gaps by one job each": 50.0, "cv": 2.0}}) == 2.0


def test_turns_become_their_median_and_sizes_stand_in_order() -> None:
    lines = [line("b", 1000, 9.0), line("b", 10, 1.0), line("b", 10, 8.0), line("b", 10, 2.0, peak=300)]
    found = scale.medians(lines)
    assert list(found["b"]) == [10, 1000]
    assert found["b"][10] == {
        "seconds": 3.0, "cpu_seconds": 4.0, "peak_mb": 100, "stages": {"start": 9.0, "load": 1.0, "cv": 2.0},
        "by_row": 0.0,
    }  # fmt: skip


def test_the_table_tells_the_exponent_and_what_one_job_a_gap_would_add() -> None:
    lines = [line("plain", 10, 1.0), line("plain", 1000, 199.0, gaps=200, seconds_a_job=0.5)]
    text = scale.table(scale.medians(lines))
    assert "time grows as rows^1.00" in text
    assert "+100 if each gap took a job of its own" in text


def test_the_numbers_are_kept_as_a_line_an_engine_and_size(tmp_path: Path) -> None:
    lines = [line("plain", 1000, 9.04), line("plain", 10, 1.0, peak=300)]
    scale.write_numbers(scale.medians(lines), tmp_path / "scale.csv")
    assert (tmp_path / "scale.csv").read_text() == (
        "engine,rows,seconds,cpu_seconds,peak_mb\nplain,10,2.0,2.0,300.0\nplain,1000,10.0,18.1,100.0\n"
    )
