"""``lifeboat catch-up``: go on with the class."""

from __future__ import annotations

from typing import Annotated

import typer


def catch_up(
    number: Annotated[str, typer.Argument(metavar="NN", help="The notebook to go on with, such as 03.")],
    name: Annotated[str, typer.Option(help="The run's folder in outputs/.")] = "tutorial",
) -> None:
    """Lay what the notebooks before NN leave into outputs/NAME, and take notebook NN back to what it was.

    What they leave is that of their own parameters, the Titanic's. A notebook that somebody has changed stays beside
    the one that is put back, as my_NN_...
    """
    from lifeboat.run.paths import shown
    from lifeboat.runner.folders import run_folder
    from lifeboat.teaching.catch_up import catch_up as lay

    done = lay(number, run_folder(name))
    for folder in done.laid:
        typer.echo(f"{shown(folder)}: as its notebook leaves it")
    if done.kept:
        typer.echo(f"{shown(done.notebook)}: taken back; yours is {shown(done.kept)}")
    typer.echo(f"Go on with {shown(done.notebook)}.")
