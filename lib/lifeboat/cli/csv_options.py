"""How a CSV file is written, as options of a command."""

from __future__ import annotations

from typing import Annotated, Any

import typer

Separator = Annotated[str, typer.Option(help="What parts the values of a CSV file: , ; tab | or another letter.")]
Encoding = Annotated[str, typer.Option(help="Its encoding, such as latin-1 or utf-16; utf-8 by default.")]
SkipLines = Annotated[int | None, typer.Option(min=0, help="Lines above its header that are no part of the table.")]
Multiline = Annotated[bool | None, typer.Option(help="Whether a quoted text may go over several lines.")]


def written(separator: str, encoding: str, skip_lines: int | None, multiline: bool | None) -> dict[str, Any]:
    """What was given of them, as ``reading.parse_csv`` takes it."""
    options = {"separator": separator, "encoding": encoding, "skip_lines": skip_lines, "multiline": multiline}
    return {name: value for name, value in options.items() if value not in ("", None)}
