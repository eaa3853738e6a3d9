"""How the commands say what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from lifeboat.errors import LifeboatError, ParameterError


@contextmanager
def said_plainly() -> Iterator[None]:
    """Errors on purpose end as their message: status 2 for parameters, 1 for the rest, 130 for Ctrl-C."""
    try:
        yield
    except LifeboatError as error:
        typer.echo(f"lifeboat: {error}", err=True)
        raise typer.Exit(2 if isinstance(error, ParameterError) else 1) from None
    except KeyboardInterrupt:
        typer.echo("lifeboat: interrupted", err=True)
        raise typer.Exit(130) from None
