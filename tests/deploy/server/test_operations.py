"""What operates the server: probes, counts, logs, signals. Real processes, two workers."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from hand_made import GOOD, by_hand
from lifeboat.deploy.server.process import _listen
from lifeboat.deploy.server.settings import Settings

JSON = {"Content-Type": "application/json"}
NAME = "Kelly, Mr. James"


class Running:
    """A server of its own, and what it has said."""

    def __init__(self, process: subprocess.Popen[str], address: tuple[str, int], log: Path) -> None:
        self.process, self.address, self._log = process, address, log

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] = JSON) -> tuple[int, Any, str]:
        """On a connection of its own, so that any worker may answer."""
        with closing(http.client.HTTPConnection(*self.address, timeout=60)) as connection:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def count(self, name: str, **labels: str) -> float:
        """A sample of what the server counts, summed over the labels that are not given."""
        families = text_string_to_metric_families(self.ask("GET", "/metrics")[2])
        samples = [sample for family in families for sample in family.samples if sample.name == name]
        return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())

    def workers(self) -> list[psutil.Process]:
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


@contextmanager
def running(folder: Path, *options: str, **environment: str) -> Iterator[Running]:
    command = [sys.executable, "-m", "lifeboat.deploy.server", str(folder), "--port", "0", *options]
    descriptor, name = tempfile.mkstemp(".log", dir=folder.parent)  # two servers of one model are two logs
    log_file = Path(name)
    with open(descriptor, "w") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | environment,
            start_new_session=True,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("Serving on http://"), log_file.read_text()
            host, port = line.removeprefix("Serving on http://").strip().split(":")
            yield Running(process, (host, int(port)), log_file)
        finally:
            process.terminate()
            process.wait(timeout=60)
            assert process.stdout is not None
            process.stdout.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    stages = [{"stage": "StringIndexerModel", "inputs": ["word"], "outputs": ["index"], "labels": ["a", "b"]}]
    return by_hand(tmp_path_factory.mktemp("operations") / "model", stages, ["count", "index"])


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Running]:
    with running(folder, "--workers", "2") as started:
        yield started


def test_probes_say_that_it_lives_and_which_model_is_ready(server: Running) -> None:
    for path in ("/livez", "/ping", "/health"):
        assert (server.ask("GET", path)[0], json.loads(server.ask("GET", path)[2])) == (200, {"status": "ok"})
    status, headers, content = server.ask("GET", "/readyz")
    version = json.loads(content)["version"]
    assert (status, len(version), headers["X-Model-Version"]) == (200, 12, version)


def test_every_answer_names_the_version_and_the_request_s_id(server: Running) -> None:
    for method, path, body in (
        ("GET", "/livez", None),
        ("GET", "/no", None),
        ("POST", "/score", 3),
        ("POST", "/score", []),
    ):
        _, headers, _ = server.ask(method, path, body, JSON | {"X-Request-ID": "deck-7.B"})
        assert (len(headers["X-Model-Version"]), headers["X-Request-ID"]) == (12, "deck-7.B")
    for odd in (NAME, "x" * 200, ""):
        assert re.fullmatch(
            "[0-9a-f]{32}", server.ask("GET", "/livez", headers={"X-Request-ID": odd})[1]["X-Request-ID"]
        )


def test_the_counts_are_those_of_both_workers_whichever_is_asked(server: Running) -> None:
    assert len(server.workers()) == 2
    names = ("lifeboat_rows_total", "lifeboat_unseen_total", "lifeboat_request_seconds_count")
    before = {name: server.count(name) for name in names}
    for _ in range(40):
        assert server.ask("POST", "/score", [GOOD, GOOD | {"word": "z"}])[0] == 200
    for _ in range(5):
        assert server.count("lifeboat_rows_total") - before["lifeboat_rows_total"] == 80
    assert server.count("lifeboat_unseen_total", field="word") - before["lifeboat_unseen_total"] == 40
    misfits = server.count("lifeboat_rejected_total", reason="misfit")
    assert server.ask("POST", "/score", 3)[0] == 422
    assert server.count("lifeboat_rejected_total", reason="misfit") - misfits == 1
    assert server.count("lifeboat_requests_total", route="/score", code="422") >= 1
    assert server.count("lifeboat_model") == 1
    answered = {line["model"] for line in server.log() if line["event"] == "request"}
    assert len(answered) == 1


def test_the_log_has_a_line_a_request_and_never_what_somebody_sent(server: Running) -> None:
    before = len(server.log())
    path = "/score?name=Kelly"
    assert server.ask("POST", path, [GOOD | {"word": NAME}], JSON | {"X-Request-ID": "one"})[0] == 200
    assert server.ask("POST", path, [GOOD | {"count": NAME}], JSON | {"X-Request-ID": "two"})[0] == 422
    assert server.ask("GET", "/Kelly", headers=JSON | {"X-Request-ID": "three"})[0] == 404
    assert server.ask("POST", path, [{"Kelly": 1}], JSON | {"X-Request-ID": "four", "User-Agent": "Kelly"})[0] == 422
    lines = server.log()[before:]
    assert "Kelly" not in json.dumps(lines)
    facts = [(line["id"], line["route"], line["status"], line.get("reason"), line.get("rows")) for line in lines]
    assert facts == [
        ("one", "/score", 200, None, 1),
        ("two", "/score", 422, "misfit", None),
        ("three", "none", 404, "unknown_route", None),
        ("four", "/score", 422, "misfit", None),
    ]
    assert lines[0]["unseen"] == {"word": 1}
    assert all(line["time"].endswith("Z") and line["ms"] > 0 for line in lines)


def test_a_worker_that_is_killed_is_replaced_and_nobody_else_s_request_is_lost(server: Running) -> None:
    victim = server.workers()[0]
    victim.kill()
    victim.wait(timeout=30)
    for _ in range(20):
        assert server.ask("POST", "/score", [GOOD])[0] == 200
    assert server.process.poll() is None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is one socket for all workers")
def test_connections_are_shared_out_among_the_workers(server: Running) -> None:
    kept = [http.client.HTTPConnection(*server.address, timeout=60) for _ in range(64)]
    for connection in kept:
        connection.request("GET", "/livez")
        assert connection.getresponse().read() == b'{"status":"ok"}\n'
    shares = [
        sum(each.status == "ESTABLISHED" for each in worker.net_connections("tcp")) for worker in server.workers()
    ]
    for connection in kept:
        connection.close()
    assert len(shares) == 2
    assert min(shares) >= 8, "by chance alone, fewer are as rare as one in 10^9"


def test_an_answer_is_sent_at_once_in_however_many_pieces() -> None:
    for listening in _listen(Settings(port=0, workers=2)):
        with listening:
            assert listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_takes_nobody_new_finishes_what_runs_and_ends_with_status_0(folder: Path, how: int) -> None:
    body = json.dumps([GOOD]).encode()
    with running(folder) as server, socket.create_connection(server.address, timeout=60) as begun:
        assert server.ask("GET", "/livez")[0] == 200
        head = "POST /score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        head += f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
        begun.sendall(head.encode())
        assert begun.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"  # it works on the request, and waits for its body
        begun.sendall(body[:5])
        server.process.send_signal(how)
        refused = False
        while not refused:
            try:
                server.ask("GET", "/livez")
            except (ConnectionError, http.client.HTTPException):
                refused = True
        begun.sendall(body[5:])
        answer = http.client.HTTPResponse(begun)
        answer.begin()
        assert (answer.status, json.loads(answer.read())) == (200, {"predictions": [1]})
        answer.close()
        assert server.process.wait(timeout=60) == 0
        assert [line["event"] for line in server.log()].count("draining") == 1


def test_a_client_whose_body_stops_coming_is_told_so_and_others_are_answered_meanwhile(folder: Path) -> None:
    head = b"POST /score HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n[{"
    with running(folder, "--seconds", "1") as server, ExitStack() as stack:
        stuck = [stack.enter_context(socket.create_connection(server.address, timeout=60)) for _ in range(40)]
        for each in stuck:
            each.sendall(head)
        assert server.ask("POST", "/score", [GOOD])[0] == 200
        for each in stuck:
            answer = http.client.HTTPResponse(each)
            answer.begin()
            assert (answer.status, answer.headers["Connection"]) == (408, "close")
            assert json.loads(answer.read())["error"] == "the body, or a piece of it, took longer than 1 s"
            answer.close()
        assert server.count("lifeboat_rejected_total", reason="too_slow") == 40


def test_with_time_to_linger_it_answers_on_and_says_that_it_is_not_ready(folder: Path) -> None:
    with running(folder, "--linger", "3") as server:
        assert server.ask("GET", "/readyz")[0] == 200
        server.process.terminate()
        while server.ask("GET", "/readyz")[0] == 200:
            pass
        status, headers, content = server.ask("GET", "/readyz")
        assert (status, headers["Retry-After"]) == (503, "5")
        assert json.loads(content)["error"] == "not ready: the server is about to end"
        assert server.ask("POST", "/score", [GOOD])[0] == 200
        assert server.process.wait(timeout=60) == 0


def altered(folder: Path, copy: Path, example: dict[str, Any]) -> Path:
    """The model with an example that somebody noted."""
    copy.mkdir()
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    manifest = json.loads((folder / "manifest.json").read_text()) | {"example": example}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    return copy


def test_a_model_that_answers_its_own_example_otherwise_than_when_it_was_exported_is_not_ready(
    folder: Path, tmp_path: Path
) -> None:
    right = {"record": GOOD, "prediction": 1, "probabilities": [0.268941, 0.731059]}  # 1 / (1 + e), by hand
    with running(altered(folder, tmp_path / "right", right)) as server:
        assert server.ask("GET", "/readyz")[0] == 200
    with running(altered(folder, tmp_path / "wrong", right | {"prediction": 0})) as server:
        for method, path, body in (
            ("GET", "/readyz", None),
            ("POST", "/score", [GOOD]),
            ("GET", "/v2/health/ready", None),
        ):
            status, _, content = server.ask(method, path, body)
            assert status == 503
            assert "its example is answered with class 1" in json.loads(content)["error"]
        assert server.ask("GET", "/livez")[0] == 200
