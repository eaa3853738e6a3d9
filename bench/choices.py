"""What the server was chosen by: WSGI servers, readers of JSON and validators, in turn in one run. Needs wrk.

    python bench/choices.py --turns 3 --seconds 5

The servers answer with one bare route of Flask, two processes each where they have processes. Packages that are not
installed are left out: ``pip install waitress orjson`` brings them.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from timeit import Timer
from typing import Any

from serve import PASSENGER, PORTABLE, bare, bodies, free_port, running, train, until_it_answers, wrk

from lifeboat.scoring.scorer import Scorer

app = bare()  # what gunicorn and waitress are told to serve
HERE = Path(__file__)
SERVERS: dict[str, list[str]] = {
    "granian": [str(HERE.with_name("serve.py")), "floor"],
    "gunicorn": ["-m", "gunicorn", "choices:app", "--workers", "2", "--worker-class", "gthread", "--threads", "8"],
    "waitress": ["-m", "waitress", "--threads", "8", "choices:app"],
}


def there(name: str) -> bool:
    """Whether a package is installed."""
    return importlib.util.find_spec(name) is not None


@contextmanager
def serving(name: str) -> Iterator[str]:
    """A server with the bare route; its address."""
    if name == "granian":
        with running([sys.executable, *SERVERS[name]]) as (address, _):
            yield address
        return
    port = free_port()
    where = ["--bind", f"127.0.0.1:{port}"] if name == "gunicorn" else [f"--listen=127.0.0.1:{port}"]
    words = [sys.executable, *SERVERS[name][:2], *where, *SERVERS[name][2:]]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": HERE.parent}
    process = subprocess.Popen(words, **quiet)  # type: ignore[call-overload]
    try:
        until_it_answers(process, f"http://127.0.0.1:{port}", "/score", [PASSENGER])
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def servers(turns: int, seconds: int) -> None:
    """Requests a second of each server, at 1 and 16 connections."""
    rates: dict[tuple[str, int], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        script = bodies(Path(folder))[1]
        for _ in range(turns):
            for name in filter(there, SERVERS):
                with serving(name) as address:
                    for connections in (1, 16):
                        wrk(address, script, connections, 1)
                        rates.setdefault((name, connections), []).append(wrk(address, script, connections, seconds)[0])
    for (name, connections), found in rates.items():
        spread = f"{min(found):,.0f} to {max(found):,.0f}"
        print(f"{name:12} {connections:3} connections {statistics.median(found):9,.0f} requests/s ({spread})")


def microseconds(work: Callable[[], Any]) -> float:
    """The median of seven turns."""
    times = Timer(work).repeat(7, 200)
    return statistics.median(times) / 200 * 1e6


def readers() -> None:
    """What reading a body of 1 and of 100 rows takes by each reader of JSON."""
    import msgspec

    found: dict[str, Callable[[bytes], Any]] = {"json": json.loads, "msgspec": msgspec.json.decode}
    if there("orjson"):
        found["orjson"] = __import__("orjson").loads
    for rows in (1, 100):
        body = json.dumps([PASSENGER] * rows).encode()
        took = ", ".join(f"{name} {microseconds(lambda r=read, b=body: r(b)):.1f}" for name, read in found.items())
        print(f"reading {rows:3} rows, µs: {took}")


def validators() -> None:
    """What checking 1 and 100 rows takes: our own columns, msgspec's structs and pydantic's models of the same."""
    import msgspec
    import pydantic

    scorer, types = Scorer.load(PORTABLE), {"string": str, "double": float, "int": int}
    fields = [(c.name, types[c.type] | None, None) for c in scorer.columns if c.name in PASSENGER]
    struct = list[msgspec.defstruct("Passenger", fields)]  # type: ignore[misc]
    model = pydantic.TypeAdapter(
        list[pydantic.create_model("Passenger", **{name: (kind, None) for name, kind, _ in fields})]  # type: ignore[misc, call-overload]
    )
    for rows in (1, 100):
        records = [PASSENGER] * rows
        checks: dict[str, Callable[[], Any]] = {
            "ours": lambda r=records: scorer._read(r),
            "msgspec": lambda r=records: msgspec.convert(r, struct),
            "pydantic": lambda r=records: model.validate_python(r),
        }
        took = ", ".join(f"{name} {microseconds(check):.1f}" for name, check in checks.items())
        print(f"checking {rows:3} rows, µs: {took}")


def main() -> None:
    """Print all three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement of a server")
    asked = parser.parse_args()
    train()
    servers(asked.turns, asked.seconds)
    readers()
    validators()


if __name__ == "__main__":
    main()
