"""Two runs at once, both the first: into a store that they make, and into MLflow's server with PostgreSQL behind it.

``make together``. It needs Debian's postgresql and the network, for PostgreSQL's driver. Both runs must succeed, each
with a version of one model, a run of MLflow's and one below it for each notebook; one of the versions must have the
alias; and a run of the same, once they are done, must find everything up to date.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlflow import MlflowClient

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
NAMES = ("fore", "aft")
LIMIT = 1800  # seconds


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A database of its own on loopback; its address for SQLAlchemy."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        raise SystemExit("there is no PostgreSQL here: apt-get install postgresql")
    data, port = folder / "data", free_port()
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []  # it does not run as root
    folder.chmod(0o755)
    data.mkdir()
    if as_user:
        shutil.chown(data, "postgres")
    control = [*as_user, str(found[-1] / "pg_ctl"), "-D", str(data)]
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": "/"}
    subprocess.run([*control, "initdb", "-o", "--auth=trust --username=lifeboat"], **quiet)  # type: ignore[call-overload]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
    subprocess.run([*control, "-w", "-l", str(data / "log"), "-o", options, "start"], **quiet)  # type: ignore[call-overload]
    try:
        yield f"postgresql://lifeboat@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "fast", "stop"], **quiet)  # type: ignore[call-overload]


@contextmanager
def mlflow_server(folder: Path, database: str) -> Iterator[str]:
    """MLflow's own server over a database; its address."""
    driver, port = folder / "driver", free_port()
    subprocess.run([PROGRAMS / "pip", "install", "--quiet", "--target", driver, "psycopg[binary]"], check=True)
    command = [PROGRAMS / "mlflow", "server", "--port", str(port), "--backend-store-uri", database]
    path = {"PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(driver)}
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--artifacts-destination", str(folder / "artifacts"), "--workers", "2"],
            env=os.environ | path, stdout=log, stderr=log, cwd=folder,
        )  # fmt: skip
        try:
            address = f"http://127.0.0.1:{port}"
            while not healthy(address):
                if server.poll() is not None:
                    raise SystemExit((folder / "server.log").read_text()[-2000:])
                time.sleep(0.5)
            yield address
        finally:
            server.terminate()
            server.wait(60)


def healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def run(home: Path, name: str, store: str) -> subprocess.Popen[str]:
    """Start a run of the quickest parameters into a store; an empty one is the project's own."""
    command = [sys.executable, "-m", "lifeboat", "run", "params/quick.yaml", "--lean", "--name", name]
    own = os.environ | {"LIFEBOAT_HOME": str(home)}
    own.pop("MLFLOW_TRACKING_URI", None)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    command += ["-p", f"tracking_uri={store}"] if store else []
    return subprocess.Popen(command, cwd=home, env=own, **streams)  # type: ignore[call-overload, no-any-return]


def both(home: Path, store: str) -> None:
    """Two at once, and each of them again."""
    for folder in ("notebooks", "params", "data", "docs"):
        shutil.copytree(ROOT / folder, home / folder)
    for turn in ("at once, both the first", "again"):
        begun, runs = time.monotonic(), {name: run(home, name, store) for name in NAMES}
        said = {name: started.communicate(timeout=LIMIT)[0] for name, started in runs.items()}
        for name, started in runs.items():
            assert started.returncode == 0, said[name]
        if turn == "again":
            assert all(text.count("up to date") >= 5 for text in said.values()), said
        print(f"  {turn}: two runs in {time.monotonic() - begun:.0f} s", flush=True)
    client, versions = MlflowClient(store or f"sqlite:///{home / 'outputs' / 'mlflow.db'}"), set()
    for name in NAMES:
        deployed = json.loads((home / "outputs" / name / "05_deploy" / "deployed.json").read_text())
        mine = client.get_run(deployed["mlflow_run"])
        query = f"tags.mlflow.parentRunId = '{mine.data.tags.get('mlflow.parentRunId', mine.info.run_id)}'"
        below = client.search_runs([mine.info.experiment_id], query)
        print(f"  {name}: version {deployed['version']} of {deployed['name']}; a run with {len(below)} below it")
        assert len(below) >= 5
        versions.add(str(deployed["version"]))
    champion = client.get_model_version_by_alias(deployed["name"], "champion")
    print(f"  version {champion.version} is champion")
    assert str(champion.version) in versions
    assert len(versions) == len(NAMES)


def main() -> None:
    """Try both stores."""
    with tempfile.TemporaryDirectory(prefix="lifeboat-together-") as scratch:
        folder = Path(scratch)
        print("a store that they make:", flush=True)
        both(folder / "own", "")
        print("MLflow's server, PostgreSQL behind it:", flush=True)
        with postgresql(folder) as database, mlflow_server(folder, database) as address:
            both(folder / "served", address)
    print("all as it should be")


if __name__ == "__main__":
    main()
