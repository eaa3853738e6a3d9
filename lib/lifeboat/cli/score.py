"""``lifeboat score``: a portable model's answers for a file of any size."""

from __future__ import annotations

# what is imported here, every `lifeboat --help` waits for: the heavy parts are imported where they are used
from pathlib import Path
from typing import Annotated

import typer

from lifeboat.cli.models import portable_folder
from lifeboat.cli.plainly import said_plainly


def score(
    model: Annotated[str, typer.Argument(help="A run's name or folder, or models:/NAME@ALIAS.")],
    source: Annotated[Path, typer.Argument(metavar="IN", help="A parquet or CSV file, or a folder of them.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="A parquet file; a folder of them with --spark.")],
    spark: Annotated[
        str, typer.Option(help="Where Spark runs, such as local[*] or spark://host:7077; without it no Spark at all.")
    ] = "",
    keep: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Write this column and no other of IN's; repeatable."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT.")] = False,
) -> None:
    """Score every row of IN with a portable model, and write OUT.

    OUT has IN's columns and three more: prediction; probability, that of class 1 (with more than two classes, of
    each); and reason, empty where the row was scored, else the sentence that says why it cannot be. No row is left
    out. In a CSV file an empty value is a missing one; its own columns stay text in OUT.
    """
    with said_plainly():
        _score(model, source, target, spark, keep or None, force)


def _score(model: str, source: Path, target: Path, where: str, keep: list[str] | None, force: bool) -> None:
    from lifeboat.serving.columns import ColumnScorer
    from lifeboat.serving.scorer import Scorer

    scorer = ColumnScorer(Scorer.load(portable_folder(model)))
    source, target = source.absolute(), target.absolute()
    if where:
        from lifeboat import session
        from lifeboat.serving.frames import score_on_spark

        spark = session.start(where)
        try:
            scored = score_on_spark(spark, scorer, source, target, keep, force)
        finally:
            spark.stop()
    else:
        from lifeboat.serving.batch import score_file

        scored = score_file(scorer, source, target, keep, force)
    typer.echo(f"{scored.rows - scored.refused:,} rows scored into {target}")
    if scored.refused:
        typer.echo(f"{scored.refused:,} rows cannot be: their column `reason` says why")
