"""Exercises on notebook 5: what the model has learned, a value it never met, and preprocessing written twice."""

from __future__ import annotations

import json
from typing import Any

from lifeboat.run.folder import Run
from lifeboat.scoring.scorer import Scorer
from lifeboat.teaching.exercises.check import Exercise, Mistake, Solution, rows_of
from lifeboat.teaching.exercises.errors import UnfitRunError
from lifeboat.teaching.exercises.kinds import Number, Several, Whole

Records = list[dict[str, Any]]


def _imputer(run: Run, column: str) -> dict[str, Any]:
    """What the portable model's stage that fills a column with its group's mean has learned."""
    steps: list[dict[str, Any]] = json.loads((run.portable / "preprocess.json").read_text(encoding="utf-8"))
    imputers = [step for step in steps if step["stage"] == "GroupMeanImputerModel" and step["inputs"][0] == column]
    if not imputers:
        raise UnfitRunError(f"this run's model fills no gap of {column!r} by its group's mean: name another column")
    return imputers[0]


def learned_mean(run: Run, column: str, group: str) -> Solution:
    """What the portable model fills a column's gap with, in one group."""
    step = _imputer(run, column)
    means, overall = step["means"], step["overall"]
    others = [
        Mistake(mean, f"That is what {name!r} gets. Look for {group!r}.")
        for name, mean in means.items()
        if name != group
    ]
    return Solution(
        means.get(group, overall),
        "It stands in a file of text that anyone can read, and who serves the model needs no training row for it.",
        [
            Mistake(overall, "That is `overall`, for a group that training never met. Is there a mean for "
                    f"{group!r} alone, in `means`?"),
            *others,
        ],
        f"`preprocess.json` is a list of stages. Take the one that fills {column!r}: its first input, and its `means`.",
    )  # fmt: skip


def _scored(run: Run) -> tuple[Scorer, Records]:
    """The portable model, which answers whatever comes, and the records that notebook 5 asks it about."""
    scorer = Scorer.load(run.portable, unseen="warn")
    file = "unlabelled" if run.where("unlabelled").exists() else "holdout"
    table = rows_of(run, file)[[column.name for column in scorer.columns]]
    return scorer, table.astype(object).where(table.notna(), None).to_dict("records")


def _differing(scorer: Scorer, records: Records, sent: Records) -> tuple[int, int]:
    """How many probabilities and how many classes differ."""
    before, after = scorer.score(records), scorer.score(sent)
    probabilities = (before.probabilities != after.probabilities).any(axis=1)
    return int(probabilities.sum()), int((before.predictions != after.predictions).sum())


def unseen_spelling(run: Run, column: str) -> Solution:
    """How many classes change where a text is written with a capital, and how many records are refused."""
    scorer, records = _scored(run)
    sent = [record | {column: record[column] and record[column].title()} for record in records]
    moved, changed = _differing(scorer, records, sent)
    n, warned = len(records), scorer.score(sent).unseen.count
    return Solution(
        (changed, 0),
        f"All {n} get an answer, and {warned} of them a warning. To the model the new spelling is a category of its "
        "own, and an answer about it is none of its best. Where that is worse than no answer: `unseen: refuse`.",
        [
            Mistake((0, n), "So it is with `unseen='refuse'`. The question is about a model that warns: load it so."),
            Mistake(lambda answer: answer[1] > 0, "Was a record refused? A model that warns answers each of them. Send "
                    "one, and look at what comes back."),
            Mistake((0, 0), "No class changed? Compare with the answers to the same records as they were, and look at "
                    f"one that you send: is its {column} written with a capital?"),
            Mistake((warned, 0), "So many get a warning. A warning says that the answer may be wrong; how many classes "
                    "are other ones?"),
            Mistake((moved, 0), "So many probabilities change. Of how many does the class?"),
            Mistake((n - changed, 0), "So many classes stay as they were. Count the others."),
        ],
        "Score the records as they are and as they are spelt otherwise, and compare `predictions` one by one.",
    )  # fmt: skip


def imputed_twice(run: Run, column: str) -> Solution:
    """How many answers differ where a server fills a column's gaps itself, with the mean of all."""
    overall = _imputer(run, column)["overall"]
    scorer, records = _scored(run)
    known = [record[column] for record in records if record[column] is not None]
    n = len(records) - len(known)

    def filled(value: float) -> tuple[int, int]:
        sent = [record | {column: value if record[column] is None else record[column]} for record in records]
        return _differing(scorer, records, sent)

    right = filled(overall)
    return Solution(
        right,
        f"There are {n} gaps. No error, no warning, and a number that looks sensible: that is train/serve skew. Send "
        "the gap, and let the model fill it as it learned to.",
        [
            Mistake((0, 0), f"Nothing differs where the gap itself is sent. Put the mean in its place: is {column} "
                    "still None in what you send?"),
            Mistake(filled(0.0), f"So it is with 0 in each gap. Take the mean of all known values, {overall:.2f}."),
            Mistake(filled(sum(known) / max(1, len(known))), "That is with the mean of the rows that came in. Take the "
                    "one that training learned, `overall` in `preprocess.json`."),
            Mistake(right[::-1], "The right two numbers, swapped: first the probabilities."),
            Mistake((n, n), "So many gaps there are. Of them, how many probabilities change, and how many classes?"),
        ],
        f"Copy the records with {overall:.2f} wherever {column} is None, score both, and compare row by row.",
    )  # fmt: skip


EXERCISES = {
    "a": Exercise(Number("a number", within=0.01, digits=2), learned_mean),
    "b": Exercise(
        Several("two whole numbers: classes that change, records refused", [Whole("classes"), Whole("records")]),
        unseen_spelling,
    ),
    "c": Exercise(
        Several("two whole numbers: probabilities that differ, classes that differ", [Whole("rows"), Whole("rows")]),
        imputed_twice,
    ),
}
