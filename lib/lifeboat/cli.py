"""The command ``lifeboat``: run the notebooks as a pipeline, serve a model, compare the portable model with Spark."""

from __future__ import annotations

# what is imported here, every `lifeboat --help` waits for: the heavy parts are imported where they are used
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from lifeboat.errors import DataError, LifeboatError, ParameterError

app = typer.Typer(
    help="From a CSV to a served model: five notebooks that can be read, run and served.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@contextmanager
def _said_plainly() -> Iterator[None]:
    """Errors on purpose end as their message: status 2 for parameters, 1 for the rest, 130 for Ctrl-C."""
    try:
        yield
    except LifeboatError as error:
        typer.echo(f"lifeboat: {error}", err=True)
        raise typer.Exit(2 if isinstance(error, ParameterError) else 1) from None
    except KeyboardInterrupt:
        typer.echo("lifeboat: interrupted", err=True)
        raise typer.Exit(130) from None


@app.command()
def run(
    params: Annotated[Path, typer.Argument(help="The parameter file, such as params/titanic.yaml.")],
    override: Annotated[
        list[str] | None, typer.Option("-p", metavar="NAME=VALUE", help="Another value for a parameter, as YAML.")
    ] = None,
    name: Annotated[str, typer.Option(help="The folder in outputs/; the parameter file's name by default.")] = "",
) -> None:
    """Run notebooks 01 to 05 into outputs/NAME, after checking every parameter."""
    with _said_plainly():
        _run(params, override or [], name or params.stem)


def _run(params: Path, overrides: list[str], name: str) -> None:
    from lifeboat.pipeline.params import read_declarations, read_parameters
    from lifeboat.pipeline.progress import Bars
    from lifeboat.pipeline.rules import check
    from lifeboat.pipeline.runner import run as run_notebooks
    from lifeboat.pipeline.runner import run_folder, series
    from lifeboat.pipeline.summary import summary

    run_dir, notebooks = run_folder(name), series()
    given = read_parameters(params, overrides)
    declarations = read_declarations(notebooks)
    values = check(given, declarations)
    with Bars(len(notebooks)) as bars:
        record = run_notebooks(notebooks, given.values, values, declarations, run_dir, bars)
    typer.echo(summary(record, run_dir))


@app.command()
def serve(
    model: Annotated[
        str, typer.Argument(help="A run's name or folder, or models:/NAME@ALIAS; the last run by default.")
    ] = "",
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.", min=0, max=65535)] = 5001,
) -> None:
    """Serve a portable model over HTTP."""
    with _said_plainly():
        from lifeboat.serving.app import serve as serve_folder

        serve_folder(portable_folder(model), host, port)


@app.command()
def parity(
    model: Annotated[str, typer.Argument(help="A run's name or folder; the last run by default.")] = "",
    rows: Annotated[int, typer.Option(help="How many rows to make up.", min=1)] = 100_000,
    seed: Annotated[int, typer.Option(help="The seed of the rows.")] = 42,
    spark: Annotated[str, typer.Option(help="Where Spark runs.")] = "local[*]",
) -> None:
    """Ask Spark's model and the portable one about the same rows, made to tell them apart."""
    with _said_plainly():
        _parity(model, rows, seed, spark)


def _parity(model: str, rows: int, seed: int, where: str) -> None:
    from pyspark.ml import PipelineModel

    from lifeboat import session
    from lifeboat.serving.parity import parity as compare

    run_dir = find_run(model)
    portable = portable_folder(str(run_dir))
    spark = session.start(where)
    try:
        found = compare(PipelineModel.load(str(spark_model(run_dir))), portable, rows, seed, spark)
    finally:
        spark.stop()
    typer.echo(f"rows                            {found.rows:,}")
    typer.echo(f"class mismatches                {found.class_mismatches:,}")
    typer.echo(f"largest probability difference  {found.largest_probability_difference:.3g}")
    if found.class_mismatches:
        raise typer.Exit(1)


def find_run(name: str) -> Path:
    """The run folder that a name or a path means; the last finished run for an empty name.

    Raises:
        DataError: There is no such folder.
    """
    from lifeboat.runfolder import last_run, resolve

    if not name:
        return last_run()
    for folder in (resolve("outputs") / name, Path(name).resolve()):
        if folder.is_dir():
            return folder
    runs = sorted(found.parent.name for found in resolve("outputs").glob("*/run.json"))
    raise DataError(f"there is no run {name!r} in {resolve('outputs')}; there are: {', '.join(runs) or 'none yet'}")


def spark_model(run_dir: Path) -> Path:
    """The Spark model that a run deployed; that of 03 where 05 has not run."""
    from lifeboat.runfolder import finished

    deployed = run_dir / "05_deploy" / "spark_model" / "sparkml"
    return deployed if deployed.is_dir() else finished(run_dir, "03_train_cv") / "model"


def portable_folder(model: str) -> Path:
    """The portable model's folder of a run, of a folder, or of an address in MLflow's registry.

    Raises:
        DataError: There is no portable model at that place.
    """
    if model.startswith("models:/"):
        place = _download(model)
    else:
        run_dir = find_run(model)
        deployed = run_dir / "05_deploy" / "portable"
        place = deployed if deployed.is_dir() else run_dir
    for manifest in sorted(place.rglob("manifest.json")):
        return manifest.parent
    raise DataError(f"there is no portable model in {place}: `make run` makes one, and a run's 05_deploy keeps it")


def _download(address: str) -> Path:
    import os

    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    from lifeboat.deploy import connect

    connect()
    try:
        return Path(download_artifacts(artifact_uri=address))
    except MlflowException as error:
        raise DataError(f"MLflow has no {address}: {error}") from error
