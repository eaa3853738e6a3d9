"""``lifeboat run``: the notebooks as a pipeline."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lifeboat.errors import ParameterError, redacted, unknown

if TYPE_CHECKING:
    from lifeboat.parameters.resolve import Resolved
    from lifeboat.runner.progress import Tell
    from lifeboat.runner.series import Series

AT_THE_END = ("lifeboat.runner.report", "lifeboat.deploy.nested", "mlflow.store.tracking.sqlalchemy_store")
KEPT = 3  # the exit status of a run whose model does not become champion, where that was wanted


def run(
    params: Annotated[
        list[Path], typer.Argument(help="Parameter files, such as params/titanic.yaml; what a later one says counts.")
    ],
    override: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="NAME=VALUE", help="Another value for a parameter, or NAME.PART of one."),
    ] = None,
    name: Annotated[str, typer.Option(help="The folder in outputs/; the first parameter file's name by default.")] = "",
    lean: Annotated[bool, typer.Option("--lean", help="Leave out the cells that only demonstrate something.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Run notebooks that are up to date, too.")] = False,
    first: Annotated[str, typer.Option("--from", metavar="NN", help="Run this notebook and those after it.")] = "",
    last: Annotated[str, typer.Option("--until", metavar="NN", help="Stop after this notebook.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run and why, and run nothing.")] = False,
    timeout: Annotated[
        list[str] | None,
        typer.Option(metavar="TIME", help="How long the run may take (2h), or cell=90s, notebook=20m: status 5."),
    ] = None,
    on_failure: Annotated[
        str, typer.Option(metavar="COMMAND", help="Run this where the run fails, with its name and the message.")
    ] = "",
    require_promotion: Annotated[
        bool, typer.Option("--require-promotion", help="Status 3 where the model does not become champion.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Say what happens as one JSON object a line.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing where all is well.")] = False,
) -> None:
    """Run those of the notebooks 01 to 05 that are not up to date into outputs/NAME, after checking every parameter.

    Exit status: 0 all is well, 1 a notebook failed, 2 a parameter will not do, 3 see --require-promotion, 5 a time
    limit has passed, 130 it was interrupted.
    """
    from lifeboat.parameters.files import read_parameters
    from lifeboat.parameters.resolve import resolve
    from lifeboat.run.paths import named_by_shell
    from lifeboat.runner.folders import notebooks_folder, run_folder
    from lifeboat.runner.limits import parse_limits
    from lifeboat.runner.notebook import series
    from lifeboat.runner.progress import several
    from lifeboat.runner.runner import run as run_notebooks
    from lifeboat.runner.series import Options, Series

    notebooks_folder()  # before a parameter file is missed, which lies beside it
    parameters = resolve(read_parameters([named_by_shell(path) for path in params], override or []), params[0].stem)
    options = Options(lean, force, _stage(first), _stage(last), parse_limits(timeout or []), report=True)
    planned = Series(series(), parameters, run_folder(name or params[0].stem), options)
    reasons = _checked(planned, parameters)
    if dry_run:
        return _tell_plan(planned, reasons)
    with _reported(planned.run_dir.name, on_failure), ExitStack() as stack:
        progress = stack.enter_context(_progress(as_json, quiet, len(planned.notebooks)))
        run_notebooks(planned, several(progress, partial(_prepare_end, planned)))
    if planned.names[-1] in planned.executed:
        _log_notebooks(planned)
    if not quiet and not as_json:
        _tell_summary(planned, any(reasons.values()))
    if require_promotion and not _promoted(planned.run_dir):
        raise typer.Exit(KEPT)


def _stage(number: str) -> str:
    """The notebook that a number or a name means; empty for none."""
    from lifeboat.run import STAGES

    stages = [stage for stage in STAGES if number in (stage, stage[:2], stage[1:2])]
    if number and not stages:
        raise ParameterError(unknown("notebook", number, [stage[:2] for stage in STAGES]))
    return stages[0] if stages else ""


def _checked(planned: Series, parameters: Resolved) -> dict[str, list[str]]:
    """Why each notebook is to run. Where nothing is, the parameters are those that were checked in full before."""
    from lifeboat.parameters.rules import check

    reasons = planned.plan()
    if any(reasons.values()):
        from lifeboat.runner.preflight import check_run

        check_run(parameters)
    else:
        check(parameters)
    return reasons


def _tell_plan(planned: Series, reasons: dict[str, list[str]]) -> None:
    earlier = ""
    for name, why in reasons.items():
        if why:
            typer.echo(f"{name:<14} runs: {'; '.join(why)}")
        elif planned.options.last and name > planned.options.last:
            typer.echo(f"{name:<14} is after --until")
        else:
            typer.echo(f"{name:<14} is up to date{f', unless {earlier} leaves something else' if earlier else ''}")
        earlier = earlier or (name if why else "")


@contextmanager
def _progress(as_json: bool, quiet: bool, notebooks: int) -> Iterator[Tell]:
    from lifeboat.runner.progress import Bars, JsonLines, Lines, nobody

    if as_json:
        yield JsonLines(sys.stdout)
    elif quiet:
        yield nobody
    elif sys.stderr.isatty():
        with Bars(notebooks) as bars:
            yield bars
    else:
        yield Lines(lambda: sys.stderr)


def _prepare_end(planned: Series, event: str, **facts: Any) -> None:
    """Import what follows on the last notebook while that works: it takes two seconds."""
    if event == "notebook" and facts["notebook"] == planned.names[-1] and facts["state"] == "running":
        Thread(target=lambda: [import_module(module) for module in AT_THE_END]).start()


@contextmanager
def _reported(name: str, on_failure: str) -> Iterator[None]:
    """Take a request to end as Ctrl-C is taken; tell the command that somebody named what went wrong."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        if on_failure:
            subprocess.run([*shlex.split(on_failure), name, str(error) or "interrupted"], check=False)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell_summary(planned: Series, ran: bool) -> None:
    from lifeboat.runner.summary import summary
    from lifeboat.spark import archive

    if not ran:
        typer.echo("All is up to date; --force runs it anew.")
    typer.echo(summary(planned.record, planned.run_dir))
    if ran and archive.wanted(planned.values["spark"]):
        typer.echo("Faster   lifeboat warm (from then on Spark starts in half the time)")


def _log_notebooks(planned: Series) -> None:
    """Leave in MLflow a run for each notebook, below the run that notebook 5 made."""
    from lifeboat.deploy.nested import Done, log_notebooks
    from lifeboat.run import Run
    from lifeboat.runner.runner import LOG
    from lifeboat.runner.summary import json_or_nothing
    from lifeboat.spark.environment import for_a_while

    folder = planned.run_dir
    parent = json_or_nothing(Run(folder).where("deployed")).get("mlflow_run")
    if not parent:
        return
    lines = (folder / LOG).read_text(encoding="utf-8").splitlines(keepends=True)
    done = [
        Done(
            folder / f"{stage.name}.ipynb",
            str(stage.started),
            stage.seconds or 0,
            "".join(line for line in lines if f" {stage.name} " in line),
        )
        for stage in planned.record.stages
    ]
    try:
        with for_a_while(planned.parameters.environment):
            log_notebooks(parent, done, str(planned.values.get("tracking_uri", "")))
    except Exception as error:  # all is done and kept: what the store says of itself is a note
        typer.echo(f"the notebooks are not in MLflow: {type(error).__name__}: {redacted(str(error))}", err=True)


def _promoted(run_dir: Path) -> bool:
    from lifeboat.run import Run

    return bool(Run(run_dir).verdict["promote"])
