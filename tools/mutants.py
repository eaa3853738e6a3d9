"""Change the library in one small place, run the tests of that place, and say which changes no test has noticed.

``make mutants N=200 SEED=7 ONLY=serving LEAVE=plots,azure``. All happens in a copy of the tree. The tests of a
module are the test files that import it: themselves, by a package that hands its names on, or by a command of
``lifeboat``; where they are few, also those of the modules that import it. ``tools/mutations.py`` makes the changes.
"""

from __future__ import annotations

import argparse
import ast
import multiprocessing
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from mutations import Mutation, mutations

if TYPE_CHECKING:
    from lifeboat.runner.modules import Library

ROOT = Path(__file__).resolve().parents[1]
# whole notebooks, clusters and environments made anew: minutes each, and each line they run has a nearer test
LONG = ("tests/series/", "tests/bench/", "test_container", "test_setup", "test_pyfunc_elsewhere")
LIMIT = 600  # seconds for the tests of one change
ENOUGH = 3  # test files: a module with fewer is also tried by the tests of the modules that import it
NO_END = "no end"
# a process that has imported what takes seconds, and of which each run is a copy
READY = multiprocessing.get_context("forkserver")
HEAVY = "pytest hypothesis pandas pyarrow.parquet pyarrow.dataset pyspark.sql pyspark.ml mlflow sklearn.metrics onnx"
READY.set_forkserver_preload([*HEAVY.split(), "onnxruntime", "scipy.stats", "matplotlib.pyplot", "papermill", "typer"])


