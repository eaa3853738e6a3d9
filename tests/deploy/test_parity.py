"""One model, two engines: the portable scorer answers as Spark does, on rows made to break it."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import onnx
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper
from pyspark.ml import PipelineModel
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from hand_made import by_hand
from lifeboat.cli.app import app
from lifeboat.deploy.parity import arrow_schema, draw, parity, spark_answers, spark_scores, to_records, value_pools
from lifeboat.scoring.fields import Column
from lifeboat.scoring.scorer import Scorer

ROWS = 800  # a batch: one Spark job; hypothesis draws what is in it

NAMES = [
    "forest",
    "forest thresholds 0.35 0.65",
    "houses",
    "houses thresholds 0 1",
    "gbt",
    "gbt thresholds 0.7 0.3",
    "logistic",
    "logistic threshold 0.3",
    "logistic threshold 1",
    "logistic thresholds 0.6 0.4",
    "multinomial",
    "multinomial thresholds",
]


def test_spark_s_answers_come_in_the_order_of_the_key_with_the_rows_as_records(
    models: dict[str, PipelineModel], portable_of: Callable[[str], Path], spark: SparkSession
) -> None:
    scorer, pools = Scorer.load(portable_of("houses")), value_pools(portable_of("houses"))
    values = {column.name: draw(column, pools[column.name], 20, Random(3)) for column in scorer.columns}
    schema = arrow_schema(scorer.columns).append(pa.field("the key", pa.int64()))
    rows = spark.createDataFrame(pa.Table.from_pydict({**values, "the key": range(19, -1, -1)}, schema=schema))
    table, records = spark_answers(models["houses"], rows, "the key", list(values))
    assert list(map(str, records)) == list(map(str, to_records(values)[::-1])), "as texts, where NaN is NaN"
    answers = scorer.score(records)
    assert table["key"].tolist() == list(range(20))
    assert table["prediction"].tolist() == answers.predictions.tolist()
    assert np.vstack(table["probability"]).tolist() == answers.probabilities.tolist()


@pytest.mark.parametrize("name", NAMES)
def test_class_and_probabilities_are_those_of_spark_for_any_raw_rows(
    name: str, models: dict[str, PipelineModel], portable_of: Callable[[str], Path], spark: SparkSession
) -> None:
    scorer, pools = Scorer.load(portable_of(name)), value_pools(portable_of(name))
    columns = scorer.columns
    texts = st.lists(st.text(st.characters(codec="utf-8"), max_size=12), max_size=8)

    @settings(max_examples=3)
    @given(words=texts, sizes=st.lists(st.floats(0, 120), max_size=8), seed=st.integers(0, 2**32))
    def holds(words: list[str], sizes: list[float], seed: int) -> None:
        random, drawn = Random(seed), {"string": words, "double": sizes}
        values = {
            column.name: draw(column, pools[column.name] + drawn.get(column.type, []), ROWS, random)
            for column in columns
        }
        ours, sparks = scorer.score(to_records(values)), spark_scores(models[name], columns, values, spark)
        assert ours.predictions.tolist() == sparks.predictions.tolist()
        if name.startswith(("forest", "houses")):
            assert np.array_equal(ours.probabilities, sparks.probabilities)
        else:
            assert np.abs(ours.probabilities - sparks.probabilities).max() <= 1e-12

    holds()


def test_the_pools_hold_each_threshold_and_one_ulp_to_either_side(forest: Path) -> None:
    ages = value_pools(forest)["Age"]
    graph = onnx.load(forest / "model.onnx").graph
    attributes = {item.name: onnx.helper.get_attribute_value(item) for item in graph.node[0].attribute}
    splits, modes = (numpy_helper.to_array(attributes[f"nodes_{name}"]) for name in ("splits", "modes"))
    of_age = {s for s, m, f in zip(splits, modes, attributes["nodes_featureids"], strict=True) if f == 1 and m == 0}
    assert len(of_age) > 5
    assert all({s, math.nextafter(s, 0), math.nextafter(s, 999)} <= set(ages) for s in of_age)


def test_the_pools_hold_the_ends_of_each_range_and_nothing_beyond(tmp_path: Path) -> None:
    model = by_hand(tmp_path / "model", [], ["count", "amount"])
    manifest = json.loads((model / "manifest.json").read_text())
    manifest["signature"]["inputs"][0] |= {"minimum": 0, "maximum": 5}
    (model / "manifest.json").write_text(json.dumps(manifest))
    pools = value_pools(model)
    assert {name: pools[name] for name in ("count", "amount", "flag", "spare")} == {
        "count": [0, 1, 5], "amount": [0.0, 1.0, 10.0], "flag": [False, True], "spare": [-1.0, 0.0, 1.0],
    }  # fmt: skip


def test_every_title_of_the_model_is_found_in_some_generated_name(forest: Path) -> None:
    names = set(value_pools(forest)["Name"])
    assert {f"Doe, {title}. Jane" for title in ("Mr", "Mlle", "Countess", "Rev")} <= names


def test_rows_are_drawn_from_the_pool_from_around_it_and_where_they_may_be_from_gaps() -> None:
    amount = Column("x", "double", True, 0, 2.5)
    drawn = draw(amount, [1.0, 2.0], 300, Random(1))
    gaps = [value for value in drawn if value is None or math.isnan(value)]
    assert len(gaps) == 30
    assert {None} < set(gaps)
    anywhere = [value for value in drawn[::3] if value not in gaps]
    assert all(0 <= value <= 2.5 for value in anywhere)
    assert (min(anywhere) < 0.2, max(anywhere) > 2.3) == (True, True)
    assert {value for row, value in enumerate(drawn) if row % 3 and value not in gaps} == {1.0, 2.0}
    count = draw(Column("n", "int", False, None, None), [-1, 3], 300, Random(1))
    assert (set(count[::3]), set(count[1::3])) == (set(range(-2, 8)), {-1, 3})
    assert set(draw(Column("word", "string", True, None, None), ["a"], 50, Random(1))) == {"a", None}


def test_parity_in_chunks_counts_every_row(models: dict[str, PipelineModel], forest: Path, spark: SparkSession) -> None:
    result = parity(models["forest"], forest, rows=2_500, seed=7, spark=spark, chunk=1_000)
    assert (result.rows, result.class_mismatches, result.largest_probability_difference) == (2_500, 0, 0.0)


def test_parity_sees_that_a_portable_model_is_another_model(
    models: dict[str, PipelineModel], portable_of: Callable[[str], Path], spark: SparkSession
) -> None:
    result = parity(models["forest"], portable_of("gbt"), rows=1_000, seed=7, spark=spark)
    assert result.class_mismatches > 0
    assert result.largest_probability_difference > 0.01


def test_the_command_says_how_far_both_are_apart_and_fails_where_a_class_differs(
    spark_forest: PipelineModel, forest: Path, portable_of: Callable[[str], Path], tmp_path: Path, spark: SparkSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(type(spark), "stop", lambda self: None)  # the other tests go on with this session
    run_dir = tmp_path / "run"
    spark_forest.write().save(str(run_dir / "05_deploy" / "spark_model" / "sparkml"))
    portable = shutil.copytree(forest, run_dir / "05_deploy" / "portable")
    (run_dir / "run.json").write_text("{}")
    ran = CliRunner().invoke(app, ["parity", str(run_dir), "--rows", "1200", "--seed", "7"])
    assert ran.exit_code == 0, ran.output
    assert ran.stdout.splitlines() == [
        "rows                            1,200",
        "class mismatches                0",
        "largest probability difference  0",
    ]
    shutil.copytree(portable_of("gbt"), portable, dirs_exist_ok=True)
    other = CliRunner().invoke(app, ["parity", str(run_dir), "--rows", "200"])
    assert other.exit_code == 1, other.output
    assert other.stdout.startswith("rows                            200\nclass mismatches                ")
