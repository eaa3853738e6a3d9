"""``lifeboat serve`` and ``lifeboat parity``: a portable model over HTTP, and held against Spark's."""

from __future__ import annotations

import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lifeboat.cli.models import find_run, portable_folder, spark_model

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

MODEL = "a run's name or folder, or models:/NAME@ALIAS; the last run by default"
REGISTRY = "models:/"


def serve(context: typer.Context) -> None:
    """Serve a portable model over HTTP; `lifeboat serve --help` lists the options."""
    from lifeboat.deploy.server.options import settings_of
    from lifeboat.deploy.server.process import serve as serve_folder
    from lifeboat.run.lock import in_use_here

    args = _parser().parse_args(context.args)
    if args.rollback:
        _rollback(args.model)
    elif args.model.startswith(REGISTRY) and "@" in args.model:
        _follow(args)
    else:
        folder = portable_folder(args.model)
        run_dir = folder.parents[1]
        with in_use_here(run_dir) if (run_dir / "run.json").is_file() else nullcontext():
            serve_folder(folder, settings_of(args, _run_name(folder)))


def _parser() -> ArgumentParser:
    from lifeboat.deploy.server.options import parser

    made = parser("lifeboat serve", "Serve a portable model over HTTP.", MODEL, required=False)
    made.add_argument(
        "--watch", type=float, default=10, metavar="SECONDS",
        help="how often to ask the registry whether the alias names another version; 0: never",
    )  # fmt: skip
    made.add_argument("--rollback", action="store_true", help="let a running server's version before answer again")
    return made


def _follow(args: Namespace) -> None:
    """Serve the version that has an alias, and each one that gets it."""
    from lifeboat.deploy.server.options import settings_of
    from lifeboat.deploy.server.process import serve as serve_folder

    name, alias = _name_and_alias(args.model)
    settings, store = settings_of(args, name), _store(args.model)
    settings.need_closed()
    watch = [sys.executable, "-m", "lifeboat.deploy.watch", str(store), name, alias, "--unseen", args.unseen]
    first = subprocess.run([*watch, "--once"], check=False)  # what MLflow needs of memory stays out of this process
    if first.returncode and not (store / "pointer.json").exists():
        raise typer.Exit(1)
    watcher = subprocess.Popen([*watch, "--seconds", str(args.watch)]) if args.watch else None
    try:
        serve_folder(store, settings, store=True)
    finally:
        if watcher:
            watcher.terminate()
            watcher.wait()


def _rollback(model: str) -> None:
    from lifeboat.deploy.server.store import Store
    from lifeboat.errors import ParameterError

    if not (model.startswith(REGISTRY) and "@" in model):
        raise ParameterError(f"--rollback takes models:/NAME@ALIAS, as the server was started with; got {model!r}")
    pointer = Store(_store(model), _name_and_alias(model)[0]).rollback()
    typer.echo(f"version {pointer.current} answers, in place of {pointer.withdrawn}, which is not taken again")


def _name_and_alias(model: str) -> tuple[str, str]:
    """The registered model's name and the alias in an address."""
    name, _, alias = model.removeprefix(REGISTRY).partition("@")
    return name, alias


def _store(model: str) -> Path:
    """The folder in which a server keeps the versions that it took from the registry."""
    from lifeboat.run import resolve

    return resolve("outputs") / ".serving" / "@".join(_name_and_alias(model))


def _run_name(portable: Path) -> str:
    """What the model of a folder is called: as its run."""
    return portable.parents[1].name if portable.parts[-2:] == ("05_deploy", "portable") else "model"


def parity(
    model: Annotated[str, typer.Argument(help="A run's name or folder; the last run by default.")] = "",
    rows: Annotated[int, typer.Option(help="How many rows to make up.", min=1)] = 100_000,
    seed: Annotated[int, typer.Option(help="The seed of the rows.")] = 42,
    spark: Annotated[str, typer.Option(help="Where Spark runs; local[*] by default.")] = "",
) -> None:
    """Ask Spark's model and the portable one about the same rows, made to tell them apart."""
    from pyspark.ml import PipelineModel

    from lifeboat.deploy.parity import parity as compare
    from lifeboat.run.saving import load_pipeline
    from lifeboat.spark import session

    run_dir = find_run(model)
    portable = portable_folder(str(run_dir))
    with session.start(spark or "local[*]", explicit=bool(spark)) as started:
        result = compare(load_pipeline(PipelineModel, spark_model(run_dir)), portable, rows, seed, started)
    typer.echo(f"rows                            {result.rows:,}")
    typer.echo(f"class mismatches                {result.class_mismatches:,}")
    typer.echo(f"largest probability difference  {result.largest_probability_difference:.3g}")
    if result.class_mismatches:
        raise typer.Exit(1)
