"""``lifeboat serve`` and ``lifeboat parity``: a portable model over HTTP, and held against Spark's."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Annotated

import typer

from lifeboat.cli.models import UnseenOption, find_run, portable_folder, spark_model


def serve(
    model: Annotated[
        str, typer.Argument(help="A run's name or folder, or models:/NAME@ALIAS; the last run by default.")
    ] = "",
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.", min=0, max=65535)] = 5001,
    unseen: UnseenOption = "",
) -> None:
    """Serve a portable model over HTTP."""
    from lifeboat.deploy.server.app import serve as serve_folder
    from lifeboat.run.lock import in_use_here

    folder = portable_folder(model)
    run_dir = folder.parents[1]
    with in_use_here(run_dir) if (run_dir / "run.json").is_file() else nullcontext():
        serve_folder(folder, host, port, unseen)


def parity(
    model: Annotated[str, typer.Argument(help="A run's name or folder; the last run by default.")] = "",
    rows: Annotated[int, typer.Option(help="How many rows to make up.", min=1)] = 100_000,
    seed: Annotated[int, typer.Option(help="The seed of the rows.")] = 42,
    spark: Annotated[str, typer.Option(help="Where Spark runs; local[*] by default.")] = "",
) -> None:
    """Ask Spark's model and the portable one about the same rows, made to tell them apart."""
    from pyspark.ml import PipelineModel

    from lifeboat.deploy.parity import parity as compare
    from lifeboat.spark import session

    run_dir = find_run(model)
    portable = portable_folder(str(run_dir))
    with session.start(spark or "local[*]", explicit=bool(spark)) as started:
        result = compare(PipelineModel.load(str(spark_model(run_dir))), portable, rows, seed, started)
    typer.echo(f"rows                            {result.rows:,}")
    typer.echo(f"class mismatches                {result.class_mismatches:,}")
    typer.echo(f"largest probability difference  {result.largest_probability_difference:.3g}")
    if result.class_mismatches:
        raise typer.Exit(1)
