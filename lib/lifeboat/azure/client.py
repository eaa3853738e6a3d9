"""The way to Azure: the SDK's client, and its errors as sentences that say what to do."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

from lifeboat.azure.settings import AzureSettings
from lifeboat.errors import LifeboatError

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

EXTRA = "the commands for Azure need two more packages: pip install 'lifeboat[azure]'"
TRIES = 3  # of a request that found no way or a busy service, so that a broken network is known in seconds
HINTS = {
    401: "sign in anew: `az login`, or check the credential in the environment",
    403: "ask for the role 'AzureML Data Scientist' on the workspace; to make a workspace, 'Contributor' on its group",
    404: "check subscription_id, resource_group and workspace; `--create` makes a workspace that is not there",
    409: "somebody else changes it just now, or it is not in a state for this: wait a minute and call again",
    429: "the service takes no more requests just now: wait some minutes and call again",
}
QUOTA = "take a smaller instance_type or fewer of them, delete an idle slot, or ask for more quota in Azure's portal"
AGAIN = "call again: what is done already is not done twice"


class AzureError(LifeboatError, RuntimeError):
    """Azure refused, failed or did not answer."""


def need_sdk() -> None:
    """Raise AzureError unless the packages of ``lifeboat[azure]`` are installed."""
    try:
        import azure.ai.ml
        import azure.identity  # noqa: F401
    except ImportError as error:
        raise AzureError(f"{EXTRA} ({error})") from error


def connect(settings: AzureSettings, credential: Any = None) -> MLClient:
    """The SDK's client of a workspace. Nothing is asked yet, not even whether the workspace is there.

    Args:
        settings: Where.
        credential: How to sign in; by default Azure's chain: the environment, a managed identity, ``az login``.

    Raises:
        AzureError: The packages of ``lifeboat[azure]`` are not installed.
    """
    need_sdk()
    from azure.ai.ml import MLClient
    from azure.identity import DefaultAzureCredential

    return MLClient(
        credential or DefaultAzureCredential(),
        settings.subscription_id,
        settings.resource_group,
        settings.workspace,
        enable_telemetry=False,
        show_progress=False,
        retry_total=TRIES,
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Without the SDK's progress: dots on the output, and messages that its modules log by handlers of their own."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logging.disable(before)


@contextmanager
def said(step: str) -> Iterator[None]:
    """What goes wrong inside becomes an AzureError that names the step, what Azure said and the way out."""
    from azure.ai.ml.exceptions import MlException
    from azure.core.exceptions import AzureError as AnyAzureError

    try:
        with quiet():
            yield
    except (AnyAzureError, MlException, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        # the last four: the SDK reads an answer that is none of its service's as if it were one
        raise AzureError(f"{step}: {why(error)}") from error


def why(error: Exception) -> str:
    """What happened, and what to do about it."""
    from azure.core.exceptions import (
        ClientAuthenticationError,
        DecodeError,
        HttpResponseError,
        ServiceRequestError,
        ServiceResponseError,
    )

    text = first_line(error)
    if isinstance(error, ClientAuthenticationError):
        return f"Azure does not know who asks ({text}); {HINTS[401]}"
    if isinstance(error, ServiceRequestError | ServiceResponseError | OSError):
        return f"no answer in time ({text}); look at the network, then {AGAIN}"
    if isinstance(error, DecodeError) or not isinstance(error, HttpResponseError):
        return f"an answer that is none of Azure's ({type(error).__name__}: {text}); a proxy? Then {AGAIN}"
    if "quota" in text.lower():
        return f"{text}; {QUOTA}"
    status = error.status_code
    return f"{text} (status {status}); {HINTS.get(status or 0, AGAIN)}"


def first_line(error: Exception) -> str:
    """The first line of what an error says; Azure's own say more, and repeat themselves."""
    said = str(getattr(error, "message", None) or error)
    return next((line.strip() for line in said.splitlines() if line.strip()), type(error).__name__)
