"""The one process that asks the registry which version has an alias, and lays a new one before the server's workers.

python -m lifeboat.deploy.watch STORE NAME ALIAS --seconds 10     until its parent is gone
python -m lifeboat.deploy.watch STORE NAME ALIAS --once
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path

from lifeboat.deploy.registry import holders
from lifeboat.deploy.server import logs
from lifeboat.deploy.server.store import RefusedVersionError, Store
from lifeboat.deploy.tracking import connect
from lifeboat.errors import LifeboatError


class NoVersionError(LifeboatError, RuntimeError):
    """The registry has no version under that alias."""


class Watch:
    """Follows an alias.

    Args:
        store: Where versions are laid.
        model: The registered model.
        alias: Its alias.
    """

    def __init__(self, store: Store, model: str, alias: str) -> None:
        self._store, self._model, self._alias = store, model, alias
        self._seen, self._trouble = "", ""

    def look(self) -> None:
        """Take the version that has the alias, where that is another one than before.

        Raises:
            NoVersionError: No version has it.
            RegistryError: The registry did not answer.
            RefusedVersionError: That version must not serve.
        """
        version = holders(self._model).get(self._alias)
        if version is None:
            raise NoVersionError(f"MLflow has no models:/{self._model}@{self._alias}: no version has that alias")
        if version == self._seen:
            return
        with tempfile.TemporaryDirectory(dir=self._store.folder) as scratch:
            portable = download(self._model, version, Path(scratch))
            self._seen = version  # whatever comes of it: it is tried once
            taken = self._store.take(portable, f"version {version}")
        logs.write("taken", registry_version=version, version=taken)

    def look_again(self) -> None:
        """Look, and say once what goes wrong: the version that answers goes on."""
        try:
            self.look()
            trouble = ""
        except RefusedVersionError as error:
            trouble = f"refused: {error}"
        except Exception as error:  # each store has its own client, with its own errors of network and sign-in
            trouble = f"{type(error).__name__}: {error}"
        if trouble != self._trouble:
            logs.write("registry", trouble=trouble or "none any more")
        self._trouble = trouble


def download(model: str, version: str, folder: Path) -> Path:
    """A version's portable model, in a folder.

    Raises:
        RefusedVersionError: It has none.
    """
    from mlflow.artifacts import download_artifacts

    fetched = Path(download_artifacts(artifact_uri=f"models:/{model}/{version}", dst_path=str(folder)))
    for manifest in sorted(fetched.rglob("manifest.json")):
        return manifest.parent
    raise RefusedVersionError(f"version {version} of {model!r} has no portable model")


def main() -> None:
    """Follow an alias until the parent is gone, or once."""
    parser = argparse.ArgumentParser(prog="python -m lifeboat.deploy.watch", description=main.__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("model")
    parser.add_argument("alias")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--unseen", default="")
    args = parser.parse_args()
    connect()
    watch = Watch(Store(args.store, args.model, args.unseen), args.model, args.alias)
    if args.once:
        try:
            return watch.look()
        except LifeboatError as error:
            sys.exit(f"lifeboat: {error}")
    parent, stopped = os.getppid(), threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to hear
    while os.getppid() == parent and not stopped.wait(args.seconds):
        watch.look_again()


if __name__ == "__main__":
    main()
