"""The server's description of itself: valid, and true of what the server does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import settings
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import checks

from hand_made import GOOD, by_hand
from lifeboat.deploy.server.app import create_app
from lifeboat.deploy.server.models import Model, Models
from lifeboat.deploy.server.openapi import column_schema
from lifeboat.deploy.server.settings import Settings
from lifeboat.scoring.fields import Column, InputError

BEFORE = Path(__file__).parents[2] / "data" / "before"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return Models(Model.load(by_hand(tmp_path_factory.mktemp("described") / "model", [], ["count", "amount"]), "made"))


@pytest.fixture(scope="module")
def description(models: Models) -> Any:
    return create_app(models).test_client().get("/openapi.json").get_json()


def test_it_is_openapi_3_1_and_names_every_route_that_there_is(models: Models, description: Any) -> None:
    OpenAPIV31SpecValidator(description).validate()
    own = ("/", "/page/<path:name>", "/fields", "/csv", "/admin/rollback")  # the page's, and the one who runs it
    rules = create_app(models).url_map.iter_rules()
    assert {*description["paths"]} == {
        rule.rule.replace("<", "{").replace(">", "}") for rule in rules if rule.rule not in own
    }


def test_a_token_stands_in_it_where_there_is_one(models: Models, description: Any) -> None:
    assert "security" not in description
    headers = {"Authorization": "Bearer sixteen letters or more"}
    client = create_app(models, Settings(token="sixteen letters or more")).test_client()
    secured = client.get("/openapi.json", headers=headers).get_json()
    OpenAPIV31SpecValidator(secured).validate()
    assert secured["security"] == [{"token": []}]
    assert "sixteen" not in json.dumps(secured)


MODEL = Model.load(BEFORE / "portable-2", "titanic")
DESCRIBED = schemathesis.openapi.from_wsgi("/openapi.json", create_app(Models(MODEL), Settings(no_auth=True)))


@DESCRIBED.parametrize()
@settings(max_examples=10)
def test_requests_made_up_from_the_description_are_answered_as_it_says(case: Any) -> None:
    # a schema cannot say that two lists are of one length, and does not say that true is taken for 1
    case.call_and_validate(excluded_checks=[checks.negative_data_rejection, checks.positive_data_acceptance])


COLUMNS = [
    Column("a", "int", False, 1, 3),
    Column("a", "bigint", True),
    Column("a", "double", False, 0, 1),
    Column("a", "double", True),
    Column("a", "string", False, gaps=("NA",)),
    Column("a", "string", True),
    Column("a", "boolean", False),
]
VALUES = [0, 1, 2.5, 3, 4, 2**31, 2**63, 1e308, True, None, "", "NA", "x", [], {}, -(2**63) - 1, 0.5]
KINDRED = {"int": (bool,), "bigint": (bool,), "double": (bool,), "boolean": (int, float), "string": (int, float, bool)}


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: f"{column.type} {column.nullable}")
def test_the_description_of_a_column_takes_what_its_reader_takes_but_for_kindred_types(column: Column) -> None:
    validator, read = Draft202012Validator(column_schema(column)), column.reader()
    for value in VALUES:
        try:
            taken = read([value]) is not None
        except InputError:
            taken = False
        if taken and isinstance(value, KINDRED[column.type]) and not validator.is_valid(value):
            continue  # true for 1, 5 for "5": answered, and not advertised
        gap = value in ("", "NA") and column.nullable and column.type != "string"  # an empty text for null
        assert validator.is_valid(value) == taken or gap, value


@pytest.mark.parametrize(
    ("path", "body", "schema"),
    [
        ("/score?proba=true", [GOOD, GOOD | {"spare": 1.5}], "Answer"),
        ("/invocations", {"inputs": {name: [value] for name, value in GOOD.items()}}, "Answer"),
        ("/score", [GOOD | {"count": 1.5}, {"no": 1}], "Error"),
        ("/v2/models/made/infer?proba=true", None, "Inferred"),
        ("/v2/models/another/infer", None, "Error"),
    ],
)
def test_questions_and_answers_are_as_described(
    models: Models, description: Any, path: str, body: Any, schema: str
) -> None:
    tensors = [{"name": name, "shape": [1], "datatype": "BYTES", "data": [value]} for name, value in GOOD.items()]
    body = body or {"inputs": tensors}
    components = {"components": description["components"]}
    if schema != "Error":
        name = "/v2/models/{name}/infer" if path.startswith("/v2") else path.partition("?")[0]
        question = description["paths"][name]["post"]["requestBody"]["content"]["application/json"]["schema"]
        jsonschema.validate(body, question | components, Draft202012Validator)
    answer = create_app(models).test_client().post(path, json=body).get_json()
    jsonschema.validate(answer, {"$ref": f"#/components/schemas/{schema}"} | components, Draft202012Validator)
