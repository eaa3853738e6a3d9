"""``lifeboat run``: the notebooks as a pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    params: Annotated[
        list[Path], typer.Argument(help="Parameter files, such as params/titanic.yaml; what a later one says counts.")
    ],
    override: Annotated[
        list[str] | None, typer.Option("-p", metavar="NAME=VALUE", help="Another value for a parameter, as YAML.")
    ] = None,
    name: Annotated[str, typer.Option(help="The folder in outputs/; the first parameter file's name by default.")] = "",
    lean: Annotated[bool, typer.Option("--lean", help="Leave out the cells that only demonstrate something.")] = False,
) -> None:
    """Run notebooks 01 to 05 into outputs/NAME, after checking every parameter."""
    from lifeboat.parameters.files import read_parameters
    from lifeboat.parameters.resolve import resolve
    from lifeboat.run.paths import named_by_shell
    from lifeboat.runner.folders import notebooks_folder, run_folder
    from lifeboat.runner.preflight import check_run

    notebooks_folder()  # before a parameter file is missed, which lies beside it
    parameters = resolve(read_parameters([named_by_shell(path) for path in params], override or []), params[0].stem)
    values = check_run(parameters)

    from lifeboat.runner.progress import Bars
    from lifeboat.runner.runner import run as run_notebooks
    from lifeboat.runner.runner import series
    from lifeboat.runner.summary import summary
    from lifeboat.spark import archive

    run_dir, notebooks = run_folder(name or params[0].stem), series()
    with Bars(len(notebooks)) as bars:
        record = run_notebooks(notebooks, parameters, run_dir, bars, lean)
    typer.echo(summary(record, run_dir))
    if archive.wanted(values["spark"]):
        typer.echo("Faster   lifeboat warm (from then on Spark starts in half the time)")
