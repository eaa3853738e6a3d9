"""``enrich`` and ``csv``: what may be written, and what a refusal says."""

from __future__ import annotations

from typing import Any

import pytest

from lifeboat.errors import ParameterError
from lifeboat.parameters.csv_format import CsvFormat
from lifeboat.parameters.enrich import Enrich, Join, parse_enrich
from lifeboat.parameters.yaml_text import read_yaml


def test_words_for_gaps_hold_for_all_columns_or_for_one() -> None:
    assert parse_enrich({"no_value": ["NA"]}).words("age") == ("NA",)
    enrich = parse_enrich({"no_value": {"age": ["-"], "": ["NA"]}})
    assert (enrich.words("age"), enrich.words("port")) == (("NA", "-"), ("NA",))


def test_a_join_is_read_with_how_its_file_is_written() -> None:
    table = {"path": "p.csv", "on": ["a"], "rename": {"b": "c"}, "csv": {"separator": "tab"}}
    assert parse_enrich({"join": [table]}) == Enrich(
        join=[Join("p.csv", ["a"], rename={"b": "c"}, csv=CsvFormat(separator="\t"))]
    )


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"joins": []},
            "unknown part of enrich 'joins': did you mean 'join'? Known: compute, join, make_key, no_value",
        ),
        ({True: []}, "unknown part of enrich '1'"),
        ({"no_value": "NA"}, "enrich.no_value is 'NA', a text; write a list of words, such as [NA]"),
        ({"no_value": ["NA", -1]}, "enrich.no_value[1] is -1, a whole number; write a list of words"),
        ({"no_value": {"age": [7]}}, "enrich.no_value.age[0] is 7, a whole number; write a list of words"),
        (
            {"join": {"path": "p.csv"}},
            "enrich.join is {'path': 'p.csv'}, a mapping; write a list of tables, each {path",
        ),
        ({"join": None}, "enrich.join is None, nothing; write a list of tables"),
        ({"join": ["planes.csv"]}, "enrich.join[0] is 'planes.csv', a text; write a list of tables"),
        ({"join": [{"on": ["a"]}]}, "enrich.join[0].path is missing: write the path of a CSV or parquet file"),
        ({"join": [{"path": "p"}]}, "enrich.join[0].on is missing: write a list of column names"),
        ({"join": [{"path": "p", "on": "a"}]}, "enrich.join[0].on is 'a', a text; write a list of column names"),
        ({"join": [{"path": "p", "on": []}]}, "enrich.join[0].on is []; write a list of column names"),
        (
            {"join": [{"path": "p", "on": ["a"], "column": ["b"]}]},
            "unknown part of enrich.join[0] 'column': did you mean 'columns'?",
        ),
        (
            {"join": [{"path": "p", "on": ["a"], "rename": ["b"]}]},
            "enrich.join[0].rename is ['b'], a list; write {name in the table: name to give it}",
        ),
        (
            {"join": [{"path": "p", "on": ["a"], "csv": {"separator": "ab"}}]},
            "enrich.join[0].csv.separator is 'ab'; write one character",
        ),
        ({"compute": ["late"]}, "enrich.compute is ['late'], a list; write {new column: SQL expression}"),
        ({"compute": {"a": "1", "late": 3}}, "enrich.compute.late is 3, a whole number; write {new column: SQL"),
        ({"compute": {"late": " "}}, "enrich.compute.late is ' '; write {new column: SQL expression}"),
        ({"compute": {1: "late"}}, "enrich.compute[1] is 1, a whole number; write {new column: SQL expression}"),
        ({"make_key": "yes"}, "enrich.make_key is 'yes', a text; write true or false"),
        ({"compute": {"a": "reflect('java.lang.Runtime', 'x')"}}, "has 'reflect' in it, which can run code"),
        ({"compute": {"a": "Try_Reflect('c', 'm')"}}, "enrich.compute.a: \"Try_Reflect('c', 'm')\" has 'Try_Reflect'"),
        ({"compute": {"a": "1 + java_method ('c', 'm')"}}, "has 'java_method' in it, which can run code"),
        ({"compute": {"a": "(SELECT 1)"}}, "enrich.compute.a: '(SELECT 1)' asks a table ('SELECT'): name columns"),
    ],
)
def test_another_form_is_refused_with_the_form(spec: dict[Any, Any], message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        parse_enrich(spec)
    assert message in str(caught.value)


def test_a_bare_on_which_yaml_takes_for_true_is_refused_with_the_form() -> None:
    assert parse_enrich(read_yaml('join: [{path: p.csv, "on": [a]}]')[0]).join == [Join("p.csv", ["a"])]
    with pytest.raises(ParameterError, match='put it in quotes, "on":'):
        parse_enrich(read_yaml("join: [{path: p.csv, on: [a]}]")[0])
