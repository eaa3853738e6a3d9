"""The resource manager's half of the fake: workspaces, datastores, assets and long operations."""

from __future__ import annotations

from typing import Any

from fake_state import GROUP, PROVIDER, REGION, SUBSCRIPTION, Operation, State
from fake_wire import Answer, Refusal, Request, error

ACCOUNT = "lifeboatstore"
CONTAINER = "azureml-blobstore-1111"
KINDS = {
    "codes": "code",
    "models": "model",
    "environments": "environment",
    "onlineEndpoints": "endpoint",
    "deployments": "deployment",
    "datastores": "datastore",
}
WISH = {"retry-after-ms": "5"}  # how long the service would have an operation's asker wait
MUTABLE = {"description", "tags", "properties", "isArchived", "stage"}
BIRTH = {"createdBy": "someone", "createdAt": "2026-01-01T00:00:00Z", "lastModifiedAt": "2026-01-01T00:00:00Z"}


def not_found(path: str) -> Refusal:
    segments = path.strip("/").split("/")
    kind, name = "/".join(segments[5:-1]), segments[-1]
    message = (
        f"The Resource '{kind}/{name}' under resource group '{GROUP}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    )
    return Refusal(error(404, "ResourceNotFound", message))


class Manager:
    """Answers the requests to management.azure.com that are not about endpoints."""

    def __init__(self, state: State, takes: int) -> None:
        self.state = state
        self.takes = takes

    def find(self, path: str) -> dict[str, Any]:
        """The resource at a path, or the service's 404."""
        resource = self.state.resources.get(path.lower())
        if resource is None:
            raise not_found(path)
        return resource

    def must_exist(self, request: Request) -> None:
        """Refuse what lies in another subscription, group or workspace."""
        segments = request.path.strip("/").split("/")
        if segments[1] != SUBSCRIPTION:
            raise Refusal(error(404, "SubscriptionNotFound", f"The subscription '{segments[1]}' could not be found."))
        if segments[2].lower() == "resourcegroups" and segments[3] != GROUP:
            raise Refusal(error(404, "ResourceGroupNotFound", f"Resource group '{segments[3]}' could not be found."))
        if len(segments) > 8 and segments[6] == "workspaces":
            self.find("/" + "/".join(segments[:8]))

    def put(self, path: str, body: dict[str, Any], kind: str) -> dict[str, Any]:
        """Keep a resource as the service does: with id, name, type and who made it."""
        resource = {**body, "id": path, "name": path.rsplit("/", 1)[1], "type": f"{PROVIDER[10:]}/{kind}"}
        resource["systemData"] = BIRTH
        self.state.resources[path.lower()] = resource
        return resource

    def start(self, target: str, new: dict[str, Any] | None, request: Request) -> dict[str, str]:
        """Begin a long operation; the headers that say where to ask for it."""
        name = f"{next(self.state.numbers):08d}"
        self.state.operations[name] = Operation(target.lower(), new, self.takes)
        where = f"https://management.azure.com/subscriptions/{SUBSCRIPTION}/{PROVIDER}/locations/{REGION}"
        version = f"?api-version={request.query['api-version']}"
        return {
            "Azure-AsyncOperation": f"{where}/mfeOperationsStatus/{name}{version}",
            "Location": f"{where}/mfeOperationResults/{name}{version}",
            **WISH,
        }

    # -- groups, workspaces and the templates that make them ------------------------------------------------------

    def workspace_get(self, request: Request) -> Answer:
        return Answer(200, self.find(request.path))

    def template_put(self, request: Request) -> Answer:
        properties = request.json["properties"]
        declared, inputs = properties["template"]["parameters"], properties["parameters"]
        unknown = sorted(set(inputs) - set(declared))
        missing = sorted(name for name, spec in declared.items() if "defaultValue" not in spec and name not in inputs)
        if unknown or missing:
            message = f"Deployment template validation failed: unknown parameters {unknown}, missing {missing}."
            raise Refusal(error(400, "InvalidTemplate", message))
        values = {name: value["value"] for name, value in inputs.items()}
        body = {"properties": {"provisioningState": "Accepted", "duration": "PT1S", "mode": "Incremental"}}
        self.put(request.path, body, "deployments")
        headers = self.start(request.path, {"workspace": values}, request)
        status = f"https://management.azure.com{request.path}/operationStatuses/{next(self.state.numbers)}"
        operation = next(reversed(self.state.operations))
        headers["Azure-AsyncOperation"] = f"{status}?api-version={request.query['api-version']}&operation={operation}"
        del headers["Location"]
        return Answer(201, self.find(request.path), headers)

    def template_get(self, request: Request) -> Answer:
        return Answer(200, self.find(request.path))

    def template_operations(self, request: Request) -> Answer:
        return Answer(200, {"value": []})

    def template_status(self, request: Request) -> Answer:
        return self.report(self.state.operations[request.query["operation"]])

    def make_workspace(self, values: dict[str, Any]) -> None:
        """What the template's deployment leaves behind: the workspace and its default datastore."""
        name = values["workspaceName"]
        path = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/{PROVIDER}/workspaces/{name}"
        properties = {
            "friendlyName": values["friendlyName"],
            "description": values["description"],
            "provisioningState": "Succeeded",
            "workspaceId": "99999999-0000-0000-0000-000000000000",
            "mlFlowTrackingUri": f"azureml://{REGION}.api.azureml.ms/mlflow/v1.0{path}",
            "discoveryUrl": f"https://{REGION}.api.azureml.ms/discovery",
            "storageAccount": f"/subscriptions/{SUBSCRIPTION}/{ACCOUNT}",
        }
        extra = {"location": values["location"], "tags": values.get("tagValues", {}), "kind": "Default"}
        self.put(path, {"properties": properties, **extra}, "workspaces")
        store = {
            "datastoreType": "AzureBlob",
            "accountName": ACCOUNT,
            "containerName": CONTAINER,
            "endpoint": "core.windows.net",
            "protocol": "https",
            "isDefault": True,
            "credentials": {"credentialsType": "AccountKey"},
        }
        self.put(f"{path}/datastores/workspaceblobstore", {"properties": store}, "workspaces/datastores")

    # -- long operations -----------------------------------------------------------------------------------------

    def operation_get(self, request: Request) -> Answer:
        return self.report(self.state.operations[request.path.rsplit("/", 1)[1]])

    def report(self, operation: Operation) -> Answer:
        body: dict[str, Any] = {"status": operation.state, "percentComplete": 100.0, "properties": {}}
        if operation.failure and operation.state == "Failed":
            code, message = operation.failure
            body["error"] = {"code": code, "message": message, "target": None, "details": []}
        return Answer(200, body, WISH if operation.state == "InProgress" else {})

    # -- datastores and assets -----------------------------------------------------------------------------------

    def datastore_get(self, request: Request) -> Answer:
        return Answer(200, self.find(request.path))

    def datastore_secrets(self, request: Request) -> Answer:
        self.find(request.path.rsplit("/", 1)[0])
        return Answer(200, {"secretsType": "Sas", "sasToken": "sv=2025-01-05&sr=c&sig=store"})

    def asset_get(self, request: Request) -> Answer:
        return Answer(200, self.find(request.path))

    def asset_list(self, request: Request) -> Answer:
        assets = self.state.children(request.path)
        if "hash" in request.query:
            assets = [
                asset
                for asset in assets
                if (asset["properties"].get("properties") or {}).get("hash_sha256") == request.query["hash"]
            ]
        return Answer(200, {"value": assets, "nextLink": None})

    def asset_put(self, request: Request) -> Answer:
        kind = request.path.split("/")[9]
        properties = request.json["properties"]
        old = self.state.resources.get(request.path.lower())
        if old is not None:
            fixed = {name: value for name, value in properties.items() if name not in MUTABLE and value is not None}
            changed = sorted(name for name in fixed if fixed[name] != old["properties"].get(name))
            if changed:
                message = f"A {KINDS[kind]} of this name and version already exists; {changed} cannot be changed."
                raise Refusal(error(409, "UserError", message))
        kept = {"flavors": {}, **properties} if kind == "models" else dict(properties)
        kept["provisioningState"] = "Succeeded"
        return Answer(201 if old is None else 200, self.put(request.path, {"properties": kept}, f"{kind}/versions"))

    def code_upload(self, request: Request) -> Answer:
        container = f"{next(self.state.numbers):08d}-snapshot"
        uri = f"https://{ACCOUNT}.blob.core.windows.net/{container}"
        sas = {"credentialType": "SAS", "sasUri": f"{uri}?sv=2025-01-05&sr=c&sig=upload"}
        reference = {"blobUri": uri, "storageAccountArmId": f"/{ACCOUNT}", "credential": sas}
        body = {"pendingUploadId": container, "pendingUploadType": "TemporaryBlobReference"}
        return Answer(200, {**body, "blobReferenceForConsumption": reference})
