"""A user's environment may hold anything: Spark starts all the same, or a sentence names what keeps it from it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lifeboat.spark.environment import (
    SurroundingsError,
    named,
    need_local_dirs,
    need_memory,
    spare_loopback,
    spark_home,
    submit_arguments,
    surroundings,
    take_own_address,
)
from lifeboat.spark.java import find_java
from lifeboat.spark.jvm import SparkDidNotStartError, plain_start, shared
from lifeboat.spark.scratch import PREFIX, make, sweep

OLD = ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET", "SPARK_REMOTE", "LIFEBOAT_SPARK")
SESSION = """
import sys
from pyspark.sql.functions import udf
from lifeboat.spark import session
spark = session.start("local[1]")
spark.range(9).write.parquet("rows")
plus = udf(lambda x: x + 1, "long")
print(spark.read.parquet("rows").count(), spark.range(3).select(plus("id")).collect()[2][0])
print(type(spark).__module__, spark.conf.get("spark.sql.ansi.enabled"), spark.conf.get("spark.sql.session.timeZone"))
"""
SHORT = "import sys; from lifeboat.spark.jvm import WarmJvm; jvm = WarmJvm()"
WAIT = """
print("up", flush=True)
if sys.stdin.readline() == "fail\\n":
    raise ValueError("on purpose")
"""


def hostile(folder: Path) -> dict[str, str]:
    """An environment of yesterday's Spark, of another network and of another Hadoop."""
    old, conf, hadoop, temporary = (folder / name for name in ("old spark", "conf", "hadoop", "tmp dir"))
    for path in (old / "bin", conf, hadoop, temporary):
        path.mkdir(parents=True)
    (old / "bin" / "spark-submit").write_text("#!/bin/sh\nexit 1\n")
    (old / "bin" / "spark-submit").chmod(0o755)
    defaults = {"master": "yarn", "sql.ansi.enabled": "false", "driver.extraJavaOptions": "-XX:+NoSuchOption"}
    (conf / "spark-defaults.conf").write_text("".join(f"spark.{name} {value}\n" for name, value in defaults.items()))
    elsewhere = "<name>fs.defaultFS</name><value>hdfs://nowhere.invalid:9000</value>"
    (hadoop / "core-site.xml").write_text(f"<configuration><property>{elsewhere}</property></configuration>")
    return {name: value for name, value in os.environ.items() if name not in OLD} | {
        "SPARK_HOME": str(old), "SPARK_CONF_DIR": str(conf), "HADOOP_CONF_DIR": str(hadoop), "TMPDIR": str(temporary),
        "SPARK_LOCAL_IP": "192.0.2.1", "SPARK_LOCAL_HOSTNAME": "nowhere.invalid", "MASTER": "yarn",
        "SPARK_LOCAL_DIRS": f"/proc/none,{folder / 'made'}", "SPARK_API_MODE": "connect", "SPARK_TESTING": "1",
        "PYSPARK_PYTHON": "/bin/false", "PYSPARK_DRIVER_PYTHON": "/bin/false", "PYSPARK_SUBMIT_ARGS": "--master yarn",
        "PYSPARK_GATEWAY_PORT": "1", "PYSPARK_GATEWAY_SECRET": "yesterday's", "PYTHONWARNINGS": "ignore",
        "JAVA_TOOL_OPTIONS": "-Da=b", "_JAVA_OPTIONS": "-Dc=d", "JDK_JAVA_OPTIONS": "-De=f", "HOME": "/proc/none",
    }  # fmt: skip


