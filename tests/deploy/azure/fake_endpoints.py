"""Online endpoints and their deployments, with the rules the service has for them."""

from __future__ import annotations

import json
import re
from typing import Any

from fake_manager import Manager, not_found
from fake_state import PROVIDER, REGION, SUBSCRIPTION, Operation
from fake_wire import Answer, Refusal, Request, error

MOVING = {"Creating", "Updating", "Deleting"}
CRASHED = (
    "User container has crashed or terminated: {0}. Please see troubleshooting guide, available here: "
    "https://aka.ms/oe-tsg#error-resourcenotready"
)


def invalid(**errors: str) -> Refusal:
    """The endpoint service's validation error, as the resource manager wraps it."""
    problem = {
        "errors": {name: [text] for name, text in errors.items()},
        "type": "https://tools.ietf.org/html/rfc7231#section-6.5.1",
        "title": "One or more validation errors occurred.",
        "status": 400,
    }
    detail = {
        "code": "InferencingClientCallFailed",
        "message": f"InferencingClient HttpRequest error, error detail: {json.dumps(problem)}",
    }
    return Refusal(error(400, "BadRequest", "The request is invalid.", [detail]))


class Endpoints(Manager):
    """Answers what is about onlineEndpoints, on top of all else that the resource manager knows."""

    def endpoint_get(self, request: Request) -> Answer:
        return Answer(200, self.find(request.path))

    def endpoint_list(self, request: Request) -> Answer:
        return Answer(200, {"value": self.state.children(request.path), "nextLink": None})

    def endpoint_put(self, request: Request) -> Answer:
        name, body = request.path.rsplit("/", 1)[1], request.json
        old = self.state.resources.get(request.path.lower())
        if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9-]{1,30}[a-zA-Z0-9]", name):
            raise invalid(Name=f"The name {name} is not 3 to 32 letters, digits and dashes.")
        self.settled(old, f"Cannot update endpoint {name}")
        wanted = body["properties"]
        traffic = wanted.get("traffic") or {}
        self.check_traffic(request.path, traffic)
        uri = f"https://{name}.{REGION}.inference.ml.azure.com"
        properties = {
            **wanted,
            "traffic": traffic,
            "mirrorTraffic": wanted.get("mirrorTraffic") or {},
            "publicNetworkAccess": wanted.get("publicNetworkAccess") or "Enabled",
            "scoringUri": f"{uri}/score",
            "swaggerUri": f"{uri}/swagger.json",
            "provisioningState": "Succeeded",
            "properties": {**(wanted.get("properties") or {}), "azureml.onlineendpointid": request.path.lower()},
        }
        shown = {**(old["properties"] if old else properties), "provisioningState": "Updating" if old else "Creating"}
        if old is None:
            shown["traffic"] = {}
        identity = {**(body.get("identity") or {"type": "SystemAssigned"}), "principalId": "p", "tenantId": "t"}
        outside = {
            "location": body["location"],
            "tags": body.get("tags") or {},
            "identity": identity,
            "kind": "Managed",
        }
        kept = self.put(request.path, {"properties": shown, **outside}, "workspaces/onlineEndpoints")
        return Answer(200 if old else 201, kept, self.start(request.path, properties, request))

    def endpoint_delete(self, request: Request) -> Answer:
        if request.path.lower() not in self.state.resources:
            return Answer(204)
        endpoint = self.find(request.path)
        self.settled(endpoint, f"Cannot delete endpoint {endpoint['name']}")
        endpoint["properties"]["provisioningState"] = "Deleting"
        return Answer(202, b"", self.start(request.path, None, request))

    def endpoint_keys(self, request: Request) -> Answer:
        endpoint = self.find(request.path.rsplit("/", 1)[0])
        if endpoint["properties"]["authMode"].lower() != "key":
            raise invalid(AuthMode="Keys are only for endpoints with auth mode key.")
        return Answer(200, {"primaryKey": f"key-of-{endpoint['name']}", "secondaryKey": "second"})

    def deployment_get(self, request: Request) -> Answer:
        return Answer(200, self.find(request.path))

    def deployment_list(self, request: Request) -> Answer:
        self.find(request.path.rsplit("/", 1)[0])
        return Answer(200, {"value": self.state.children(request.path), "nextLink": None})

    def deployment_put(self, request: Request) -> Answer:
        above, name = request.path.rsplit("/deployments/", 1)
        endpoint, body = self.find(above), request.json
        self.settled(endpoint, f"Cannot create a deployment in endpoint {endpoint['name']}")
        old = self.state.resources.get(request.path.lower())
        self.settled(old, f"Cannot update deployment {name}")
        if old and old["failedAtBirth"]:
            text = (
                f"Specified deployment [{name}] failed during initial provisioning and is in an unrecoverable state. "
                "Delete and re-create."
            )
            raise Refusal(error(400, "BadRequest", text))
        wanted = {"scaleSettings": {"scaleType": "Default"}, **body["properties"]}
        for path in self.ids(wanted):
            self.find(path)
        if body["sku"]["capacity"] < 1:
            raise invalid(Capacity="The instance count must be at least 1.")
        shown = {**wanted, "provisioningState": "Updating" if old else "Creating"}
        outside = {name: body.get(name) for name in ("location", "tags", "sku", "kind")}
        kept = self.put(request.path, {"properties": shown, **outside}, "workspaces/onlineEndpoints/deployments")
        kept["failedAtBirth"] = False
        return Answer(200 if old else 201, kept, self.start(request.path, dict(wanted), request))

    def deployment_delete(self, request: Request) -> Answer:
        if request.path.lower() not in self.state.resources:
            return Answer(204)
        deployment, endpoint = self.find(request.path), self.find(request.path.rsplit("/deployments/", 1)[0])
        self.settled(endpoint, f"Cannot delete a deployment in endpoint {endpoint['name']}")
        share = endpoint["properties"]["traffic"].get(deployment["name"], 0)
        if share:
            raise invalid(
                Traffic=f"Deployment {deployment['name']} has {share} % of the traffic and cannot be deleted."
            )
        deployment["properties"]["provisioningState"] = "Deleting"
        return Answer(202, b"", self.start(request.path, None, request))

    # -- rules ---------------------------------------------------------------------------------------------------

    def settled(self, resource: dict[str, Any] | None, message: str) -> None:
        """Refuse while another operation works on the resource."""
        state = resource["properties"]["provisioningState"] if resource else "Succeeded"
        if state in MOVING:
            raise Refusal(error(409, "Conflict", f"{message} because it is in {state} provisioning state."))

    def check_traffic(self, path: str, traffic: dict[str, int]) -> None:
        known = {item["name"] for item in self.state.children(f"{path}/deployments")}
        if strangers := sorted(set(traffic) - known):
            raise invalid(Traffic=f"Traffic names deployments that do not exist: {strangers}.")
        if sum(traffic.values()) not in (0, 100) or any(share < 0 for share in traffic.values()):
            raise invalid(Traffic="Specified traffic percentages do not sum up to 100 or 0.")

    def ids(self, properties: dict[str, Any]) -> list[str]:
        """Paths of the code, environment and model that a deployment names."""
        code = (properties.get("codeConfiguration") or {}).get("codeId")
        named = [code, properties.get("environmentId"), properties.get("model")]
        prefix = f"/subscriptions/{SUBSCRIPTION}"
        paths = [path.removeprefix("azureml:") for path in named if path]
        for path in paths:
            if not path.startswith(prefix) or PROVIDER not in path:
                raise not_found(path)
        return paths

    # -- time ----------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """One request's time passes: what is long under way comes to its end."""
        for operation in list(self.state.operations.values()):
            if operation.state == "InProgress":
                operation.left -= 1
                if operation.left <= 0:
                    self.finish(operation)

    def finish(self, operation: Operation) -> None:
        resource = self.state.resources.get(operation.target)
        if resource is None or operation.state != "InProgress":
            return
        kind = operation.target.split("/")[-2]
        if kind == "deployments" and "onlineendpoints" in operation.target and operation.new and not operation.failure:
            operation.failure = self.start_container(operation.target, operation.new)
        operation.state = "Failed" if operation.failure else "Succeeded"
        if operation.new is None and not operation.failure:
            for key in [path for path in self.state.resources if f"{path}/".startswith(f"{operation.target}/")]:
                self.state.resources.pop(key)
                self.state.running.pop(key, None)
            return
        properties = resource["properties"]
        if operation.new is not None and "workspace" in operation.new:
            if not operation.failure:
                self.make_workspace(operation.new["workspace"])
        elif operation.failure is None:
            properties.update(operation.new or {})
        else:
            resource["failedAtBirth"] = properties["provisioningState"] == "Creating"
        properties["provisioningState"] = operation.state

    def start_container(self, target: str, properties: dict[str, Any]) -> tuple[str, str] | None:
        """Put the uploaded model and code to work; what went wrong, if something did."""
        raise NotImplementedError
