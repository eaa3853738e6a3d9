"""The guide for teachers: what its scripts compute is what it says, its links lead somewhere, its messages are real."""

from __future__ import annotations

import json
import re
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
import yaml

from lifeboat.deploy.server import process
from lifeboat.deploy.server.settings import Settings
from lifeboat.errors import LifeboatError, unknown
from lifeboat.parameters.rules import need
from lifeboat.run import resolve_input
from lifeboat.run.folder import Run
from lifeboat.spark import environment, java
from lifeboat.train_cv.estimators import ESTIMATORS, converted

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/teaching"
sys.path.append(str(ROOT / "tools"))

import teaching_concepts  # noqa: E402
import teaching_glossary  # noqa: E402
import teaching_times  # noqa: E402

PAGES = sorted(GUIDE.glob("*.md"))
NOTEBOOKS = teaching_times.names()
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADINGS = (
    "Objectives",
    "What to say",
    "Where to stop and ask",
    "What goes wrong, and how it is mended",
    "Questions that will come",
    "What to skip when late",
    "Key points",
)
# what the notebooks print in bold and is no term: labels of a paragraph, and words that are only stressed
LABELS = {
    "you will be able to", "time", "reads", "writes", "next", "where next", "before this", "again", "that", "exercises",
    "this machine", "another machine", "wherever mlflow is spoken", "azure machine learning",
    "before the split", "inside the folds", "accuracy alone", "the index travels with the model",
}  # fmt: skip


