"""Take a run to where a notebook starts, from what is shipped, and a notebook back to what it was."""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

from lifeboat.errors import ParameterError, unknown
from lifeboat.run import STAGES, Run
from lifeboat.run.writing import put_in_place, remove, staging
from lifeboat.runner.folders import notebooks_folder

CHECKPOINTS = Path(__file__).with_name("checkpoints.tar.xz")  # made by tools/make_checkpoints.py
PREDECESSORS = {stage: STAGES[:number] for number, stage in enumerate(STAGES)} | {
    "00_spark": (),
    "06_scale": STAGES[:1],
}


@dataclass(frozen=True)
class CaughtUp:
    """What was done.

    Attributes:
        laid: The folders that were laid into the run.
        notebook: The notebook.
        kept: Where the notebook that was taken back lies now; None: it was as it is shipped.
    """

    laid: tuple[Path, ...]
    notebook: Path
    kept: Path | None


def catch_up(number: str, run_dir: str | Path = "outputs/tutorial", notebooks: Path | None = None) -> CaughtUp:
    """What the notebooks before one leave with their own parameters, laid into a run; and the notebook as shipped.

    Args:
        number: The notebook to go on with, such as ``03`` or ``03_train_cv``.
        run_dir: The run's folder; what is there already of the notebooks before is replaced.
        notebooks: The folder of the notebooks; None: the project's.

    Raises:
        ParameterError: There is no such notebook.
    """
    stage = next((name for name in PREDECESSORS if number in (name, name[:2], name[1:2])), None)
    if stage is None:
        raise ParameterError(unknown("notebook", number, [name[:2] for name in PREDECESSORS]))
    notebook = (notebooks or notebooks_folder()) / f"{stage}.ipynb"
    with tarfile.open(CHECKPOINTS) as shipped:
        laid = tuple(_lay(shipped, name, Run(run_dir).path) for name in PREDECESSORS[stage])
        kept = _take_back(shipped, notebook)
    return CaughtUp(laid, notebook, kept)


def _lay(shipped: tarfile.TarFile, stage: str, run: Path) -> Path:
    """One notebook's folder, whole or not at all."""
    beside = staging(run / stage)
    try:
        members = [member for member in shipped.getmembers() if member.name.startswith(f"run/{stage}/")]
        for member in members:
            shipped.extract(member.replace(name=member.name.removeprefix(f"run/{stage}/")), beside, filter="data")
        put_in_place(beside, run / stage)
    finally:
        remove(beside)
    return run / stage


def _take_back(shipped: tarfile.TarFile, notebook: Path) -> Path | None:
    """The notebook as it is shipped, unless its cells are; the other one stays beside it."""
    file = shipped.extractfile(f"notebooks/{notebook.name}")
    assert file is not None, "it was put there as a file"
    text = file.read().decode()
    if notebook.exists() and sources(notebook.read_text(encoding="utf-8")) == sources(text):
        return None
    kept = None
    if notebook.exists():
        names = (notebook.with_name(f"my_{notebook.stem}_{number}.ipynb") for number in range(1, 10_000))
        kept = notebook.rename(next(name for name in names if not name.exists()))
    notebook.write_text(text, encoding="utf-8")
    return kept


def sources(text: str) -> list[tuple[str, str]] | None:
    """The cells of a notebook, without what they have put out: kind and source; None where it is no notebook."""
    try:  # by json: nbformat takes seconds to import
        cells = json.loads(text)["cells"]
        return [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    except (ValueError, KeyError, TypeError):
        return None
