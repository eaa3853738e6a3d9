"""Start the server as a process of its own, ask it over HTTP, and stop it."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lifeboat.deploy.server import TIED
from lifeboat.errors import LifeboatError
from lifeboat.scoring.answers import LARGEST_BODY, MOST_ROWS

# the server is this machine's: no proxy that the environment names leads to it
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def within(records: Sequence[Mapping[str, Any]], largest: int = LARGEST_BODY // 2) -> list[Mapping[str, Any]]:
    """The first records, as many as a request can hold: ten thousand, and their JSON has ``largest`` bytes at most."""
    sizes = itertools.accumulate(len(json.dumps(record)) + 2 for record in records[:MOST_ROWS])
    return [record for record, size in zip(records, sizes, strict=False) if size <= largest]


class ServerDidNotStartError(LifeboatError, RuntimeError):
    """The server ended before it took requests; the message holds what it said."""


class Server:
    """A running server; ``url`` is where it listens. Use it in a ``with``, or call ``stop``.

    Args:
        model: What ``lifeboat serve`` takes: a run's name or folder, a portable model's folder, a registry address.
        port: Where to listen; 0 for a free port.

    Raises:
        ServerDidNotStartError: It ended instead of listening.
    """

    def __init__(self, model: str | Path, port: int = 0) -> None:
        command = [sys.executable, "-m", "lifeboat", "serve", str(model), "--port", str(port)]
        # a file: a pipe that nobody reads would fill, and stop the server
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=os.environ | {TIED: "yes"},
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:  # it says so when it listens; if it ends, so does its output
            if line.startswith("Serving on "):
                self.url = line.removeprefix("Serving on ").strip()
                return
        self._process.communicate()
        message = f"the server for {model} ended with status {self._process.returncode}:\n{self.log()}"
        self._log.close()
        raise ServerDidNotStartError(message)

    def log(self) -> str:
        """All that the server has said beside its answers."""
        self._log.seek(0)
        return self._log.read()

    def ask(self, path: str, body: Any = None) -> tuple[int, Any]:
        """Send ``body`` as JSON to ``path`` (a GET without a body); the status and the JSON of the answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        try:
            with DIRECTLY.open(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)

    def stop(self) -> None:
        """End the process and wait until it is gone."""
        self._process.terminate()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream:
                stream.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
