"""The ways in which the fake can be told to fail."""

from __future__ import annotations

import json
from collections.abc import Callable

import requests
from fake_state import SUBSCRIPTION
from fake_wire import Answer, Request, blob_error, error

QUOTA = (
    "Not enough quota available for Standard_DS3_v2 in SubscriptionId {0}. Current usage/limit: 0/6. "
    "Additional needed: 8 Please see troubleshooting guide, available here: https://aka.ms/oe-tsg#error-outofquota"
)
PROVISIONING = (
    "ResourceNotReady",
    "User container has crashed or terminated. Please see troubleshooting guide, available here: "
    "https://aka.ms/oe-tsg#error-resourcenotready",
)
KINDS = ("403", "404", "409", "429", "500", "quota", "timeout", "unreachable", "malformed", "broken")
"""What can befall any request. ``provisioning``, ``kill`` and ``interrupt`` besides: see FakeAzure.fail."""


class KilledError(BaseException):
    """The command is dead, as by kill -9: no ``except Exception`` sees it, and no request of its goes out any more."""


def answer(how: str, request: Request) -> Answer:
    """The service's answer of that kind. A time-out has none: it is raised."""
    if how == "timeout":
        raise requests.exceptions.ReadTimeout(f"{request.host}: Read timed out. (read timeout=300)")
    if how == "unreachable":
        raise requests.exceptions.ConnectTimeout(f"{request.host}: Connection timed out. (connect timeout=300)")
    if how == "malformed":
        return Answer(200, b"<html><body>Sign in to the network</body></html>", {"Content-Type": "text/html"})
    if how == "broken":
        return Answer(200, b'{"properties": {"provisioning', {"Content-Type": "application/json"})
    if request.host.endswith("blob.core.windows.net"):
        return _blob(how)
    return _manager(how, request)


def _blob(how: str) -> Answer:
    status, code, text = {
        "403": (403, "AuthorizationPermissionMismatch", "This request is not authorized with this permission."),
        "404": (404, "ContainerNotFound", "The specified container does not exist."),
        "409": (409, "ContainerBeingDeleted", "The specified container is being deleted."),
        "429": (503, "ServerBusy", "The server is currently unable to receive requests."),
        "500": (500, "InternalError", "The server encountered an internal error."),
        "quota": (409, "AccountIsDisabled", "The specified account is disabled."),
    }[how]
    return blob_error(status, code, text)


def _manager(how: str, request: Request) -> Answer:
    makers: dict[str, Callable[[], Answer]] = {
        "403": lambda: error(
            403,
            "AuthorizationFailed",
            f"The client 'someone' does not have authorization to perform action '{request.step}' over scope "
            f"'{request.path}' or the scope is invalid.",
        ),
        "404": lambda: error(404, "ResourceNotFound", f"The Resource '{request.path}' was not found."),
        "409": lambda: error(409, "Conflict", "Another operation on this resource is in progress."),
        "429": lambda: throttled(request),
        "500": lambda: error(500, "InternalServerError", "Received 500 from a service request."),
        "quota": quota,
    }
    return makers[how]()


def throttled(request: Request) -> Answer:
    text = f"Number of requests for subscription '{SUBSCRIPTION}' exceeded. Please try again after '1' seconds."
    made = error(429, "SubscriptionRequestsThrottled", text)
    return Answer(429, made.body, {"retry-after-ms": "5"})


def quota() -> Answer:
    problem = {"errors": {"VmSize": [QUOTA.format(SUBSCRIPTION)]}, "title": "One or more validation errors occurred."}
    message = f"InferencingClient HttpRequest error, error detail: {json.dumps({**problem, 'status': 400})}"
    detail = {"code": "InferencingClientCreateDeploymentFailed", "message": message}
    return error(400, "BadRequest", "The request is invalid.", [detail])
