"""What the exporter writes, the same each time, and what it refuses."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import onnx
import pyspark
import pytest
from pyspark.ml import PipelineModel
from pyspark.ml.feature import Binarizer, SQLTransformer, StringIndexerModel, VectorAssembler
from pyspark.sql import SparkSession

import lifeboat
from lifeboat.deploy.export import ExportError, export_model
from lifeboat.deploy.parity import parity
from lifeboat.errors import DataError, ParameterError
from lifeboat.preprocess import TextCategory
from lifeboat.scoring.fields import Column

FILES = ["manifest.json", "model.onnx", "preprocess.json"]

TABLE = {
    "PassengerId": "int", "Survived": "int", "Pclass": "int", "Name": "string", "Sex": "string", "Age": "double",
    "SibSp": "int", "Parch": "int", "Fare": "double", "Embarked": "string", "Ticket": "string",
}  # fmt: skip


def columns(**types: str) -> list[Column]:
    return [Column(name, kind, nullable=True) for name, kind in (TABLE | types).items()]


def with_stage(model: PipelineModel, index: int, stage: Any) -> PipelineModel:
    stages = list(model.stages)
    stages[index] = stage
    return PipelineModel(stages)


def test_the_folder_holds_three_files_and_the_manifest_their_sha256(forest: Path) -> None:
    assert sorted(path.name for path in forest.iterdir()) == FILES
    manifest = json.loads((forest / "manifest.json").read_text())
    assert manifest["files"] == {name: sha256((forest / name).read_bytes()).hexdigest() for name in FILES[1:]}
    assert manifest["label"] == "Survived"
    assert manifest["model"]["features"][:2] == ["Pclass", "Age_imputed"]
    assert (manifest["format"], manifest["class_names"], manifest["enrichment"]) == (2, ["no", "yes"], {})
    assert manifest["versions"] == {
        "lifeboat": lifeboat.__version__, "onnx": onnx.__version__, "pyspark": pyspark.__version__,
    }  # fmt: skip


def test_the_graph_is_double_throughout_in_the_versions_promised(forest: Path) -> None:
    graph = onnx.load(forest / "model.onnx")
    assert graph.ir_version == 10
    assert {opset.domain: opset.version for opset in graph.opset_import} == {"": 17, "ai.onnx.ml": 5}
    ends = [*graph.graph.input, *graph.graph.output]
    assert {end.type.tensor_type.elem_type for end in ends} == {onnx.TensorProto.DOUBLE}


def test_the_same_model_saved_loaded_and_exported_again_gives_the_same_bytes(
    models: dict[str, PipelineModel], forest: Path, tmp_path: Path
) -> None:
    stages = list(models["forest"].stages)
    for index in (3, -1):  # the means of ages, and the trees
        folder = str(tmp_path / f"stage {index}")
        stages[index].write().save(folder)
        stages[index] = type(stages[index]).load(folder)
    again = export_model(PipelineModel(stages), _raw(forest), "Survived", tmp_path / "with space" / "portable")
    assert [(again / file).read_bytes() for file in FILES] == [(forest / file).read_bytes() for file in FILES]
    assert [path.name for path in again.parent.iterdir()] == ["portable"]


@pytest.mark.parametrize("name", ["gbt", "logistic"])
def test_another_export_of_a_model_gives_the_same_bytes(
    models: dict[str, PipelineModel], portable_of: Any, tmp_path: Path, name: str
) -> None:
    again = export_model(models[name], _raw(portable_of(name)), "Survived", tmp_path / "portable")
    assert [(again / file).read_bytes() for file in FILES] == [
        (portable_of(name) / file).read_bytes() for file in FILES
    ]


def _raw(portable: Path) -> list[Column]:
    """The columns that a portable model was exported with, as far as its manifest tells; the others do not matter."""
    signature = json.loads((portable / "manifest.json").read_text())["signature"]
    columns_of = {column["name"]: Column.of(column) for column in signature["inputs"]}
    return [columns_of.get(name, Column(name, "string", nullable=True)) for name in signature["known"]]


def test_the_signature_has_the_raw_columns_that_the_model_reads_and_no_other(forest: Path) -> None:
    inputs = json.loads((forest / "manifest.json").read_text())["signature"]["inputs"]
    assert [column["name"] for column in inputs] == [
        "Pclass", "Name", "Sex", "Age", "SibSp", "Parch", "Fare", "Embarked",
    ]  # fmt: skip
    assert inputs[3] == {"name": "Age", "type": "double", "nullable": True, "minimum": 0, "maximum": 120}


def test_a_column_whose_null_would_reach_the_classifier_is_required_whatever_the_table_says(
    models: dict[str, PipelineModel], tmp_path: Path
) -> None:
    folder = export_model(models["logistic"], columns(), "Survived", tmp_path / "portable")
    inputs = json.loads((folder / "manifest.json").read_text())["signature"]["inputs"]
    assert {column["name"] for column in inputs if not column["nullable"]} == {"Pclass", "SibSp", "Parch"}


def test_an_unknown_stage_is_refused_by_name_with_the_known_ones(
    models: dict[str, PipelineModel], tmp_path: Path
) -> None:
    strange = with_stage(models["logistic"], 2, Binarizer(inputCol="FamilySize", outputCol="Alone"))
    with pytest.raises(ExportError, match=r"stage Binarizer \(Binarizer_\w+\) cannot be .* allowed: TextCategory, Sum"):
        export_model(strange, columns(), "Survived", tmp_path / "portable")
    assert not list(tmp_path.iterdir())


def test_a_pipeline_that_does_not_end_in_a_known_classifier_is_refused(
    models: dict[str, PipelineModel], tmp_path: Path
) -> None:
    after = PipelineModel([*models["logistic"].stages, SQLTransformer(statement="SELECT * FROM __THIS__")])
    with pytest.raises(
        ExportError, match=r"SQLTransformer .* as the last one; allowed: RandomForestClassificationModel"
    ):
        export_model(after, columns(), "Survived", tmp_path / "portable")


@pytest.mark.parametrize("how", ["skip", "error"])
def test_an_indexer_that_drops_or_dies_on_unseen_values_is_refused(
    models: dict[str, PipelineModel], tmp_path: Path, how: str
) -> None:
    indexer = next(stage for stage in models["logistic"].stages if isinstance(stage, StringIndexerModel))
    index = models["logistic"].stages.index(indexer)
    other = with_stage(models["logistic"], index, indexer.copy({indexer.handleInvalid: how}))
    with pytest.raises(ExportError, match=f"StringIndexerModel .* with handleInvalid='{how}'; allowed: 'keep'"):
        export_model(other, columns(), "Survived", tmp_path / "portable")


def test_an_assembler_that_keeps_nulls_is_refused(models: dict[str, PipelineModel], tmp_path: Path) -> None:
    assembler = models["logistic"].stages[-2]
    assert isinstance(assembler, VectorAssembler)
    other = with_stage(models["logistic"], -2, assembler.copy({assembler.handleInvalid: "keep"}))
    with pytest.raises(ExportError, match=r"VectorAssembler .* with handleInvalid='keep'; allowed: 'error'"):
        export_model(other, columns(), "Survived", tmp_path / "portable")


def test_a_classifier_whose_features_no_assembler_makes_is_refused(
    models: dict[str, PipelineModel], tmp_path: Path
) -> None:
    assembler = models["logistic"].stages[-2]
    other = with_stage(models["logistic"], -2, assembler.copy({assembler.outputCol: "other"}))
    with pytest.raises(ParameterError, match="must end with a VectorAssembler and its classifier; its stages are: "):
        export_model(other, columns(), "Survived", tmp_path / "portable")


def test_a_second_assembler_is_refused(models: dict[str, PipelineModel], tmp_path: Path) -> None:
    *before, assembler, classifier = models["logistic"].stages
    twice = PipelineModel([*before, assembler.copy({assembler.outputCol: "other"}), assembler, classifier])
    with pytest.raises(ExportError, match="must have one VectorAssembler, right before its classifier"):
        export_model(twice, columns(), "Survived", tmp_path / "portable")


def test_a_classifier_without_a_raw_prediction_is_refused(models: dict[str, PipelineModel], tmp_path: Path) -> None:
    classifier = models["logistic"].stages[-1]
    other = with_stage(models["logistic"], -1, classifier.copy({classifier.rawPredictionCol: ""}))
    with pytest.raises(ExportError, match="with an empty rawPredictionCol"):
        export_model(other, columns(), "Survived", tmp_path / "portable")


def test_a_pattern_that_python_reads_otherwise_is_refused(models: dict[str, PipelineModel], tmp_path: Path) -> None:
    title = TextCategory(inputCol="Name", outputCol="Title", pattern=r"(?i)(mr)", groups={"Mr": ["mr"]})
    with pytest.raises(ValueError, match="cannot leave Spark"):
        export_model(with_stage(models["logistic"], 0, title), columns(), "Survived", tmp_path / "portable")


def test_a_column_that_the_table_lacks_or_has_in_another_type_is_refused(
    models: dict[str, PipelineModel], tmp_path: Path
) -> None:
    without = [column for column in columns() if column.name != "Parch"]
    with pytest.raises(DataError, match="unknown column of stage SumColumns 'Parch'"):
        export_model(models["logistic"], without, "Survived", tmp_path / "portable")
    with pytest.raises(DataError, match="stage SumColumns: column 'SibSp' is string; allowed: int, bigint, double"):
        export_model(models["logistic"], columns(SibSp="string"), "Survived", tmp_path / "portable")
    with pytest.raises(
        DataError, match="stage GroupMeanImputerModel: column 'Pclass' is double; allowed: int, bigint, string"
    ):
        export_model(models["logistic"], columns(Pclass="double"), "Survived", tmp_path / "portable")


def test_a_pipeline_within_a_pipeline_is_exported_as_its_stages(
    models: dict[str, PipelineModel], forest: Path, tmp_path: Path, spark: SparkSession
) -> None:
    *before, last = models["forest"].stages
    nested = PipelineModel([PipelineModel(before[:3]), PipelineModel(before[3:]), last])
    folder = export_model(nested, _raw(forest), "Survived", tmp_path / "portable")
    assert (folder / "model.onnx").read_bytes() == (forest / "model.onnx").read_bytes()
    assert parity(nested, folder, rows=200, seed=1, spark=spark).class_mismatches == 0


def test_an_older_export_in_the_same_place_is_replaced(models: dict[str, PipelineModel], tmp_path: Path) -> None:
    (tmp_path / "portable").mkdir()
    (tmp_path / "portable" / "old").write_text("left from before")
    folder = export_model(models["logistic"], columns(), "Survived", tmp_path / "portable")
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["portable"]
