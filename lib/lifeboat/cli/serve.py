"""``lifeboat serve`` and ``lifeboat parity``: a portable model over HTTP, and held against Spark's."""

from __future__ import annotations

# what is imported here, every `lifeboat --help` waits for: the heavy parts are imported where they are used
from typing import Annotated

import typer

from lifeboat.cli.models import UnseenOption, find_run, portable_folder, spark_model
from lifeboat.cli.plainly import plain_errors


def serve(
    model: Annotated[
        str, typer.Argument(help="A run's name or folder, or models:/NAME@ALIAS; the last run by default.")
    ] = "",
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.", min=0, max=65535)] = 5001,
    unseen: UnseenOption = "",
) -> None:
    """Serve a portable model over HTTP."""
    with plain_errors():
        from lifeboat.deploy.server.app import serve as serve_folder

        serve_folder(portable_folder(model), host, port, unseen)


def parity(
    model: Annotated[str, typer.Argument(help="A run's name or folder; the last run by default.")] = "",
    rows: Annotated[int, typer.Option(help="How many rows to make up.", min=1)] = 100_000,
    seed: Annotated[int, typer.Option(help="The seed of the rows.")] = 42,
    spark: Annotated[str, typer.Option(help="Where Spark runs.")] = "local[*]",
) -> None:
    """Ask Spark's model and the portable one about the same rows, made to tell them apart."""
    with plain_errors():
        _parity(model, rows, seed, spark)


def _parity(model: str, rows: int, seed: int, where: str) -> None:
    from pyspark.ml import PipelineModel

    from lifeboat.deploy.parity import parity as compare
    from lifeboat.spark import session

    run_dir = find_run(model)
    portable = portable_folder(str(run_dir))
    spark = session.start(where)
    try:
        result = compare(PipelineModel.load(str(spark_model(run_dir))), portable, rows, seed, spark)
    finally:
        spark.stop()
    typer.echo(f"rows                            {result.rows:,}")
    typer.echo(f"class mismatches                {result.class_mismatches:,}")
    typer.echo(f"largest probability difference  {result.largest_probability_difference:.3g}")
    if result.class_mismatches:
        raise typer.Exit(1)
