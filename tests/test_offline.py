"""The folder to install from without a network: filled by the real pip, refused where it will not do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fresh import outside_make

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tools"))

import offline  # noqa: E402

UV = "driver==0.1"
WHEELS = ["builder-3.1-py3-none-any.whl", "driver-0.1-py3-none-any.whl", "left-1.0-py3-none-any.whl"]


def pack(index: Path, name: str) -> None:
    """A wheel with a module that says its name."""
    package, version, *_ = name.split("-")
    about = f"{package}-{version}.dist-info"
    with zipfile.ZipFile(index / name, "w") as file:
        file.writestr(f"{package}.py", f"NAME = {package!r}\n" * 100)
        file.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
        file.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{about}/RECORD", f"{package}.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n")


def make_index(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """What pip takes for the network: a folder of wheels."""
    folder.mkdir()
    for name in WHEELS:
        pack(folder, name)
    patch.setenv("PIP_CONFIG_FILE", os.devnull)
    patch.setenv("PIP_NO_INDEX", "1")
    patch.setenv("PIP_FIND_LINKS", folder.as_uri())
    return folder


def make_project(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """A checkout with a lock of two lines, one of them for another system."""
    folder.mkdir()
    (folder / "requirements.txt").write_text("# locked\nleft==1.0\nright==2.0 ; sys_platform == 'nowhere'\n")
    (folder / "pyproject.toml").write_text('[build-system]\nrequires = ["builder>=3"]\n')
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "first"]):
        subprocess.run([*git, *command], check=True)
    patch.setattr(offline, "ROOT", folder)
    return folder


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_index(tmp_path / "index", monkeypatch)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_project(tmp_path / "a checkout", monkeypatch)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that was filled once."""
    above = tmp_path_factory.mktemp("filled")
    with pytest.MonkeyPatch.context() as patch:
        make_index(above / "index", patch)
        make_project(above / "checkout", patch)
        assert offline.main(["gather", str(above / "stick"), UV]) == 0
    return above / "stick"


@pytest.fixture
def stick(tmp_path: Path, filled: Path, project: Path, index: Path) -> Path:
    """A copy of it, with a blank and an accent in its name."""
    return Path(shutil.copytree(filled, tmp_path / "clé usb"))


