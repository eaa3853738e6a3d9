"""What the tests of Azure need beside the fake: a credential for it, and the guard against everything else."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
from azure.core.credentials import AccessToken, AccessTokenInfo
from pyspark import SparkContext

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Credential:
    """Gives a token to whoever asks."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("token", int(time.time()) + 3600)

    def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        return AccessTokenInfo("token", int(time.time()) + 3600)


class OutsideError(OSError):
    """Something was about to leave this process."""


class Guard:
    """Refuses every connection and every look-up of a name, and remembers each.

    Python's way to the JVM, on this machine, stays open while there is one: it also tells it what may be forgotten.
    """

    def __init__(self) -> None:
        self.tried: list[str] = []

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        connect, connect_ex, look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo
        patch.setattr(socket.socket, "connect", self._guarded(connect))
        patch.setattr(socket.socket, "connect_ex", self._guarded(connect_ex))
        patch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: look_up(self.let(host), *rest, **more))

    def let(self, host: Any) -> Any:
        """The host, if it may be reached."""
        if host in LOOPBACK and SparkContext._gateway is not None:
            return host
        self.tried.append(str(host))
        raise OutsideError(f"a test of lifeboat.deploy.azure tried to reach {host}")

    def check(self) -> None:
        """Fail if anything was tried, whoever caught the error."""
        assert not self.tried, f"connections were tried: {self.tried}"

    def _guarded(self, original: Any) -> Any:
        def reach(end: socket.socket, address: Any) -> Any:
            if end.family != socket.AF_UNIX:
                self.let(address[0])
            return original(end, address)

        return reach
