"""Which registered model serves, what it is held against, and the alias that moves last."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifeboat.deploy.tracking import connect, making_store, store_file, store_uri
from lifeboat.errors import DataError, LifeboatError, redacted
from lifeboat.evaluate import Scored
from lifeboat.evaluate.decision import Rival
from lifeboat.run.folder import FILES

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

KEPT = FILES["holdout_predictions"]  # an artifact of each version's MLflow run, of old ones too
CHAMPION, REFERENCE = "champion", "reference"
MODEL = "model"  # a version's tag: the digest of its portable model
NOBODY = "none"  # instead of a registered model's name: a model is compared with none


class RegistryError(LifeboatError, RuntimeError):
    """The registry gave no answer."""


class RegistryChangedError(RegistryError):
    """The registry is not as it was when the models were compared; `lifeboat run` judges once more, by this name."""


@dataclass(frozen=True)
class Incumbent:
    """A registered version and what it said of the hold-out when it was judged.

    Attributes:
        version: Its version in the registry.
        scored: The hold-out's keys and labels, and what it said of them.
    """

    version: str
    scored: Scored


@dataclass(frozen=True)
class Incumbents:
    """Who holds the aliases ``champion`` and ``reference`` of a registered model; None where nobody does."""

    champion: Incumbent | None = None
    reference: Incumbent | None = None

    @property
    def rivals(self) -> list[Rival]:
        """The champion, then the reference where it is another version; empty where there is no champion yet."""
        reference = None if self.reference is self.champion else self.reference
        holders = {CHAMPION: self.champion, REFERENCE: reference}
        return [Rival(f"the {alias}", holder.scored) for alias, holder in holders.items() if holder]

    def noted(self, name: str) -> dict[str, str | None] | None:
        """For ``compared_with`` in ``verdict.json``: the registered model's name and who held which alias.

        None where the name is ``none``: a model is compared with none.
        """
        if name == NOBODY:
            return None
        champion, reference = (holder.version if holder else None for holder in (self.champion, self.reference))
        return {"model": name, CHAMPION: champion, REFERENCE: reference}


def model_name(registered_model: str, run_dir: str | Path) -> str:
    """The name of the registered model: the parameter's, else that of the run's folder."""
    return registered_model or Path(run_dir).name


def incumbents(name: str, tracking_uri: str = "") -> Incumbents:
    """The champion of a registered model, and the reference: where that was never given, the champion is both.

    Models are compared by what they said when they were judged, not asked anew: one that was fitted afterwards on all
    rows has seen the hold-out and would look better than it is.

    Args:
        name: The registered model; ``none`` for a model that is compared with none.
        tracking_uri: As for ``store_uri``.

    Raises:
        DataError: The run of one of them kept no judgement.
        RegistryError: The registry did not answer. That is not the same as 'no champion yet'.
    """
    aliases = {} if name == NOBODY else holders(name, tracking_uri)
    if CHAMPION not in aliases:
        return Incumbents()
    champion = _incumbent(name, CHAMPION, aliases[CHAMPION])
    if aliases.get(REFERENCE, champion.version) == champion.version:
        return Incumbents(champion, champion)
    return Incumbents(champion, _incumbent(name, REFERENCE, aliases[REFERENCE]))


def holders(name: str, tracking_uri: str = "") -> dict[str, str]:
    """Alias -> version of a registered model; empty where there is no such model, or no store yet.

    Raises:
        RegistryError: The registry did not answer.
    """
    file = store_file(store_uri(tracking_uri))
    if file and not file.exists():
        return {}  # importing MLflow and making a store take seconds, only to find nothing
    connect(tracking_uri)
    import mlflow

    try:
        with making_store():
            aliases = mlflow.MlflowClient().get_registered_model(name).aliases
    except Exception as error:  # each store has its own client, with its own errors of network and sign-in
        if getattr(error, "error_code", "") == "RESOURCE_DOES_NOT_EXIST":
            return {}
        raise RegistryError(_unanswered(name, error)) from error
    return {alias: str(version) for alias, version in aliases.items()}


def _unanswered(name: str, error: Exception) -> str:
    return (
        f"the registry did not say who is the champion of {name!r} ({type(error).__name__}: {redacted(str(error))}); "
        "without that answer no model can be held against it. Mend the store's address (MLFLOW_TRACKING_URI, "
        "MLFLOW_REGISTRY_URI, tracking_uri) or the sign-in, or compare with none (champion_model: none)"
    )


def _incumbent(name: str, alias: str, version: str) -> Incumbent:
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        run = mlflow.MlflowClient().get_model_version(name, version).run_id
        folder = str(Path(KEPT).parent)
        kept = {file.path for file in mlflow.artifacts.list_artifacts(run_id=run, artifact_path=folder)}
        if KEPT not in kept:
            raise DataError(
                f"version {version} of {name!r} is the {alias} but its run {run} kept no {KEPT}: give the alias to "
                "another version, or compare with none (champion_model: none)"
            )
        with tempfile.TemporaryDirectory() as folder:
            path = mlflow.artifacts.download_artifacts(run_id=run, artifact_path=KEPT, dst_path=folder)
            return Incumbent(version, Scored.read(Path(path)))
    except MlflowException as error:
        raise RegistryError(_unanswered(name, error)) from error


def register(model_uri: str, name: str, tags: dict[str, str]) -> ModelVersion:
    """Make a logged model a version of a registered model; it gets no alias yet."""
    import mlflow

    with contextlib.redirect_stderr(io.StringIO()):  # it prints the version's number, another one at each run
        return mlflow.register_model(model_uri, name, tags=tags)


def need_unchanged(compared: Mapping[str, str | None] | None, tracking_uri: str, model: str = "") -> None:
    """Raise RegistryChangedError unless the aliases are where they were when the models were compared.

    Args:
        compared: What ``Incumbents.noted`` gave then; None where a model was compared with none.
        tracking_uri: As for ``store_uri``.
        model: The digest of the model that was compared. Where it is the champion by now, as a run left it that was
            killed at its very end, that is no change.
    """
    if compared is None:
        return
    name = str(compared["model"])
    aliases = holders(name, tracking_uri)
    champion = aliases.get(CHAMPION)
    if model and champion and champion != compared[CHAMPION] and _digest(name, champion) == model:
        return
    now = {"model": name, CHAMPION: champion, REFERENCE: champion and aliases.get(REFERENCE, champion)}
    if now != dict(compared):
        raise RegistryChangedError(
            f"the registry has changed since this model was judged (then {_text(compared)}; now {_text(now)}): the "
            "verdict speaks of another champion, and no alias was moved. Run notebooks 4 and 5 again"
        )


def _digest(name: str, version: str) -> str:
    """The digest of a version's portable model; empty for one that was registered before it was kept."""
    import mlflow

    return str(mlflow.MlflowClient().get_model_version(name, version).tags.get(MODEL, ""))


