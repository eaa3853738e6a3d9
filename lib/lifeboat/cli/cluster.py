"""``lifeboat cluster``: a real Spark cluster on this machine, until it is told to go."""

from __future__ import annotations

# what is imported here, every `lifeboat --help` waits for: the heavy parts are imported where they are used
from pathlib import Path
from typing import Annotated

import typer

from lifeboat.cli.plainly import said_plainly

cluster = typer.Typer(help="A real Spark cluster on this machine: a master and workers.", no_args_is_help=True)


@cluster.command()
def up(
    workers: Annotated[int, typer.Option(help="How many workers.", min=1)] = 2,
    cores: Annotated[int, typer.Option(help="The cores of each.", min=1)] = 1,
    memory: Annotated[str, typer.Option(help="The memory of each, such as 2g; at least 1g.")] = "1g",
    connect: Annotated[bool, typer.Option("--connect", help="Start a Spark Connect server on it too.")] = False,
) -> None:
    """Start a cluster and leave it running."""
    with said_plainly():
        _up(workers, cores, memory, connect)


def _up(workers: int, cores: int, memory: str, connect: bool) -> None:
    from lifeboat.cluster import Cluster, end, listening, members
    from lifeboat.errors import LifeboatError

    place = _place()
    if addresses := listening(place):
        typer.echo("A cluster is up already; `lifeboat cluster down` ends it.")
        return _tell(addresses)
    if members(place) and not (place / "addresses.json").exists():
        raise LifeboatError("a cluster is being started, or a start hangs: wait, or `lifeboat cluster down`")
    end(place)  # what a crash left
    started = Cluster(workers, cores, memory, connect, place)
    started.leave()
    _tell({"url": started.url, "remote": started.remote})


def _tell(addresses: dict[str, str | None]) -> None:
    for what, address in (("cluster", addresses["url"]), ("Spark Connect", addresses["remote"])):
        if address:
            typer.echo(f"{what:14}{address}\n              lifeboat run params/titanic.yaml -p spark={address}")
    typer.echo("`lifeboat cluster down` ends it.")


@cluster.command()
def down() -> None:
    """End the cluster that `up` started, or what a crash left of it."""
    with said_plainly():
        from lifeboat.cluster import end

        typer.echo("The cluster is down." if end(_place()) else "There is no cluster here.")


def _place() -> Path:
    from lifeboat.runfolder import resolve

    return resolve("outputs") / ".cluster"  # no run can be named so
