"""What the server counts, in Prometheus' form: all its processes together, whichever of them is asked."""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from lifeboat.deploy.server.models import Model

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # where the processes lay their counts, by the client library's own name
CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Measures:
    """The counters of one worker."""

    def __init__(self) -> None:
        self._answered: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._scored: dict[str, Counter] = {}
        self._registry = registry = CollectorRegistry()
        self.requests = Counter("lifeboat_requests", "Requests answered.", ["route", "code"], registry=registry)
        self.seconds = Histogram(
            "lifeboat_request_seconds", "Seconds from a request to its answer.", ["route"],
            registry=registry, buckets=SECONDS,
        )  # fmt: skip
        self.rows = Counter("lifeboat_rows", "Rows scored.", ["model_version"], registry=registry)
        self.rejected = Counter("lifeboat_rejected", "Requests not answered, by reason.", ["reason"], registry=registry)
        self.unseen = Counter(
            "lifeboat_unseen", "Values that training never met, by column.", ["field"], registry=registry
        )
        self.model = Gauge(
            "lifeboat_model", "1 for the model that answers.", ["name", "model_version"],
            registry=registry, multiprocess_mode="livemax",
        )  # fmt: skip
        self._serving: tuple[str, str] | None = None

    def serving(self, model: Model) -> None:
        """Note which model answers."""
        if self._serving:
            self.model.labels(*self._serving).set(0)
        self._serving = model.name, model.version
        self.model.labels(*self._serving).set(1)

    def answered(self, route: str, code: int, seconds: float) -> None:
        """Count an answer."""
        if (pair := self._answered.get((route, code))) is None:
            pair = self.requests.labels(route, code), self.seconds.labels(route)
            self._answered[route, code] = pair
        pair[0].inc()
        pair[1].observe(seconds)

    def scored(self, version: str, rows: int) -> None:
        """Count rows that a version of the model has scored."""
        if (counter := self._scored.get(version)) is None:
            counter = self._scored[version] = self.rows.labels(version)
        counter.inc(rows)

    def text(self) -> bytes:
        """All counts of all workers."""
        if not os.environ.get(FOLDER):
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def forget(pid: int) -> None:
    """What a worker that is gone said of its present no longer counts; what it counted does."""
    if Path(os.environ.get(FOLDER, "")).is_dir() and os.environ.get(FOLDER):
        mark_process_dead(pid)  # type: ignore[no-untyped-call]
