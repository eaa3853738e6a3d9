"""The command ``lifeboat``: one module for each group of subcommands, put together here."""

from __future__ import annotations

import typer

from lifeboat.cli.run import run
from lifeboat.cli.serve import parity, serve

app = typer.Typer(
    help="From a CSV to a served model: five notebooks that can be read, run and served.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (run, serve, parity):
    app.command()(command)