def test_a_folder_has_the_wheels_for_this_machine_and_the_checkout_as_it_is_committed(
    stick: Path, project: Path, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = ["README.txt", "lifeboat.tar.gz", f"{offline.kind()}.json", "wheels"]
    assert sorted(path.name for path in stick.iterdir()) == sorted(entries)
    assert sorted(path.name for path in (stick / "wheels").iterdir()) == WHEELS
    assert f"Python {sys.version_info[0]}.{sys.version_info[1]} on " in (stick / "README.txt").read_text()
    (project / "requirements.txt").write_text("left==1.0\n")
    shutil.rmtree(index)
    assert offline.main(["gather", str(stick), UV]) == 0
    printed = capsys.readouterr().out
    assert "All wheels are there: nothing to do." in printed
    assert f"{stick}: 3 wheels for {offline.for_people(offline.kind(), '')};" in printed
    assert "What is changed here and not committed is not in lifeboat.tar.gz." in printed
    with tarfile.open(stick / "lifeboat.tar.gz") as archive:
        file = archive.extractfile("lifeboat/requirements.txt")
        assert file is not None
        assert b"right==2.0" in file.read()


def test_after_an_interruption_what_is_whole_stays_and_what_is_half_is_brought_anew(stick: Path, index: Path) -> None:
    (stick / f"{offline.kind()}.json").unlink()
    driver, left = (stick / "wheels" / name for name in WHEELS[1:])
    driver.write_bytes(driver.read_bytes().replace(b"NAME", b"EMAN", 1))
    left.write_bytes(left.read_bytes()[:-40])
    pack(stick / "wheels", "left-1.0-py2-none-win32.whl")  # for another machine
    (stick / ".unfinished").mkdir()
    (stick / ".unfinished" / WHEELS[0]).write_bytes(b"half")
    (index / WHEELS[0]).unlink()  # this one cannot be had a second time
    assert offline.main(["gather", str(stick), UV]) == 0
    offline.check(stick, UV)
    assert driver.read_bytes() == (index / WHEELS[1]).read_bytes()
    assert left.read_bytes() == (index / WHEELS[2]).read_bytes()
    assert not (stick / ".unfinished").exists()


def test_what_pip_cannot_bring_ends_with_a_sentence_and_no_list(
    tmp_path: Path, project: Path, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (index / WHEELS[2]).unlink()
    assert offline.main(["gather", str(tmp_path / "stick"), UV]) == 1
    assert "pip could not bring all of them, see above. What is there stays" in capsys.readouterr().err
    assert offline.main(["check", str(tmp_path / "stick"), UV]) == 1
    assert "to its end: call it once more, and it goes on." in capsys.readouterr().err


def test_wheels_of_an_earlier_lock_go_unless_another_python_s_list_has_them(
    stick: Path, project: Path, index: Path
) -> None:
    (stick / "python3.9-beos-m68k.json").write_text(json.dumps({"needed": "", "for": [], "wheels": {WHEELS[0]: ""}}))
    (project / "pyproject.toml").write_text("[build-system]\nrequires = []\n")
    (project / "requirements.txt").write_text("left==1.1\n")
    pack(index, "left-1.1-py3-none-any.whl")
    assert offline.main(["gather", str(stick), UV]) == 0
    assert sorted(path.name for path in (stick / "wheels").iterdir()) == [*WHEELS[:2], "left-1.1-py3-none-any.whl"]
    assert "Python 3.9 on beos (m68k)" in (stick / "README.txt").read_text()


def nothing_there(stick: Path, project: Path) -> None:
    shutil.rmtree(stick)


def no_list(stick: Path, project: Path) -> None:
    (stick / f"{offline.kind()}.json").unlink()


def half_a_list(stick: Path, project: Path) -> None:
    content = (stick / f"{offline.kind()}.json").read_text()
    (stick / f"{offline.kind()}.json").write_text(content[:-9])


def another_python(stick: Path, project: Path) -> None:
    place = offline.kind().partition("-")[2]
    (stick / f"{offline.kind()}.json").rename(stick / f"python3.9-{place}.json")


def another_system(stick: Path, project: Path) -> None:
    python = offline.kind().partition("-")[0]
    (stick / f"{offline.kind()}.json").rename(stick / f"{python}-beos-m68k.json")


def a_newer_system(stick: Path, project: Path) -> None:
    path = stick / f"{offline.kind()}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "needed": "glibc 99.1"}))


def another_lock(stick: Path, project: Path) -> None:
    (project / "requirements.txt").write_text("left==1.1\nright==2.0 ; sys_platform == 'nowhere'\nnew==1\n")


def eleven_more_lines(stick: Path, project: Path) -> None:
    (project / "requirements.txt").write_text("".join(f"new{number}==1\n" for number in range(11)))


def wheels_missing_and_changed(stick: Path, project: Path) -> None:
    for name in WHEELS[:2]:
        (stick / "wheels" / name).unlink()
    with (stick / "wheels" / WHEELS[2]).open("r+b") as file:
        file.seek(70)
        file.write(b"?")


HERE = offline.for_people(offline.kind(), "")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (nothing_there, "There is no folder {stick}: OFFLINE names one that `make offline` has filled."),
        (no_list, "`make offline` has not filled {stick} to its end"),
        (half_a_list, f"{offline.kind()}.json is not whole: copy {{stick}} anew, or delete this file."),
        (another_python, f", and this is {HERE}: name such a Python, as in PYTHON=python3.9, or call `make"),
        (another_system, f" on beos (m68k), and this is {HERE}: call `make offline` with this folder"),
        (a_newer_system, f"{{stick}} is for {HERE} with glibc 99.1 or later, and here is "),
        (another_lock, "was filled for another list of packages. It lacks left==1.1, new==1: take the checkout that"),
        (eleven_more_lines, "It lacks new0==1, new1==1, new2==1, new3==1, new4==1, new5==1, new6==1, new7==1, new8==1, "
         "new9==1 and 1 more: "),
        (wheels_missing_and_changed, f"is not whole (missing: {WHEELS[0]}, {WHEELS[1]}; changed: {WHEELS[2]}): c"),
    ],
)  # fmt: skip
def test_a_folder_that_will_not_do_is_refused_with_what_it_lacks(
    stick: Path,
    project: Path,
    spoil: Callable[[Path, Path], None],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert offline.main(["check", str(stick), UV]) == 0
    spoil(stick, project)
    assert offline.main(["check", str(stick), UV]) == 1
    assert message.format(stick=stick) in capsys.readouterr().err


def test_the_system_that_is_needed_is_the_newest_of_the_oldest_that_each_wheel_runs_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    both = "b-1-cp311-cp311-manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl"
    assert offline.system_needed(["a-1-py3-none-any.whl"]) == ""
    assert offline.system_needed(["a-1-py3-none-any.whl", both]) == "glibc 2.17"
    assert offline.system_needed([both, "c-1-cp39-abi3-manylinux_2_5_x86_64.whl"]) == "glibc 2.17"
    monkeypatch.setattr(sys, "platform", "darwin")
    macs = ["a-1-cp311-cp311-macosx_11_0_arm64.whl", "b-1-cp311-cp311-macosx_14_0_arm64.whl"]
    assert offline.system_needed(macs) == "macOS 14.0"
    assert (2, 9) < offline.numbers("glibc 2.28") < offline.numbers("2.36") < offline.numbers("14.4.1")


def test_an_address_has_no_blank_that_pip_would_take_for_two_folders(capsys: pytest.CaptureFixture[str]) -> None:
    assert offline.main(["address", "/media/clé usb, 2"]) == 0
    assert capsys.readouterr().out == "file:///media/cl%C3%A9%20usb%2C%202/wheels\n"


def test_make_refuses_a_folder_before_it_touches_the_environment_that_is_there(tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.txt", "pyproject.toml", "tools/offline.py", ".venv/kept"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes() if (ROOT / name).exists() else b"")
    command = ["make", "ready", f"OFFLINE={tmp_path / 'no such folder'}", f"PYTHON={sys.executable}"]
    said = subprocess.run(command, cwd=tmp_path, env=outside_make(), capture_output=True, text=True, check=False)
    assert said.returncode != 0
    assert f"There is no folder {tmp_path / 'no such folder'}: OFFLINE names one" in said.stderr
    assert (tmp_path / ".venv/kept").exists()


def test_a_folder_with_other_files_in_it_is_left_alone(
    tmp_path: Path, project: Path, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stick = tmp_path / "stick"
    (stick / "wheels").mkdir(parents=True)
    (stick / "wheels" / "mine.whl").touch()
    (stick / "README.txt").write_text("Mine.")
    assert offline.main(["gather", str(stick), UV]) == 1
    assert (
        f"{stick} has other files in it: name a folder of its own, such as {stick}/lifeboat." in capsys.readouterr().err
    )
    assert (stick / "README.txt").read_text() == "Mine."
    assert (stick / "wheels" / "mine.whl").exists()
