"""Save and load pipelines in Spark's form, in half of the time that Spark takes for many small stages.

Spark's writer for Python saves stage after stage, and has a Python worker carry each stage's one line of JSON to Java;
its reader starts a job for each such line.
"""

from __future__ import annotations

import json
from importlib import import_module
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
from pyspark import inheritable_thread_target
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.param import Params
from pyspark.ml.pipeline import PipelineSharedReadWrite as Layout
from pyspark.ml.util import DefaultParamsReader, DefaultParamsWriter
from pyspark.sql import SparkSession

_P = TypeVar("_P", Pipeline, PipelineModel)

AT_ONCE = 4  # stages: what each writes is planned on one core


def save_pipeline(pipeline: Pipeline | PipelineModel, path: str) -> None:
    """Save a pipeline as ``pipeline.write().save(path)`` does; ``Pipeline.load`` or ``PipelineModel.load`` reads it.

    Args:
        pipeline: The pipeline, fitted or not.
        path: Where to; nothing may be there yet.
    """
    stages: list[Any] = pipeline.getStages() if isinstance(pipeline, Pipeline) else pipeline.stages
    if Layout.checkStagesForJava(stages):  # then Spark's own is Java's, which Scala reads too
        pipeline.write().save(path)
        return
    Layout.validateStages(stages)
    session = SparkSession.active()
    _save_metadata(pipeline, path, session, {"stageUids": [stage.uid for stage in stages], "language": "Python"})

    def save(number: int, stage: Any) -> None:
        stage.write().session(session).save(Layout.getStagePath(stage.uid, number, len(stages), f"{path}/stages"))

    with ThreadPool(AT_ONCE) as pool:
        pool.starmap(inheritable_thread_target(session)(save), enumerate(stages), chunksize=1)


def load_pipeline(kind: type[_P], path: Path) -> _P:
    """Load a pipeline from a folder as ``kind.load(path)`` does.

    Args:
        kind: ``Pipeline``, or ``PipelineModel`` for a fitted one.
        path: Where it is, on this machine.
    """
    saved = _metadata_of(path)
    if saved["paramMap"].get("language") != "Python":  # Java wrote it whole
        return kind.load(str(path))
    uids = saved["paramMap"]["stageUids"]
    folders = [Layout.getStagePath(uid, number, len(uids), f"{path}/stages") for number, uid in enumerate(uids)]
    return kind(stages=[_load_stage(Path(folder)) for folder in folders])._resetUid(saved["uid"])


def _load_stage(path: Path) -> Any:
    saved = _metadata_of(path)
    module, _, name = saved["class"].replace("org.apache.spark", "pyspark").rpartition(".")
    kind = getattr(import_module(module), name)
    if type(kind.read()) is not DefaultParamsReader:  # there is more to it than Params
        return kind.load(str(path))
    stage = kind()._resetUid(saved["uid"])
    DefaultParamsReader.getAndSetParams(stage, saved)
    return stage


class StageWriter(DefaultParamsWriter):
    """Writes a stage of ours, whose Params are all there is to it."""

    def saveImpl(self, path: str) -> None:
        """Write ``metadata`` into a folder; see ``pyspark.ml.util.MLWriter``."""
        _save_metadata(self.instance, path, self.sparkSession)


def _metadata_of(path: Path) -> dict[str, Any]:
    text = "".join(file.read_text(encoding="utf-8") for file in (path / "metadata").glob("part-*"))
    metadata: dict[str, Any] = json.loads(text)
    return metadata


def _save_metadata(saved: Params, path: str, session: SparkSession, params: dict[str, Any] | None = None) -> None:
    metadata = DefaultParamsWriter._get_metadata_to_save(saved, session, paramMap=params)
    session.createDataFrame(pa.table({"value": [metadata]})).coalesce(1).write.text(f"{path}/metadata")
