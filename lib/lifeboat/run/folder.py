"""The folder of one run: where each notebook finds its predecessors' files and leaves its own, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifeboat.errors import DataError, ParameterError, StageOrderError, StaleError, unknown
from lifeboat.run.inputs import content_digest, stamps
from lifeboat.run.lock import need_free
from lifeboat.run.paths import resolve
from lifeboat.run.writing import earlier, put_in_place, remove, staging, write_json
from lifeboat.scoring.fields import Column

if TYPE_CHECKING:
    from pyspark.ml import Pipeline, PipelineModel
    from pyspark.sql import DataFrame, SparkSession

STAGES = ("01_load", "02_preprocess", "03_train_cv", "04_evaluate", "05_deploy")

FILES = {
    "train": "01_load/train",
    "holdout": "01_load/holdout",
    "unlabelled": "01_load/unlabelled",
    "rejected": "01_load/rejected",
    "schema": "01_load/schema.json",
    "summary": "01_load/summary.json",
    "pipeline": "02_preprocess/pipeline",
    "recipe": "02_preprocess/recipe.json",
    "trained_model": "03_train_cv/model",
    "out_of_fold": "03_train_cv/out_of_fold",
    "scores": "03_train_cv/scores.json",
    "holdout_predictions": "04_evaluate/holdout_predictions.parquet",  # old champions are read by this name too
    "looks": "04_evaluate/looks.json",
    "metrics": "04_evaluate/metrics.json",
    "verdict": "04_evaluate/verdict.json",
    "importances": "04_evaluate/importance.json",
    "portable": "05_deploy/portable",
    "refitted_model": "05_deploy/model",
    "mlflow_model": "05_deploy/spark_model",
    "deployed_model": "05_deploy/spark_model/sparkml",
    "spark_answers": "05_deploy/spark_answers.json",
    "deployed": "05_deploy/deployed.json",
}
# Spark writes times and random names into what it saves: the files beside it say as much, and nothing else
STANDS_FOR = {
    "pipeline": ("recipe",),
    "trained_model": ("scores", "out_of_fold"),
    "refitted_model": ("portable",),
    "mlflow_model": ("portable",),
    "deployed_model": ("portable",),
}
READ = "read.json"  # in each notebook's folder: what it read -> the digest of what that held
DIGESTS = "digests.json"  # beside it: what the notebook left -> its digest, and its files' sizes and times


class Run:
    """The folder of one run, ``outputs/<name>``, with a folder for each notebook in it.

    The only place that knows what a notebook's files are called. What is read through it is noted with its digest when
    the reading notebook commits; a folder whose notebook read what has changed since is stale, and is not read.

    Attributes:
        path: The run's folder.
    """

    def __init__(self, run_dir: str | Path, session: SparkSession | None = None) -> None:
        """A run, whether or not it is there yet.

        Args:
            run_dir: Its folder; a relative path starts at the project's root.
            session: Spark, to read and write rows and models with.
        """
        self.path = resolve(run_dir)
        self._run_dir = str(run_dir)
        self._session = session
        self._read: dict[str, str] = {}
        self._begun: dict[str, Path] = {}

    @property
    def train(self) -> DataFrame:
        """The rows to learn from."""
        return self._rows("train")

    @property
    def holdout(self) -> DataFrame:
        """The labelled rows that nothing is learned from."""
        return self._rows("holdout")

    @property
    def schema(self) -> dict[str, Any]:
        """The table's columns, key, label and enrichment, as ``load.describe`` put them down."""
        return self._json("schema")

    @property
    def trained_model(self) -> PipelineModel:
        """The model that notebook 3 chose, fitted on all training rows."""
        return self._model("trained_model")

    @property
    def scores(self) -> dict[str, Any]:
        """What notebook 3 tried: its parameters, the grid's ``points``, each one's ``scores`` by fold, the ``best``."""
        return self._json("scores")

    @property
    def out_of_fold(self) -> DataFrame:
        """Of each training row what a model that has not seen it says: key, fold, label, probability, prediction."""
        return self._rows("out_of_fold")

    @property
    def metrics(self) -> dict[str, Any]:
        """Who was measured -> metric -> value and interval, on the hold-out."""
        return self._json("metrics")

    @property
    def portable(self) -> Path:
        """The folder of the portable model."""
        return self.find("portable")

    @property
    def deployed_model(self) -> PipelineModel:
        """The Spark model that notebook 5 registered."""
        return self._model("deployed_model")

    @property
    def deployed(self) -> dict[str, Any]:
        """The registered model's name, version and alias, and the portable model's digest."""
        return self._json("deployed")

    @property
    def unlabelled(self) -> DataFrame | None:
        """The rows to predict; None where the run has none."""
        return self._rows("unlabelled") if (self.folder("01_load") / "unlabelled").is_dir() else None

    @property
    def columns(self) -> list[Column]:
        """The table's columns."""
        return [Column.of(described) for described in self.schema["columns"]]

    @property
    def pipeline(self) -> Pipeline:
        """The preprocessing stages of notebook 2, which have learned nothing."""
        from pyspark.ml import Pipeline

        from lifeboat.run.saving import load_pipeline

        return load_pipeline(Pipeline, self.find("pipeline"))

    @property
    def verdict(self) -> dict[str, Any]:
        """Whether the model may become champion, and with whom it was compared.

        Raises:
            DataError: It was left by an earlier version, whose rule was another.
        """
        verdict = self._json("verdict")
        if "compared_with" not in verdict:
            raise DataError(
                f"{self.where('verdict')} is of an earlier version, whose rule was another: run notebook 4 again"
            )
        return verdict

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """The parameters that notebooks 1 to 3 put down, by the notebook's number."""
        return {FILES[name][:2]: self._json(name)["parameters"] for name in ("summary", "recipe", "scores")}

    def folder(self, stage: str) -> Path:
        """The folder that a notebook left.

        Raises:
            StageOrderError: It has not run yet.
        """
        path = self.path / stage
        if not path.is_dir():
            raise StageOrderError(
                f"{path} is not there: run notebooks/{stage}.ipynb with run_dir={self._run_dir!r} first"
            )
        return path

    def find(self, name: str) -> Path:
        """Where something that a notebook left lies; it is noted as read.

        Args:
            name: One of ``FILES``.

        Raises:
            StageOrderError: The notebook that leaves it has not run yet.
            StaleError: What that notebook read has changed since.
        """
        stage, _ = _stage_and_file(name)
        self.folder(stage)
        for reason in self.stale(stage):
            raise StaleError(reason)
        self._read |= {FILES[source]: self._digest(FILES[source]) for source in STANDS_FOR.get(name, (name,))}
        return self.where(name)

    def read_all(self, stage: str) -> Path:
        """The folder that a notebook left, for who reads all of it: each file in it is noted as read."""
        folder = self.folder(stage)
        names = (file.relative_to(self.path).as_posix() for file in folder.rglob("*") if file.is_file())
        self._read |= {name: self._digest(name) for name in names if Path(name).name not in (READ, DIGESTS)}
        return folder

    def where(self, name: str) -> Path:
        """Where a notebook leaves something, whether or not it is there yet: between ``begin`` and ``commit`` aside."""
        stage, file = _stage_and_file(name)
        return self._begun.get(stage, self.path / stage) / file

    def stale(self, stage: str) -> Iterator[str]:
        """Why a notebook's folder no longer follows from what it read: a sentence for each, the earliest first."""
        folder = self.path / stage
        if not (folder / READ).is_file():
            return
        noted: dict[str, str] = json.loads((folder / READ).read_text(encoding="utf-8"))
        for predecessor in sorted({Path(file).parts[0] for file in noted}):
            yield from self.stale(predecessor)
        if changed := self.changed(stage):
            yield (
                f"{folder} is stale: {', '.join(changed)} changed after notebooks/{stage}.ipynb had read it. Run that "
                f"notebook again with run_dir={self._run_dir!r}, and those after it"
            )

    def changed(self, stage: str) -> list[str]:
        """The files that a notebook read and that are no longer what they were; none where it has not run."""
        noted = self.path / stage / READ
        read: dict[str, str] = json.loads(noted.read_text(encoding="utf-8")) if noted.is_file() else {}
        return [file for file, digest in read.items() if self._digest(file) != digest]

    def begin(self, stage: str) -> Path:
        """An empty folder for a notebook to write into; nobody sees it before ``commit``.

        Raises:
            RunFolderBusyError: Another process runs notebooks into this run's folder.
        """
        need_free(self.path)
        folder = self._begun[stage] = staging(self.path / stage)
        folder.mkdir(parents=True)
        return folder

    def previous(self, name: str) -> Path | None:
        """What an earlier run of its notebook left of something; None where there is nothing."""
        stage, file = _stage_and_file(name)
        folder = earlier(self.path / stage)
        return folder / file if folder and (folder / file).exists() else None

    def write(self, **contents: Any) -> None:
        """Write into the folder that ``begin`` made: rows as parquet, stages and models as Spark saves them, else JSON.

        Args:
            contents: Names of ``FILES``, each with what it is to hold.

        Raises:
            StageOrderError: ``begin`` has not made the folder that one of them lies in.
            ParameterError: A name is unknown.
        """
        for name in contents:
            stage, _ = _stage_and_file(name)
            if stage not in self._begun:
                raise StageOrderError(f"{name} belongs into {stage}: call begin({stage!r}) first, and commit it then")
        write = self._write
        if self._session is not None:
            from pyspark import inheritable_thread_target

            write = inheritable_thread_target(self._session)(write)
        with ThreadPool(max(1, len(contents))) as pool:  # Spark plans each on one core
            pool.starmap(write, contents.items(), chunksize=1)

    def _write(self, name: str, content: Any) -> None:
        import pandas as pd
        from pyspark.ml import Pipeline, PipelineModel

        from lifeboat.run.saving import save_pipeline

        path = self.where(name)
        if isinstance(content, Pipeline | PipelineModel):
            remove(path)
            save_pipeline(content, str(path))
        elif isinstance(content, pd.DataFrame):
            content.to_parquet(path, index=False)
        elif isinstance(content, dict | list):
            write_json(path, content)
        else:
            content.write.parquet(str(path))

    def commit(self, written: Path) -> Path:
        """Put a folder that ``begin`` made into its place, instead of what an earlier run left there."""
        stage = next(stage for stage, folder in self._begun.items() if folder == written)
        # what a notebook looked up of its own is no predecessor's
        noted = {file: digest for file, digest in sorted(self._read.items()) if Path(file).parts[0] != stage}
        write_json(written / READ, noted)
        left = [file for own, file in map(_stage_and_file, sorted(FILES.keys() - STANDS_FOR.keys())) if own == stage]
        kept = {file: written / file for file in left if (written / file).exists()}
        if kept:
            digests = {file: {"digest": content_digest(path), "files": stamps(path)} for file, path in kept.items()}
            write_json(written / DIGESTS, digests)
        put_in_place(written, self.path / stage)
        del self._begun[stage]
        return self.path / stage

    def _rows(self, name: str) -> DataFrame:
        if self._session is None:
            raise ParameterError(f"rows are read by Spark: Run({str(self.path)!r}, session)")
        return self._session.read.parquet(str(self.find(name)))

    def _model(self, name: str) -> PipelineModel:
        from pyspark.ml import PipelineModel

        from lifeboat.run.saving import load_pipeline

        return load_pipeline(PipelineModel, self.find(name))

    def _json(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.find(name).read_text(encoding="utf-8"))
        return content

    def _digest(self, file: str) -> str:
        """The digest that the notebook kept of what it left, where that is as it was left; else it is computed."""
        stage, _, name = file.partition("/")
        path, digests = self.path / file, self.path / stage / DIGESTS
        if not path.exists():
            return "not there"
        kept = json.loads(digests.read_text(encoding="utf-8")).get(name) if digests.is_file() else None
        if kept and kept["files"] == stamps(path):
            return str(kept["digest"])
        try:
            return content_digest(path)
        except (OSError, ValueError):  # cut short, or no longer what its name says
            return "not readable"


def _stage_and_file(name: str) -> tuple[str, str]:
    if name not in FILES:
        raise ParameterError(unknown("file of a run", name, FILES))
    stage, _, file = FILES[name].partition("/")
    return stage, file


def last_run() -> Run:
    """The run whose ``05_deploy`` is newest.

    Raises:
        StageOrderError: No run has got as far as ``05_deploy``.
    """
    deployed = sorted(resolve("outputs").glob("*/05_deploy"), key=lambda folder: folder.stat().st_mtime)
    if not deployed:
        raise StageOrderError(f"no finished run in {resolve('outputs')}: start one with `make run`")
    return Run(deployed[-1].parent)
