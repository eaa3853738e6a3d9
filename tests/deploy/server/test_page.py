"""The page, in a real browser: by keyboard, on a phone and a desk, light and dark, and with what axe finds wrong."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from lifeboat.deploy.server.app import create_app
from lifeboat.deploy.server.client import Server
from lifeboat.deploy.server.models import Model, Models

BEFORE = Path(__file__).parents[2] / "data" / "before"
PASSENGERS = Path(__file__).parents[3] / "data" / "titanic" / "titanic_test.csv"

needs_chromium = pytest.mark.needs("Chromium")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(BEFORE / "portable-2") as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, server: Server, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, scheme = getattr(request, "param", (1440, "light"))
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened, elsewhere, errors = context.new_page(), [], []
    opened.on("request", lambda sent: sent.url.startswith(server.url) or elsewhere.append(sent.url))
    opened.on("console", lambda message: message.type == "error" and errors.append(message.text))
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(f"{server.url}/")
    expect(opened.get_by_role("heading", level=1)).to_have_text("Ask the model")
    yield opened
    assert [url for url in elsewhere if not url.startswith(("blob:", "data:"))] == []
    assert [text for text in errors if "422" not in text] == []  # that is what a row that does not fit is answered
    context.close()


def violations(page: Page) -> list[str]:
    return [f"{found['id']}: {found['nodes'][0]['html']}" for found in Axe().run(page).response["violations"]]


def ask(page: Page, **facts: str) -> None:
    for label, value in facts.items():
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Ask").click()


@needs_chromium
@pytest.mark.parametrize("page", [(w, s) for w in (390, 1440) for s in ("light", "dark")], indirect=True, ids=str)
def test_axe_finds_nothing_wrong_and_nothing_is_wider_than_the_screen(page: Page, tmp_path: Path) -> None:
    ask(page, Sex="Male", Age="4")
    expect(page.get_by_role("table")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert violations(page) == []
    page.screenshot(path=tmp_path / "page.png", full_page=True)


@needs_chromium
def test_a_row_is_asked_by_keyboard_alone_and_the_answer_says_what_moved_it_and_what_was_never_seen(
    page: Page, server: Server
) -> None:
    page.get_by_label("Pclass").focus()
    for value in ("1", "Cumings, Mrs. John", "Female"):
        page.keyboard.press("Control+a")
        page.keyboard.type(value)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    answer = page.get_by_role("status").first
    row = {"Pclass": 1, "Name": "Cumings, Mrs. John", "Sex": "Female", "Age": 29.5593, "SibSp": 1, "Parch": 0}
    row |= {"Fare": 32.6428, "Embarked": "S"}
    usual_class = server.ask("/score?proba=true", [row | {"Pclass": 2}, row])[1]["probabilities"]
    expect(answer).to_contain_text(f"It says survived. The probability of survived is {100 * usual_class[1][1]:.1f} %")
    changed = answer.get_by_role("row").filter(has_text="Pclass")
    expect(changed).to_contain_text(f"{100 * usual_class[0][1]:.1f} %")
    expect(answer).to_contain_text("Sex = Female was never seen in training. The nearest known: female.")
    expect(answer.get_by_role("row")).to_have_count(4)  # a head, and the three facts that are not the usual ones


@needs_chromium
def test_a_value_that_does_not_fit_is_named_and_its_field_marked(page: Page) -> None:
    ask(page, Age="-3")
    expect(page.get_by_role("status").first).to_contain_text("Age: got -3 (number); allowed: a number from 0 to 120")
    expect(page.get_by_label("Age")).to_have_attribute("aria-invalid", "true")
    ask(page, Age="30")
    expect(page.get_by_label("Age")).not_to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("status").first).to_contain_text("The probability of survived")


@needs_chromium
def test_a_csv_file_becomes_a_table_and_a_download_with_an_answer_or_a_reason_for_each_row(
    page: Page, server: Server, tmp_path: Path
) -> None:
    lines = PASSENGERS.read_text().splitlines()[:61]
    (tmp_path / "some.csv").write_text("\n".join([*lines, '9,7,"Nobody, Mr. X",male,30,0,0,1,7,,S']) + "\n")
    page.get_by_label("CSV file").set_input_files(tmp_path / "some.csv")
    expect(page.get_by_text("60 rows answered, 1 refused with a reason.")).to_be_visible()
    expect(page.get_by_role("table", name="The first 50 rows").get_by_role("row")).to_have_count(51)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all rows with their answers").click()
    assert download.value.suggested_filename == "some_answered.csv"
    rows = list(csv.DictReader(download.value.path().read_text().splitlines()))
    records = [
        {name: float(row[name]) if row[name] else None for name in ("Pclass", "Age", "SibSp", "Parch", "Fare")}
        | {name: row[name] for name in ("Name", "Sex", "Embarked")}
        for row in rows[:60]
    ]
    predictions = server.ask("/score", records)[1]["predictions"]
    assert [row["prediction"] for row in rows[:60]] == list(map(str, predictions))
    assert (rows[60]["prediction"], rows[60]["reason"][:27]) == ("", "Pclass: got '7' (text); all")
    assert violations(page) == []


@needs_chromium
def test_a_file_is_taken_where_it_is_dropped(page: Page) -> None:
    text = "Pclass;Name;Sex;SibSp;Parch\n3;A, Mr. B;male;0;0\n"
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.items.add(new File([text], "dropped.csv", { type: "text/csv" }));
            document.getElementById("drop").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
        }""",
        text,
    )
    expect(page.get_by_text("1 rows answered, 0 refused with a reason.")).to_be_visible()


