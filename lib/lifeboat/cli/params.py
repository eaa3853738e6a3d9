"""``lifeboat params``: every parameter with its value, where that is from, what else it may be and what it means."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def params(
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="Parameter files.")] = None,
    override: Annotated[
        list[str] | None, typer.Option("-p", metavar="NAME=VALUE", help="Another value for a parameter, as YAML.")
    ] = None,
    flat: Annotated[
        bool, typer.Option("--flat", help="Print one parameter file for papermill, which knows no `extends`.")
    ] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema that editors use.")] = False,
) -> None:
    """Show every parameter: its value, where that is from, what else may be written, and what it means."""
    from lifeboat.parameters import describe
    from lifeboat.parameters.files import read_parameters
    from lifeboat.parameters.resolve import resolve
    from lifeboat.parameters.rules import check
    from lifeboat.run.paths import named_by_shell

    if schema:
        return typer.echo(json.dumps(describe.schema(), indent=2, ensure_ascii=False))
    chosen = read_parameters([named_by_shell(file) for file in files or []], override or [])
    parameters = resolve(chosen, files[0].stem if files else "")
    check(parameters)
    if flat:
        import yaml

        return typer.echo(yaml.safe_dump(parameters.handed(), sort_keys=False, allow_unicode=True), nl=False)
    from rich.console import Console
    from rich.table import Table

    table = Table("parameter", "value", "from", "what may be written", "what it is", show_lines=True)
    for row in describe.table(parameters):
        table.add_row(*row)
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table)
