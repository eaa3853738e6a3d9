"""The notebooks of a run with their parameters, and which of them are up to date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lifeboat.errors import StageOrderError, redacted_all
from lifeboat.parameters import titanic
from lifeboat.parameters.resolve import RUN_DIR, Resolved
from lifeboat.run import Run
from lifeboat.run.paths import from_root
from lifeboat.runner.made_from import altered, changes
from lifeboat.runner.notebook import Notebook
from lifeboat.runner.record import DONE, Stage, read_record

ABOUT_THIS_DATA = "about-this-data"  # the tag of cells that hold for the notebooks' own data set alone
DEMONSTRATION = "demonstration"  # the tag of cells that no later notebook needs
LEAN = "> **Lean.** Cells that only demonstrate something are left out of this notebook."
NOT_DONE = {
    "waiting": "it has not run yet",
    "running": "it was cut short",
    "failed": "it failed",
    "interrupted": "it was interrupted",
    DONE: "there is no record of what it was made from",
}


@dataclass(frozen=True)
class Options:
    """How a run is to be done.

    Attributes:
        lean: Whether to leave out the cells that only demonstrate something.
        force: Whether to run notebooks that are up to date, too.
        first: The first notebook to run, up to date or not, and so are those after it; empty: those that must.
        last: The last notebook to run; empty: the last of all.
        limits: Seconds that a ``cell``, a ``notebook`` and the ``run`` may take.
        report: Whether to make the run's report at its end, if anything ran.
    """

    lean: bool = False
    force: bool = False
    first: str = ""
    last: str = ""
    limits: dict[str, float] = field(default_factory=dict)
    report: bool = False


class Series:
    """What a run is made of.

    Attributes:
        run_dir: The run's folder; ``NN.ipynb``, ``run.json`` and ``log.txt`` are written there, the rest is the
            notebooks' own.
        parameters: What to run with; each notebook gets those that its own parameter cell names.
        values: Every parameter's value, without credentials.
        options: How it is done.
        notes: The tags of cells that are left out, each with what is said of it on top of a notebook.
        notebooks: The notebooks, in order.
        record: What was done so far.
        executed: The names of the notebooks that were run by now.
    """

    def __init__(
        self, notebooks: Sequence[Path], parameters: Resolved, run_dir: Path, options: Options | None = None
    ) -> None:
        self.run_dir, self.parameters, self.options = run_dir, parameters, options or Options()
        self.values = redacted_all({**parameters.values, RUN_DIR: from_root(run_dir)})
        notes = {ABOUT_THIS_DATA: other_data_set(self.values), DEMONSTRATION: LEAN if self.options.lean else ""}
        self.notes = {tag: note for tag, note in notes.items() if note}
        self.notebooks = [Notebook(path, tuple(self.notes)) for path in notebooks]
        self.names = [notebook.name for notebook in self.notebooks]
        self.record = read_record(run_dir, self.names)
        self.executed: set[str] = set()

    def stage(self, notebook: Notebook) -> Stage:
        """A notebook's part of the record."""
        return self.record.stages[self.names.index(notebook.name)]

    def plan(self) -> dict[str, list[str]]:
        """Each notebook's name -> why it would run now, as ``reasons`` says."""
        return {notebook.name: self.reasons(notebook) for notebook in self.notebooks}

    def reasons(self, notebook: Notebook) -> list[str]:
        """Why a notebook is to run now; nothing where it is up to date, or not among those to run.

        Raises:
            StageOrderError: It is before the first that is to run, and not up to date.
        """
        index, options = self.names.index(notebook.name), self.options
        if options.last and index > self.names.index(options.last):
            return []
        stale = self._stale(notebook)
        if options.first and index < self.names.index(options.first):
            if stale:
                raise StageOrderError(f"{notebook.name} is not up to date ({stale[0]}): leave --from away, and it runs")
            return []
        if not stale and (options.force or options.first):
            return ["--force" if options.force else f"--from {options.first}"]
        return stale

    def _stale(self, notebook: Notebook) -> list[str]:
        stage = self.stage(notebook)
        if stage.state != DONE or not stage.made_from:
            return [NOT_DONE[stage.state]]
        since = changes(notebook, self.values, stage.made_from, Run(self.run_dir))
        return [*since, *altered(self.run_dir, stage.left)]


def other_data_set(values: Mapping[str, Any]) -> str:
    """What a reader must know first of a run on other rows than the notebooks' text speaks of; empty on the same."""
    read = values.get("labelled_path", titanic.LABELLED)
    if read == titanic.LABELLED:
        return ""
    return (
        f"> **Another data set.** This notebook was written about `{titanic.LABELLED}`; this run read `{read}`. All "
        "numbers, tables and figures are this run's. What the text says of the other's rows, columns and findings is "
        "left out."
    )
