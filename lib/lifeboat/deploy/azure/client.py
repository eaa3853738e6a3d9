"""The way to Azure: the SDK's client, and its errors as sentences that say what to do."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

from lifeboat.errors import LifeboatError
from lifeboat.parameters.azure import AzureSettings

if TYPE_CHECKING:
    from azure.ai.ml import MLClient

EXTRA = "the commands for Azure need two more packages: pip install 'lifeboat[azure]'"
EVERY = 5  # seconds between two looks at what Azure is doing; its own wish comes first
TRIES = 3  # of a request that found no way or a busy service, so that a broken network is known in seconds
HINTS = {
    401: "sign in anew: `az login`, or check the credential in the environment",
    403: "ask for the role 'AzureML Data Scientist' on the workspace; to make a workspace, 'Contributor' on its group",
    404: "check subscription_id, resource_group and workspace; `--create` makes a workspace that is not there",
    409: "somebody else changes it just now, or it is not in a state for this: wait a minute and call again",
    429: "the service takes no more requests just now: wait some minutes and call again",
}
QUOTA = (
    "take a smaller instance_type or fewer of them, delete an idle deployment, or ask for more quota in Azure's portal"
)
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
        show_progress=True,  # without it the SDK loses an upload's error and waits for ever; `step` hides it
        retry_total=TRIES,
        polling_interval=EVERY,
    )


@contextmanager
def step(name: str) -> Iterator[None]:
    """What goes wrong inside becomes an AzureError that names the step, what Azure said and the way out.

    The SDK's progress is hidden: dots on the output, and messages that its modules log by handlers of their own.
    """
    from azure.core.exceptions import AzureError as AnyAzureError
    from azure.core.exceptions import DeserializationError
    from requests import RequestException

    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), warnings.catch_warnings(action="ignore"):
            yield
    except (AnyAzureError, RequestException, DeserializationError, json.JSONDecodeError) as error:
        raise AzureError(f"{name}: {why(error)}") from error  # the last two: an answer that is none of its service's
    finally:
        logging.disable(before)


def why(error: Exception) -> str:
    """What happened, and what to do about it."""
    from azure.core.exceptions import (
        ClientAuthenticationError,
        HttpResponseError,
        ServiceRequestError,
        ServiceResponseError,
    )

    chain: list[BaseException] = [error]  # and what led to it
    while cause := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(cause)
    # the first line: Azure's own say more, and repeat themselves
    text = (str(getattr(error, "message", "") or error).strip() or type(error).__name__).splitlines()[0]
    answered = next((cause for cause in chain if isinstance(cause, HttpResponseError) and cause.status_code), None)
    if isinstance(error, ClientAuthenticationError):
        return f"Azure does not know who asks ({text}); {HINTS[401]}"
    if any(isinstance(cause, ServiceRequestError | ServiceResponseError | OSError) for cause in chain):
        return f"no answer in time ({text}); look at the network, then {AGAIN}"
    if "quota" in " ".join(map(str, chain)).lower():
        return f"{text}; {QUOTA}"
    if answered and answered.status_code and answered.status_code >= 400:
        return f"{text} (status {answered.status_code}); {HINTS.get(answered.status_code, AGAIN)}"
    if answered and answered.error:  # it was taken on, and came to a bad end
        return f"Azure began it, and it failed: {text}; {AGAIN}"
    return f"an answer that is none of Azure's ({type(error).__name__}: {text}); a proxy? Then {AGAIN}"
