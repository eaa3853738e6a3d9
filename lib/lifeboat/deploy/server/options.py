"""What a command line says of a server: ``python -m lifeboat.deploy.server`` and ``lifeboat serve`` take the same."""

from __future__ import annotations

import argparse
from dataclasses import fields

from lifeboat.deploy.server.settings import TOKEN, Settings, token_of_environment
from lifeboat.scoring.answers import Limits

EPILOG = f"{TOKEN} in the environment is the token that each request must carry; without it, only this machine may ask"
DEFAULTS = Settings()


def parser(command: str, description: str, model: str, required: bool = True) -> argparse.ArgumentParser:
    """The options of a server.

    Args:
        command: What is typed before them.
        description: What it does.
        model: What its argument says.
        required: Whether it must be there.
    """
    made = argparse.ArgumentParser(prog=command, description=description, epilog=EPILOG)
    made.add_argument("model", nargs=None if required else "?", default="", help=model)
    option = made.add_argument
    option("--host", default=DEFAULTS.host, help="the address to listen on; 0.0.0.0 for all")
    option("--port", type=_port, default=DEFAULTS.port, help="the port; 0 for a free one")
    option("--name", default="", help="what the model is called in /v2/models/NAME")
    option("--unseen", default="", help="warn or refuse, where a row has a value that training never met")
    option("--workers", type=_count, default=DEFAULTS.workers, help="processes that answer, one a core")
    option(
        "--queue", type=_count, default=DEFAULTS.queue,
        help="requests that a worker has at a time, working or waiting; more get 503",
    )  # fmt: skip
    option(
        "--seconds", type=_count, default=DEFAULTS.seconds,
        help="how long a request's head and its body may take each, and what runs has to end after SIGTERM",
    )  # fmt: skip
    option(
        "--linger", type=float, default=DEFAULTS.linger,
        help="seconds to go on after SIGTERM, not ready, for a load balancer to hear of it",
    )  # fmt: skip
    option("--max-body", type=_count, default=DEFAULTS.limits.body, help="bytes of a request's body at most")
    option("--max-rows", type=_count, default=DEFAULTS.limits.rows, help="rows in a request at most")
    option("--no-auth", action="store_true", help="answer anybody, on any address")
    return made


def settings_of(args: argparse.Namespace, name: str = DEFAULTS.name) -> Settings:
    """The settings that a command line says; ``name`` where it says none."""
    same = {field.name: getattr(args, field.name) for field in fields(Settings) if hasattr(args, field.name)}
    limits = Limits(args.max_body, args.max_rows)
    return Settings(**same | {"name": args.name or name, "limits": limits, "token": token_of_environment()})


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}; write a whole number from 1 on")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r}; write a whole number from 0 to 65535")
    return int(text)
