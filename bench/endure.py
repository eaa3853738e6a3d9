"""How long the server lasts, and what it does when it goes wrong. Needs wrk, hey, and npx for autocannon.

    python bench/endure.py soak        15 minutes at 80 % of its capacity: errors, and how memory grows (--amount 900)
    python bench/endure.py overload    four times what it can, on one core: who is answered, how quickly, and after it
    python bench/endure.py chaos       a worker killed, the alias moved twenty times, a slow client, a deaf one
    python bench/endure.py requests    thousands of requests made up from its own description, by schemathesis: no 5xx
    python bench/endure.py bodies      a hundred thousand bodies, read alike by both readers and answered without a 5xx

The model is the one that bench/serve.py trains.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serve import OURS, PASSENGER, PORTABLE, ROOT, ask, bodies, family, running, train, wrk

PERCENTILES = {"p50": "p50", "p99": "p99", "p99.9": "p99_9"}


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

    from lifeboat.deploy.server import logs
    from lifeboat.deploy.server.app import create_app
    from lifeboat.deploy.server.models import Model, Models

    logs.STDERR = os.open(os.devnull, os.O_WRONLY)
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
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--amount", type=int, help="seconds; of requests (a route) and bodies, how many")
    asked = parser.parse_args()
    train()
    command, usual = COMMANDS[asked.command]
    command(asked.amount or usual)


COMMANDS: dict[str, tuple[Callable[[int], None], int]] = {
    "soak": (soak, 900),
    "overload": (overload, 20),
    "chaos": (chaos, 10),
    "requests": (requests, 300),
    "bodies": (made_up_bodies, 100_000),
}


if __name__ == "__main__":
    main()
