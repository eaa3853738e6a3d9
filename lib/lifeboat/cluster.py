"""A real Spark cluster on this machine: a master and workers, and a Spark Connect server on them if wished."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pyspark

from lifeboat.errors import LifeboatError, ParameterError
from lifeboat.jvm import LOGGING, LOOPBACK, QUICK_START, find_java, java_home, names_as_python
from lifeboat.session import SETTINGS

MARK = "LIFEBOAT_CLUSTER"  # in the environment of all its processes, executors too: the folder of their cluster
LONGEST_START = 120.0  # seconds
LEAST_MEMORY = 1024  # MB: what an executor asks for; with less none starts, and work waits for one without a word
SPARK_HOME = Path(pyspark.__file__).parent
ADDRESSES = "addresses.json"
# Leads the process group. Its input ends when the owner does, however that ends, and then so do all in the group.
KEEPER = 'read -r word; [ "$word" = leave ] && exit; rm -rf "$1"; kill -9 0'


class ClusterDidNotStartError(LifeboatError, RuntimeError):
    """A part of the cluster did not start; the message holds what it said."""


class Cluster:
    """A standalone cluster on the loopback address. Use it in a ``with``, or call ``stop``.

    It ends with the process that made it, however that ends. Each worker is a JVM of its own, and starts another
    one, the executor, for each session, which holds the worker's cores until it is stopped: a second session waits
    for them. The cluster's files lie in a folder that goes with it.

    >>> with Cluster(workers=2) as cluster:
    ...     session = lifeboat.session.start(cluster.url)

    Args:
        workers: How many workers.
        cores: The cores of each, which is how many tasks it does at the same time.
        memory: The memory of each as Spark writes it, such as ``2g``; at least ``1g``, for an executor takes that much
            unless ``LIFEBOAT_EXECUTOR_MEMORY`` says otherwise in the environment of who starts the session.
        connect: Whether to start a Spark Connect server too. It takes the cores and the memory named above for
            itself, and the workers offer as much again to others.
        folder: Where to keep logs and the workers' files; None for a temporary one. It must not exist.

    Attributes:
        url: The master's address, ``spark://127.0.0.1:PORT``.
        remote: The Spark Connect server's, ``sc://127.0.0.1:PORT``; None without one.
        worker_pids: The workers' process ids.

    Raises:
        ClusterDidNotStartError: A part ended, or took more than two minutes, instead of starting.
        lifeboat.jvm.JavaNotFoundError: There is no Java that Spark can use.
        ParameterError: ``workers``, ``cores`` or ``memory`` will not do.
    """

    def __init__(
        self,
        workers: int = 2,
        cores: int = 1,
        memory: str = "1g",
        connect: bool = False,
        folder: Path | None = None,
    ) -> None:
        if workers < 1 or cores < 1:
            raise ParameterError(f"a cluster of {workers} workers of {cores} cores cannot be: each takes 1 or more")
        written = re.fullmatch(r"(\d+)([mg])", memory)
        if not written or int(written[1]) * {"m": 1, "g": 1024}[written[2]] < LEAST_MEMORY:
            raise ParameterError(f"memory is {memory!r}; it takes '1g' or more, written so or as '1536m'")
        java = find_java()
        self.folder = folder or Path(tempfile.mkdtemp(prefix="lifeboat-cluster-"))
        self.folder.mkdir(parents=True, exist_ok=folder is None)
        self.remote: str | None = None
        self._processes: list[subprocess.Popen[bytes]] = []
        try:
            self._start_all(java_home(java, self.folder / "java"), workers, cores, memory, connect)
        except BaseException:
            self.stop()
            raise

    def _start_all(self, home: Path, workers: int, cores: int, memory: str, connect: bool) -> None:
        self._environment = environment(self.folder, home)
        self._keeper = subprocess.Popen(
            ["sh", "-c", KEEPER, "lifeboat-cluster", str(self.folder)],
            stdin=subprocess.PIPE,
            env=self._environment,
            process_group=0,
        )
        shares = 2 if connect else 1
        daemon = "org.apache.spark.deploy"
        on_loopback = ["--host", LOOPBACK, "--port", "0", "--webui-port", "0"]
        master = self._start("master", [f"{daemon}.master.Master", *on_loopback])
        self.url = self._wait("master", master, r"Starting Spark master at (spark://\S+)")
        size = ["--cores", str(shares * cores), "--memory", f"{shares * int(memory[:-1])}{memory[-1]}"]
        place = ["--work-dir", str(self.folder / "work")]
        worker = [f"{daemon}.worker.Worker", *on_loopback, *size, *place, self.url]
        started = {f"worker-{number}": self._start(f"worker-{number}", worker) for number in range(1, workers + 1)}
        self.worker_pids = [process.pid for process in started.values()]
        for name, process in started.items():
            self._wait(name, process, r"(Successfully registered) with master")
        if connect:
            server = self._start("connect", connect_server(self.url, workers * cores, memory))
            self.remote = "sc://" + self._wait("connect", server, r"Spark Connect server started at: (127\S+:\d+)")

    def _start(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        # spark-class ends in exec, so that this process is the JVM itself
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [str(SPARK_HOME / "bin" / "spark-class"), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=self._environment,
                process_group=self._keeper.pid,
            )
        self._processes.append(process)
        return process

    def _wait(self, name: str, process: subprocess.Popen[bytes], pattern: str) -> str:
        """What the pattern's group holds once the log has it."""
        log, latest = self.folder / f"{name}.log", time.monotonic() + LONGEST_START
        while True:
            ended = process.poll() is not None  # before the log is read: its last words are in it
            said = log.read_text(errors="replace")
            if found := re.search(pattern, said):
                return found.group(1)
            if ended or time.monotonic() > latest:
                what = f"ended with status {process.returncode}" if ended else f"took over {LONGEST_START:.0f} s"
                raise ClusterDidNotStartError(f"the cluster's {name} {what}. It said:\n{said[-3000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End all its processes, the executors too, and remove its files."""
        end(self.folder)
        for process in self._processes:
            process.wait()
        if keeper := getattr(self, "_keeper", None):
            keeper.stdin.close()
            keeper.wait()

    def leave(self) -> None:
        """Let it live on when this process ends; ``end(folder)`` ends it then, from any process."""
        (self.folder / ADDRESSES).write_text(json.dumps({"url": self.url, "remote": self.remote}))
        assert self._keeper.stdin is not None
        self._keeper.stdin.write(b"leave\n")
        self._keeper.stdin.close()
        self._keeper.wait()

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def environment(folder: Path, home: Path) -> dict[str, str]:
    """The environment that a cluster's processes run in, and hand on to their executors."""
    temporary, logging = folder / "tmp", folder / "log4j2.properties"
    temporary.mkdir()
    logging.write_text(LOGGING.read_text().replace("rootLogger.level = error", "rootLogger.level = info"))
    not_theirs = ("SPARK_REMOTE", "PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET")
    options = [f"-Djava.io.tmpdir={temporary}", f"-Dlog4j2.configurationFile={logging.as_uri()}", "-XX:-UsePerfData"]
    return {name: value for name, value in os.environ.items() if name not in not_theirs} | {
        MARK: str(folder),
        "JAVA_HOME": str(home),
        **names_as_python(),
        "JAVA_TOOL_OPTIONS": " ".join(f'"{option}"' for option in options),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_DAEMON_JAVA_OPTS": f"{QUICK_START} -Dspark.master.rest.enabled=false",
        "SPARK_HOME": str(SPARK_HOME),
        "SPARK_LOCAL_DIRS": str(temporary),
        "SPARK_LOCAL_IP": LOOPBACK,
    }


def connect_server(url: str, cores: int, memory: str) -> list[str]:
    """The command of a Spark Connect server that takes so many of the cluster's cores."""
    settings = SETTINGS | {
        "spark.connect.grpc.binding.address": LOOPBACK,
        "spark.connect.grpc.binding.port": "0",
        "spark.cores.max": str(cores),
        "spark.driver.extraJavaOptions": QUICK_START,
        "spark.executor.extraJavaOptions": QUICK_START,
        "spark.executor.memory": memory,
    }
    server = "org.apache.spark.sql.connect.service.SparkConnectServer"
    given = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    return ["org.apache.spark.deploy.SparkSubmit", "--master", url, "--class", server, *given, "spark-internal"]


def members(folder: Path) -> list[psutil.Process]:
    """The living processes of the cluster that keeps its files in ``folder``, whoever started them."""
    found = psutil.process_iter(["environ"])
    return [process for process in found if (process.info["environ"] or {}).get(MARK) == str(folder)]


def end(folder: Path) -> bool:
    """End the cluster that keeps its files in ``folder``, or what a crash left of it, and remove the folder.

    Returns:
        Whether there was anything to end.
    """
    anything = folder.exists()
    while found := members(folder):  # a worker may start an executor while others are being ended
        for process in found:
            process.kill()
        psutil.wait_procs(found, timeout=10)
        anything = True
    shutil.rmtree(folder, ignore_errors=True)
    return anything


def listening(folder: Path) -> dict[str, str | None] | None:
    """The addresses of the cluster that was left in ``folder``; None where there is none, or not all of it listens."""
    try:
        addresses: dict[str, str | None] = json.loads((folder / ADDRESSES).read_text())
        for address in filter(None, addresses.values()):
            place = urlsplit(address)
            socket.create_connection((str(place.hostname), place.port or 0), timeout=5).close()
    except (OSError, ValueError):
        return None
    return addresses