@needs_chromium
def test_the_page_for_programs_lists_the_routes_and_axe_finds_nothing_wrong(page: Page) -> None:
    page.get_by_role("link", name="How a program asks").click()
    expect(page.get_by_role("heading", name="POST /score", exact=True)).to_be_visible()
    assert violations(page) == []


@needs_chromium
def test_where_a_token_is_wanted_the_page_asks_for_it(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFEBOAT_TOKEN", "a token of enough letters")
    with Server(BEFORE / "portable-2") as closed:
        page = browser.new_page()
        page.goto(f"{closed.url}/")
        page.get_by_label("Token", exact=True).fill("a token of enough letters")
        page.get_by_role("button", name="Go on").click()
        ask(page, Age="30")
        expect(page.get_by_text("The probability of survived")).to_be_visible()
        page.close()


CLIENT = create_app(Models(Model.load(BEFORE / "portable-2", "titanic"))).test_client()
HEADER = "Pclass,Name,Sex,SibSp,Parch"


def answered(content: str | bytes) -> tuple[int, Any]:
    body = content.encode() if isinstance(content, str) else content
    answer = CLIENT.post("/csv", data=body, content_type="text/csv")
    return answer.status_code, answer.get_json()


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_csv_row_gets_what_the_same_record_gets(separator: str) -> None:
    names, values = HEADER.split(","), ["3", "B", "Male", "0", "0"]
    status, answer = answered("\ufeff" + separator.join(names) + "\r\n" + separator.join(values) + "\r\n")
    record = dict(zip(names, [3, "B", "Male", 0, 0], strict=True))
    scored = CLIENT.post("/score?proba=true", json=record).get_json()
    assert (status, answer["columns"]) == (200, [*names, "prediction", "probability", "reason", "warning"])
    (row,) = answer["rows"]
    assert (row[:5], row[5], float(row[6])) == (values, "0", pytest.approx(scored["probabilities"][0][1], abs=1e-6))
    assert (row[7], row[8]) == ("", "Sex: 'Male' was never seen in training; nearest: 'male'")


@pytest.mark.parametrize(
    ("content", "status", "sentence"),
    [
        ("", 400, "file: got "),
        ("Pclass,Pclass\n1,2\n", 400, "file: got the names Pclass, Pclass"),
        (f"{HEADER}\n1,2\n", 400, "file: got 2 values in row 0"),
        (b"\xff\xfe\xfa", 400, "file: got "),
        ("Pclass\n1\n", 422, "Name: got no column of that name"),
        (f"{HEADER}\n" + "3,B,male,0,0\n" * 10_001, 413, "rows: got 10001 rows"),
    ],
)
def test_a_file_that_will_not_do_is_refused_with_a_sentence(content: str | bytes, status: int, sentence: str) -> None:
    got, answer = answered(content)
    assert (got, answer["error"][: len(sentence)]) == (status, sentence)
