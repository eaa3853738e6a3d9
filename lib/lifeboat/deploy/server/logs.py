"""One line of JSON on stderr for each request and each event: never a value that somebody sent."""

from __future__ import annotations

import os
import re
import secrets
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

STDERR = 2
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)  # an id that may stand in a log as it came


def write(event: str, **fields: Any) -> None:
    """Write a line: the time in UTC, the event, and what belongs to it; nothing where it is None."""
    line = {"time": datetime.now(UTC), "event": event}
    line |= {name: value for name, value in fields.items() if value is not None}
    # in one piece, so that lines of several threads and processes do not mix
    os.write(STDERR, msgspec.json.encode(line) + b"\n")


def request_id(came: str | None) -> str:
    """The id of a request: the one it came with where that is plain, else a new one."""
    return came if came and PLAIN.fullmatch(came) else secrets.token_hex(16)


def where(error: BaseException) -> str:
    """The innermost place of this program that an error passed; what the error says may quote what somebody sent."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
