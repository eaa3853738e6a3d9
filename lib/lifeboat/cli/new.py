"""``lifeboat new``: a first parameter file for any table."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lifeboat.cli.csv_options import Encoding, Multiline, Separator, SkipLines
from lifeboat.cli.csv_options import written as csv_written
from lifeboat.errors import ParameterError

if TYPE_CHECKING:
    from lifeboat.parameters.propose import Proposal


def new(
    data: Annotated[Path, typer.Argument(help="CSV or parquet, a file or a folder: the rows with a label.")],
    label: Annotated[str, typer.Option(help="The column to predict.")],
    positive: Annotated[str, typer.Option(help="Its value that is to be 1; the rarest by default.")] = "",
    unlabelled: Annotated[Path | None, typer.Option(help="The rows to predict, if there are any.")] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write; params/NAME.yaml by default.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    separator: Separator = "",
    encoding: Encoding = "",
    skip_lines: SkipLines = None,
    multiline: Multiline = None,
) -> None:
    """Look at a table and write a first parameter file for it, with the reason for each line."""
    from lifeboat.parameters.propose import propose, survey, written
    from lifeboat.reading import parse_csv
    from lifeboat.run import resolve, resolve_input
    from lifeboat.run.paths import from_root, shown
    from lifeboat.run.writing import write_whole

    csv = csv_written(separator, encoding, skip_lines, multiline)
    stem = re.sub(r"(\.(csv|parquet|gz|txt))+$", "", data.name, flags=re.IGNORECASE)
    name = re.sub(r"[^A-Za-z0-9]+", "_", stem).strip("_").lower() or "model"  # of models and folders
    target = out.absolute() if out else resolve(f"params/{name}.yaml")
    if target.exists() and not target.is_file():
        raise ParameterError(f"{shown(target)} is no file, and is never replaced: give another name by --out")
    if target.exists() and not force:
        raise ParameterError(
            f"{shown(target)} is there already: give another name by --out, or write over it by --force"
        )
    paths = [path.absolute() if path.exists() else resolve_input(path) for path in (data, unlabelled) if path]
    table = survey(paths[0], parse_csv(csv), guess="separator" not in csv)
    others = survey(paths[1], table.csv, guess=False) if unlabelled else None
    typer.echo(f"{data.name}: {table.rows:,} rows, {len(table.columns)} columns")
    named = [from_root(path) for path in paths]
    proposal = propose(table, label, positive, others, name, named)
    command = ["lifeboat", "new", named[0], "--label", label]
    command += ["--positive", positive] if positive else []
    command += ["--unlabelled", named[1]] if unlabelled else []
    for key, value in csv.items():
        option = f"--{key.replace('_', '-')}"
        command += [option] if value is True else [f"--no-{key}"] if value is False else [option, str(value)]
    target.parent.mkdir(parents=True, exist_ok=True)
    schema = os.path.relpath(resolve("params/schema.json"), target.parent)
    write_whole(target, written(proposal, shlex.join(command), shown(target), schema))
    _say(proposal, shown(target))


def _say(proposal: Proposal, target: str) -> None:
    numeric, categorical = (proposal.of_role(role) for role in ("numeric", "categorical"))
    label = proposal.label
    if csv := proposal.values["csv"]:
        typer.echo("csv       " + ", ".join(f"{key}: {value!r}" for key, value in csv.items()))
    typer.echo(f"label     {label.name} = 1 where {label.meaning}: {label.share:.1%} of the rows")
    typer.echo(f"key       {proposal.values['key']}: {proposal.why['key']}")
    typer.echo(
        f"features  {len(numeric)} numeric, {len(categorical)} categorical, {len(proposal.of_role('out'))} left out"
    )
    typer.echo(f"baseline  {proposal.values['baseline']}: {proposal.why['baseline']}")
    if proposal.look:
        typer.echo("Look at")
        for remark in proposal.look:
            typer.echo(f"  - {remark}")
    typer.echo(f"Written   {target}: read it, change it, then")
    typer.echo(f"  lifeboat run {shlex.quote(target)}")
