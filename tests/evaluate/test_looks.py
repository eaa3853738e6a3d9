"""Looks at a hold-out are counted in the run's folder, for each hold-out by itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lifeboat.evaluate import Scored
from lifeboat.evaluate.looks import count_look
from lifeboat.run import Run

STAGE = "04_evaluate"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project."""
    monkeypatch.setenv("LIFEBOAT_HOME", str(tmp_path))
    return tmp_path


def holdout(*keys: object, label: tuple[int, ...] = ()) -> Scored:
    """Held-out rows with these keys; the labels are 0 but where others are given."""
    labels = list(label or [0] * len(keys))
    return Scored(labels, [0.5] * len(keys), [0] * len(keys), key=np.array(keys, dtype=object))


def look(rows: Scored, run_dir: str = "outputs/a") -> int:
    """Run the stage once, to its end."""
    run = Run(run_dir)
    out = run.begin(STAGE)
    number = count_look(run, rows)
    run.commit(out)
    return number


def test_each_run_of_the_stage_on_the_same_rows_is_one_more_look() -> None:
    assert [look(holdout(1, 2, 3)) for _ in range(3)] == [1, 2, 3]


def test_what_the_model_says_and_the_order_of_the_rows_do_not_make_another_holdout() -> None:
    look(holdout(1, 2, label=(0, 1)))
    other = Scored([1, 0], [0.9, 0.1], [1, 0], key=np.array([2, 1], dtype=object))
    assert look(other) == 2


def test_another_holdout_is_counted_by_itself_and_the_first_is_not_forgotten() -> None:
    rows = [holdout(1, 2), holdout(1, 3), holdout(1, 2), holdout(1, 2, label=(0, 1)), holdout("12"), holdout(1, 3)]
    assert [look(scored) for scored in rows] == [1, 1, 2, 1, 1, 2]


def test_each_run_folder_counts_for_itself() -> None:
    assert (look(holdout(1, 2)), look(holdout(1, 2), "outputs/b")) == (1, 1)


def test_a_stage_that_did_not_end_has_not_looked() -> None:
    look(holdout(1, 2))
    run = Run("outputs/a")
    run.begin(STAGE)
    assert count_look(run, holdout(1, 2)) == 2
    assert look(holdout(1, 2)) == 2


def test_looks_are_still_known_when_the_stage_was_killed_as_its_folder_was_put_in_place(home: Path) -> None:
    look(holdout(1, 2))
    (home / "outputs/a" / STAGE).rename(home / "outputs/a" / f".{STAGE}.old")
    assert look(holdout(1, 2)) == 2


def test_the_file_holds_no_key_and_is_the_same_for_the_same_looks(home: Path) -> None:
    for run in ("outputs/a", "outputs/b"):
        look(holdout("Braund, Mr. Owen Harris", "b"), run)
    texts = [(home / run / STAGE / "looks.json").read_text() for run in ("outputs/a", "outputs/b")]
    assert texts[0] == texts[1]
    assert "Braund" not in texts[0]
    assert list(json.loads(texts[0]).values()) == [1]
