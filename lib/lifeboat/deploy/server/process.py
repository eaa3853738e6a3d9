"""The server's processes: one that holds the socket, and workers that answer."""

from __future__ import annotations

import multiprocessing
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.mp import MPServer

from lifeboat.deploy.server import TIED, logs
from lifeboat.deploy.server.settings import Settings
from lifeboat.errors import LifeboatError
from lifeboat.scoring.scorer import Scorer

BACKLOG = 1024
HEADERS = 64 * 1024  # bytes of a request's head
SPARE = 32  # threads for clients that send slowly, beside those for requests that are whole
COUNTS = "PROMETHEUS_MULTIPROC_DIR"  # prometheus-client's own variable
DRAINING, LOADED = "draining", "loaded"


class Processes(MPServer):  # type: ignore[misc]
    """Granian's main process, with one socket for all workers, and told apart by us when it is to end.

    One socket: what waits there when a worker dies is answered by another. (By itself Granian gives each worker a
    socket of its own on the same port, whose waiting connections die with it; nor would a port that is taken be
    noticed.)
    """

    def __init__(self, listening: socket.socket, state: Path, settings: Settings) -> None:
        host, port = listening.getsockname()[:2]
        super().__init__(
            "lifeboat", host, port, interface=Interfaces.WSGI, workers=settings.workers, http=HTTPModes.http1,
            websockets=False, blocking_threads=settings.queue + SPARE, backpressure=2 * (settings.queue + SPARE),
            respawn_failed_workers=True, workers_kill_timeout=settings.seconds, log_enabled=False,
            http1_settings=HTTP1Settings(header_read_timeout=1000 * settings.seconds, max_buffer_size=HEADERS),
        )  # fmt: skip
        self._listening, self._state, self._linger = listening, state, settings.linger

    def _init_shared_socket(self) -> None:
        self._ssp, self._sso, self._sfd = None, self._listening, self._listening.fileno()
        self._shd = SocketHolder(self._sfd, False, BACKLOG)  # type: ignore[call-arg]

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """Say that nobody should be sent here any more, then end: at once where no time was given to hear that."""
        if (self._state / DRAINING).exists():
            return
        (self._state / DRAINING).touch()
        logs.write("draining", seconds=self._linger)
        if not self._linger:
            super().signal_handler_interrupt()
            return
        timer = threading.Timer(self._linger, super().signal_handler_interrupt)
        timer.daemon = True
        timer.start()

    def _stop_workers(self) -> None:
        threading.Thread(target=self._turn_away, daemon=True).start()
        super()._stop_workers()

    def _turn_away(self) -> None:
        """Close each connection that comes while workers finish: on the open socket it would wait for nobody."""
        with suppress(OSError, ValueError):  # the socket is closed in the end
            while select.select([self._listening], [], []):
                with suppress(BlockingIOError):  # a worker that had not ended yet was quicker
                    self._listening.accept()[0].close()

    def _respawn_workers(self, workers: list[int], *args: Any, **kwargs: Any) -> None:
        from lifeboat.deploy.server.measures import forget

        for index in workers:
            pid = self.wrks[index]._id()
            logs.write("worker", ended=pid)
            forget(pid)
        super()._respawn_workers(workers, *args, **kwargs)


def serve(folder: Path, settings: Settings, store: bool = False) -> None:
    """Serve a portable model until the process is told to end by SIGTERM or SIGINT.

    Prints ``Serving on http://host:port`` when it takes requests.

    Args:
        folder: The model's; or a store's, whose pointer says which of its models answers.
        settings: How.
        store: Whether it is a store's.

    Raises:
        lifeboat.scoring.scorer.BrokenModelError: The folder is not a whole portable model.
        LifeboatError: The port is taken, the host is not this machine's, or anybody could ask.
    """
    settings.need_closed()
    if not store:
        scorer = Scorer.load(folder, settings.unseen)
        if scorer.remark:
            logs.write("model", remark=f"{folder} is {scorer.remark}")
    listening = _listen(settings)
    if os.environ.pop(TIED, ""):
        threading.Thread(target=_end_with_input, daemon=True).start()
    state = Path(tempfile.mkdtemp(prefix="lifeboat-serve-"))
    os.environ[COUNTS] = str(state)
    multiprocessing.set_start_method("spawn", force=True)  # workers get nothing of what this process has in memory
    server = Processes(listening, state, settings)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    message = f"Serving on http://{host}:{server.bind_port}"
    threading.Thread(target=_announce, args=(message, state), daemon=True).start()
    try:
        server.serve(target_loader=partial(_load, folder, settings, store, state), wrap_loader=False)
    except SystemExit:
        if not (state / DRAINING).exists():  # Ctrl-C ends workers too, which Granian takes for a failure
            raise
    finally:
        shutil.rmtree(state, ignore_errors=True)


def _end_with_input() -> None:
    """End this process and its workers once who started it is gone, however that went."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _announce(message: str, state: Path) -> None:
    """Say that requests are taken, as soon as the first worker has loaded the model."""
    while state.exists():
        if (state / LOADED).exists():
            return print(message, flush=True)
        time.sleep(0.02)


def _listen(settings: Settings) -> socket.socket:
    """A socket that takes connections."""
    try:
        family, *_, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        why = getattr(error, "strerror", None) or error
        raise LifeboatError(
            f"cannot listen on {settings.host}:{settings.port} ({why}): take another --port, or 0 for a free one"
        ) from error
    listening.listen(BACKLOG)
    listening.setblocking(False)
    listening.set_inheritable(True)
    return listening


def _load(folder: Path, settings: Settings, store: bool, state: Path) -> Callable[..., Any]:
    """What a worker answers with; called once in each."""
    from lifeboat.deploy.server.app import create_application
    from lifeboat.deploy.server.follow import StoredModels
    from lifeboat.deploy.server.models import Model, Models
    from lifeboat.deploy.server.store import Store

    models = (
        StoredModels(Store(folder, settings.name, settings.unseen))
        if store
        else Models(Model.load(folder, settings.name, settings.unseen))
    )
    application = create_application(models, settings, state / DRAINING)
    (state / LOADED).touch()
    return application