@pytest.mark.parametrize("end", ["normal", "exception", "SIGTERM", "SIGKILL"])
def test_spark_starts_in_a_hostile_environment_and_leaves_nothing_behind_however_its_process_ends(
    tmp_path: Path, end: str
) -> None:
    environment, here = hostile(tmp_path), tmp_path / "here"
    here.mkdir()
    starts = SESSION if end == "normal" else SHORT
    with subprocess.Popen(
        [sys.executable, "-c", starts + WAIT], env=environment, cwd=here,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line == "up\n":
                break
        folders = list((tmp_path / "tmp dir").iterdir())
        if len(folders) != 1:
            raise AssertionError(process.communicate()[1])
        with (folders[0] / "lock").open() as lock:
            if end.startswith("SIG"):
                process.send_signal(getattr(signal, end))
            process.communicate("fail\n" if end == "exception" else "\n")
            fcntl.flock(lock, fcntl.LOCK_EX)  # until the JVM, and what cleans up after it, have ended
    if starts == SESSION:
        assert lines[:2] == ["9 3\n", "pyspark.sql.session true UTC\n"]
    assert list((tmp_path / "tmp dir").iterdir()) == []
    assert [file.name for file in here.iterdir()] == (["rows"] if starts == SESSION else [])


HOLD = "import sys; from lifeboat.spark.scratch import make; print(make()[0], flush=True); sys.stdin.read()"


def test_a_folder_whose_processes_were_killed_is_swept_at_the_next_start_and_a_living_one_s_is_not(
    tmp_path: Path,
) -> None:
    def holder() -> subprocess.Popen[str]:
        environment = os.environ | {"TMPDIR": str(tmp_path)}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        return subprocess.Popen([sys.executable, "-c", HOLD], env=environment, text=True, **pipes)

    with holder() as killed, holder() as living:
        assert killed.stdout is not None
        assert living.stdout is not None
        dead, alive = (Path(process.stdout.readline().strip()) for process in (killed, living))  # type: ignore[union-attr]
        assert dead.parent == alive.parent == tmp_path
        (other := tmp_path / f"{PREFIX}anybody's").mkdir()
        killed.kill()
        killed.wait()
        sweep(tmp_path)
        assert [path.exists() for path in (dead, alive, other)] == [False, True, True]
        living.communicate("")
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [other]


@contextlib.contextmanager
def mounted(target: Path, options: str) -> Iterator[Path]:
    target.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", target], check=True)
    try:
        yield target
    finally:
        subprocess.run(["umount", target], check=True)


@pytest.mark.needs("a tmpfs")
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("noexec,size=200m", "programs may not run there"),
        ("size=1m", "less than 64 MB"),
        ("ro", "Read-only file system"),
    ],
)
def test_a_temporary_folder_that_will_not_do_gives_way_to_another_and_without_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: str, reason: str
) -> None:
    import tempfile

    with mounted(tmp_path / "poor", options) as poor, mounted(tmp_path / "prefix", "size=200m") as prefix:
        monkeypatch.setattr(tempfile, "tempdir", str(poor))
        monkeypatch.setenv("TMPDIR", str(poor))
        monkeypatch.setattr(sys, "prefix", str(prefix))
        folder, lock = make()
        os.close(lock)
        assert folder.parent == prefix
        monkeypatch.setattr(sys, "prefix", str(poor))
        with pytest.raises(SurroundingsError, match=f"{poor}: {reason}.*TMPDIR='{poor}'"):
            make()
        assert list(poor.iterdir()) == []


def test_loopback_is_spared_from_a_proxy_beside_what_is_spared_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "intranet.example, localhost")
    monkeypatch.delenv("no_proxy", raising=False)
    for _ in range(2):
        spare_loopback()
        assert os.environ["no_proxy"] == os.environ["NO_PROXY"] == "intranet.example,localhost,127.0.0.1,::1"
    monkeypatch.setenv("no_proxy", "*")
    spare_loopback()
    assert os.environ["no_proxy"] == "*"


def test_options_that_keep_every_java_from_running_are_named_with_java_s_own_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-javaagent:/no/such.jar")
    with pytest.raises(SurroundingsError, match=r"JAVA_TOOL_OPTIONS='-javaagent:/no/such.jar' .*/no/such\.jar\): mend"):
        find_java()


