"""Who may write into a run's folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lifeboat.run import Run
from lifeboat.run.lock import HOLDER, RunFolderBusyError, exclusive, run_lock

HOLD = "import sys; from pathlib import Path; from lifeboat.run.lock import run_lock\n" + (
    "with run_lock(Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()"
)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the folder."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_two_runs_cannot_write_into_one_folder_and_a_killed_one_lets_go(
    tmp_path: Path, other: subprocess.Popen[str]
) -> None:
    with pytest.raises(RunFolderBusyError, match=rf"\(process {other.pid}, since .*--name"), run_lock(tmp_path):
        pass
    other.kill()
    other.wait()
    with run_lock(tmp_path):
        assert f"process {os.getpid()}," in (tmp_path / ".lock").read_text()


def test_a_notebook_by_itself_may_not_write_into_a_folder_that_a_run_holds_but_the_run_s_own_may(
    tmp_path: Path, other: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RunFolderBusyError, match=rf"\(process {other.pid}, since "):
        Run(tmp_path).begin("01_load")
    assert not (tmp_path / ".01_load.unfinished").exists()
    monkeypatch.setenv(HOLDER, str(other.pid))
    assert Run(tmp_path).begin("01_load").is_dir()
    monkeypatch.setenv(HOLDER, str(other.pid + 1))
    other.kill()
    other.wait()
    assert Run(tmp_path).begin("01_load").is_dir()


WAIT = "import sys; from pathlib import Path; from lifeboat.run.lock import exclusive\n" + (
    "print('waits', flush=True)\nwith exclusive(Path(sys.argv[1])):\n    print(Path(sys.argv[2]).read_text())"
)


def test_who_comes_second_waits_until_the_first_has_gone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "lock"
    with exclusive(file):
        written = tmp_path / "written"
        command = [sys.executable, "-c", WAIT, str(file), str(written)]
        second = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert second.stdout is not None
        assert second.stdout.readline() == "waits\n"
        written.write_text("the first has gone")
    assert second.communicate()[0] == "the first has gone\n"
