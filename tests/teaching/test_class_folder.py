"""What checks write for whoever teaches, and what a teacher reads of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lifeboat.cli.app import app
from lifeboat.run import Run
from lifeboat.teaching import class_folder
from lifeboat.teaching.class_folder import Line, Stuck, Tally, read_lines, stuck, tallies
from lifeboat.teaching.exercises import check
from lifeboat.teaching.exercises.errors import WrongAnswerError

FOLDS = "The grid has 3 points, and there are 3 folds."


@pytest.fixture
def learner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of a learner's own, where nothing has been said yet."""
    home = tmp_path / "checkout"
    (home / "outputs").mkdir(parents=True)
    monkeypatch.setenv("LIFEBOAT_HOME", str(home))
    monkeypatch.setattr(class_folder, "_printed", set())
    return home


@pytest.fixture
def shared(tmp_path: Path, learner: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The class's folder, with a blank and an accent in its name."""
    folder = tmp_path / "la classe é"
    folder.mkdir()
    monkeypatch.setenv("LIFEBOAT_CLASS_FOLDER", str(folder))
    return folder


@pytest.fixture
def run(run_dir: Path) -> Run:
    return Run(run_dir)


def answer(value: object, run: Run) -> str:
    """Have an answer to 3a checked; what stops the cell, or empty."""
    try:
        check("3a", value, run)
    except WrongAnswerError as error:
        return str(error)
    return ""


def test_each_check_writes_a_line_with_the_cause_and_nothing_of_the_answer_or_of_who_it_is(
    shared: Path, learner: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for value in (..., (10, 5), "eleven", None, (10, 4)):
        answer(value, run)
    (file,) = shared.iterdir()
    number = int(file.stem)
    lines = read_lines(shared)
    assert [(line.learner, line.exercise, line.passed) for line in lines] == [(number, "3a", False)] * 3 + [
        (number, "3a", True)
    ]
    causes = [line.cause for line in lines]
    assert causes[0].startswith(FOLDS)
    assert causes[1].startswith("Not two whole numbers: fits of the classifier")
    assert causes[2].startswith("The answer is None")
    assert causes[3] == ""
    text = file.read_text()
    for hidden in ("10", "eleven", os.uname().nodename, str(learner), learner.parent.name):
        assert not re.search(rf"(?<![\w:.-]){re.escape(hidden)}(?![\w:-])", text), hidden
    assert all(set(json.loads(line)) == set(Line.model_fields) for line in text.splitlines() if line)
    printed = capsys.readouterr().out
    assert printed.count(f"In the class's folder you are number {number}.") == 1


def test_without_the_variable_nothing_is_written(shared: Path, learner: Path, run: Run) -> None:
    os.environ.pop("LIFEBOAT_CLASS_FOLDER")
    assert answer((10, 4), run) == ""
    assert [*shared.iterdir(), *(learner / "outputs").iterdir()] == []


def test_a_checkout_keeps_its_number_and_a_copy_of_it_elsewhere_draws_another(
    shared: Path, learner: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer((10, 4), run)
    answer((10, 4), run)
    assert len(list(shared.iterdir())) == 1
    monkeypatch.setenv("LIFEBOAT_HOME", str(learner.rename(learner.with_name("copied"))))
    answer((10, 4), run)
    assert sorted(len(file.read_text().split()) for file in shared.iterdir()) == [1, 2]


def test_a_number_that_somebody_has_is_not_drawn_again(shared: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_folder, "NUMBERS", range(1000, 1002))
    (shared / "1000.jsonl").write_text("theirs")
    answer((10, 4), run)
    assert [line.learner for line in read_lines(shared)] == [1001]
    assert (shared / "1000.jsonl").read_text() == "theirs"


def test_two_learners_who_write_at_once_lose_no_line(tmp_path: Path, shared: Path) -> None:
    script = "from lifeboat.teaching.class_folder import report\nfor turn in range(300): report('1a', turn > 9, 'why')"
    learners = []
    for name in ("one", "two"):
        (tmp_path / name / "outputs").mkdir(parents=True)
        environment = {**os.environ, "LIFEBOAT_HOME": str(tmp_path / name)}
        learners.append(subprocess.Popen([sys.executable, "-c", script], env=environment))
    assert [learner.wait() for learner in learners] == [0, 0]
    lines = read_lines(shared)
    assert len(lines) == 600
    (tally,) = tallies(lines)
    assert tally == Tally("1a", tried=2, passed=2, had_cause=2, cause="why")


def test_where_the_folder_is_not_there_a_sentence_says_so_once_and_the_check_goes_on(
    shared: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    shared.rmdir()
    wrong = answer((10, 5), run)
    right = answer((10, 4), run)
    assert wrong.startswith(f"3a: not yet. You have 10, 5. {FOLDS}")
    assert right == ""
    first, second = capsys.readouterr().out.splitlines()
    assert first == (
        f"Nothing was written to the class's folder {shared} (there is no such folder); "
        "your answers are checked all the same."
    )
    assert second.startswith("3a: right, 10, 4.")
    assert not shared.exists()


@pytest.fixture
def small_disk(shared: Path) -> Iterator[Path]:
    """The class's folder, on a disk of its own."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", shared], check=True)
    yield shared
    subprocess.run(["umount", shared], check=True)


@pytest.mark.needs("a tmpfs")
def test_a_full_or_read_only_folder_hinders_no_check_and_is_written_to_again_when_it_is_mended(
    small_disk: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(OSError, match="No space left"):
        (small_disk / "others").write_bytes(b"x" * 100_000)
    answer((10, 4), run)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    answer((10, 4), run)
    answer((10, 4), run)
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    (small_disk / "others").unlink()
    answer((10, 4), run)
    printed = capsys.readouterr().out
    assert printed.count("3a: right, 10, 4.") == 4
    assert re.findall(r"Nothing was written .* \((.*)\);", printed) == [
        "No space left on device",
        "Read-only file system",
    ]
    assert [line.passed for line in read_lines(small_disk)] == [True]


def test_a_folder_that_does_not_answer_is_not_waited_for_again(
    shared: Path, learner: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    (learner / "outputs/.learner").write_text(f"1000\n{learner}\n")
    os.mkfifo(shared / "1000.jsonl")  # whoever opens it to write waits until somebody reads
    answer((10, 4), run)
    answer((10, 4), run)
    (writer,) = class_folder._waiting
    with (shared / "1000.jsonl").open() as reader:
        assert Line.model_validate_json(reader.read()).learner == 1000
    writer.join()
    assert capsys.readouterr().out.count("(it does not answer)") == 1
    (shared / "1000.jsonl").unlink()
    answer((10, 4), run)
    assert len(read_lines(shared)) == 1


def lines_of(*listed: tuple[int, int, str, str]) -> list[Line]:
    """Lines of (minute, learner, exercise, cause); an empty cause passed."""
    return [
        Line(time=at(minute), learner=learner, exercise=exercise, passed=not cause, cause=cause)
        for minute, learner, exercise, cause in listed
    ]


def at(minute: int) -> datetime:
    return datetime(2026, 1, 2, 10, minute, tzinfo=UTC)


CLASS = lines_of(
    (0, 1001, "1a", "all rows"),
    (1, 1001, "1a", "all rows"),
    (2, 1001, "1a", "training rows"),
    (3, 1002, "1a", "training rows"),
    (4, 1002, "1a", ""),
    (5, 1002, "1b", "one more"),
    (6, 1003, "1a", ""),
    (7, 1003, "1a", ""),
)


def test_an_exercise_counts_each_learner_once_and_names_the_cause_that_most_learners_had() -> None:
    assert tallies(CLASS) == [Tally("1a", 3, 2, 2, "training rows"), Tally("1b", 1, 0, 1, "one more")]


def test_who_is_stuck_is_whose_last_answer_was_wrong_and_where() -> None:
    assert stuck(CLASS) == [
        Stuck(1001, "1a", 3, at(0), "training rows"),
        Stuck(1002, "1b", 1, at(5), "one more"),
    ]
    assert stuck([*CLASS, *lines_of((8, 1001, "1b", ""), (9, 1002, "1b", ""))]) == []


def lifeboat_class(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["class", *arguments])
    return " ".join(re.sub(r"[│┃━─┏┓┡┩├┤┼└┘┬┴╇┳]", " ", result.output).split())


def test_the_command_shows_the_class_and_passes_over_what_is_no_line(shared: Path) -> None:
    for line in CLASS:
        with (shared / f"{line.learner}.jsonl").open("a") as file:
            file.write("\n" + line.model_dump_json())
    (shared / "1004.jsonl").write_bytes(b'\n{"time": "2026-\n[1]\n\xff\n{"learner": "ann"}')
    (shared / "notes.txt").write_text("mine")
    shown = lifeboat_class(str(shared))
    assert "exercise tried passed had it most frequent cause 1a 3 2 2 training rows 1b 1 0 1 one more" in shown
    assert f"stuck exercise answers since cause of the last 1001 1a 3 {at(0).astimezone():%H:%M} training rows" in shown
    assert lifeboat_class() == shown, "the variable names the folder, too"


def test_the_command_says_what_is_not_there(shared: Path, tmp_path: Path) -> None:
    assert lifeboat_class(str(shared)) == f"No check has written to {shared} yet."
    nowhere = lifeboat_class(str(tmp_path / "nowhere"))
    assert f"there is no folder {tmp_path / 'nowhere'}: name the one that LIFEBOAT_CLASS_FOLDER names" in nowhere
