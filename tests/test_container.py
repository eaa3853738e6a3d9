"""The served model as a plain container, on Azure Container Instances and on Kubernetes: no image is built here."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
import yaml
from azure.core.credentials import AzureKeyCredential
from azure.mgmt.containerinstance import ContainerInstanceManagementClient, models
from kubernetes_validate import ValidationError, validate
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import lifeboat
from fresh import free_port, fresh_environment, interruptible, running
from hand_made import GOOD, by_hand
from lifeboat.deploy.server.app import create_app
from lifeboat.deploy.server.models import Model, Models
from lifeboat.scoring.requirements import SCORING

ROOT = Path(__file__).resolve().parents[1]
CONTAINER = ROOT / "deploy" / "container"
KUBERNETES_VERSION = "1.34"
DOCKERFILE = (CONTAINER / "Dockerfile").read_text(encoding="utf-8")
PORT = 5001
IMAGE = f"registry.example.com/lifeboat-serve:{lifeboat.__version__}"
OBJECTS = {doc["kind"]: doc for doc in yaml.safe_load_all((CONTAINER / "kubernetes.yaml").read_text(encoding="utf-8"))}
POD = OBJECTS["Deployment"]["spec"]["template"]
GROUP = yaml.safe_load((CONTAINER / "aci.yaml").read_text(encoding="utf-8"))


def instructions(name: str) -> list[str]:
    """What stands behind each instruction of that name in the Dockerfile."""
    lines = re.sub(r"\\\n\s*", "", DOCKERFILE).splitlines()
    return [line.removeprefix(name).strip() for line in lines if line.startswith(f"{name} ")]


def program(text: str) -> list[str]:
    """A command in the form that no shell reads."""
    return [str(word) for word in json.loads(text[text.index("[") :])]


def pins(path: Path) -> dict[tuple[str, str], str]:
    """What a requirements file asks for: name and marker -> version."""
    lines = [line.partition(" ; ") for line in path.read_text(encoding="utf-8").splitlines()]
    return {(pin.split("==")[0], marker): pin.split("==")[1] for pin, _, marker in lines}


def hadolint(file: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("hadolint"), "--no-color", file]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("folder", ["container", "kubernetes"])
def test_hadolint_finds_nothing_in_a_dockerfile(folder: str) -> None:
    result = hadolint(str(ROOT / "deploy" / folder / "Dockerfile"))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_hadolint_does_find_what_is_wrong() -> None:
    result = hadolint("-", "FROM python\nRUN pip install flask\n")
    assert result.returncode == 1
    assert set(re.findall(r"DL\d+", result.stdout)) == {"DL3006", "DL3013", "DL3042"}


def test_the_image_is_of_a_base_that_cannot_change_and_runs_as_nobody_in_particular() -> None:
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm@sha256:[0-9a-f]{64} AS server", instructions("FROM")[0])
    assert instructions("USER") == [str(POD["spec"]["securityContext"]["runAsUser"])]
    assert f"--uid {instructions('USER')[0]} " in instructions("RUN")[0]


def test_the_image_s_files_are_there_and_not_ignored() -> None:
    kept = re.findall(r"^!(\S+)$", (CONTAINER / "Dockerfile.dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    copied = [name for line in instructions("COPY") for name in line.split()[:-1]]
    assert [name for name in copied if name != "${MODEL}"] == [name for name in kept if name != "outputs"]
    assert [name for name in copied if name != "${MODEL}" and not (ROOT / name).exists()] == []


def test_the_image_s_packages_are_the_locked_ones() -> None:
    locked = pins(ROOT / "requirements.txt")
    versions = {name: version for (name, _), version in locked.items()}
    for (name, marker), version in pins(CONTAINER / "requirements.txt").items():
        assert locked.get((name, marker), versions[name]) == version
    names = {name for name, _ in pins(CONTAINER / "requirements.txt")}
    # colorama is Windows' alone
    needed = [need for name in names - {"colorama"} for need in map(Requirement, requires(name) or [])]
    here = {
        canonicalize_name(need.name) for need in needed if need.marker is None or need.marker.evaluate({"extra": ""})
    }
    assert here - names == set()  # pip is told not to look for what they need
    names_in = {line for line in (CONTAINER / "requirements.in").read_text().splitlines() if not line.startswith("#")}
    assert names_in == {*SCORING, "flask", "granian", "msgspec", "prometheus-client"}


def test_what_the_image_installs_and_runs_serves_a_model_until_it_is_told_to_stop(tmp_path: Path) -> None:
    assert instructions("RUN")[0].startswith("pip install --no-cache-dir --no-deps -r requirements.txt && ")
    python = fresh_environment(tmp_path / "environment", "--no-deps", "-r", str(CONTAINER / "requirements.txt"))
    model = by_hand(tmp_path / "model", [], ["count", "amount"])
    for *names, target in [line.split() for line in instructions("COPY") if "lib/lifeboat" in line]:
        for name in names:
            copied = tmp_path / target / (Path(name).name if target.endswith("/") else "")
            copied.parent.mkdir(parents=True, exist_ok=True)
            copy_of = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy_of(ROOT / name, copied)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LIFEBOAT"))}
    token = {"LIFEBOAT_TOKEN": "sixteen letters or more"}
    environment = kept | token | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    url = f"http://127.0.0.1:{free_port()}"
    here = {"python": str(python), "/model": str(model), "0.0.0.0": "127.0.0.1", str(PORT): url.rsplit(":", 1)[1]}
    command = [here.get(word, word) for word in program(instructions("CMD")[-1])]
    check = program(instructions("HEALTHCHECK")[0].replace(f"http://127.0.0.1:{PORT}", url))

    def healthy() -> bool:
        result = subprocess.run([python, *check[1:]], env=environment, capture_output=True, text=True, check=False)
        return result.returncode == 0

    with interruptible(), running(command, f"Serving on {url}", environment, tmp_path) as server:
        assert healthy()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token['LIFEBOAT_TOKEN']}"}
        post = urllib.request.Request(f"{url}/score", json.dumps(GOOD).encode(), headers)
        with urllib.request.urlopen(post, timeout=30) as answer:
            assert json.load(answer) == {"predictions": [1]}
        (stop,) = instructions("STOPSIGNAL")
        server.send_signal(signal.Signals[stop])
        assert server.wait(timeout=30) == 0
    assert not healthy()
    there = {path.name for path in (tmp_path / "environment").glob("lib/python3*/site-packages/*")}
    assert "onnxruntime" in there
    assert not there & {"pyspark", "mlflow", "pandas", "pyarrow"}


@pytest.mark.parametrize("kind", OBJECTS)
def test_kubernetes_knows_every_field_of_a_manifest(kind: str) -> None:
    validate(OBJECTS[kind], KUBERNETES_VERSION, strict=True)
    with pytest.raises(ValidationError, match="spce"):
        validate(OBJECTS[kind] | {"spce": {}}, KUBERNETES_VERSION, strict=True)


def test_service_autoscaler_and_budget_are_about_the_deployment_s_pods() -> None:
    assert set(OBJECTS) == {"Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"}
    labels, spec = POD["metadata"]["labels"], OBJECTS["Deployment"]["spec"]
    assert spec["selector"]["matchLabels"] == OBJECTS["Service"]["spec"]["selector"] == labels
    assert OBJECTS["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    autoscaler = OBJECTS["HorizontalPodAutoscaler"]["spec"]
    deployment = {name: OBJECTS["Deployment"][name] for name in ("apiVersion", "kind")}
    assert autoscaler["scaleTargetRef"] == deployment | {"name": OBJECTS["Deployment"]["metadata"]["name"]}
    assert "replicas" not in spec  # each apply would undo what the autoscaler did
    # a node can be emptied, and somebody answers meanwhile
    assert 0 < OBJECTS["PodDisruptionBudget"]["spec"]["minAvailable"] < autoscaler["minReplicas"]
    assert "cpu" in POD["spec"]["containers"][0]["resources"]["requests"]  # what the autoscaler divides by


def test_pods_have_no_rights_and_write_only_to_what_is_thrown_away() -> None:
    (server,) = POD["spec"]["containers"]
    assert POD["spec"]["automountServiceAccountToken"] is False
    assert POD["spec"]["securityContext"]["runAsNonRoot"] is True
    rights = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    assert server["securityContext"] == rights
    assert [mount["mountPath"] for mount in server["volumeMounts"]] == ["/tmp"]
    assert [set(volume) for volume in POD["spec"]["volumes"]] == [{"name", "emptyDir"}]


def test_every_host_runs_the_one_image_and_asks_the_port_and_paths_that_it_has(tmp_path: Path) -> None:
    (server,), (instance,) = POD["spec"]["containers"], GROUP["properties"]["containers"]
    assert {server["image"], instance["properties"]["image"], *re.findall(r"-t (\S+) ", DOCKERFILE)} == {IMAGE}
    assert instructions("EXPOSE") == [str(PORT)]
    assert program(instructions("CMD")[-1])[-2:] == ["--port", str(PORT)]
    named = {port["name"]: port["containerPort"] for port in server["ports"]}
    opened = [GROUP["properties"]["ipAddress"]["ports"], instance["properties"]["ports"]]
    assert opened == [[{"protocol": "TCP", "port": PORT}]] * 2
    assert [port["targetPort"] for port in OBJECTS["Service"]["spec"]["ports"]] == ["http"]
    app = create_app(Models(Model.load(by_hand(tmp_path / "model", [], ["count"]), "model"))).test_client()
    probes = [
        *(server[name] for name in ("startupProbe", "readinessProbe", "livenessProbe")),
        *(instance["properties"][name] for name in ("readinessProbe", "livenessProbe")),
    ]
    for probe in probes:
        get = probe["httpGet"]
        assert named.get(get["port"], get["port"]) == PORT
        assert app.get(get["path"]).status_code == 200


def kept_by_azure(group: dict[str, Any]) -> dict[str, Any]:
    """What is left of a container group when the models of the service's own interface have read and written it."""
    written: dict[str, Any] = models.ContainerGroup.deserialize(group).serialize(keep_readonly=True)
    return written