@dataclass(frozen=True)
class Tests:
    """The library's modules and the test files of a tree, and which belong together."""

    root: Path

    @cached_property
    def library(self) -> Library:
        """The library's modules, and which of them code uses."""
        from lifeboat.runner.modules import Library  # here: each run begins by what stands at the top of this file

        return Library(self.root / "lib" / "lifeboat")

    @cached_property
    def taken(self) -> dict[str, set[str]]:
        """The modules whose names each test file uses."""
        files = sorted((self.root / "tests").rglob("test_*.py"))
        names = {path.relative_to(self.root).as_posix(): path for path in files}
        texts = {n: path.read_text(encoding="utf-8") for n, path in names.items() if not any(p in n for p in LONG)}
        return {name: self.library.used(text) | self.commands(text) for name, text in texts.items()}

    def commands(self, text: str) -> set[str]:
        """The modules of the commands whose names stand in a test file that calls any."""
        words = {n.value for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
        called = "lifeboat" in words or "lifeboat.cli.app" in text
        return {f"lifeboat.cli.{word}" for word in words} & self.library.modules.keys() if called else set()

    @cached_property
    def importers(self) -> dict[str, set[str]]:
        """The modules that use names of each module."""
        found = defaultdict[str, set[str]](set)
        for name, path in self.library.modules.items():
            for other in self.library.used(path.read_text(encoding="utf-8")) - {name}:
                found[other].add(name)
        return found

    def of(self, module: str) -> list[list[str]]:
        """The test files of a module: first those that are called as it or its package, then the others."""
        own = [name for name in self.taken if called(name) <= set(module.split("."))]
        near = {module}
        while len(files := [name for name, taken in self.taken.items() if taken & near and name not in own]) < ENOUGH:
            wider = near | {importer for one in near for importer in self.importers[one]}
            if wider == near:
                break
            near = wider
        return [group for group in (own, files) if group]


def called(test_file: str) -> set[str]:
    """The words of a test file's path: serving and batch for ``tests/deploy/batch/test_batch.py``."""
    _, *folders, name = test_file.removesuffix(".py").split("/")
    return {*folders, name.removeprefix("test_")}


@dataclass(frozen=True)
class Copy:
    """A copy of the tree to run tests in."""

    root: Path

    @classmethod
    def make(cls, folder: Path) -> Copy:
        """Copy what git knows, or would know, of the checkout as it stands."""
        listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0"):
            if name and (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        return cls(folder)

    def run(self, tests: list[str]) -> str:
        """Run tests to the first failure: the file and function that failed, NO_END, or an empty text."""
        with tempfile.NamedTemporaryFile("w+") as output:
            process = READY.Process(target=run_pytest, args=(self.root, tests, output.name, dict(os.environ)))
            process.start()
            process.join(LIMIT)
            ended = process.exitcode is not None
            with suppress(ProcessLookupError):
                os.killpg(process.pid or 0, signal.SIGKILL)  # and what it has started and left
            process.join()
            text = output.read()
        if not ended:
            return NO_END
        failed = re.search(r"^(?:FAILED|ERROR) ([^\s\[]+)", text, re.MULTILINE)
        return failed[1] if failed else "" if process.exitcode == 0 else tests[0]  # the last where none can be read


def run_pytest(root: Path, words: list[str], output: str, environment: dict[str, str]) -> None:
    """Be pytest in a tree, with what it prints in a file."""
    os.environ |= environment  # that of the process copied is older than the JVM
    os.setsid()
    with open(output, "w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(root)
    if "lifeboat" in sys.modules:  # the checkout's: no change would ever be noticed
        raise SystemExit("the library was imported before its copy could be")
    sys.path.insert(0, str(root / "lib"))
    sys.dont_write_bytecode = True
    sys.exit(int(pytest.main(["-x", "-q", "--tb=no", "-p", "no:cacheprovider", *words])))


class Jvm:
    """A JVM that the runs share, since starting one takes longer than most of them: a new one before it is worn."""

    def __init__(self) -> None:
        self._warm: Any = None
        self.renew()

    def renew(self) -> None:
        """Take another, in which no session is left over."""
        from lifeboat.spark.jvm import (
            WarmJvm,  # here, since a run must find no module of the checkout's imported already
        )

        self.close()
        self._warm = WarmJvm()

    def close(self) -> None:
        """End it."""
        if self._warm:
            self._warm.close()


def drawn(number: int, seed: int, only: str, leave: str) -> list[Mutation]:
    """So many mutations of the library's modules, or all; ``only`` and ``leave`` are parts of paths, with commas."""
    found = list[Mutation]()
    for path in sorted((ROOT / "lib" / "lifeboat").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if any(part in name for part in only.split(",")) and not any(part in name for part in leave.split(",") if part):
            found += mutations(name, path.read_text(encoding="utf-8"))
    return random.Random(seed).sample(found, min(number, len(found)))


def tried(copy: Copy, mutation: Mutation, groups: list[list[str]], passing: set[str]) -> str:
    """Make a change, run its tests, take it back: the test that failed, NO_END, or an empty text.

    Raises:
        SystemExit: That test fails without the change too.
    """
    place = copy.root / mutation.path
    before = place.read_text(encoding="utf-8")
    for files in groups:
        place.write_text(mutation.source, encoding="utf-8")
        failed = copy.run(files)
        place.write_text(before, encoding="utf-8")
        if failed and failed not in passing | {NO_END}:
            if copy.run([failed]):
                raise SystemExit(f"{failed} fails without any change")
            passing.add(failed)
        if failed:
            return failed
    return ""


def main() -> None:
    """Draw mutations, try each, print a line for each and the share that was noticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--only", default="")
    parser.add_argument("--leave", default="")
    chosen = parser.parse_args()
    sample = drawn(chosen.number, chosen.seed, chosen.only, chosen.leave)
    print(f"{len(sample)} changes drawn with SEED={chosen.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy.make(Path(folder).resolve())
        # two changes within a second may be of one size, and then Python takes the old bytecode for the new code's
        os.environ |= {"PYTHONPATH": str(copy.root / "lib"), "PYTHONDONTWRITEBYTECODE": "1"}
        outcomes = Counter(tried_all(sample, copy))
    killed, late = outcomes["killed"], outcomes[NO_END]
    print(f"{killed} of {len(sample)} killed ({killed / len(sample):.0%}); {late} had no end within {LIMIT} s")


def tried_all(sample: list[Mutation], copy: Copy) -> Iterator[str]:
    """Try each change and print a line for it: "killed", NO_END or "survived"."""
    tests, passing = Tests(copy.root), set[str]()
    with closing(Jvm()) as jvm:
        for number, mutation in enumerate(sample, 1):
            failed = tried(copy, mutation, tests.of(mutation.module), passing)
            outcome = "survived" if not failed else NO_END if failed == NO_END else "killed"
            print(f"{outcome:<9}{mutation}" + (f"   by {failed}" if outcome == "killed" else ""), flush=True)
            yield outcome
            if outcome == NO_END or number % 25 == 0:
                jvm.renew()


if __name__ == "__main__":
    main()
