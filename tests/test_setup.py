from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from fresh import fresh_environment, outside_make

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.12", "3.13")
SYSTEMS = ("linux", "darwin", "win32")


def project() -> dict[str, Any]:
    content: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return content


def lock() -> list[Requirement]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]


def pinned(python: str, system: str) -> dict[str, str]:
    """What the lock installs there: name -> version."""
    place = {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": system,
        "os_name": "nt" if system == "win32" else "posix",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }
    found: dict[str, str] = {}
    for line in lock():
        if line.marker is None or line.marker.evaluate(place):
            assert canonicalize_name(line.name) not in found, f"two versions of {line.name} on {place}"
            found[canonicalize_name(line.name)] = str(line.specifier).removeprefix("==")
    return found


def asked_for() -> list[Requirement]:
    extras = project()["optional-dependencies"]
    dependencies = [*project()["dependencies"], *extras["azure"], *extras["dev"]]
    return [Requirement(dependency) for dependency in dependencies]


def test_the_lock_has_exact_versions_and_no_address() -> None:
    text = (ROOT / "requirements.txt").read_text()
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)
    for line in lock():
        assert re.fullmatch(r"==[0-9][\w.+!]*", str(line.specifier)), line


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_has_every_dependency_in_a_version_that_is_allowed(python: str, system: str) -> None:
    versions = pinned(python, system)
    for dependency in asked_for():
        version = versions.get(canonicalize_name(dependency.name))
        assert version is not None, f"{dependency.name} is not locked: make lock"
        assert dependency.specifier.contains(version, prereleases=True), f"{dependency}, but {version}: make lock"


def test_the_pythons_of_the_lock_are_those_of_the_project() -> None:
    allowed = SpecifierSet(project()["requires-python"])
    assert [python for python in ("3.10", *PYTHONS, "3.14") if f"{python}.0" in allowed] == list(PYTHONS)
    assert "(3, 11) <= sys.version_info < (3, 14)" in (ROOT / "Makefile").read_text()


def test_conda_installs_the_locked_set_and_the_package_with_a_python_and_a_java_that_are_allowed() -> None:
    content = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert content["channels"][0] == "conda-forge"
    plain = [line for line in content["dependencies"] if isinstance(line, str)]
    versions = dict(line.split("=") if "=" in line else (line, "") for line in plain)
    assert set(versions) == {"python", "openjdk", "pip"}
    assert versions["python"] in PYTHONS
    assert int(versions["openjdk"]) >= 17
    # paths in this list are read from the file's own folder, by conda and by Binder
    assert [line["pip"] for line in content["dependencies"] if isinstance(line, dict)] == [
        ["-r requirements.txt", "-e ."]
    ]


def test_make_alone_lists_every_target_a_person_may_want() -> None:
    said = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True, check=True).stdout
    named = re.findall(r"^make (\w+) ", said, re.MULTILINE)
    wanted = ["run", "test", "check", "lab", "serve", "mlflow", "bench", "notebooks", "lint", "clean", "help"]
    assert set(wanted) <= set(named)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the set-up's files and a .venv that seems to be there, in a path with a space."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").symlink_to("/bin/sh")
    text = f"{folder}\n" + (folder / "requirements.txt").read_text() + (folder / "pyproject.toml").read_text()
    (folder / ".venv" / "made-from").write_text(text)
    return folder


def sets_up(folder: Path) -> bool:
    """Whether ``make ready`` would make .venv; Python is named such that it cannot."""
    command = ["make", "ready", "PYTHON="]
    said = subprocess.run(command, cwd=folder, env=outside_make(), capture_output=True, text=True, check=False)
    assert (said.returncode == 0) == ("There is no Python 3.11, 3.12 or 3.13 here" not in said.stderr)
    return said.returncode != 0


def test_the_environment_is_made_once(checkout: Path) -> None:
    (checkout / "requirements.txt").touch()  # as a checkout of another branch and back does
    assert not sets_up(checkout)


@pytest.mark.parametrize("name", ["requirements.txt", "pyproject.toml"])
def test_the_environment_is_made_anew_when_what_it_is_made_from_changes(checkout: Path, name: str) -> None:
    with (checkout / name).open("a") as file:
        file.write("# changed\n")
    assert sets_up(checkout)


def test_the_environment_is_made_anew_when_a_set_up_was_cut_short(checkout: Path) -> None:
    (checkout / ".venv" / "made-from").unlink()
    assert sets_up(checkout)


def test_the_environment_is_made_anew_when_its_python_is_gone_or_the_checkout_has_moved(checkout: Path) -> None:
    moved = checkout.rename(checkout.with_name("moved"))
    assert sets_up(moved)
    moved.rename(checkout)
    assert not sets_up(checkout)
    (checkout / ".venv" / "bin" / "python").unlink()
    assert sets_up(checkout)


def test_where_uv_cannot_do_it_pip_does(checkout: Path) -> None:
    (checkout / "requirements.txt").write_text("# nothing more than this project\n")
    for name in ("lib/lifeboat_command.py", "lib/lifeboat/__init__.py"):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, checkout / name)
    shutil.rmtree(checkout / ".venv")
    command = ["make", "ready", "UV=no-package-has-such-a-name==0", f"PYTHON={sys.executable}"]
    said = subprocess.run(command, cwd=checkout, env=outside_make(), capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert "uv could not do it; pip can, in a few minutes" in said.stdout
    assert (checkout / ".venv/bin/lifeboat").is_file()
    assert not (checkout / ".venv/bin/uv").exists()
    command = ["make", "ready"]
    again = subprocess.run(command, cwd=checkout, env=outside_make(), capture_output=True, text=True, check=False)
    assert again.returncode == 0
    assert "Making .venv" not in again.stdout


def test_a_wheel_of_the_tree_installs_in_an_empty_environment_and_run_there_says_that_it_wants_a_checkout(
    tmp_path: Path,
) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "lib", tree / "lib", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(tree)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.startswith("lifeboat_ml-")
    bin = fresh_environment(tmp_path / "empty", "--no-deps", str(wheel)).parent
    # what the lock installs is found where it is: the wheel's own files come first
    (inside,) = (tmp_path / "empty" / "lib").glob("python3.*/site-packages")
    (inside / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n")
    environment = {name: value for name, value in os.environ.items() if name not in ("LIFEBOAT_HOME", "PYTHONPATH")}
    command = [str(bin / "lifeboat"), "run", "params/titanic.yaml"]
    said = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    (sentence,) = said.stderr.splitlines()
    assert f"no notebooks in {str(tmp_path)!r}: a run wants a checkout of the project" in sentence
    assert said.returncode == 1
