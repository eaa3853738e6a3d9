"""The page that a run leaves: what stands on it, in what order, and how a browser shows it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Page, sync_playwright

from lifeboat.run import STAGES
from lifeboat.runner.report import write_report
from lifeboat.teaching.catch_up import catch_up

ROOT = Path(__file__).parents[2]
MEGABYTE = 2**20
RECORD = {
    "parameters": {"label": "Survived", "labelled_path": "data/titanic/titanic_train.csv", "num_folds": 3},
    "origins": {"num_folds": "params/titanic.yaml, line 12"},
    "inputs": {"data/titanic/titanic_train.csv": "309b0e45a73d3fc5325e2b6ed0a01ef8b9cde6b05a5633c1f893f970d52bfddc"},
    "versions": {"pyspark": "4.3.0"},
    "code": {"lifeboat": "0.1.0", "commit": "0123456789abcdef", "clean": False},
}  # fmt: skip


def make_run(run_dir: Path, **more: Any) -> Path:
    """A run with what the committed notebooks left and put out."""
    catch_up("05", run_dir, ROOT / "notebooks")
    for stage in STAGES:
        shutil.copy(ROOT / "notebooks" / f"{stage}.ipynb", run_dir)
    stages = [{"name": s, "state": "done", "started": "2026-01-02T03:04:05+00:00", "seconds": 2.5} for s in STAGES]
    (run_dir / "run.json").write_text(json.dumps(RECORD | {"stages": stages} | more))
    return run_dir


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(make_run(tmp_path_factory.mktemp("outputs") / "trial"))


class Outline(HTMLParser):
    """The headings of a page, and of each picture its text."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[tuple[int, str]] = []
        self.pictures: list[str] = []
        self.open = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))
            self.open = True
        elif tag == "img":
            self.pictures.append(dict(attributes).get("alt") or "")

    def handle_endtag(self, tag: str) -> None:
        self.open = self.open and not re.fullmatch("h[1-6]", tag)

    def handle_data(self, data: str) -> None:
        if self.open:
            level, text = self.headings[-1]
            self.headings[-1] = (level, text + data)


def outline(html: str) -> Outline:
    parser = Outline()
    parser.feed(html)
    return parser


def test_verdict_and_metrics_come_first_then_figures_data_parameters_provenance_and_the_notebooks(report: Path) -> None:
    headings = outline(report.read_text()).headings
    assert headings[0] == (1, "trial: Survived of titanic_train.csv")
    assert [text for level, text in headings if level == 2] == [
        "Contents", "Verdict", "How good it is, on rows that were held out", "Figures", "The rows", "What is missing",
        "Parameters, and where each is from", "What made it",
        *(next(cell.source for cell in notebook(stage).cells).splitlines()[0].removeprefix("# ") for stage in STAGES),
    ]  # fmt: skip


def notebook(stage: str) -> Any:
    return nbformat.read(ROOT / "notebooks" / f"{stage}.ipynb", as_version=4)


def test_what_stands_in_the_files_of_the_run_stands_on_the_page(report: Path) -> None:
    html, run_dir = report.read_text(), report.parent
    verdict = json.loads((run_dir / "04_evaluate/verdict.json").read_text())["sentence"]
    assert verdict in html
    value = json.loads((run_dir / "04_evaluate/metrics.json").read_text())["model"]["log_loss"]
    assert f"<td>{value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f})</td>" in html
    for row in (
        ("num_folds", "3", "params/titanic.yaml, line 12"),
        ("Cabin", "687", "77.1%"),
        ("code", "0123456789ab with changes that are not committed"),
        ("input data/titanic/titanic_train.csv", "309b0e45a73d"),
        ("pyspark", "4.3.0"),
        ("03_train_cv", "done, 2026-01-02T03:04:05+00:00, 2 s"),
    ):
        head, *cells = row
        assert f'<tr><th scope="row">{head}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>' in html
    assert "&lt;p&gt;" not in html, "prose is prose"


def test_every_picture_has_its_text_on_the_page_and_in_the_html_that_nbconvert_makes(report: Path) -> None:
    html = report.read_text()
    pictures = outline(html).pictures
    assert len(pictures) > 10
    for text in pictures:
        assert len(text) > 20
    for stage in ("03_train_cv", "04_evaluate"):
        plain, _ = HTMLExporter(template_name="classic").from_notebook_node(notebook(stage))
        texts = outline(plain).pictures
        assert texts
        assert {*texts} <= {*pictures}


def test_the_page_is_one_small_file_that_asks_nothing_of_anywhere(report: Path) -> None:
    html = report.read_text()
    assert report.stat().st_size < 3 * MEGABYTE
    assert re.findall(r'(?:src|href)="(?!data:|#|https?://)[^"]*"', html) == []
    assert "<link" not in html
    anchors = {*re.findall(r'href="#([^"]+)"', html)}
    assert anchors <= {*re.findall(r'id="([^"]+)"', html)}


def test_a_failed_run_has_a_page_with_the_message_that_opens_at_the_cell(tmp_path: Path) -> None:
    failed = make_run(tmp_path / "outputs" / "broken")
    record = json.loads((failed / "run.json").read_text())
    record["stages"][1] |= {"state": "failed", "error": "02_preprocess stopped at cell [4]: 1 / 0\n  ZeroDivisionError"}
    (failed / "run.json").write_text(json.dumps(record))
    content = nbformat.read(failed / "02_preprocess.ipynb", as_version=4)
    mark = '<span id="papermill-error-cell" style="color:red">Execution using papermill encountered an exception</span>'
    content.cells.insert(9, nbformat.v4.new_markdown_cell(mark))
    nbformat.write(content, failed / "02_preprocess.ipynb")
    html = write_report(failed).read_text()
    assert [text for level, text in outline(html).headings if level == 2][:2] == ["Contents", "What went wrong"]
    assert "02_preprocess stopped at cell [4]: 1 / 0\n  ZeroDivisionError" in html
    assert 'location.hash = "papermill-error-cell"' in html


def test_a_run_that_has_hardly_begun_has_a_page_too_and_speaks_of_its_own_data(tmp_path: Path) -> None:
    run_dir = tmp_path / "outputs" / "other"
    run_dir.mkdir(parents=True)
    stages = [{"name": "01_load", "state": "failed", "error": "01_load stopped at its start: no kernel"}]
    parameters = {"label": "late", "labelled_path": "data/flights.parquet"}
    (run_dir / "run.json").write_text(json.dumps({"parameters": parameters, "stages": stages}))
    html = write_report(run_dir).read_text()
    assert outline(html).headings[0] == (1, "other: late of flights.parquet")
    assert "Titanic" not in html
    assert 'location.hash = "failure"' in html


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.mark.needs("Chromium")
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser_nothing_is_asked_for_cut_off_or_out_of_reach(
    report: Path, browser: Browser, scheme: Any, width: int
) -> None:
    page: Page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    found = Axe().run(page).response["violations"]
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found] == []
    if (scheme, width) == ("light", 1440):
        pdf = page.pdf(format="A4")
        assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") > 5
    page.close()
