"""How fast the server is, how long it lasts, what it does when it goes wrong. Needs wrk, hey, and npx for autocannon.

    python bench/serve.py speed       all servers in turn: 1 and 16 connections, 1 and 100 rows a request
    python bench/serve.py soak        15 minutes at 80 % of its capacity: errors, and how memory grows (--seconds 900)
    python bench/serve.py overload    four times what it can, on one core: who is answered, how quickly, and after it
    python bench/serve.py chaos       a worker killed, the alias moved twenty times, a slow client, one that never reads
    python bench/serve.py requests    thousands of requests made up from its own description, by schemathesis: no 5xx
    python bench/serve.py bodies      a hundred thousand bodies, read alike by both readers and answered without a 5xx

It trains a forest of 300 trees on the Titanic once, into outputs/.cache/serve.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
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
PERCENTILES = {"p50": "p50", "p99": "p99", "p99.9": "p99_9"}
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


@contextmanager
def mlflow_server(folder: Path) -> Iterator[tuple[str, Any]]:
    """``mlflow models serve`` on the same portable model."""
    import mlflow

    from lifeboat.scoring import pyfunc

    path = folder / "mlflow"
    artifacts = {"portable": str(PORTABLE)}
    mlflow.pyfunc.save_model(str(path), python_model=pyfunc.__file__, artifacts=artifacts, pip_requirements=["flask"])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    programs = Path(sys.executable).parent
    command = [str(programs / "mlflow"), "models", "serve", "--env-manager", "local"]
    process = subprocess.Popen(
        [*command, "--model-uri", str(path), "--port", str(port), "--workers", "2"],
        env=os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},  # it starts uvicorn by name
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        while True:
            try:
                ask(address, "/ping", None)
                break
            except OSError as error:
                if process.poll() is not None:
                    raise RuntimeError("MLflow's server did not start") from error
                time.sleep(0.5)
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


def soak(seconds: int) -> None:
    """At 80 % of its capacity: errors, and megabytes an hour of its workers after the first third."""
    with tempfile.TemporaryDirectory() as scratch, running([*OURS, "--port", "0"]) as (address, process):
        script = bodies(Path(scratch))[1]
        capacity = wrk(address, script, 16, 5)[0]
        rate = round(0.8 * capacity)
        begun, samples, stop = time.monotonic(), list[tuple[float, float]](), threading.Event()

        def sample() -> None:
            while not stop.wait(seconds / 60):
                rss = sum(each.memory_info().rss for each in family(process)) / 2**20
                samples.append((time.monotonic() - begun, rss))

        watching = threading.Thread(target=sample)
        watching.start()
        result = autocannon(address, Path(scratch) / "1.json", rate, seconds, 16)
        stop.set()
        watching.join()
        kept = samples[len(samples) // 3 :]
        slope = statistics.linear_regression(*zip(*kept, strict=True)).slope * 3600
        print(f"capacity {capacity:,.0f}/s; {seconds} s at {rate:,}/s: {summary(result)}")
        print(f"memory {kept[0][1]:.0f} to {kept[-1][1]:.0f} MB, slope {slope:+.1f} MB an hour")


def autocannon(address: str, body: Path, rate: int, seconds: int, connections: int) -> Any:
    """Requests at a steady rate, whatever the server makes of them; autocannon's own summary."""
    command = ["npx", "--yes", "autocannon@8.0.0", "--json", "-R", str(rate), "-c", str(connections)]
    command += ["-d", str(seconds), "-t", "20", "-m", "POST", "-H", "Content-Type: application/json"]
    command += ["-i", str(body), f"{address}/score"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def summary(result: Any) -> str:
    """A run of autocannon's in a line."""
    codes = {code: each["count"] for code, each in sorted(result["statusCodeStats"].items())}
    latency = ", ".join(f"{name} {result['latency'][key]} ms" for name, key in PERCENTILES.items())
    return f"{codes}, {result['errors']} errors, {result['timeouts']} timeouts, {latency}"


def overload(seconds: int) -> None:
    """Half of what one core can, four times as much, and half again; the generator has the other core."""
    queue = 8
    command = [*OURS[:4], "--workers", "1", "--port", "0", "--queue", str(queue)]
    pinned = ["taskset", "-c", "0", *command] if shutil.which("taskset") else command
    with tempfile.TemporaryDirectory() as scratch, running(pinned) as (address, _):
        script, body = bodies(Path(scratch))[100], Path(scratch) / "100.json"
        capacity = wrk(address, script, queue, 5)[0]
        print(f"capacity {capacity:,.0f} requests/s of 100 rows on one core; {queue} may wait", flush=True)
        for name, share, connections in (("half", 0.5, queue), ("four times", 4, 64), ("half again", 0.5, queue)):
            result = hey(address, body, share * capacity, seconds, connections, core=1)
            print(f"{name:12} {sum(map(len, result.values())) / seconds:7,.0f}/s came; ", end="")
            print("; ".join(f"{code}: {percentiles(times)}" for code, times in sorted(result.items())), flush=True)


def hey(address: str, body: Path, rate: float, seconds: int, connections: int, core: int) -> dict[str, list[float]]:
    """Requests at a rate, evenly spaced on each connection; status -> milliseconds of each that got it."""
    command = ["hey", "-z", f"{seconds}s", "-c", str(connections), "-q", f"{rate / connections:.2f}", "-t", "20"]
    command += ["-m", "POST", "-T", "application/json", "-D", str(body), "-o", "csv", f"{address}/score"]
    pinned = ["taskset", "-c", str(core), *command] if shutil.which("taskset") else command
    lines = subprocess.run(pinned, capture_output=True, text=True, check=True).stdout.splitlines()
    times: dict[str, list[float]] = {}
    for line in csv.DictReader(lines):
        times.setdefault(line["status-code"], []).append(1000 * float(line["response-time"]))
    return times


def percentiles(times: list[float]) -> str:
    """How many, and the middle and the 99th percentile of their milliseconds."""
    return f"{len(times):,}, p50 {statistics.median(times):.1f} ms, p99 {statistics.quantiles(times, n=100)[98]:.1f} ms"


def chaos(seconds: int) -> None:
    """What may go wrong, under load: no answer is wrong, and none is lost but those that the killed worker was at."""
    from lifeboat.deploy.server.store import RefusedVersionError, Store
    from lifeboat.scoring.scorer import Scorer

    sys.path.insert(0, str(ROOT / "tests"))
    right = {Scorer.load(PORTABLE).score([PASSENGER]).predictions.tolist()[0]}
    code = "import sys; from pathlib import Path; from lifeboat.deploy.server.process import serve; "
    code += "from lifeboat.deploy.server.settings import Settings; "
    code += "serve(Path(sys.argv[1]), Settings(port=0, workers=2, queue=64), store=True)"
    with tempfile.TemporaryDirectory() as scratch:
        store = Store(Path(scratch) / "store", "chaos")
        other = Path(shutil.copytree(PORTABLE, Path(scratch) / "other"))
        manifest = json.loads((other / "manifest.json").read_text())
        (other / "manifest.json").write_text(
            json.dumps(manifest | {"unseen": "refuse"})
        )  # another version, same answers
        broken = Path(shutil.copytree(PORTABLE, Path(scratch) / "broken"))
        (broken / "model.onnx").write_bytes(b"no graph")
        store.take(PORTABLE)
        with running([sys.executable, "-c", code, str(store.folder)]) as (address, process):
            counts, stop = {"right": 0, "wrong": 0, "lost": 0, "refused": 0}, threading.Event()
            lock = threading.Lock()

            def load() -> None:
                while not stop.is_set():
                    try:
                        status, text = ask(address, "/score", [PASSENGER])
                    except (OSError, http.client.HTTPException):
                        outcome = "lost"
                    else:
                        good = status == 200 and set(json.loads(text)["predictions"]) == right
                        outcome = "right" if good else "refused" if status == 503 else "wrong"
                    with lock:
                        counts[outcome] += 1

            senders = [threading.Thread(target=load) for _ in range(4)]
            for sender in senders:
                sender.start()

            def during(name: str, act: Callable[[], Any]) -> None:
                before = dict(counts)
                act()
                time.sleep(seconds)
                print(f"{name:34}", {key: counts[key] - before[key] for key in counts}, flush=True)

            def kill_worker() -> None:
                next(each for each in family(process) if "spawn_main" in " ".join(each.cmdline())).kill()

            def moves() -> None:
                for number in range(20):
                    store.take(other if number % 2 == 0 else PORTABLE)
                    time.sleep(0.3)

            def take_broken() -> None:
                try:
                    store.take(broken)
                except RefusedVersionError as error:
                    print(f"  refused: {str(error)[:80]}")

            def slow() -> None:
                host, port = address.removeprefix("http://").split(":")
                head = b"POST /score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                head += b"Content-Length: 99\r\n\r\n"
                for _ in range(8):
                    connection = socket.create_connection((host, int(port)))
                    connection.sendall(head)
                    clients.append(connection)
                threading.Thread(target=drip, args=(list(clients),), daemon=True).start()

            def drip(slow_ones: list[socket.socket]) -> None:
                while not stop.wait(1):
                    for connection in slow_ones:
                        connection.sendall(b" ")

            def deaf() -> None:
                host, port = address.removeprefix("http://").split(":")
                body = json.dumps([PASSENGER] * 9_000).encode()
                head = "POST /score?proba=true HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                for _ in range(4):
                    connection = socket.create_connection((host, int(port)))
                    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                    clients.append(connection)

            clients: list[socket.socket] = []
            during("nothing", lambda: None)
            during("kill -9 of one worker", kill_worker)
            during("another version, twenty times", moves)
            during("a broken version", take_broken)
            during("a byte a second", slow)
            during("clients that never read", deaf)
            stop.set()
            for client in clients:
                client.close()
            for sender in senders:
                sender.join()


def requests(examples: int) -> None:
    """Requests that schemathesis makes up from the server's own description."""
    with running([*OURS, "--port", "0"]) as (address, _):
        checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
        command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{address}/openapi.json"]
        command += ["--checks", checks, "--max-examples", str(examples), "--continue-on-failure", "--no-color"]
        sys.exit(subprocess.run(command, check=False).returncode)


def made_up_bodies(examples: int) -> None:
    """Bodies of all kinds: the quick reader says what the careful one says, and no answer is a fault."""
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st

    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "deploy" / "server")]
    from test_parsing import VALUES, alike

    from lifeboat.deploy.server.app import create_app
    from lifeboat.deploy.server.models import Model, Models

    client = create_app(Models(Model.load(PORTABLE, "model"))).test_client()
    value = st.one_of([st.just(known) for known in PASSENGER.values()] + [VALUES])
    record = st.fixed_dictionaries({}, optional=dict.fromkeys((*PASSENGER, "Ticket", "x"), value))
    forms = st.sampled_from(["dataframe_records", "inputs", "instances", "input_data", "dataframe_split", "columns"])
    whole = st.one_of(VALUES, st.lists(record, max_size=3), st.dictionaries(forms, st.lists(record, max_size=2)))
    texts = whole.map(lambda content: json.dumps(content).encode())
    cut = st.tuples(texts, st.integers(0, 60), st.binary(max_size=2)).map(lambda t: t[0][: t[1]] + t[2] + t[0][t[1] :])
    statuses = dict[int, int]()

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(texts | cut)
    def answered(body: bytes) -> None:
        alike(body)
        status = client.post("/score", data=body, content_type="application/json").status_code
        statuses[status] = statuses.get(status, 0) + 1
        if status >= 500:
            raise AssertionError(f"{status} for {body!r}")

    answered()
    print(dict(sorted(statuses.items())))


def main() -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    servers = {"floor": floor_server, "spark": partial(spark_server, False), "article": partial(spark_server, True)}
    parser.add_argument("command", choices=["speed", *COMMANDS, *servers])
    parser.add_argument("--seconds", type=int, help="of each measurement; of requests and bodies, how many of them")
    parser.add_argument("--turns", type=int, default=2)
    args = parser.parse_args()
    if args.command in servers:
        return servers[args.command]()
    train()
    if args.command == "speed":
        return speed(args.seconds or 10, args.turns)
    command, usual = COMMANDS[args.command]
    command(args.seconds or usual)


COMMANDS: dict[str, tuple[Callable[[int], None], int]] = {
    "soak": (soak, 900),
    "overload": (overload, 20),
    "chaos": (chaos, 10),
    "requests": (requests, 300),
    "bodies": (made_up_bodies, 100_000),
}


if __name__ == "__main__":
    main()