def _text(noted: Mapping[str, str | None]) -> str:
    return ", ".join(f"{alias} {noted[alias] or 'none'}" for alias in (CHAMPION, REFERENCE)) + f" of {noted['model']!r}"


def give_alias(name: str, version: str, verdict: Mapping[str, Any], tracking_uri: str) -> None:
    """Give a version the alias that the verdict says, as the last act of a run.

    A new reference is named last: should this process die before, the next models are held against the old one.

    Args:
        name: The registered model.
        version: The version that ``register`` made.
        verdict: As in ``verdict.json``: ``alias``, ``new_reference`` and ``compared_with``.
        tracking_uri: As for ``store_uri``.

    Raises:
        RegistryChangedError: The champion is no longer the one that the model was compared with; no alias was moved.
    """
    need_unchanged(verdict["compared_with"], tracking_uri, _digest(name, version))
    before = holders(name, tracking_uri)
    import mlflow

    client, moved = mlflow.MlflowClient(), {verdict["alias"]: version}
    if verdict["new_reference"]:
        moved[REFERENCE] = version
    elif verdict["alias"] == CHAMPION and CHAMPION in before:  # of a registry from before there was a reference
        moved = {REFERENCE: before.get(REFERENCE, before[CHAMPION]), **moved}
    for alias, holder in moved.items():
        client.set_registered_model_alias(name, alias, holder)
