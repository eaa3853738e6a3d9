"""Which request asks what: the steps of the fake by method and path."""

from __future__ import annotations

import re

from fake_wire import Request

_GROUP = r"/subscriptions/[^/]+/resourceGroups/[^/]+"
_ML = rf"{_GROUP}/providers/Microsoft.MachineLearningServices/workspaces/[^/]+"
_LOCATION = r"/subscriptions/[^/]+/providers/Microsoft.MachineLearningServices/locations/[^/]+"
_TEMPLATE = rf"{_GROUP}/providers/Microsoft.Resources/deployments/[^/]+"
_ENDPOINT = rf"{_ML}/onlineEndpoints/[^/]+"
ROUTES: list[tuple[str, str, str, str]] = [
    ("template.put", "PUT", _TEMPLATE, "template_put"),
    ("template.get", "GET", _TEMPLATE, "template_get"),
    ("template.operations", "GET", rf"{_GROUP}/deployments/[^/]+/operations", "template_operations"),
    ("template.status", "GET", rf"{_TEMPLATE}/operationStatuses/[^/]+", "template_status"),
    ("operation.get", "GET", rf"{_LOCATION}/mfeOperationsStatus/[^/]+", "operation_get"),
    ("workspace.get", "GET", _ML, "workspace_get"),
    ("datastore.get", "GET", rf"{_ML}/datastores/[^/]+", "datastore_get"),
    ("datastore.secrets", "POST", rf"{_ML}/datastores/[^/]+/listSecrets", "datastore_secrets"),
    ("code.upload", "POST", rf"{_ML}/codes/[^/]+/versions/[^/]+/startPendingUpload", "code_upload"),
    *(
        row
        for kind, name in (("codes", "code"), ("models", "model"), ("environments", "environment"))
        for row in (
            (f"{name}.list", "GET", rf"{_ML}/{kind}/[^/]+/versions", "asset_list"),
            (f"{name}.get", "GET", rf"{_ML}/{kind}/[^/]+/versions/[^/]+", "asset_get"),
            (f"{name}.put", "PUT", rf"{_ML}/{kind}/[^/]+/versions/[^/]+", "asset_put"),
        )
    ),
    ("endpoint.list", "GET", rf"{_ML}/onlineEndpoints", "endpoint_list"),
    ("endpoint.get", "GET", _ENDPOINT, "endpoint_get"),
    ("endpoint.put", "PUT", _ENDPOINT, "endpoint_put"),
    ("endpoint.delete", "DELETE", _ENDPOINT, "endpoint_delete"),
    ("endpoint.keys", "POST", rf"{_ENDPOINT}/listKeys", "endpoint_keys"),
    ("deployment.list", "GET", rf"{_ENDPOINT}/deployments", "deployment_list"),
    ("deployment.get", "GET", rf"{_ENDPOINT}/deployments/[^/]+", "deployment_get"),
    ("deployment.put", "PUT", rf"{_ENDPOINT}/deployments/[^/]+", "deployment_put"),
    ("deployment.delete", "DELETE", rf"{_ENDPOINT}/deployments/[^/]+", "deployment_delete"),
]
BLOB_STEPS = {
    ("HEAD", ""): "head",
    ("PUT", ""): "put",
    ("PUT", "metadata"): "metadata",
}


def route(request: Request) -> tuple[str, str]:
    """The step's name, and its handler's; the latter is empty if the fake has no answer to the request."""
    if request.host.endswith(".blob.core.windows.net"):
        name = BLOB_STEPS.get((request.method, request.query.get("comp", "")), "")
        return (f"blob.{name}", name) if name else ("unknown", "")
    if request.host.endswith(".inference.ml.azure.com") and (request.method, request.path) == ("POST", "/score"):
        return "score", "score"
    if request.host == "management.azure.com":
        for step, method, pattern, handler in ROUTES:
            if method == request.method and re.fullmatch(pattern, request.path, re.IGNORECASE):
                return step, handler
    return "unknown", ""
