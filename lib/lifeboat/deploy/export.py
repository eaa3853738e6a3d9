"""A fitted Spark pipeline as one folder that needs no Spark: a graph, what each stage learned, and a manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pyspark
from pyspark.ml import PipelineModel, Transformer
from pyspark.ml.classification import (
    GBTClassificationModel,
    LogisticRegressionModel,
    RandomForestClassificationModel,
)
from pyspark.ml.feature import StringIndexerModel, VectorAssembler

import lifeboat
from lifeboat.deploy import onnx_graph
from lifeboat.deploy.java_regex import to_python
from lifeboat.deploy.signature import Described, raw_columns
from lifeboat.errors import LifeboatError
from lifeboat.preprocess import EqualTo, GroupMeanImputerModel, ModeImputerModel, SumColumns, TextCategory
from lifeboat.preprocess.copies import BooleanText, CopyColumns
from lifeboat.run import replacing
from lifeboat.scoring.classes import names_of_classes
from lifeboat.scoring.example import answer_example, usual_record
from lifeboat.scoring.fields import Column, InputError
from lifeboat.scoring.scorer import Scorer
from lifeboat.scoring.unseen import WARN, policy
from lifeboat.spark.saved_trees import assembler_and_classifier, trees_of

Classifier = RandomForestClassificationModel | GBTClassificationModel | LogisticRegressionModel


class ExportError(LifeboatError, ValueError):
    """A fitted pipeline that cannot be scored without Spark."""


def export_model(
    model: PipelineModel,
    columns: Sequence[Column],
    label: str,
    folder: Path,
    enrichment: Mapping[str, Any] | None = None,
    class_names: Sequence[str] = (),
    unseen: str = WARN,
) -> Path:
    """Write a fitted pipeline as a portable model: the same model gives the same bytes, whenever and wherever.

    Args:
        model: Stages of ``lifeboat.preprocess``, string indexers, one assembler, and last a random forest,
            gradient-boosted trees or a logistic regression.
        columns: The raw table's. A column that the model cannot take null in is marked so whatever ``nullable`` says.
        label: The column that the model predicts.
        folder: Where to write ``model.onnx``, ``preprocess.json`` and ``manifest.json``; replaced when whole.
        enrichment: How raw rows were read and completed, as ``schema.json`` has it.
        class_names: What people call class 0 and class 1; empty: no and yes.
        unseen: What is done where a record has a value that training never met: ``warn`` or ``refuse``.

    Returns:
        The folder's absolute path.

    Raises:
        ExportError: A stage, or a setting of one, that the scorer does not know.
        UnseenError: ``unseen`` is another word.
        ParameterError: ``class_names`` are not two different texts, or no assembler fills the classifier's features.
        DataError: A stage reads a column that ``columns`` does not have, or has in another type.
    """
    model = PipelineModel(_flat(model))
    *before, classifier = model.stages
    if not isinstance(classifier, Classifier):
        raise ExportError(_refusal(classifier, "as the last one", [kind.__name__ for kind in Classifier.__args__]))
    assembler, _ = assembler_and_classifier(model)
    stages = [described for stage in before for described in _describe(stage)]
    if [s["stage"] for s in stages].index("VectorAssembler") != len(stages) - 1:
        raise ExportError("the pipeline must have one VectorAssembler, right before its classifier")
    read = raw_columns(stages, columns)
    inputs = [column.described() for column in read]
    signature = {"inputs": inputs, "known": [column.name for column in columns]}
    settings = _settings(classifier) | {"features": assembler.getInputCols()}
    with replacing(folder) as written:
        written.mkdir(parents=True)
        files = {"model.onnx": _graph(classifier, written / "spark"), "preprocess.json": _json(stages)}
        manifest = {
            "class_names": [*names_of_classes(class_names)],
            "enrichment": dict(enrichment or {}),
            "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
            "format": 2,
            "label": label,
            "model": settings,
            "signature": signature,
            "unseen": policy(unseen),
            "versions": {"lifeboat": lifeboat.__version__, "onnx": onnx.__version__, "pyspark": pyspark.__version__},
        }
        manifest |= _example(manifest, stages, files["model.onnx"], read)
        for name, content in (files | {"manifest.json": _json(manifest)}).items():
            (written / name).write_bytes(content)
    return folder


def _example(
    manifest: dict[str, Any], stages: list[Described], graph: bytes, columns: Sequence[Column]
) -> dict[str, Any]:
    """What the exported model says of a usual record: before it serves elsewhere, it must say so there."""
    try:
        return {"example": answer_example(Scorer(manifest, "", stages, graph), usual_record(columns))}
    except InputError:  # nothing usual is noted of its columns, and what is made up in their place does not fit
        return {}


def _flat(model: PipelineModel) -> list[Transformer]:
    """The stages, those of a pipeline within the pipeline in its place."""
    return [
        inner for stage in model.stages for inner in (_flat(stage) if isinstance(stage, PipelineModel) else [stage])
    ]


def _refusal(stage: Transformer, where: str, allowed: Sequence[str]) -> str:
    return f"stage {type(stage).__name__} ({stage.uid}) cannot be exported {where}; allowed: {', '.join(allowed)}"


# a stage -> those of its Params that say what it does or learned; a subclass is scored as its base
LEARNED: dict[type[Transformer], tuple[str, ...]] = {
    TextCategory: ("other",),
    SumColumns: (),
    EqualTo: ("value",),
    GroupMeanImputerModel: ("means", "overall"),
    ModeImputerModel: ("mode",),
    StringIndexerModel: (),
    VectorAssembler: (),
    BooleanText: (),
    CopyColumns: (),
}
INVALID = {StringIndexerModel: "keep", VectorAssembler: "error"}  # what they must do where a value is invalid


def _describe(stage: Any) -> list[Described]:
    """What a stage learned, as JSON can hold it: one entry for each column it writes."""
    kind = next((known for known in LEARNED if isinstance(stage, known)), None)
    if kind is None:
        raise ExportError(_refusal(stage, "before the classifier", [known.__name__ for known in LEARNED]))
    if kind in INVALID and (how := stage.getOrDefault("handleInvalid")) != INVALID[kind]:
        raise ExportError(_refusal(stage, f"with handleInvalid={how!r}", [repr(INVALID[kind])]))
    if kind is CopyColumns and stage.getOrDefault("optional"):
        return []  # the label
    inputs, outputs = _columns(stage, "input"), _columns(stage, "output")
    sources = [[name] for name in inputs] if len(inputs) == len(outputs) else [inputs]
    learned = {name: stage.getOrDefault(name) for name in LEARNED[kind]}
    if kind is TextCategory:
        learned |= {"pattern": to_python(stage.getOrDefault("pattern")), "categories": stage.word_to_category()}
    if kind is GroupMeanImputerModel and (group := stage.getOrDefault("groupCol")):
        sources[0].append(group)
    entries = [
        {"stage": kind.__name__, "inputs": names, "outputs": [target], **learned}
        for names, target in zip(sources, outputs, strict=True)
    ]
    if kind is StringIndexerModel:
        for entry, labels in zip(entries, stage.labelsArray, strict=True):
            entry["labels"] = list(labels)
    return entries


def _columns(stage: Any, side: str) -> list[str]:
    """The columns that a stage reads (``input``) or writes (``output``)."""
    many = stage.hasParam(f"{side}Cols") and stage.isDefined(f"{side}Cols")
    return list(stage.getOrDefault(f"{side}Cols")) if many else [stage.getOrDefault(f"{side}Col")]


def _settings(classifier: Classifier) -> dict[str, Any]:
    """How the classifier goes from its raw prediction to a class."""
    for name in ("rawPredictionCol", "probabilityCol", "predictionCol"):
        if not classifier.getOrDefault(name):
            raise ExportError(_refusal(classifier, f"with an empty {name}", ["any name"]))
    thresholds = list(classifier.getThresholds()) if classifier.isDefined("thresholds") else None
    if isinstance(classifier, LogisticRegressionModel):
        if classifier.coefficientMatrix.numRows == 1:
            return {"kind": "logistic", "threshold": classifier.getThreshold(), "thresholds": None}
        return {"kind": "logistic", "threshold": None, "thresholds": thresholds}
    kind = "gbt" if isinstance(classifier, GBTClassificationModel) else "forest"
    return {"kind": kind, "threshold": None, "thresholds": thresholds}


def _graph(classifier: Classifier, scratch: Path) -> bytes:
    if isinstance(classifier, LogisticRegressionModel):
        weights = classifier.coefficientMatrix.toArray()
        nodes = onnx_graph.linear(weights, np.array(classifier.interceptVector.toArray()))
        return onnx_graph.graph(nodes, weights.shape[1], weights.shape[0])
    trees = trees_of(classifier, scratch)
    if isinstance(classifier, GBTClassificationModel):
        return onnx_graph.graph([onnx_graph.ensemble(trees, 1, onnx_graph.step)], classifier.numFeatures, 1)
    classes = classifier.numClasses
    return onnx_graph.graph([onnx_graph.ensemble(trees, classes, onnx_graph.vote)], classifier.numFeatures, classes)


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()
