"""A worker that follows a store: when its pointer moves, the worker takes the version that it names."""

from __future__ import annotations

import threading

from lifeboat.deploy.server import logs
from lifeboat.deploy.server.models import Model, Models
from lifeboat.deploy.server.store import Pointer, RefusedVersionError, Store
from lifeboat.errors import LifeboatError

SECONDS = 0.2  # between two looks at the pointer


class EmptyStoreError(LifeboatError, RuntimeError):
    """A store that holds no version that serves."""


class StoredModels(Models):
    """Who answers now, as a store's pointer says; looked after by a thread of its own.

    Raises:
        EmptyStoreError: No version that the pointer names can serve.
    """

    def __init__(self, store: Store) -> None:
        self._store, self._seen = store, store.pointer()
        super().__init__(self._first())
        self.refused = store.refused()
        threading.Thread(target=self._watch, name="follow", daemon=True).start()

    def rollback(self) -> str:
        """Go back to the version before, in all workers; the version that answers then."""
        version = self._store.rollback().current
        logs.write("rollback", version=version)
        return version

    def _first(self) -> Model:
        pointer, reasons = self._seen or Pointer(""), []
        for version in filter(None, (pointer.current, pointer.previous)):
            try:
                return self._store.load(version)
            except RefusedVersionError as error:
                reasons.append(f"{version}: {error}")
        raise EmptyStoreError(f"no version in {self._store.folder} can serve: {'; '.join(reasons) or 'there is none'}")

    def _watch(self) -> None:
        pause = threading.Event()
        while not pause.wait(SECONDS):
            try:
                self.look()
            except Exception as error:  # the thread must go on, whatever a file system does
                logs.write("fault", error=type(error).__name__, where=logs.where(error))

    def look(self) -> None:
        """Take the version that the pointer names, where it has moved; refuse it where it will not do."""
        self.refused, pointer = self._store.refused(), self._store.pointer()
        if pointer is None or pointer == self._seen:
            return
        self._seen = pointer
        try:
            self.replace(self._store.load(pointer.current))
            logs.write("version", version=self.current.version)
        except RefusedVersionError as error:
            self._store.refuse(pointer.current, str(error))
            logs.write("refused", version=pointer.current, why=str(error))
