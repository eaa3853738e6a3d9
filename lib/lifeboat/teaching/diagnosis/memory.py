"""How much memory there is: the machine's, less what a container, a session or a shell may have."""

from __future__ import annotations

import os
from typing import NamedTuple

from .setup import FAILED, FINE, REMARK, Note, Setup, gigabytes

GB = 2**30
LEAST, ENOUGH = 3 * GB, 4 * GB
HELD_BACK = 0.93  # of 4 GB, what a system says that it has: the rest is the kernel's
LEAST_FREE = GB  # Spark's Java has a heap of that size


class Limit(NamedTuple):
    """So many bytes, how many of them are free (None: unknown), and who says so."""

    total: int
    free: int | None
    origin: str


def check_memory(setup: Setup) -> list[Note]:
    """Whether Spark, a notebook and a browser have room."""
    notes = []
    limit = min((known for known in (_machine(setup), *_groups(setup)) if known), default=None)
    if limit is None:
        notes.append(Note(REMARK, "this system does not say how much it has: 4 GB are wanted."))
    elif limit.total < LEAST:
        notes.append(
            Note(FAILED, f"{gigabytes(limit.total)} ({limit.origin}), and 4 GB are wanted{_WHY}: {_MORE} {_LESS}")
        )
    elif limit.total < ENOUGH * HELD_BACK:
        notes.append(Note(REMARK, f"{gigabytes(limit.total)} ({limit.origin}) is little: {_LESS}"))
    else:
        notes.append(Note(FINE, f"{gigabytes(limit.total)} ({limit.origin})"))
    if limit and limit.total >= LEAST and limit.free is not None and limit.free < LEAST_FREE:
        notes.append(Note(FAILED, f"only {gigabytes(limit.free)} are free: close other programs, the largest first."))
    return notes + _address_space()


# `lifeboat run params/quick.yaml` in a control group of 2 GB held 1.5 at the most
_WHY = " (a short run takes 1.5 by itself, JupyterLab, the browser and the system take the rest)"
_MORE = "give it more (Docker: `--memory=4g`; WSL: `memory=4GB` under `[wsl2]` in .wslconfig, then `wsl --shutdown`)."
_LESS = (
    "To do with less: close other programs, shut a notebook's kernel down before the next one (each has a Spark of its "
    "own), take `make run PARAMS=params/quick.yaml`, and set LIFEBOAT_DRIVER_MEMORY=1g, which holds Spark's Java to a "
    "heap of 1 GB for large files too."
)


def _machine(setup: Setup) -> Limit | None:
    sizes = {}
    for line in _lines(os.path.join(setup.proc, "meminfo")):
        name, _, value = line.partition(":")
        sizes[name] = int(value.split()[0]) * 1024 if value.strip() else 0
    if sizes.get("MemTotal"):
        return Limit(sizes["MemTotal"], sizes.get("MemAvailable"), "the machine's")
    try:
        return Limit(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), None, "the machine's")
    except (AttributeError, ValueError, OSError):
        return None


def _groups(setup: Setup) -> list[Limit]:
    """The limits of this process's control groups and of those above them, in both versions."""
    limits = []
    for line in _lines(os.path.join(setup.proc, "self", "cgroup")):
        number, controllers, path = [*line.split(":", 2), "", ""][:3]
        if number == "0" and not controllers:
            names = ("memory.max", "memory.current", "inactive_file")
            mounts = ["", "unified"]
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            mounts = ["memory"]
        else:
            continue
        for mount in mounts:
            limits += _above(os.path.join(setup.cgroup, mount), path, names)
    return limits


def _above(mount: str, path: str, names: tuple[str, str, str]) -> list[Limit]:
    """The limits in a group's folder and in those above it: a container sees the top alone."""
    steps = [step for step in path.split("/") if step]
    limits = []
    for depth in range(len(steps), -1, -1):
        folder = os.path.join(mount, *steps[:depth])
        if total := _number(os.path.join(folder, names[0])):
            used = _number(os.path.join(folder, names[1]))
            cache = [
                line.split()[1] for line in _lines(os.path.join(folder, "memory.stat")) if line.startswith(names[2])
            ]
            free = total - used + sum(map(int, cache)) if used is not None else None
            limits.append(Limit(total, free, f"a limit of this container or session, {folder}"))
    return limits


def _address_space() -> list[Note]:
    try:
        import resource
    except ImportError:
        return []
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY or limit > 16 * GB:
        return []
    return [Note(FAILED, f"`ulimit -v` holds a program to {gigabytes(limit)}, and Java sets more aside: {_UNLIMITED}")]


_UNLIMITED = "say `ulimit -v unlimited` in this terminal, or have whoever set it raise it."


def _number(file: str) -> int | None:
    text = " ".join(_lines(file)).strip()
    return int(text) if text.isdigit() else None


def _lines(file: str) -> list[str]:
    try:
        with open(file, encoding="utf-8") as lines:
            return lines.read().splitlines()
    except OSError:
        return []
