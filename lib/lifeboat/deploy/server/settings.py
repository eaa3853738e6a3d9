"""How a server is told to behave."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address

from lifeboat.errors import LifeboatError
from lifeboat.scoring.answers import Limits

TOKEN = "LIFEBOAT_TOKEN"  # the variable that holds it
SHORTEST_TOKEN = 16


class OpenServerError(LifeboatError, ValueError):
    """The server would answer anybody on the network, and nobody said that it may."""


@dataclass(frozen=True)
class Settings:
    """How a server is told to behave.

    Attributes:
        host: The address to listen on.
        port: The port; 0 for a free one.
        name: The model's, in the addresses of the Open Inference Protocol.
        unseen: ``Scorer.load``'s.
        workers: Processes that answer.
        queue: Requests that one of them has at a time, working or waiting; more are told to come back.
        seconds: How long a request's head may take to arrive, and its body or each piece of a large one; and how long
            what runs has to end after SIGTERM.
        linger: Seconds to go on after SIGTERM, not ready, for a load balancer to hear of it.
        limits: What a request may hold.
        token: What a request must carry; empty: nothing.
        no_auth: Whether anybody may ask, on any address.
    """

    host: str = "127.0.0.1"
    port: int = 5001
    name: str = "model"
    unseen: str = ""
    workers: int = 1
    queue: int = 32
    seconds: int = 30
    linger: float = 0
    limits: Limits = field(default_factory=Limits)
    token: str = field(default="", repr=False)
    no_auth: bool = False

    @cached_property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @cached_property
    def checks_origin(self) -> bool:
        """Whether a browser's other pages must be kept out, since nothing else does."""
        return self.loopback and not self.token and not self.no_auth

    def need_closed(self) -> None:
        """Raise OpenServerError where anybody on the network could ask, and nobody said so."""
        if self.token and len(self.token) < SHORTEST_TOKEN:
            raise OpenServerError(
                f"{TOKEN} has {len(self.token)} characters: take {SHORTEST_TOKEN} or more, such as "
                "`python -c 'import secrets; print(secrets.token_urlsafe())'` prints"
            )
        if not (self.loopback or self.token or self.no_auth):
            raise OpenServerError(
                f"on {self.host} anybody who reaches this machine could ask: set {TOKEN} in the environment (each "
                "request then carries it as `Authorization: Bearer ...`), listen on 127.0.0.1, or say --no-auth where "
                "something before the server keeps others out"
            )


def token_of_environment() -> str:
    """The token that requests must carry, as the environment says; empty: none."""
    return os.environ.get(TOKEN, "").strip()
