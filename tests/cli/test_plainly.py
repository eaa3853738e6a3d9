"""Whatever comes to a command ends in a sentence and a status, and never in a bare traceback."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fresh import interruptible
from lifeboat.cli.app import app
from lifeboat.cli.plainly import sentence
from lifeboat.deploy.batch.files import replacing_target
from lifeboat.errors import DataError

Write = Callable[..., Path]
LIB = Path(__file__).parents[2] / "lib"


def lifeboat(home: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command as a user starts it, with more in the environment."""
    command = [sys.executable, "-c", "from lifeboat_command import main; main()", *words]
    environment = os.environ | {"LIFEBOAT_HOME": str(home), "PYTHONPATH": str(LIB)} | variables
    return subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False)


def test_a_module_that_python_path_hides_is_named_be_it_python_s_our_package_s_or_we_ourselves(tmp_path: Path) -> None:
    for name in ("random.py", "typer/__init__.py", "lifeboat/__init__.py"):
        path = tmp_path / name.partition(".")[0].partition("/")[0] / "on path" / name
        path.parent.mkdir(parents=True)
        path.write_text("raise RuntimeError('another')" if "lifeboat" not in name else "")
        folder = str(tmp_path / path.relative_to(tmp_path).parts[0] / "on path")
        result = lifeboat(tmp_path, "--help", PYTHONPATH=f"{folder}{os.pathsep}{LIB}")
        assert result.returncode == 1
        assert "Traceback" not in result.stderr
        assert "PYTHONPATH" in result.stderr
        assert f"{folder}/{name.removesuffix('/__init__.py')}" in result.stderr
        if name == "typer/__init__.py":
            stack = lifeboat(tmp_path, "--help", PYTHONPATH=f"{folder}{os.pathsep}{LIB}", LIFEBOAT_DEBUG="1").stderr
            assert stack.startswith("Traceback")
            assert stack.endswith("RuntimeError: another\n")


def test_names_are_read_and_shown_and_warnings_stay_warnings_whatever_python_is_told(tmp_path: Path) -> None:
    (tmp_path / "Größe.csv").write_text(
        "größe,k,b\n" + "".join(f"{n * 7 % 13},{n},{n % 2}\n" for n in range(40)), encoding="utf-8"
    )
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for odd in (plain, {"PYTHONIOENCODING": "ascii"}, {"PYTHONWARNINGS": "error"}):
        result = lifeboat(tmp_path, "new", "Größe.csv", "--label", "b", "--force", **odd)
        assert (result.returncode, result.stderr) == (0, "")
        assert odd is not plain or result.stdout.startswith("Größe.csv: 40 rows, 3 columns\n")
        assert "größe" in (tmp_path / "params" / "gr_e.yaml").read_text(encoding="utf-8")


def test_ctrl_c_ends_a_run_with_130_and_one_word(tmp_path: Path, write_notebook: Write) -> None:
    for stage in ("01_load", "02_preprocess", "03_train_cv", "04_evaluate", "05_deploy"):
        wait = f"import signal; open({str(tmp_path / 'here')!r}, 'w').write('x'); signal.pause()"
        write_notebook(tmp_path / "notebooks" / f"{stage}.ipynb", "a: int = 1", wait)
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "a.yaml").write_text("seed: 2\nlabelled_path: params/a.yaml\nunlabelled_path: ''\n")
    command = [sys.executable, "-m", "lifeboat", "run", "params/a.yaml"]
    environment = os.environ | {"LIFEBOAT_HOME": str(tmp_path), "SPARK_REMOTE": "sc://nowhere"}
    os.mkfifo(tmp_path / "here")
    here = os.open(tmp_path / "here", os.O_RDONLY | os.O_NONBLOCK)
    with (
        interruptible(),
        subprocess.Popen(command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process,
    ):
        assert process.stderr is not None
        assert select.select([here], [], [], 240)[0], "the kernel is at work"
        process.send_signal(signal.SIGINT)
        message = process.stderr.read()
    os.close(here)
    assert process.returncode == 130
    assert message.endswith("lifeboat: interrupted\n")
    assert "Traceback" not in message


def refused(*words: str | Path) -> str:
    """What a command that stops says, in one process with the tests."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code in (1, 2), done.output
    assert done.stderr.startswith("lifeboat: ")
    assert "fault of lifeboat" not in done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_what_cannot_be_read_or_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFEBOAT_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    rows, binary, folder = tmp_path / "rows.csv", tmp_path / "binary", tmp_path / "folder"
    rows.write_text("a,k,b\n" + "".join(f"{n * 7 % 13},{n},{n % 2}\n" for n in range(40)))
    binary.write_bytes(b"\xd1\x00\xff")
    folder.mkdir()
    (tmp_path / "notebooks").mkdir()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "Is a directory" in refused("run", folder)
    assert "no text in UTF-8" in refused("run", binary)
    assert "more than 1,000,000 letters" in refused("run", "/dev/zero")
    assert "no text in UTF-8" in refused("azure", "status", "--config", binary)
    assert "/dev/zero cannot be sent" in refused("azure", "invoke", "/dev/zero")
    assert "take a shorter name" in refused("new", "x" * 300, "--label", "b")
    assert "never replaced" in refused("new", rows, "--label", "b", "--out", folder, "--force")
    assert "never replaced" in refused("new", rows, "--label", "b", "--out", pipe, "--force")
    assert "rows.csv" in refused("new", rows, "--label", "b", "--out", rows / "x.yaml")
    assert "folder has no file in it" in refused("new", folder, "--label", "b")
    with (
        pytest.raises(DataError, match="a device or a pipe, and is never replaced"),
        replacing_target(rows, pipe, True),
    ):
        pass
    assert pipe.is_fifo()


def test_a_full_disk_and_too_little_memory_are_said_with_the_mend_and_the_rest_is_called_our_fault() -> None:
    full = sentence(OSError(28, "No space left on device", "/data/x"))
    assert full.startswith("/data/x: No space left on device; make room")
    assert "a disk is full" in sentence(RuntimeError("java.io.IOException: No space left on device"))
    assert "LIFEBOAT_DRIVER_MEMORY" in sentence(RuntimeError("java.lang.OutOfMemoryError: Java heap space"))
    message = sentence(KeyError("x"))
    assert message.startswith("this is a fault of lifeboat: ")
    assert message.endswith("KeyError: 'x'\nLIFEBOAT_DEBUG=1 in the environment shows where it happened.")
    assert len(message.splitlines()) == 2


def test_a_fault_of_ours_is_two_lines_and_with_debug_the_whole_stack(tmp_path: Path) -> None:
    (tmp_path / "outputs" / "a" / "05_deploy").mkdir(parents=True)
    (tmp_path / "outputs" / "a" / "05_deploy" / "deployed.json").write_text("[]")
    (tmp_path / "azure.yaml").write_text("azure: {}\n")
    words = ("azure", "deploy", "a", "--dry-run", "--config", "azure.yaml")
    short, long = lifeboat(tmp_path, *words), lifeboat(tmp_path, *words, "--debug")
    assert (short.returncode, len(short.stderr.splitlines())) == (1, 2)
    assert "fault of lifeboat" in short.stderr
    assert long.returncode == 1
    assert "Traceback (most recent call last)" in long.stderr
