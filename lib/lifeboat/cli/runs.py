"""``lifeboat runs``, ``report``, ``verify``: what runs there are, a page of one, and whether its files are as left."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lifeboat.cli.models import find_run
from lifeboat.errors import LifeboatError

if TYPE_CHECKING:
    from lifeboat.runner.series import Series

Name = Annotated[str, typer.Argument(metavar="[RUN]", help="The run's name or folder; the last finished one.")]


class AlteredError(LifeboatError):
    """Files of a run are not as it left them."""


def report(run: Name = "") -> None:
    """Make a run's report anew: outputs/RUN/report.html, one file to send round."""
    from lifeboat.run.paths import shown
    from lifeboat.runner.report import write_report

    typer.echo(shown(write_report(find_run(run))))


def verify(run: Name = "") -> None:
    """Read every file of a run and say which are not as the run left them; status 1 if there are any."""
    from lifeboat.run import STAGES
    from lifeboat.runner.made_from import altered
    from lifeboat.runner.record import read_record

    folder = find_run(run)
    left = {name: kept for stage in read_record(folder, STAGES).stages for name, kept in stage.left.items()}
    if not left:
        raise AlteredError(
            f"{folder.name} has no record of its files: it was made by an earlier version, or never ended"
        )
    if changed := [*altered(folder, left, hashed=True)]:
        raise AlteredError(
            "\n  ".join([f"{len(changed)} of {len(left)} files of {folder.name} are not as left:", *changed])
        )
    typer.echo(f"{folder.name}: all {len(left)} files are as the run left them")


def runs(
    run: Annotated[str, typer.Argument(metavar="[RUN]", help="One run, in detail.")] = "",
    prune: Annotated[bool, typer.Option("--prune", help="Remove run folders, after asking.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --prune: do not ask.")] = False,
) -> None:
    """All runs (when, data, model, verdict, how good, how large, what is stale), or one in detail."""
    from lifeboat.run import resolve

    folders = [find_run(run)] if run else sorted(file.parent for file in resolve("outputs").glob("*/run.json"))
    if not folders:
        typer.echo(f"no runs in {resolve('outputs')}: start one with `make run`")
    elif prune:
        _prune(folders, yes)
    elif run:
        _detail(folders[0])
    else:
        _table(folders)


def _facts(folder: Path) -> dict[str, str]:
    """What is said of a run."""
    from lifeboat.run import STAGES, Run
    from lifeboat.runner.record import read_record
    from lifeboat.runner.summary import interval, json_or_nothing

    record, run = read_record(folder, STAGES), Run(folder)
    verdict, scores = json_or_nothing(run.where("verdict")), json_or_nothing(run.where("metrics")).get("model", {})
    deployed = json_or_nothing(run.where("deployed"))
    metric = verdict.get("details", {}).get("rule", {}).get("metric") or next(iter(scores), "")
    model = f"{deployed['name']} {deployed['version']}, {deployed['alias']}" if deployed else ""
    chosen = ("estimator" in record.parameters and str(record.parameters["estimator"])) or ""
    return {
        "run": folder.name,
        "when": max((stage.started or "" for stage in record.stages), default="")[:16].replace("T", " "),
        "data": str(record.parameters.get("labelled_path", "")),
        "model": ", ".join(filter(None, [chosen, model])),
        "verdict": str(verdict.get("alias", "")),
        "how good": f"{metric} {interval(scores.get(metric))}" if metric else "",
        "size": f"{_megabytes(folder):.1f} MB",
        "stale": "; ".join(_stale(folder)),
    }


def _megabytes(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 2**20


def _stale(folder: Path) -> Iterator[str]:
    """The notebooks that a run with the same parameters would do again, with the first reason."""
    planned = _as_recorded(folder)
    for name, reasons in planned.plan().items():
        if reasons:
            yield f"{name[:2]}: {reasons[0]}"


def _as_recorded(folder: Path) -> Series:
    """The series of a run's own parameters."""
    from lifeboat.parameters.files import Chosen
    from lifeboat.parameters.resolve import Resolved
    from lifeboat.run import STAGES
    from lifeboat.runner.notebook import series
    from lifeboat.runner.record import read_record
    from lifeboat.runner.series import Options, Series

    record = read_record(folder, STAGES)
    resolved = Resolved(record.parameters, record.origins, Chosen(record.parameters), {})
    return Series(series(), resolved, folder, Options(lean=record.lean))


def _table(folders: list[Path]) -> None:
    from rich.console import Console
    from rich.table import Table

    rows = [_facts(folder) for folder in folders]
    table = Table(*rows[0], show_lines=True)
    for row in rows:
        table.add_row(*row.values())
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _detail(folder: Path) -> None:
    from lifeboat.run import STAGES
    from lifeboat.runner.record import read_record
    from lifeboat.runner.summary import summary

    for name, text in _facts(folder).items():
        typer.echo(f"{name:<9}{text or '-'}")
    record = read_record(folder, STAGES)
    changed = "" if record.code.get("clean", True) else ", with changes"
    typer.echo(f"{'code':<9}{record.code.get('commit', 'no checkout of git')[:12]}{changed}")
    for stage in record.stages:
        typer.echo(f"  {stage.name:<14} {stage.state:<11} {stage.started or ''} {stage.seconds or 0:.1f} s")
    typer.echo("\n" + summary(record, folder))


def _prune(folders: list[Path], yes: bool) -> None:
    """Remove runs but those whose model somebody asks for by an alias, that are served, or that are under way."""
    removable = []
    for folder in folders:
        if why := _kept(folder):
            typer.echo(f"{folder.name} stays: {why}")
        else:
            removable.append(folder)
    sizes = {folder: _megabytes(folder) for folder in removable}
    for folder, size in sizes.items():
        typer.echo(f"{folder.name}: {size:.1f} MB")
    question = f"Remove {len(removable)} runs, {sum(sizes.values()):.1f} MB?"
    if removable and (yes or typer.confirm(question)):
        for folder in removable:
            shutil.rmtree(folder)


def _kept(folder: Path) -> str:
    """Why a run's folder may not be removed; empty where it may."""
    from lifeboat.deploy import registry
    from lifeboat.run import Run
    from lifeboat.run.lock import RunFolderBusyError, in_use, need_free
    from lifeboat.runner.record import read_record
    from lifeboat.runner.summary import json_or_nothing

    with suppress(RunFolderBusyError):
        need_free(folder)
        if in_use(folder):
            return "it is served"
        deployed: dict[str, Any] = json_or_nothing(Run(folder).where("deployed"))
        if not deployed:
            return ""
        store = str(read_record(folder, []).parameters.get("tracking_uri", ""))
        holders = registry.holders(deployed["name"], store)
        aliases = [alias for alias, version in holders.items() if version == str(deployed["version"])]
        return f"its model is the {' and the '.join(sorted(aliases))}" if aliases else ""
    return "a run is under way in it"
