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
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import granian.server.mp
from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.mp import MPServer

from lifeboat.deploy.server import TIED, logs
from lifeboat.deploy.server.gate import Gate
from lifeboat.deploy.server.settings import Settings
from lifeboat.deploy.server.wsgi import Environ
from lifeboat.errors import LifeboatError
from lifeboat.scoring.scorer import Scorer

BACKLOG = 1024
HEADERS = 64 * 1024  # bytes of a request's head
CONNECTIONS = 4096  # that a worker keeps open, most of them idle; who comes then waits
THREADS = 512  # of a worker at most: each client that sends slowly has one, those who are quick share a few
COUNTS = "PROMETHEUS_MULTIPROC_DIR"  # prometheus-client's own variable
DRAINING, LOADED = "draining", "loaded"


class Processes(MPServer):  # type: ignore[misc]
    """Granian's main process, which holds the sockets, and told apart by us when it is to end.

    What waits at a socket when its worker dies is answered by the next one. (By itself Granian lets each worker make
    its own, whose waiting connections die with it; nor would a port that is taken be noticed.)
    """

    def __init__(self, listening: Sequence[socket.socket], state: Path, settings: Settings) -> None:
        host, port = listening[0].getsockname()[:2]
        super().__init__(
            "lifeboat", host, port, interface=Interfaces.WSGI, workers=settings.workers, http=HTTPModes.http1,
            websockets=False, blocking_threads=THREADS, backpressure=CONNECTIONS,
            respawn_failed_workers=True, workers_kill_timeout=settings.seconds, log_enabled=False,
            http1_settings=HTTP1Settings(header_read_timeout=1000 * settings.seconds, max_buffer_size=HEADERS),
        )  # fmt: skip
        self._listening, self._state, self._linger = listening, state, settings.linger

    def _init_shared_socket(self) -> None:
        """There is none: each worker has its own."""

    def _drop_shared_socket(self) -> None:
        """They stay open until workers have finished, to turn away who comes."""

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Any) -> Any:
        self._sso = self._listening[idx % len(self._listening)]
        self._shd = SocketHolder(self._sso.fileno(), False, BACKLOG)  # type: ignore[call-arg]
        return super()._spawn_worker(idx, target, callback_loader)

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
        """Close each connection that comes while workers finish: on an open socket it would wait for nobody."""
        with suppress(OSError, ValueError):  # the sockets are closed in the end
            while ready := select.select(self._listening, [], [])[0]:
                for each in ready:
                    with suppress(BlockingIOError):  # a worker that had not ended yet was quicker
                        each.accept()[0].close()

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
    while os.read(0, 4096):  # not sys.stdin: Python waits a second at its end for a thread that is reading that
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _announce(message: str, state: Path) -> None:
    """Say that requests are taken, as soon as the first worker has loaded the model."""
    while state.exists():
        if (state / LOADED).exists():
            return print(message, flush=True)
        time.sleep(0.02)


def _listen(settings: Settings) -> list[socket.socket]:
    """A socket for each worker, all on one port, where the system shares connections out among them; else one for all.

    On one for all, the worker that wakes first may take every connection, and leave the other cores idle.
    """
    try:
        family, *_, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        listening = [_bound(family, address)]
        while sys.platform == "linux" and len(listening) < settings.workers:
            # only once it is bound alone, so that a port that somebody else has is noticed
            listening[0].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listening.append(_bound(family, listening[0].getsockname(), shared=True))
    except OSError as error:
        why = getattr(error, "strerror", None) or error
        raise LifeboatError(
            f"cannot listen on {settings.host}:{settings.port} ({why}): take another --port, or 0 for a free one"
        ) from error
    for each in listening:
        each.listen(BACKLOG)
    return listening


def _bound(family: int, address: Any, shared: bool = False) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    # its connections inherit it: without, an answer waits 40 ms for the client to confirm the first half
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    bound.bind(address)
    bound.setblocking(False)
    bound.set_inheritable(True)
    return bound


def _load(folder: Path, settings: Settings, store: bool, state: Path) -> Callable[..., Any]:
    """What a worker answers with; called once in each."""
    from lifeboat.deploy.server.app import create_app
    from lifeboat.deploy.server.batching import Batches
    from lifeboat.deploy.server.follow import StoredModels
    from lifeboat.deploy.server.models import Model, Models
    from lifeboat.deploy.server.store import Store

    models = (
        StoredModels(Store(folder, settings.name, settings.unseen))
        if store
        else Models(Model.load(folder, settings.name, settings.unseen))
    )
    application = create_app(models, settings, state / DRAINING)
    together = Batches(models, settings)
    gate = Gate(application.wsgi_app, settings.queue, settings.limits.body, settings.seconds, together)
    (state / LOADED).touch()
    return handed_over(gate)


def handed_over(gate: Gate) -> Callable[[Any, Environ], None]:
    """What Granian's threads call with a request and go: by itself Granian has each wait for its own answer."""
    granian.server.mp._wsgi_call_wrap = lambda call, *_: call
    always = {
        "SCRIPT_NAME": "", "wsgi.errors": sys.stderr, "wsgi.input_terminated": True,
        "wsgi.multiprocess": True, "wsgi.multithread": True, "wsgi.run_once": False, "wsgi.version": (1, 0),
    }  # fmt: skip
    return lambda protocol, environ: gate(always | environ, protocol.response_bytes)