def test_folders_for_spark_s_files_that_cannot_be_written_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_LOCAL_DIRS", "/proc/a,/proc/b")
    with pytest.raises(SurroundingsError, match=r"SPARK_LOCAL_DIRS='/proc/a,/proc/b', .*/proc/a: .*; /proc/b: .*unset"):
        need_local_dirs()


def test_spark_s_home_is_the_package_s_unless_it_holds_the_same_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyspark

    (tmp_path / "jars").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "spark-submit").write_text("")
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    assert spark_home() == Path(pyspark.__file__).parent
    (tmp_path / "jars" / f"spark-core_2.13-{pyspark.__version__}.jar").write_text("")
    assert spark_home() == tmp_path
    monkeypatch.setattr(pyspark, "__version__", "3.1.2")
    monkeypatch.setenv("PYTHONPATH", "/opt/spark/python")
    with pytest.raises(SurroundingsError, match=r"pyspark 3\.1\.2 in .* hides the .*PYTHONPATH='/opt/spark/python'"):
        spark_home()


def test_arguments_for_spark_s_launcher_keep_packages_and_lose_what_would_start_no_jvm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    last = "--master 'local[*]' --deploy-mode client pyspark-shell"
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--packages 'a:b:1' --master yarn pyspark-shell")
    assert submit_arguments() == f"--packages a:b:1 --master yarn {last}"
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--conf 'a")
    with pytest.raises(SurroundingsError, match=r"PYSPARK_SUBMIT_ARGS=.* cannot be read"):
        submit_arguments()


def test_an_address_that_this_machine_has_not_gives_way_and_one_that_it_has_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for host, taken in (
        ("192.0.2.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("", "127.0.0.1"),
        ("a b", "127.0.0.1"),
    ):
        monkeypatch.setenv("SPARK_LOCAL_IP", host)
        take_own_address()
        assert os.environ["SPARK_LOCAL_IP"] == taken


def test_what_spark_says_is_told_with_what_the_environment_says_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if "SPARK_" in name]:
        monkeypatch.delenv(name)
    assert surroundings() == ""
    monkeypatch.setenv("SPARK_DRIVER_MEMORY", "1m")
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--conf spark.hadoop.fs.s3a.secret.key=SECRET pyspark-shell")
    message = "SPARK_DRIVER_MEMORY='1m': mend or unset"
    with pytest.raises(SparkDidNotStartError, match=message) as caught, plain_start("local[2]", None):
        raise OSError("too little memory")
    assert "too little memory" in str(caught.value)
    assert "secret.key=***" in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_a_size_of_memory_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFEBOAT_DRIVER_MEMORY", "much")
    with pytest.raises(ValueError, match="LIFEBOAT_DRIVER_MEMORY='much': write a size such as 512m or 8g"):
        need_memory("LIFEBOAT_DRIVER_MEMORY")
    monkeypatch.setenv("LIFEBOAT_DRIVER_MEMORY", "8G")
    assert need_memory("LIFEBOAT_DRIVER_MEMORY") == "8G"
    assert named("LIFEBOAT_DRIVER_MEMORY") == "LIFEBOAT_DRIVER_MEMORY='8G'"


@pytest.mark.parametrize(("port", "secret"), [("1", "x"), ("none", "x"), ("99999", "x"), ("1", "")])
def test_the_address_of_a_jvm_that_is_gone_is_forgotten(
    monkeypatch: pytest.MonkeyPatch, port: str, secret: str
) -> None:
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", port)
    monkeypatch.setenv("PYSPARK_GATEWAY_SECRET", secret)
    assert not shared()
    assert "PYSPARK_GATEWAY_PORT" not in os.environ


def test_a_number_beyond_the_last_port_is_not_taken_for_its_remainder(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("PYSPARK_GATEWAY_SECRET", "x")
        monkeypatch.setenv("PYSPARK_GATEWAY_PORT", str(port))
        assert shared()
        monkeypatch.setenv("PYSPARK_GATEWAY_PORT", str(port + 2**16))
        assert not shared()
