"""What is installed: the packages' versions, a Spark session, and a notebook's kernel."""

from __future__ import annotations

import json
import os
import re
import shutil

from .setup import FAILED, FINE, NOT_TRIED, READY, Note, Setup, run

SPARK_SECONDS, KERNEL_SECONDS = 120, 60  # a slow machine's, several times over
ROWS = 10
SESSION = f"""
import sys
from lifeboat.errors import LifeboatError
try:
    from lifeboat.spark import session
    spark = session.start("local[2]")
    print("rows", spark.range({ROWS}).count(), spark.version)
    spark.stop()
except LifeboatError as error:
    sys.exit(str(error))
"""
KERNEL = """
import json
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(startup_timeout=50, kernel_name="python3")
try:
    asked = {"sum": "1 + 1", "prefix": "__import__('sys').prefix"}
    reply = client.execute("", reply=True, timeout=30, user_expressions=asked)["content"]["user_expressions"]
    print(json.dumps({name: value["data"]["text/plain"] for name, value in reply.items()}))
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
"""


def check_packages(setup: Setup) -> list[Note]:
    """Whether each package has the version that the lock says, and ``lifeboat`` is this project's."""
    if not setup.python:
        return [Note(NOT_TRIED, _without_make(setup))]
    if not setup.works:
        return [Note(NOT_TRIED, "the Python in .venv does not run: see Python")]
    versions, lock = setup.inventory["versions"], setup.inventory["lock"]
    wrong = [
        f"{name} {versions[name]} in place of {version}" if name in versions else f"{name} {version} is missing"
        for name, version in lock
        if versions.get(name) != version
    ]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        mend = f'`"{setup.python}" -m pip install -r "{setup.lock}"`'
        return [Note(FAILED, f"{'; '.join(wrong[:3])}{more}, says {os.path.basename(setup.lock)}: {mend}.")]
    lifeboat = setup.inventory["lifeboat"]
    own = os.path.join(setup.root, "lib", "lifeboat", "__init__.py")
    if os.path.exists(own) and (not lifeboat or os.path.realpath(lifeboat) != os.path.realpath(own)):
        mend = f'`"{setup.python}" -m pip install --no-deps -e "{setup.root}"`'
        return [Note(FAILED, f"the package lifeboat is {lifeboat or 'missing'} in place of {own}: {mend}.")]
    return [Note(FINE, f"{len(lock)} packages, as {os.path.basename(setup.lock)} says")]


def _without_make(setup: Setup) -> str:
    if shutil.which("make", path=setup.environment.get("PATH")):
        return f"{READY} (once, about a minute, 2 GB)"
    return (
        "there is no `make` here: install it, or type `python3 -m venv .venv && "
        ".venv/bin/pip install -r requirements.txt && .venv/bin/pip install --no-deps -e .`"
    )


def check_spark(setup: Setup) -> list[Note]:
    """Start Spark as a notebook does, count ten rows, and stop it."""
    if not setup.works:
        return [Note(NOT_TRIED, READY)]
    status, output, messages = run([setup.python, "-c", SESSION], _utf8(setup), SPARK_SECONDS, setup.root)
    if match := re.search(rf"^rows {ROWS} (\S+)$", output, re.MULTILINE):
        return [Note(FINE, f"Spark {match.group(1)} counted {ROWS} rows")]
    if status is None:
        return [Note(FAILED, f"Spark did not answer within {SPARK_SECONDS} seconds: {_PATIENCE}")]
    return [Note(FAILED, f"{_words(messages)} ({_OTHERS})")]


_PATIENCE = "close other programs, mend what else failed here, and try once more."
_OTHERS = "mend what else failed here first, then try once more"


def check_kernel(setup: Setup) -> list[Note]:
    """Start a notebook's kernel, and have it add one and one."""
    if not setup.works:
        return [Note(NOT_TRIED, READY)]
    status, output, messages = run([setup.python, "-c", KERNEL], _utf8(setup), KERNEL_SECONDS + 30, setup.root)
    if status is None:
        return [Note(FAILED, f"no kernel answered within {KERNEL_SECONDS} seconds: {_PATIENCE}")]
    try:
        answer = json.loads(output.splitlines()[-1])
    except (IndexError, ValueError):
        return [Note(FAILED, f"no kernel started: {_words(messages)} ({_OTHERS})")]
    if answer["sum"] != "2":
        return [Note(FAILED, f"the kernel says that 1 + 1 is {answer['sum']}: tell your teacher.")]
    if answer["prefix"] != repr(setup.inventory["prefix"]):
        mend = f'`"{setup.python}" -m ipykernel install --sys-prefix --name python3`'
        return [Note(FAILED, f"notebooks run in {answer['prefix']}, where Lifeboat is not: {mend}.")]
    return [Note(FINE, "1 + 1 is 2")]


def _utf8(setup: Setup) -> dict[str, str]:
    environment = dict(setup.environment)
    environment["PYTHONUTF8"] = "1"  # as the command `lifeboat` has it
    return environment


def _words(messages: str) -> str:
    """The lines of a failed process that say most: an error of ours, or the last of a stack."""
    lines = [line.strip() for line in messages.splitlines() if line.strip()]
    if any(line.startswith("Traceback") for line in lines):
        lines = lines[-1:]
    text = " ".join(line for line in lines if not line.startswith("at "))
    return text if len(text) <= 600 else f"{text[:600]}…"
