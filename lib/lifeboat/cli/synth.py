"""``lifeboat synth``: as many rows as you like, like those of a parameter file's table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def synth(
    params: Annotated[str, typer.Argument(help="A parameter file, or its name in params/, such as titanic.")],
    out: Annotated[Path, typer.Argument(help="The folder to make.")],
    rows: Annotated[int, typer.Option(help="How many rows to make.", min=1)] = 1_000_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same rows.")] = 1912,
    spark: Annotated[str, typer.Option(help="Where Spark runs; local[*] by default.")] = "",
) -> None:
    """Make rows like those of a parameter file's table, as a parquet folder."""
    from lifeboat.load import parse_schema
    from lifeboat.load.synth import real_rows, resample, write
    from lifeboat.parameters.files import read_parameters
    from lifeboat.parameters.resolve import resolve
    from lifeboat.parameters.rules import check
    from lifeboat.run.paths import from_root, named_by_shell, project_root
    from lifeboat.spark import session

    named = project_root() / "params" / f"{params}.yaml"
    values = check(resolve(read_parameters([named if named.is_file() else named_by_shell(Path(params))])))
    key, ranges = values["key"], values["ranges"]
    with session.start(spark or values["spark"], explicit=bool(spark)) as started:
        schema = parse_schema(values["schema"])
        real = real_rows(started, values["labelled_path"], schema, key, ranges)
        folder = write(resample(real, rows, key, values["label"], seed, ranges), out.absolute())
    typer.echo(f"{rows:,} rows in {folder}")
    file = params if params.endswith(".yaml") else f"params/{params}.yaml"
    typer.echo(f"next: lifeboat run {file} -p labelled_path={from_root(folder)}")
