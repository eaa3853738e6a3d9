"""A folder of model versions and a pointer to the one that answers: how a new version reaches all workers at once.

versions/<version>/   portable models, each verified before it was laid there
pointer.json          which of them answers, and which did before; replaced, never changed
refused.json          the version that was not taken last, and why
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from lifeboat.deploy.server.models import Model
from lifeboat.errors import LifeboatError

KEPT = 5  # versions, the newest; the two that the pointer names stay in any case


class RollbackError(LifeboatError, RuntimeError):
    """There is no version to go back to."""


class RefusedVersionError(LifeboatError, ValueError):
    """A version that must not serve: it is not whole, or does not answer its own example."""


@dataclass(frozen=True)
class Pointer:
    """Which version answers.

    Attributes:
        current: That version.
        previous: The one before; empty where there was none.
        withdrawn: The version that a rollback took away: it is not taken again until the alias names another.
    """

    current: str
    previous: str = ""
    withdrawn: str = ""


class Store:
    """The versions in a folder.

    Args:
        folder: Is made where it is not there.
        name: What people call the model.
        unseen: ``Scorer.load``'s.
    """

    def __init__(self, folder: Path, name: str, unseen: str = "") -> None:
        self.folder, self.name, self._unseen = folder, name, unseen
        (folder / "versions").mkdir(parents=True, exist_ok=True)

    @property
    def pointer_file(self) -> Path:
        """The file that names the version that answers."""
        return self.folder / "pointer.json"

    def pointer(self) -> Pointer | None:
        """Which version answers; None before the first."""
        try:
            return Pointer(**json.loads(self.pointer_file.read_text()))
        except FileNotFoundError:
            return None

    def load(self, version: str) -> Model:
        """A version in memory, verified and tried.

        Raises:
            RefusedVersionError: It must not serve.
        """
        return self._tried(self.folder / "versions" / version)

    def _tried(self, folder: Path) -> Model:
        try:
            model = Model.load(folder, self.name, self._unseen)
        except Exception as error:  # a graph that onnxruntime does not know has its own errors
            raise RefusedVersionError(f"{error}") from error
        if model.error:
            raise RefusedVersionError(model.error)
        return model

    def take(self, portable: Path, label: str = "") -> str:
        """Lay a portable model beside the others, and let it answer; the version that it is.

        Args:
            portable: The model's folder.
            label: What people call it, where it is refused.

        Raises:
            RefusedVersionError: It must not serve; the one before goes on.
        """
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            laid = Path(shutil.copytree(portable, Path(scratch) / "version"))
            try:
                version = self._tried(laid).version
            except RefusedVersionError as error:
                self.refuse(label or portable.name, str(error))
                raise
            if not (self.folder / "versions" / version).exists():
                os.utime(laid)  # the newest is the one that was laid last
                os.replace(laid, self.folder / "versions" / version)
        pointer = self.pointer()
        if pointer is None or version not in (pointer.current, pointer.withdrawn):
            self._point(Pointer(version, pointer.current if pointer else ""))
        with suppress(FileNotFoundError):
            (self.folder / "refused.json").unlink()
        self._tidy()
        return version

    def rollback(self) -> Pointer:
        """Let the version before answer again.

        Raises:
            RollbackError: There is none.
        """
        pointer = self.pointer()
        if pointer is None or not pointer.previous:
            raise RollbackError(f"there is no version of {self.name} before the one that answers")
        back = Pointer(pointer.previous, "", pointer.current)
        self._point(back)
        return back

    def refuse(self, version: str, why: str) -> None:
        """Note a version that was not taken, for all workers to say."""
        self._replace(self.folder / "refused.json", json.dumps({"version": version, "why": why}))

    def refused(self) -> str:
        """Which version was not taken last, and why; empty where the last one was."""
        try:
            noted = json.loads((self.folder / "refused.json").read_text())
        except FileNotFoundError:
            return ""
        return f"{noted['version']}: {noted['why']}"

    def _point(self, pointer: Pointer) -> None:
        self._replace(self.pointer_file, json.dumps(asdict(pointer)))

    def _replace(self, target: Path, text: str) -> None:
        with tempfile.NamedTemporaryFile("w", dir=self.folder, delete=False) as file:
            file.write(text)
        os.replace(file.name, target)

    def _tidy(self) -> None:
        pointer = self.pointer()
        named = {pointer.current, pointer.previous} if pointer else set()
        laid = sorted((self.folder / "versions").iterdir(), key=lambda folder: folder.stat().st_mtime_ns)
        for folder in laid[:-KEPT]:
            if folder.name not in named:
                shutil.rmtree(folder, ignore_errors=True)
