"""Rows of several requests, scored at once, without any server: as if each had been alone."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from lifeboat.deploy.server.batching import Batches
from lifeboat.deploy.server.models import Model, Models
from lifeboat.deploy.server.settings import Settings
from lifeboat.deploy.server.wsgi import MODEL
from lifeboat.scoring import answers, bodies

Environ = dict[str, Any]
Passenger = dict[str, Any]
NO_AUTH = Settings(no_auth=True)


@pytest.fixture(scope="module")
def models(forest: Path) -> Models:
    return Models(Model.load(forest, "titanic"))


def post(content: Any, path: str = "/score", query: str = "", **more: str) -> Environ:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return {
        "REQUEST_METHOD": "POST", "PATH_INFO": path, "QUERY_STRING": query, "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body), **more,
    }  # fmt: skip


def answer(models: Models, environ: Environ) -> answers.Answer:
    to_records = bodies.invocations if environ["PATH_INFO"] == "/invocations" else bodies.score
    return answers.predict(models.current.scorer, to_records, environ, answers.Limits())


def scored(environ: Environ) -> bool:
    return answers.SCORED in environ


def test_each_gets_the_answer_that_it_would_get_alone(models: Models, braund: Passenger, cumings: Passenger) -> None:
    odd = braund | {"Embarked": "X"}  # which training never met
    asked = [
        ([braund], "/score", ""),
        ([cumings, odd, braund], "/score", "proba=true"),
        ({"dataframe_records": [odd, cumings]}, "/invocations", ""),
        (cumings, "/score", "proba=true"),
    ]
    alone = [answer(models, post(*each)) for each in asked]
    together = [post(*each) for each in asked]
    Batches(models, NO_AUTH)(together)
    assert [(scored(environ), environ[MODEL]) for environ in together] == [(True, models.current)] * 4
    assert [answer(models, environ) for environ in together] == alone
    assert [(each.rows, dict(each.unseen)) for each in alone] == [
        (1, {}), (3, {"Embarked": 1}), (2, {"Embarked": 1}), (1, {}),
    ]  # fmt: skip
    assert ['"row":1,' in alone[1].text, '"row":0,' in alone[2].text] == [True, True]


def test_what_is_odd_about_a_request_is_left_to_itself_and_its_body_is_still_there(
    models: Models, braund: Passenger
) -> None:
    odd = [
        post(b"{"), post([braund] * 17), post([]), post([braund], CONTENT_TYPE="text/csv"), post([braund], "/csv"),
        post([braund], REQUEST_METHOD="PUT"), post([braund], CONTENT_LENGTH="100000000"),
    ]  # fmt: skip
    plain = [post([braund]), post([braund])]
    Batches(models, NO_AUTH)([plain[0], *odd, plain[1]])
    assert ([scored(each) for each in odd], [scored(each) for each in plain]) == ([False] * 7, [True] * 2)
    assert all(environ["wsgi.input"].tell() == 0 for environ in odd)
    many, rows = odd[1], [braund] * 17
    assert many[answers.RECORDS] == rows
    many["wsgi.input"] = BytesIO(b"{")  # which nobody reads again
    assert answer(models, many).rows == 17


def test_where_one_has_a_row_that_does_not_fit_each_is_answered_by_itself(models: Models, braund: Passenger) -> None:
    good, bad = post([braund]), post([braund | {"Pclass": 9}])
    Batches(models, NO_AUTH)([good, bad])
    assert [scored(good), scored(bad)] == [False, False]
    assert (answer(models, good).status, answer(models, bad).status) == (200, 422)


def test_nobody_is_scored_who_may_not_ask_and_nobody_who_is_alone(models: Models, braund: Passenger) -> None:
    token = "a-token-of-the-test"
    may = [post([braund], HTTP_AUTHORIZATION=f"Bearer {token}") for _ in range(2)]
    may_not = post([braund], HTTP_AUTHORIZATION="Bearer another")
    batches = Batches(models, Settings(token=token))
    batches([may[0], may_not])
    assert [scored(may[0]), scored(may_not)] == [False, False]
    batches([may[0], may_not, may[1]])
    assert [scored(may[0]), scored(may_not), scored(may[1])] == [True, False, True]
    foreign = [post([braund], HTTP_HOST="elsewhere.example") for _ in range(2)]
    Batches(models, Settings())(foreign)
    assert not any(map(scored, foreign))
    alone = post([braund])
    Batches(models, NO_AUTH)([alone])
    assert not scored(alone)


def test_a_model_that_refuses_what_it_never_met_refuses_it_in_company_too(
    forest: Path, braund: Passenger, cumings: Passenger
) -> None:
    strict = Models(Model.load(forest, "titanic", "refuse"))
    good, odd = post([cumings]), post([braund | {"Embarked": "X"}])
    Batches(strict, NO_AUTH)([good, odd])
    assert (answer(strict, good).status, answer(strict, odd).status) == (200, 422)