def test_azure_container_instances_know_every_field_of_the_group_and_its_words() -> None:
    group = copy.deepcopy(GROUP)
    client = ContainerInstanceManagementClient(AzureKeyCredential("none"), "none")
    assert group.pop("apiVersion") == client._config.api_version
    assert kept_by_azure(group) == group
    assert kept_by_azure(group | {"proprties": {}}) == group
    content = group["properties"]
    instance = content["containers"][0]["properties"]
    words = {
        models.OperatingSystemTypes: content["osType"],
        models.ContainerGroupRestartPolicy: content["restartPolicy"],
        models.ContainerGroupIpAddressType: content["ipAddress"]["type"],
        models.ContainerGroupNetworkProtocol: content["ipAddress"]["ports"][0]["protocol"],
        models.ContainerNetworkProtocol: instance["ports"][0]["protocol"],
        models.Scheme: instance["livenessProbe"]["httpGet"]["scheme"],
    }
    assert [word for kind, word in words.items() if word not in {item.value for item in kind}] == []
    instance["livenessProb"] = {}
    assert kept_by_azure(group) != group


def test_nothing_secret_stands_in_the_files() -> None:
    texts = [path.read_text(encoding="utf-8") for path in CONTAINER.iterdir()]
    assert len(texts) == 6
    assert not [text for text in texts if re.search(r"(?i)securevalue:(?! \"\"})|password:|secret:|bearer", text)]
