"""``lifeboat azure``: a run's model on a managed online endpoint of Azure Machine Learning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from lifeboat.parameters.azure import AzureSettings

azure = typer.Typer(help="A run's model on an endpoint of Azure Machine Learning.", no_args_is_help=True)

Config = Annotated[Path, typer.Option(help="A parameter file with a block `azure:`.")]
CONFIG = Path("params/azure.yaml")


@azure.command()
def deploy(
    run: Annotated[str, typer.Argument(help="A run's name or folder; the last run by default.")] = "",
    config: Config = CONFIG,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent, and send nothing.")] = False,
    create: Annotated[bool, typer.Option("--create", help="Make the workspace if it is not there.")] = False,
    traffic: Annotated[int, typer.Option(min=0, max=100, help="Percent of the traffic for the new model.")] = 100,
) -> None:
    """Deploy into the idle deployment, test it there, then give it its share of the traffic at once."""
    from lifeboat.cli.models import find_run
    from lifeboat.deploy.azure import bundle
    from lifeboat.deploy.azure.client import connect
    from lifeboat.deploy.azure.rollout import Rollout
    from lifeboat.parameters.azure import AzureSettings
    from lifeboat.run import Run

    folder, values = Run(find_run(run)), read_file(config)
    values = {"model": folder.deployed["name"], **values}
    if dry_run:
        return typer.echo(bundle.dry_run(folder, values, traffic))
    settings = AzureSettings.read(values)
    sent = bundle.prepare(folder, settings)
    endpoint = Rollout(connect(settings), sent, settings, typer.echo).deploy(create, traffic)
    typer.echo(endpoint.how_to_ask())


def read_file(path: Path) -> dict[str, Any]:
    """What a parameter file says under ``azure:``.

    Raises:
        ParameterError: It cannot be read, or says nothing of Azure.
    """
    from lifeboat.errors import ParameterError
    from lifeboat.parameters.files import read_parameters
    from lifeboat.run.paths import named_by_shell

    settings = read_parameters([named_by_shell(path)]).values.get("azure")
    if not isinstance(settings, dict):
        raise ParameterError(f"{path} has no block `azure:` with the settings; see params/azure.yaml")
    return settings


def _settings(config: Path) -> tuple[AzureSettings, Any]:
    """The settings, and the client of their workspace."""
    from lifeboat.deploy.azure.client import connect
    from lifeboat.parameters.azure import AzureSettings

    settings = AzureSettings.read(read_file(config))
    return settings, connect(settings)


@azure.command()
def status(config: Config = CONFIG) -> None:
    """Show the endpoint, its deployments and their traffic."""
    from lifeboat.deploy.azure.endpoint import find

    settings, client = _settings(config)
    typer.echo(find(client, settings.endpoint).table())


@azure.command()
def invoke(
    file: Annotated[Path, typer.Argument(help="JSON in one of the forms that /score and /invocations take.")],
    config: Config = CONFIG,
    deployment: Annotated[str, typer.Option(help="blue or green; by default as the traffic goes.")] = "",
) -> None:
    """Ask the endpoint, and print its answer."""
    from lifeboat.deploy.azure.endpoint import asker, find
    from lifeboat.errors import DataError
    from lifeboat.scoring.answers import LARGEST_BODY

    try:
        with file.open(encoding="utf-8") as stream:
            body = json.loads(stream.read(LARGEST_BODY))  # a device has no end
    except (OSError, ValueError) as error:
        raise DataError(f"{file} cannot be sent: {error}; write a JSON body such as one record") from error
    settings, client = _settings(config)
    ask = asker(client, find(client, settings.endpoint), settings.request_timeout_ms)
    typer.echo(json.dumps(ask.ask(f"ask {settings.endpoint}", body, deployment)))


@azure.command()
def rollback(config: Config = CONFIG) -> None:
    """Give all traffic to the deployment that served before the newest."""
    from lifeboat.deploy.azure import endpoint

    settings, client = _settings(config)
    typer.echo(endpoint.rollback(client, settings.endpoint))


@azure.command()
def delete(
    config: Config = CONFIG,
    deployment: Annotated[str, typer.Option(help="Only this deployment, which has no traffic.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete the endpoint and its deployments, or one idle deployment."""
    from lifeboat.deploy.azure import endpoint

    settings, client = _settings(config)
    name = settings.endpoint
    target = f"deployment {deployment} of {name}" if deployment else f"endpoint {name} with all its deployments"
    if not yes:
        typer.confirm(f"Delete {target}?", abort=True)
    typer.echo(endpoint.delete(client, name, deployment))
