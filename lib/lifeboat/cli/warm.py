"""``lifeboat warm``: Spark starts in half the time from then on."""

from __future__ import annotations

from typing import Annotated

import typer


def warm(
    again: Annotated[bool, typer.Option("--again", help="Make it anew where it is there already.")] = False,
) -> None:
    """Keep the classes that Spark loads on disk: each start of Spark then takes about half the time."""
    from lifeboat.run.paths import shown
    from lifeboat.spark.warm import warm as make_archive

    path, made = make_archive(again)
    megabytes = path.stat().st_size >> 20
    typer.echo(f"{shown(path)}, {megabytes} MB: {'made' if made else 'there already (--again makes it anew)'}")
