"""The command ``lifeboat``: its subcommands, put together."""

from __future__ import annotations

from typing import Annotated

import typer

from lifeboat.cli.azure import azure
from lifeboat.cli.catch_up import catch_up
from lifeboat.cli.class_folder import class_folder
from lifeboat.cli.doctor import doctor
from lifeboat.cli.new import new
from lifeboat.cli.params import params
from lifeboat.cli.plainly import PlainErrors
from lifeboat.cli.run import run
from lifeboat.cli.runs import report, runs, verify
from lifeboat.cli.score import score
from lifeboat.cli.serve import parity, serve
from lifeboat.cli.synth import synth
from lifeboat.cli.warm import warm

app = typer.Typer(
    cls=PlainErrors,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()  # `lifeboat.__main__` takes --debug wherever it stands; here it is shown
def options(debug: Annotated[bool, typer.Option("--debug", help="Show the whole stack of an error.")] = False) -> None:
    """From a CSV to a served model: five notebooks that can be read, run and served."""


for command in (new, params, run, runs, report, verify, score, parity, synth, warm, doctor, catch_up):
    app.command()(command)
app.command("class")(class_folder)
# its options are the server's own, which a container starts without typer
anything = {"allow_extra_args": True, "ignore_unknown_options": True}
app.command(context_settings=anything, add_help_option=False)(serve)
app.add_typer(azure, name="azure")
