"""``lifeboat score``: a portable model's answers for a file of any size."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lifeboat.cli.csv_options import Encoding, Multiline, Separator, SkipLines, written
from lifeboat.cli.models import UnseenOption, portable_folder
from lifeboat.errors import ParameterError

if TYPE_CHECKING:
    from lifeboat.deploy.batch.files import Counts
    from lifeboat.scoring.scorer import Scorer

TOO_MANY = 4  # the exit status where more rows were refused than may be


def score(
    model: Annotated[str, typer.Argument(help="A run's name or folder, or models:/NAME@ALIAS.")],
    source: Annotated[Path, typer.Argument(metavar="IN", help="A parquet or CSV file, or a folder of them.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="A parquet file; a folder of them with --spark.")],
    spark: Annotated[
        str, typer.Option(help="Where Spark runs, such as local[*] or spark://host:7077; else only where it must.")
    ] = "",
    keep: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Write this column and no other of IN's; repeatable."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT.")] = False,
    allow_refused: Annotated[
        str, typer.Option(metavar="N", help="How many rows may be refused: a number, or a share such as 0.01 or 1%.")
    ] = "0",
    unseen: UnseenOption = "",
    separator: Separator = "",
    encoding: Encoding = "",
    skip_lines: SkipLines = None,
    multiline: Multiline = None,
) -> None:
    """Score every row of IN with a portable model, and write OUT.

    OUT has IN's columns and four more: prediction; probability, that of class 1 (with more than two classes, of
    each); reason, empty where the row was scored, else the sentence that says why it cannot be; and warning, which says
    what of a scored row training never saw. No row is left out. A raw file is read and completed as the one that the
    model was trained on: its gaps, joins and computed columns. The columns of a CSV file stay text in OUT. Exit status
    4: more rows were refused than --allow-refused.
    """
    from lifeboat.deploy.batch.files import score_file
    from lifeboat.reading import open_table, parse_csv
    from lifeboat.run.paths import from_root
    from lifeboat.scoring.scorer import Scorer

    allowed = _allowed(allow_refused)
    scorer = Scorer.load(portable_folder(model), unseen)
    if scorer.remark:
        typer.echo(f"{model} is {scorer.remark}", err=True)
    source, written_to = source.absolute(), target.absolute()
    if not source.exists():
        raise ParameterError(f"no file or folder {from_root(source)!r} to score")
    csv = scorer.enrichment.get("csv", {}) | written(separator, encoding, skip_lines, multiline)
    names = open_table(source, parse_csv(csv)).names
    lacking = [column.name for column in scorer.columns if column.name not in names and column.made]
    if not spark and not lacking:
        counts = score_file(scorer, source, written_to, keep, force, parse_csv(csv))
    else:
        counts = _on_spark(scorer, source, written_to, spark, keep, force, csv, names)
    _tell(counts, target)
    if counts.refused > (allowed if isinstance(allowed, int) else allowed * counts.rows):
        typer.echo(f"more than --allow-refused {allow_refused}: exit status {TOO_MANY}", err=True)
        raise typer.Exit(TOO_MANY)


def _allowed(text: str) -> int | float:
    """A number of rows, or a share of them."""
    try:
        if text.isdecimal():
            return int(text)
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        if 0 <= share <= 1:
            return share
    except ValueError:
        pass
    raise ParameterError(
        f"--allow-refused is {text!r}; write a number of rows such as 10, or a share such as 0.01 or 1%"
    )


def _on_spark(
    scorer: Scorer,
    source: Path,
    target: Path,
    where: str,
    keep: list[str] | None,
    force: bool,
    csv: dict[str, Any],
    names: list[str],
) -> Counts:
    """Complete the rows as in training, and score them; without ``where`` here, into one file."""
    from lifeboat.deploy.batch.frames import score_on_spark
    from lifeboat.load import enrich, parse_schema, read_raw
    from lifeboat.load.enrichment import Enrichment
    from lifeboat.spark import session

    enrichment = Enrichment.read(scorer.enrichment)
    enrichment = enrichment.only([column.name for column in scorer.columns], names)
    for path in enrichment.changed_tables():
        typer.echo(f"{path} has changed since the model was trained: what it holds now is used", err=True)
    with session.start(where or "local[*]", explicit=bool(where)) as spark:
        raw = read_raw(spark, source, csv)
        if enrichment.schema:
            raw = enrich(raw, parse_schema(enrichment.schema, made_key=enrichment.made_key), enrichment)
        return score_on_spark(raw, scorer, source, target, names if keep is None else keep, force, not where)


def _tell(counts: Counts, target: Path) -> None:
    typer.echo(f"{counts.rows - counts.refused:,} rows scored into {target}")
    for counted, headline in (
        (counts.reasons, "rows refused; `reason` says of each why. The commonest:"),
        (counts.warnings, "of the rows scored have values never seen in training; `warning` names them:"),
    ):
        if total := counted.total():
            typer.echo(f"{total:,} {headline}")
            for sentence, times in counted.most_common(3):
                typer.echo(f"  {times:,} x {sentence}")
