"""Who may ask: nobody on the network, unless somebody says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hand_made import GOOD, by_hand
from lifeboat.deploy.server.app import create_app
from lifeboat.deploy.server.models import Model, Models
from lifeboat.deploy.server.settings import OpenServerError, Settings

TOKEN = "a token of enough letters"
OPEN = ["/livez", "/readyz", "/ping", "/health", "/v2/health/live", "/v2/health/ready", "/", "/page/page.js"]
CLOSED = ["/version", "/metrics", "/openapi.json", "/fields", "/v2", "/v2/models/model", "/nowhere"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return Models(Model.load(by_hand(tmp_path_factory.mktemp("guard") / "model", [], ["count"]), "model"))


def test_with_a_token_all_but_health_and_the_page_s_own_files_ask_for_it(models: Models) -> None:
    client = create_app(models, Settings(token=TOKEN)).test_client()
    for path in OPEN:
        with client.get(path) as answer:  # a file stays open until it is
            assert answer.status_code == 200
    assert {client.get(path).status_code for path in CLOSED} == {401}
    for given in (
        {},
        {"Authorization": "Bearer another"},
        {"Authorization": TOKEN},
        {"Authorization": f"Basic {TOKEN}"},
    ):
        answer = client.post("/score", json=[GOOD], headers=given)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert answer.get_json()["details"][0]["field"] == "Authorization"
        assert TOKEN not in answer.text
    answer = client.post("/score", json=[GOOD], headers={"Authorization": f"bearer {TOKEN}"})
    assert (answer.status_code, answer.get_json()) == (200, {"predictions": [1]})


def test_with_a_token_any_name_of_the_server_will_do(models: Models) -> None:
    client = create_app(models, Settings(token=TOKEN)).test_client()
    headers = {"Authorization": f"Bearer {TOKEN}", "Host": "scores.example", "Origin": "https://example.com"}
    assert client.post("/score", json=[GOOD], headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost:5001"}, 200),
        ({"Host": "127.0.0.1"}, 200),
        ({"Host": "[::1]:5001"}, 200),
        ({"Host": "localhost:5001", "Origin": "http://localhost:5001"}, 200),
        ({"Host": "localhost.example:5001"}, 403),
        ({"Host": "rebound.example"}, 403),
        ({"Host": "["}, 403),
        ({"Host": "localhost:5001", "Origin": "http://localhost:8888"}, 403),
        ({"Host": "localhost:5001", "Origin": "null"}, 403),
    ],
)
def test_on_this_machine_alone_pages_of_others_are_kept_out(
    models: Models, headers: dict[str, str], status: int
) -> None:
    closed, opened = create_app(models).test_client(), create_app(models, Settings(no_auth=True)).test_client()
    assert closed.post("/score", json=[GOOD], headers=headers).status_code == status
    assert closed.get("/livez", headers=headers).status_code == status
    assert opened.post("/score", json=[GOOD], headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"host": "0.0.0.0"}, r"on 0.0.0.0 anybody .* set LIFEBOAT_TOKEN .* or say --no-auth"),
        ({"host": "::"}, "on :: anybody"),
        ({"host": "example.com"}, "on example.com anybody"),
        ({"token": "short"}, "LIFEBOAT_TOKEN has 5 characters: take 16 or more"),
    ],
)
def test_a_server_that_anybody_could_ask_does_not_start(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(OpenServerError, match=message):
        Settings(**settings).need_closed()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"host": "localhost"},
        {"host": "::1"},
        {"host": "0.0.0.0", "token": TOKEN},
        {"host": "0.0.0.0", "no_auth": True},
    ],
)
def test_a_server_that_is_closed_or_opened_on_purpose_starts(settings: dict[str, Any]) -> None:
    Settings(**settings).need_closed()


@pytest.mark.parametrize("command", [["-m", "lifeboat.deploy.server"], ["-m", "lifeboat", "serve"]])
def test_the_commands_refuse_in_one_sentence_before_anything_listens(tmp_path: Path, command: list[str]) -> None:
    folder = by_hand(tmp_path / "model", [], ["count"])
    environment = {name: value for name, value in os.environ.items() if name != "LIFEBOAT_TOKEN"}
    done = subprocess.run(
        [sys.executable, *command, str(folder), "--host", "0.0.0.0", "--port", "0"],
        capture_output=True, text=True, env=environment, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("lifeboat: on 0.0.0.0 anybody who reaches this machine could ask")


def test_the_token_is_shown_nowhere() -> None:
    assert TOKEN not in repr(Settings(token=TOKEN))


def test_rollback_takes_a_token_and_a_server_that_follows_a_registry(models: Models) -> None:
    assert create_app(models).test_client().post("/admin/rollback").status_code == 403
    client = create_app(models, Settings(token=TOKEN)).test_client()
    assert client.post("/admin/rollback").status_code == 401
    answer = client.post("/admin/rollback", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.get_json()["error"]) == (
        409,
        "this server has one model: there is none to go back to",
    )
