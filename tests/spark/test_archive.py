"""The archive of Spark's classes: whose it is, when it is taken, and that a wrong one does no harm."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lifeboat.spark import archive
from lifeboat.spark.environment import spark_home
from lifeboat.spark.java import Java, find_java


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Java, Path]:
    """A Java and a Spark of a few bytes, and an empty project that this code is a part of."""
    monkeypatch.setattr(archive, "checkout", lambda: tmp_path)
    monkeypatch.delenv(archive.SWITCH, raising=False)
    for file in ("java/bin/java", "java/lib/modules", "spark/jars/a.jar", "spark/jars/b.jar"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("x")
    return Java(tmp_path / "java/bin/java", 17), tmp_path / "spark"


def make(java: Java, spark: Path) -> Path:
    path = archive.path(java, spark)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("classes")
    return path


@pytest.mark.parametrize(("version", "option"), [(17, "-XX:SharedArchiveFile="), (25, "-XX:AOTCache=")])
def test_an_archive_is_taken_where_there_is_one_and_the_environment_does_not_say_off(
    installed: tuple[Java, Path], monkeypatch: pytest.MonkeyPatch, version: int, option: str
) -> None:
    java, spark = Java(installed[0].command, version), installed[1]
    assert archive.options(java, spark) == ""
    path = make(java, spark)
    assert archive.options(java, spark).endswith(f"{option}{path}")
    monkeypatch.setenv(archive.SWITCH, "off")
    assert archive.options(java, spark) == ""


@pytest.mark.parametrize(
    ("changed", "content"),
    [("java/lib/modules", "another Java"), ("spark/jars/b.jar", "a longer jar"), ("spark/jars/c.jar", "one more")],
)
def test_of_another_java_or_spark_it_is_not_taken(
    installed: tuple[Java, Path], tmp_path: Path, changed: str, content: str
) -> None:
    make(*installed)
    (tmp_path / changed).write_text(content)
    assert archive.options(*installed) == ""


def test_a_jar_of_another_time_makes_another_archive(installed: tuple[Java, Path], tmp_path: Path) -> None:
    make(*installed)
    os.utime(tmp_path / "spark/jars/a.jar", (1, 1))
    assert archive.options(*installed) == ""


def test_one_is_wanted_where_a_jvm_starts_here_without(
    installed: tuple[Java, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "find_java", lambda: installed[0])
    monkeypatch.setattr(archive, "spark_home", lambda: installed[1])
    assert (archive.wanted("local[2]"), archive.wanted("sc://host")) == (True, False)
    monkeypatch.setenv(archive.SWITCH, "OFF")
    assert not archive.wanted("local[2]")
    monkeypatch.delenv(archive.SWITCH)
    make(*installed)
    assert not archive.wanted("local[2]")


def test_while_one_is_made_none_is_taken(installed: tuple[Java, Path], tmp_path: Path) -> None:
    make(*installed)
    new = tmp_path / "new one"
    assert archive.options(*installed, keep=new).endswith(f"-XX:ArchiveClassesAtExit='{new}'")


def test_with_a_broken_archive_spark_starts_as_without_and_says_nothing(tmp_path: Path) -> None:
    code = (
        "from lifeboat.spark import archive; from pathlib import Path; import sys\n"
        "archive.path = lambda java, spark: Path(sys.argv[1])\n"
        "from lifeboat.spark.session import start\n"
        "spark = start('local[1]'); print(spark.range(7).count()); spark.stop()"
    )
    (tmp_path / "broken.jsa").write_bytes(b"no classes" * 1000)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYSPARK_GATEWAY")}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "broken.jsa")], env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "7\n", "")


def test_the_archive_of_this_machine_s_java_lies_in_the_checkout() -> None:
    path = archive.path(find_java(), spark_home())
    assert path.parent == Path(__file__).parents[2] / "outputs" / ".cache"
