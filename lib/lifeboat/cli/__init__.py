"""The command ``lifeboat``: one module for each group of subcommands, put together here."""

from __future__ import annotations

import typer

from lifeboat.cli.azure import azure
from lifeboat.cli.new import new
from lifeboat.cli.run import run
from lifeboat.cli.score import score
from lifeboat.cli.serve import parity, serve
from lifeboat.cli.synth import synth

app = typer.Typer(
    help="From a CSV to a served model: five notebooks that can be read, run and served.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (new, run, serve, score, parity, synth):
    app.command()(command)
app.add_typer(azure, name="azure")
