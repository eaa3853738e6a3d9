"""How fast the server is: all servers in turn, 1 and 16 connections, 1 and 100 rows a request. Needs wrk.

    python bench/serve.py --turns 3 --seconds 10

It trains a forest of 300 trees on the Titanic once, into outputs/.cache/serve.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / "outputs" / ".cache" / "serve"
PORTABLE, SPARK_MODEL = CACHE / "portable", CACHE / "spark"
PASSENGER = {
    "Pclass": 3, "Name": "Kelly, Mr. James", "Sex": "male", "Age": 34.5, "SibSp": 0, "Parch": 0, "Fare": 7.8292,
    "Embarked": "Q",
}  # fmt: skip
HEADERS = {"Content-Type": "application/json"}
OURS = [sys.executable, "-m", "lifeboat.deploy.server", str(PORTABLE), "--workers", "2", "--queue", "64"]
LUA = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = io.open("{body}", "r"):read("*a")
"""


def train() -> None:
    """A forest of 300 trees on the Titanic, as Spark keeps it and as it is served."""
    if (PORTABLE / "manifest.json").exists() and SPARK_MODEL.exists():
        return
    sys.path.insert(0, str(ROOT / "tests"))
    from pyspark.ml import Pipeline
    from pyspark.ml.classification import RandomForestClassifier

    from lifeboat.deploy.export import export_model
    from lifeboat.spark import session
    from small_models import COLUMNS, CSV, preparing_stages

    CACHE.mkdir(parents=True, exist_ok=True)
    spark = session.start("local[1]")
    schema = ", ".join(f"{column.name} {column.type}" for column in COLUMNS)
    rows = spark.read.csv(str(CSV), schema=schema, header=True, quote='"', escape='"').coalesce(1)
    forest = RandomForestClassifier(labelCol="Survived", numTrees=300, maxDepth=5, seed=1)
    model = Pipeline(stages=[*preparing_stages(), forest]).fit(rows)
    model.write().overwrite().save(str(SPARK_MODEL))
    export_model(model, COLUMNS, "Survived", PORTABLE, {}, ["died", "survived"])
    spark.stop()


def bodies(folder: Path) -> dict[int, Path]:
    """Scripts for wrk that send 1 and 100 rows."""
    scripts = {}
    for rows in (1, 100):
        body, script = folder / f"{rows}.json", folder / f"{rows}.lua"
        body.write_text(json.dumps([PASSENGER] * rows))
        script.write_text(LUA.format(body=body))
        scripts[rows] = script
    return scripts


# -- servers ----------------------------------------------------------------------------------------------------------


def bare() -> Any:
    """A route that returns a constant: what a server and Flask cost by themselves."""
    from flask import Flask, Response

    app = Flask("floor")
    app.post("/score", endpoint="score")(lambda: Response('{"predictions":[0]}\n', content_type="application/json"))
    return app


def spark_route(load_each_time: bool) -> Any:
    """A route over Spark's own model, loaded once, or in each request as the article does."""
    from flask import Flask, request
    from pyspark.ml import PipelineModel

    from lifeboat.spark import session

    sys.path.insert(0, str(ROOT / "tests"))
    from small_models import COLUMNS

    spark, app = session.start("local[2]"), Flask("spark")
    read = [column for column in COLUMNS if column.name in PASSENGER]
    schema = ", ".join(f"{column.name} {column.type}" for column in read)
    loaded = None if load_each_time else PipelineModel.load(str(SPARK_MODEL))

    @app.post("/score")
    def score() -> dict[str, Any]:
        model = loaded or PipelineModel.load(str(SPARK_MODEL))
        rows = [tuple(record[column.name] for column in read) for record in request.get_json()]
        answers = model.transform(spark.createDataFrame(rows, schema)).select("prediction").collect()
        return {"predictions": [int(row.prediction) for row in answers]}

    return app


def floor_server() -> None:
    """The bare route with the server's own processes, sockets and settings."""
    from lifeboat.deploy.server.process import Processes, _listen
    from lifeboat.deploy.server.settings import Settings

    settings = Settings(port=0, workers=2, queue=64)
    listening = _listen(settings)
    import multiprocessing

    multiprocessing.set_start_method("spawn", force=True)
    with tempfile.TemporaryDirectory() as state:
        server = Processes(listening, Path(state), settings)
        server.on_startup(lambda: print(f"Serving on http://127.0.0.1:{server.bind_port}", flush=True))
        server.serve(target_loader=partial(bare), wrap_loader=False)


