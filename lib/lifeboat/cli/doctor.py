"""``lifeboat doctor``: whether this machine is ready for class."""

from __future__ import annotations

from typing import Annotated

import typer


def doctor(
    decode: Annotated[
        str | None, typer.Option(metavar="CODE", help="Say what a code means that somebody reads out.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="CHECK", help="Make this check alone; several times.")
    ] = None,
) -> None:
    """Look whether this machine is ready for class: a minute; what is not ready is named with its mend."""
    from lifeboat.teaching.doctor import main

    arguments = [f"--only={name}" for name in only or []] + ([] if decode is None else [f"--decode={decode}"])
    raise typer.Exit(main(arguments))
