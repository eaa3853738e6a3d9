"""A learner in JupyterLab, in a real browser: a notebook run to its end, an exercise answered, its check read."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from fresh import free_port, running
from lifeboat.teaching.catch_up import catch_up

ROOT = Path(__file__).parents[2]
MINUTE = 60_000  # milliseconds

pytestmark = [pytest.mark.needs("Chromium"), pytest.mark.spark]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """JupyterLab's address, in a checkout with a finished run, as a learner has it."""
    project = tmp_path_factory.mktemp("learner")
    for name in ("notebooks", "params", "data"):
        shutil.copytree(ROOT / name, project / name)
    catch_up("05", project / "outputs" / "titanic", project / "notebooks")
    (project / "outputs" / "titanic" / "05_deploy").mkdir()  # it is finished; these exercises read no more of it
    port = free_port()
    settings = (
        "--no-browser", f"--port={port}", "--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True",
        "--LabApp.extension_manager=readonly", "--ServerApp.allow_root=True", f"--ServerApp.root_dir={project}",
    )  # fmt: skip
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYSPARK_", "LIFEBOAT_"))}
    own |= {"JUPYTER_CONFIG_DIR": str(project / "config"), "LIFEBOAT_SPARK_UI": "on"}
    with running([sys.executable, "-m", "jupyter", "lab", *settings], "is running at", own, project):
        yield f"http://127.0.0.1:{port}/lab/tree/notebooks"


@pytest.fixture
def page(lab: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": 1280, "height": 3_000})
        browser.close()


IDLE = """path => {
    const shown = window.jupyterapp?.shell.currentWidget;
    return shown?.context?.path === path && shown.sessionContext.session?.kernel?.status === 'idle';
}"""


def execute(page: Page, notebook: str, command: str) -> None:
    """Give JupyterLab a command of its menus, once it shows the notebook and its kernel is there, and wait for it."""
    page.wait_for_function(IDLE, arg=f"notebooks/{notebook}", timeout=MINUTE)
    page.evaluate(f"window.jupyterapp.commands.execute({command!r})")


def scroll_to(page: Page, source: str) -> None:
    """Bring a cell of notebook 1 onto the screen: JupyterLab draws no others."""
    cells = nbformat.read(ROOT / "notebooks/01_load.ipynb", as_version=4).cells
    (number,) = [index for index, cell in enumerate(cells) if cell.cell_type == "code" and source in cell.source]
    page.evaluate(f"window.jupyterapp.shell.currentWidget.content.scrollToItem({number})")


def code_cell(page: Page, source: str) -> Locator:
    return page.locator(".jp-CodeCell").filter(has_text=source).first


def test_a_learner_runs_notebook_1_and_sees_tables_figures_and_the_link_to_spark(lab: str, page: Page) -> None:
    page.goto(f"{lab}/01_load.ipynb")
    execute(page, "01_load.ipynb", "notebook:clear-all-cell-outputs")  # what was committed is no proof
    execute(page, "01_load.ipynb", "notebook:run-all-cells")
    expect(page.locator(".jp-OutputArea-output").filter(has_text="All checks passed.")).to_be_visible()
    for source, output in (
        ("session = start(spark)", "text=Spark shows its jobs at http://127.0.0.1:"),
        ("bad.rejected.select(", "table"),
        ("figures.missing_values(", "img"),
    ):
        scroll_to(page, source)
        expect(code_cell(page, source).locator(output).first).to_be_visible()


def test_a_learner_reads_what_is_wrong_mends_the_answer_and_sees_it_pass(lab: str, page: Page) -> None:
    page.goto(f"{lab}/exercises/01_load.ipynb")
    execute(page, "exercises/01_load.ipynb", "notebook:run-all-cells")
    check = code_cell(page, 'check("1a"')
    expect(check).to_contain_text("1a: Nothing filled in yet: write your answer")
    expect(check).not_to_contain_text("Traceback")
    answer = page.locator(".jp-CodeCell").filter(has_text="answer = ...").first.locator(".cm-content")
    for number, message in (("50", "1a: not yet. You have 50."), ("166", "1a: right, 166. All of them")):
        answer.click()
        page.keyboard.press("Control+a")
        page.keyboard.type(f"answer = {number}")
        page.keyboard.press("Shift+Enter")  # runs the cell, and goes on to the check
        page.keyboard.press("Shift+Enter")
        expect(check).to_contain_text(message, timeout=MINUTE)
        answer = code_cell(page, f"answer = {number}").locator(".cm-content")