def spark_server(load_each_time: bool) -> None:
    """Spark's model behind Flask's own server: the JVM is the bottleneck, not the server."""
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, spark_route(load_each_time), threaded=True)
    print(f"Serving on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


@contextmanager
def running(command: list[str], **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server and its address, from its first answer on."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | environment,
        start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = next(line for line in process.stdout if "Serving on http://" in line)
        address = line.strip().removeprefix("Serving on ")
        ask(address, "/score", [PASSENGER])
        yield address, process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)


def free_port() -> int:
    """A port of this machine that nobody has."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def until_it_answers(process: subprocess.Popen[Any], address: str, path: str, body: Any) -> None:
    """Wait for a server's first answer."""
    while True:
        try:
            ask(address, path, body)
            return
        except OSError as error:
            if process.poll() is not None:
                raise RuntimeError(f"{process.args} did not start") from error
            time.sleep(0.1)


@contextmanager
def mlflow_server(folder: Path) -> Iterator[tuple[str, Any]]:
    """``mlflow models serve`` on the same portable model."""
    import mlflow

    from lifeboat.scoring import pyfunc

    path = folder / "mlflow"
    artifacts = {"portable": str(PORTABLE)}
    mlflow.pyfunc.save_model(str(path), python_model=pyfunc.__file__, artifacts=artifacts, pip_requirements=["flask"])
    port = free_port()
    programs = Path(sys.executable).parent
    command = [str(programs / "mlflow"), "models", "serve", "--env-manager", "local"]
    process = subprocess.Popen(
        [*command, "--model-uri", str(path), "--port", str(port), "--workers", "2"],
        env=os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},  # it starts uvicorn by name
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        until_it_answers(process, address, "/ping", None)
        yield address, process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)


def ask(address: str, path: str, body: Any, headers: dict[str, str] = HEADERS) -> tuple[int, Any]:
    """One request; the status and the answer as text."""
    with closing(http.client.HTTPConnection(address.removeprefix("http://"), timeout=120)) as connection:
        connection.request("GET" if body is None else "POST", path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def wrk(address: str, script: Path, connections: int, seconds: int, path: str = "/score") -> tuple[float, str, int]:
    """Requests a second, the 99th percentile as wrk writes it, and answers that were not 2xx."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", "-s", str(script), f"{address}{path}"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate, p99 = re.search(r"Requests/sec:\s+([\d.]+)", text), re.search(r"99%\s+(\S+)", text)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    if not rate or not p99:
        raise RuntimeError(text)
    return float(rate[1]), p99[1], int(bad[1]) if bad else 0


# -- commands ---------------------------------------------------------------------------------------------------------


def speed(seconds: int, turns: int) -> None:
    """All servers, one after another, each as often as there are turns."""
    own = [sys.executable, __file__]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        scripts = bodies(folder)
        mlflow_script = folder / "mlflow.lua"
        (folder / "mlflow.json").write_text(json.dumps({"dataframe_records": [PASSENGER]}))
        mlflow_script.write_text(LUA.format(body=folder / "mlflow.json"))
        hundred = folder / "mlflow100.lua"
        (folder / "mlflow100.json").write_text(json.dumps({"dataframe_records": [PASSENGER] * 100}))
        hundred.write_text(LUA.format(body=folder / "mlflow100.json"))
        mlflow_scripts = {1: mlflow_script, 100: hundred}
        servers: dict[str, tuple[Callable[[], Any], dict[int, Path], str]] = {
            "bare route (the floor)": (lambda: running([*own, "floor"]), scripts, "/score"),
            "lifeboat": (lambda: running([*OURS, "--port", "0"]), scripts, "/score"),
            "mlflow models serve": (lambda: mlflow_server(folder), mlflow_scripts, "/invocations"),
            "Spark model behind Flask": (lambda: running([*own, "spark"]), scripts, "/score"),
            "as the article: load, then answer": (lambda: running([*own, "article"]), scripts, "/score"),
        }
        heads = f"{'server':36} {'rows':>5} {'connections':>12} {'requests/s':>11} {'p99':>9} {'not 2xx':>8}"
        print(heads, f"{'MB':>6} {'ready, s':>9}")
        for _ in range(turns):
            for name, (start, own_scripts, path) in servers.items():
                shutil.rmtree(folder / "mlflow", ignore_errors=True)
                begun = time.monotonic()
                with start() as (address, process):
                    ready = time.monotonic() - begun
                    for rows, connections in ((1, 1), (1, 16), (100, 1), (100, 16)):
                        if "Spark" in name or "article" in name:
                            if (rows, connections) != (1, 1):
                                continue
                        else:
                            wrk(address, own_scripts[rows], connections, 1, path)  # warm
                        rate, p99, bad = wrk(address, own_scripts[rows], connections, seconds, path)
                        memory = max(each.memory_info().rss for each in family(process)) / 2**20
                        print(
                            f"{name:36} {rows:5} {connections:12} {rate:11,.0f} {p99:>9} {bad:8} {memory:6.0f}"
                            f" {ready:9.1f}",
                            flush=True,
                        )


def family(process: Any) -> list[psutil.Process]:
    """A server's processes."""
    parent = psutil.Process(process.pid)
    return [parent, *parent.children(recursive=True)]


def main() -> None:
    """Measure, or be one of the servers that are measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    servers = {"floor": floor_server, "spark": partial(spark_server, False), "article": partial(spark_server, True)}
    parser.add_argument("server", nargs="?", choices=servers, help="one to start; without, all are measured")
    parser.add_argument("--seconds", type=int, default=10, help="of each measurement")
    parser.add_argument("--turns", type=int, default=2)
    asked = parser.parse_args()
    if asked.server:
        return servers[asked.server]()
    train()
    return speed(asked.seconds, asked.turns)


if __name__ == "__main__":
    main()