def anchors(page: Path) -> set[str]:
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {teaching_glossary.anchor(heading) for heading in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_are_what_the_script_computes(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert teaching_times.filled(text) == text, "run tools/teaching_times.py"


def test_every_table_stands_on_a_page() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    begun = re.findall(r"<!-- begin (\S+) -->", text)
    assert sorted(begun) == sorted(["overview", "memory", *teaching_times.timetables(), *NOTEBOOKS])


@pytest.mark.parametrize(("plan", "most"), [("half-day", 3 * 60 + 30), ("day", 7 * 60)])
def test_a_timetable_fits_into_its_time_with_its_breaks(plan: str, most: int) -> None:
    lines = teaching_times.parts(plan)
    assert sum(line.minutes for line in lines) <= most == teaching_times.timetables()[plan]["at_most"]
    assert any(line.what == "Break" for line in lines)


@pytest.mark.parametrize("plan", teaching_times.timetables())
def test_no_notebook_has_more_than_a_quarter_of_an_hour_of_exercises_in_class(plan: str) -> None:
    lines = [line for line in teaching_times.parts(plan) if line.sections]
    assert max(line.exercises for line in lines) <= teaching_times.MOST_EXERCISES == 15
    assert [line.what for line in lines] == sorted(line.what for line in lines)


def test_a_section_takes_as_long_as_its_words_lines_and_outputs() -> None:
    prose = nbformat.v4.new_markdown_cell("word " * 180 + "\n\n## 1. Second\n\n" + "word " * 177)
    code = nbformat.v4.new_code_cell("a = 1\n\n" * 12, outputs=[nbformat.v4.new_output("stream", text="1")] * 4)
    content = nbformat.v4.new_notebook(cells=[prose, code])
    taken = list(teaching_times.pieces(content))
    assert taken == [("Opening", 1), ("1. Second", 1), ("1. Second", 2 + 2)]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_the_sections_of_a_notebook_take_as_long_as_the_notebook_whole(notebook: str) -> None:
    from execute_notebooks import minutes_to_read

    content = nbformat.read(ROOT / "notebooks" / f"{notebook}.ipynb", as_version=4)
    whole = sum(section.minutes for section in teaching_times.sections(notebook).values())
    assert abs(whole - minutes_to_read(content)) <= 0.5 + 1e-9


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_each_notebook_has_notes_with_every_part_and_stops_in_sections_that_are_there(notebook: str) -> None:
    text = (GUIDE / f"{notebook}.md").read_text(encoding="utf-8")
    assert tuple(re.findall(r"^## (.+)$", text, re.MULTILINE)) == HEADINGS
    stops = teaching_times.stops(notebook)
    assert len(stops) >= 3
    assert set(stops) <= set(teaching_times.sections(notebook))
    assert len(text.split()) <= 1_000, "two pages"


def links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        yield from ((page, target) for target in LINK.findall(text) if "://" not in target)


def test_each_link_leads_to_a_file_and_a_heading_that_is_there() -> None:
    found = list(links())
    assert len(found) > 100
    for page, target in found:
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(there), f"{page.name}: {target}"


def test_the_glossary_is_what_the_script_writes_and_each_term_stands_where_it_says() -> None:
    page = (GUIDE / "glossary.md").read_text(encoding="utf-8")
    assert teaching_glossary.page() == page, "run tools/teaching_glossary.py"
    found = re.findall(r"^## (.+)\n\n\*\*(.+?)\*\*\. .+\n\nFirst in \[(\w+)\]\(.+\), “(.+)”\.$", page, re.MULTILINE)
    assert [name for name, *_ in found] == [term.name for term in teaching_glossary.terms()]
    assert all(re.search(r"[\u4e00-\u9fff]", chinese) for _, chinese, *_ in found)
    for term, (_, _, notebook, section) in zip(teaching_glossary.terms(), found, strict=True):
        cells = teaching_glossary.notebooks()[notebook].cells
        assert any(term.stands_in(cell.source) for cell in cells if cell.cell_type == "markdown"), term.name
        assert any(section in cell.source for cell in cells), section


def test_a_term_is_a_whole_word_of_the_text_in_one_of_its_forms() -> None:
    term = teaching_glossary.Term.of({"term": "leaf", "zh": "叶节点", "says": "An end.", "forms": ["leaf", "leaves"]})
    assert term.stands_in("Each *leaf* counts.")
    assert term.stands_in("Leaves count.")
    assert not term.stands_in("a leaflet, over-leaf")
    cell = nbformat.v4.new_markdown_cell("# One\n\nNo.\n\n## Two\n\nA leaf.")
    read = {"01_a": nbformat.v4.new_notebook(cells=[cell])}
    assert teaching_glossary.first_use(term, read) == teaching_glossary.Use("01_a", 0, "Two")


def bold_terms() -> set[str]:
    """What the notebooks print in bold, but for labels and whole sentences."""
    prose = [
        cell.source
        for content in teaching_glossary.notebooks().values()
        for cell in content.cells
        if cell.cell_type == "markdown"
    ]
    plain = [re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", text) for text in prose]  # links as their words
    bold = {phrase.lower() for text in plain for phrase in re.findall(r"\*\*([^*\n]+)\*\*", text)}
    return {phrase for phrase in bold if not phrase.endswith((".", "?", ":"))} - LABELS


def test_each_word_that_a_notebook_prints_in_bold_is_in_the_glossary() -> None:
    bold = bold_terms()
    assert {"lazy evaluation", "random forest", "train/serve skew", "alias"} <= bold
    known = {form.lower() for term in teaching_glossary.terms() for form in (term.name, *term.forms)}
    assert bold - known == set()


def test_the_concept_map_shows_terms_of_the_glossary_inside_its_boxes() -> None:
    known = {term.name for term in teaching_glossary.terms()}
    assert [shown.notebook for shown in teaching_concepts.CONCEPTS] == NOTEBOOKS
    assert {term for shown in teaching_concepts.CONCEPTS for term in shown.terms} <= known
    figure = teaching_concepts.draw()
    figure.canvas.draw()
    (ax,) = figure.axes
    right = ax.transData.transform((teaching_concepts.WIDTH, 0))[0]
    level = [text for text in ax.texts if text.get_rotation() == 0]
    assert max(text.get_window_extent().x1 for text in level) < right
    pixels_a_point = 358 / figure.get_figwidth() / 72  # on a page of 390, as in tests/plots/test_legible.py
    assert min(text.get_size() * pixels_a_point for text in ax.texts) >= 11
    assert (GUIDE / "concepts.png").stat().st_size > 50_000


def stage_order(folder: Path) -> object:
    return Run("outputs/tutorial").find("train")


def stale(folder: Path) -> object:
    def leave(stage: str, **content: object) -> None:
        run = Run("outputs/tutorial")
        if stage != "01_load":
            run.find("summary")
        written = run.begin(stage)
        run.write(**content)
        run.commit(written)

    leave("01_load", summary={"rows": 1})
    leave("02_preprocess", recipe={"parameters": {}})
    leave("01_load", summary={"rows": 2})
    return Run("outputs/tutorial").find("recipe")


def port_is_taken(folder: Path) -> object:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        return process.serve(folder, Settings(port=other.getsockname()[1]), store=True)


def message_of(ask: Callable[[], object], folder: Path) -> str:
    with pytest.raises(LifeboatError) as raised:
        ask()
    return str(raised.value).replace(str(folder), "/home/you/lifeboat")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIFEBOAT_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def mending() -> str:
    return (GUIDE / "mending.md").read_text(encoding="utf-8")


def test_a_notebook_that_is_opened_too_early_says_what_is_quoted(project: Path, mending: str) -> None:
    assert message_of(lambda: stage_order(project), project) in mending


def test_a_stale_folder_says_what_is_quoted(project: Path, mending: str) -> None:
    message = message_of(lambda: stale(project), project)
    assert message.replace("01_load/summary.json", "01_load/train") in mending


def test_a_parameter_that_will_not_do_says_what_is_quoted(project: Path, mending: str) -> None:
    assert unknown("parameter", "num_fold", ["num_folds", "seed"]).partition(" Known")[0] in mending
    assert message_of(lambda: need("num_folds", 1), project) in mending
    maxdepth = message_of(lambda: converted(ESTIMATORS["random_forest"], "maxDept", 2), project)
    assert maxdepth.partition(" Known")[0] in mending
    assert message_of(lambda: resolve_input("titanik.csv"), project) in mending


def test_a_machine_without_java_says_what_is_quoted(mending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(java, "bundled_java", lambda: None)
    for name in ("JAVA_HOME", *environment.JAVA):
        monkeypatch.delenv(name, raising=False)
    assert message_of(java.find_java, Path("/nowhere")) in mending


def test_a_size_without_a_unit_says_what_is_quoted(mending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFEBOAT_DRIVER_MEMORY", "600")
    assert message_of(lambda: environment.need_memory("LIFEBOAT_DRIVER_MEMORY"), Path("/nowhere")) in mending
    monkeypatch.setenv("LIFEBOAT_DRIVER_MEMORY", "300m")
    assert environment.surroundings().partition(": mend")[0] in mending


def test_a_port_that_is_taken_says_what_is_quoted(project: Path, mending: str) -> None:
    message = message_of(lambda: port_is_taken(project), project)
    assert re.sub(r":\d+ ", ":5001 ", message) in mending


def test_what_the_notes_quote_of_messages_is_in_the_library(mending: str) -> None:
    code = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "lib").rglob("*.py"))
    for words in ("Spark did not start on", "the registry has changed since this model was judged", "is stale:"):
        assert words in code
        assert any(words in page.read_text(encoding="utf-8") for page in PAGES)
    assert "ended, it took too much memory" in (ROOT / "notebooks/06_scale.ipynb").read_text(encoding="utf-8")


def test_memory_is_what_was_measured() -> None:
    found = json.loads((GUIDE / "memory.json").read_text(encoding="utf-8"))
    assert set(found["heaps"]) == {"1g", "600m"}
    for by_notebook in found["heaps"].values():
        for notebook, held in by_notebook.items():
            assert notebook in NOTEBOOKS
            assert 300 < held["kernel and Java, after the last cell"] <= held["kernel and Java, at most"] < 8_000
    assert 50 < found["server"] < 1_000


def test_no_minutes_stand_in_the_prose_beside_the_computed_tables() -> None:
    for page in PAGES:
        text = re.sub(
            r"<!-- begin (\S+) -->.*?<!-- end \1 -->|```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL
        )
        assert re.findall(r"\b\d+ (?:minutes|MB|GB)\b", text) == [], page.name


def test_the_timetable_s_file_names_notebooks_and_kinds_that_are_there() -> None:
    plans = yaml.safe_load((GUIDE / "timetables.yaml").read_text(encoding="utf-8"))
    lines = [line for plan in plans.values() for line in plan["parts"] if "notebook" in line]
    for line in lines:
        assert set(line["exercises"]) <= set(teaching_times.exercises_of(line["notebook"]))
    assert {line["notebook"] for line in lines} == set(NOTEBOOKS)
