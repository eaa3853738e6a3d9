"""Run a command on Spark's own Kubernetes scheduler without a Kubernetes: its pods are processes of this machine.

    python tools/pods_here.py lifeboat run params/quick.yaml --name pods

The settings, the pod template and the rights are those of deploy/kubernetes. A pod that Kubernetes would not take, or a
request that the role does not allow, is refused and told at the end. What this cannot show: the image, and the network.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyspark
import yaml
from kubernetes_validate import ValidationError, validate

from lifeboat.spark.environment import LOOPBACK
from lifeboat.spark.java import find_java, java_home

DEPLOY = Path(__file__).resolve().parents[1] / "deploy" / "kubernetes"
VERSION = "1.34"
SPARK_HOME = Path(pyspark.__file__).parent
DRIVER = "driver"
EXECUTOR = "org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend"
# what this machine cannot do: watch (a web socket), and be large
SMALLER = {
    "spark.kubernetes.executor.enableApiWatcher": "false",
    "spark.kubernetes.executor.apiPollingInterval": "1s",
    "spark.executor.cores": "1",
    "spark.executor.memory": "512m",
}


class Pods:
    """The pods there are, the processes of those that are executors, and what was refused."""

    def __init__(self, java: Path, folder: Path) -> None:
        self.java, self.folder = java, folder
        self.pods: dict[str, dict[str, Any]] = {DRIVER: {"metadata": {"name": DRIVER, "uid": DRIVER}}}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.started, self.refused = 0, list[str]()
        manifests = yaml.safe_load_all((DEPLOY / "lifeboat.yaml").read_text(encoding="utf-8"))
        (role,) = [manifest for manifest in manifests if manifest["kind"] == "Role"]
        self.allowed = {(kind, verb) for rule in role["rules"] for kind in rule["resources"] for verb in rule["verbs"]}

    def create(self, pod: dict[str, Any]) -> dict[str, Any]:
        """Keep a valid pod and start its process."""
        validate(pod, VERSION, strict=True)
        name = pod["metadata"]["name"]
        self.started += 1
        pod["metadata"] |= {"uid": name, "creationTimestamp": "2026-01-01T00:00:00Z"}
        self.pods[name] = pod | {"status": {"phase": "Running"}}
        fields = {"status.podIP": LOOPBACK, "metadata.name": name}
        given = pod["spec"]["containers"][0]["env"]
        env = {e["name"]: fields[e["valueFrom"]["fieldRef"]["fieldPath"]] for e in given if "valueFrom" in e}
        env |= {e["name"]: e.get("value", "") for e in given if "valueFrom" not in e}
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                self.command(env), env=os.environ | env | {"SPARK_HOME": str(SPARK_HOME)}, stdout=log, stderr=log
            )
        return self.pods[name]

    def command(self, env: dict[str, str]) -> list[str]:
        """What the entry point of Spark's image makes of an executor's environment."""
        options = [value for name, value in env.items() if name.startswith("SPARK_JAVA_OPT_")]
        flags = {
            "--driver-url": "SPARK_DRIVER_URL",
            "--executor-id": "SPARK_EXECUTOR_ID",
            "--cores": "SPARK_EXECUTOR_CORES",
            "--app-id": "SPARK_APPLICATION_ID",
            "--hostname": "SPARK_EXECUTOR_POD_IP",
            "--resourceProfileId": "SPARK_RESOURCE_PROFILE_ID",
            "--podName": "SPARK_EXECUTOR_POD_NAME",
        }
        pairs = [part for flag, name in flags.items() for part in (flag, env[name])]
        heap = f"-Xmx{env['SPARK_EXECUTOR_MEMORY']}"
        return [str(self.java), *options, heap, "-cp", f"{SPARK_HOME}/jars/*", EXECUTOR, *pairs]

    def delete(self, name: str) -> None:
        """Forget a pod and end its process."""
        self.pods.pop(name, None)
        if process := self.processes.pop(name, None):
            process.terminate()
            process.wait()

    def answer(self, method: str, url: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """What the API server would say: a status and an object."""
        asked, query = urlsplit(url).path.split("/")[5:], parse_qs(urlsplit(url).query)
        kind, name = asked[0], asked[1] if len(asked) > 1 else ""
        verb = {"GET": "get" if name else "list", "DELETE": "delete" if name else "deletecollection"}.get(
            method, {"POST": "create", "PATCH": "patch"}.get(method, method)
        )
        try:
            if (kind, verb) not in self.allowed:
                raise PermissionError(f"{verb} {kind}: no such right")
            if verb == "create":
                return 201, self.create(json.loads(body))
        except (PermissionError, ValidationError) as error:
            self.refused.append(str(error))
            return 403, {"kind": "Status", "status": "Failure", "code": 403, "message": str(error)}
        if name and name not in self.pods:
            return 404, {"kind": "Status", "status": "Failure", "code": 404}
        wanted = [part.split("=") for part in query.get("labelSelector", [""])[0].split(",")]
        labels = {pair[0]: pair[1] for pair in wanted if len(pair) == 2 and not pair[0].endswith("!")}
        found = [p for p in self.pods.values() if labels.items() <= p["metadata"].get("labels", {}).items()]
        if method == "DELETE":
            for pod in [self.pods[name]] if name else found:
                self.delete(pod["metadata"]["name"])
            return 200, {"kind": "Status", "status": "Success"}
        return 200, self.pods[name] if name else {"apiVersion": "v1", "kind": "PodList", "metadata": {}, "items": found}


def serve(pods: Pods) -> ThreadingHTTPServer:
    """Answer on a port of the loopback address until ``shutdown``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, said = pods.answer(self.command, self.path, body)
            text = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_DELETE = do_PATCH = do_PUT = handle_any

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main(command: list[str]) -> int:
    """Run the command; its status, or 1 where something was refused."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = (DEPLOY / "spark-defaults.conf").read_text(encoding="utf-8")
        smaller = "".join(f"{name} {value}\n" for name, value in SMALLER.items())  # of a name's lines the last counts
        (folder / "spark-defaults.conf").write_text(settings.replace("/opt/spark-conf", str(DEPLOY)) + smaller)
        pods = Pods(java_home(find_java(), folder / "java") / "bin" / "java", folder)
        server = serve(pods)
        os.environ |= {
            "LIFEBOAT_SPARK": f"k8s://http://{LOOPBACK}:{server.server_port}",
            "SPARK_CONF_DIR": str(folder),
            "SPARK_LOCAL_HOSTNAME": LOOPBACK,
            "PYSPARK_SUBMIT_ARGS": f"--conf spark.kubernetes.driver.pod.name={DRIVER} pyspark-shell",
        }
        try:
            status = subprocess.run(command, check=False).returncode
        finally:
            for left in list(pods.processes):
                pods.delete(left)
            server.shutdown()
        print(f"{pods.started} executors' pods; refused: {'; '.join(pods.refused) or 'nothing'}")
        return status or int(bool(pods.refused))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
