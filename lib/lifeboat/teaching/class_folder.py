"""A folder that a class's checks write a line to, for whoever teaches: who wants to, and without names."""

from __future__ import annotations

import errno
import os
import random
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from threading import Thread
from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from lifeboat.run.paths import project_root, resolve
from lifeboat.run.writing import write_whole

VARIABLE = "LIFEBOAT_CLASS_FOLDER"
PATIENCE = 1.0  # seconds that a check waits for a folder that does not answer
NUMBERS = range(1000, 10000)  # short enough to read out

_waiting: list[Thread] = []  # writers that a folder has not answered yet
_printed: set[str] = set()


class Line(BaseModel):
    """What a check writes: when (UTC), the checkout's number, and where a wrong answer comes from; not the answer."""

    time: datetime
    learner: int
    exercise: str
    passed: bool
    cause: str = ""


class Tally(NamedTuple):
    """An exercise: learners who tried, who passed, and who had the most frequent cause of wrong answers."""

    exercise: str
    tried: int
    passed: int
    had_cause: int
    cause: str


class Stuck(NamedTuple):
    """A learner whose last answer was wrong: answers to that exercise, the first one's time, the last one's cause."""

    learner: int
    exercise: str
    answers: int
    since: datetime
    cause: str


def report(exercise: str, passed: bool, cause: str = "") -> None:
    """Write a line on a check to the folder that the environment names, if it names one.

    Where the folder will not do, the learner reads a sentence, once; the check goes on, and waits a second at most.
    """
    folder, sentences = os.environ.get(VARIABLE, ""), list[str]()
    _waiting[:] = [writer for writer in _waiting if writer.is_alive()]
    if not folder or _waiting:
        return
    failed = f"Nothing was written to the class's folder {folder} ({{}}); your answers are checked all the same."

    def write() -> None:
        try:
            _append(resolve(Path(folder).expanduser()), exercise, passed, cause, sentences)
        except Exception as error:  # a lesson goes on, whatever a shared folder is like
            sentences.append(failed.format(getattr(error, "strerror", None) or error))

    writer = Thread(target=write, daemon=True)
    writer.start()
    writer.join(PATIENCE)
    if writer.is_alive():
        _waiting.append(writer)
        sentences.append(failed.format("it does not answer"))
    for sentence in [sentence for sentence in sentences if sentence not in _printed]:
        _printed.add(sentence)
        print(sentence)


def _append(folder: Path, exercise: str, passed: bool, cause: str, sentences: list[str]) -> None:
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder")
    learner, now = _number(folder, sentences), datetime.now(UTC).replace(microsecond=0)
    line = Line(time=now, learner=learner, exercise=exercise, passed=passed, cause=cause)
    with (folder / f"{learner}.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n" + line.model_dump_json())  # a line begins anew: one that a full disk has cut harms no other


def _number(folder: Path, sentences: list[str]) -> int:
    """The number of this checkout, drawn once; a copy of it that lies elsewhere is another learner's."""
    root = str(project_root())
    kept = Path(root, "outputs", ".learner")
    with suppress(OSError, ValueError):
        number, owner = kept.read_text(encoding="utf-8").splitlines()
        if owner == root:
            return int(number)
    for drawn in random.SystemRandom().sample(NUMBERS, len(NUMBERS)):
        with suppress(FileExistsError):  # another's
            (folder / f"{drawn}.jsonl").touch(exist_ok=False)
            break
    write_whole(kept, f"{drawn}\n{root}\n")
    sentences.append(f"In the class's folder you are number {drawn}.")
    return drawn


def read_lines(folder: Path) -> list[Line]:
    """The lines of all learners, the earliest first; what is no such line is passed over."""
    lines = []
    for path in folder.glob("*.jsonl"):
        for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValidationError):
                lines.append(Line.model_validate_json(text))
    return sorted(lines, key=lambda line: line.time)


def tallies(lines: Iterable[Line]) -> list[Tally]:
    """How the class did, exercise by exercise; a learner counts once for each cause."""
    return [_tally(name, list(own)) for name, own in groupby(sorted(lines, key=_exercise), _exercise)]


def _exercise(line: Line) -> str:
    return line.exercise


def _tally(exercise: str, lines: list[Line]) -> Tally:
    tried, passed = {line.learner for line in lines}, {line.learner for line in lines if line.passed}
    causes = Counter(cause for _, cause in {(line.learner, line.cause) for line in lines if not line.passed})
    cause, had_cause = min(causes.items(), key=lambda item: (-item[1], item[0]), default=("", 0))
    return Tally(exercise, len(tried), len(passed), had_cause, cause)


def stuck(lines: Iterable[Line]) -> list[Stuck]:
    """The learners whose last answer was wrong, those first who have tried most often."""
    last: dict[int, Stuck] = {}
    first: dict[tuple[int, str], tuple[int, datetime]] = {}
    for line in lines:
        answers, since = first.get((line.learner, line.exercise), (0, line.time))
        first[line.learner, line.exercise] = answers + 1, since
        last.pop(line.learner, None)
        if not line.passed:
            last[line.learner] = Stuck(line.learner, line.exercise, answers + 1, since, line.cause)
    return sorted(last.values(), key=lambda each: (-each.answers, each.learner))
