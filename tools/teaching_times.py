"""Write the tables of the teaching guide: minutes a section, timetables, memory a learner. Nothing in them is typed."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import yaml

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / "docs/teaching"
WORDS, LINES, OUTPUTS = 180, 6, 2  # that a reader takes a minute for; the notebooks' first cells reckon by them too
A_STOP = 2  # minutes for a question to the class and its answer
MOST_EXERCISES = 15  # minutes a notebook in class
LEARNERS = 30  # on one hub
EXERCISE = re.compile(r"^## \w+ · (?P<kind>\w+) · (?P<minutes>\d+) minutes$", re.MULTILINE)
STOP = re.compile(r"^- \*\*§(?P<section>[^*]+)\*\*", re.MULTILINE)


@dataclass(frozen=True)
class Section:
    """A part of a notebook: what timetables call it, its heading, and the minutes to read it."""

    name: str
    heading: str
    minutes: float


@dataclass(frozen=True)
class Part:
    """A line of a timetable: minutes in all, and of these for reading, asking and exercises."""

    what: str
    minutes: int
    reading: float = 0
    asking: int = 0
    exercises: int = 0
    sections: tuple[str, ...] = ()


def short_name(heading: str) -> str:
    """What a timetable calls a section: its number, or its words in small letters."""
    number = re.match(r"(\d+)\. ", heading)
    return number[1] if number else heading.lower()


def pieces(content: nbformat.NotebookNode) -> Iterator[tuple[str, float]]:
    """Each piece of a notebook as the heading that it stands under, and its minutes."""
    heading = "Opening"
    for cell in content.cells:
        if cell.cell_type == "code":
            lines = sum(1 for line in cell.source.splitlines() if line.strip())
            yield heading, lines / LINES + len(cell.outputs) / OUTPUTS
            continue
        for text in re.split(r"^(?=## )", cell.source, flags=re.MULTILINE):
            if text.startswith("## "):
                heading = text.partition("\n")[0][3:].strip()
            yield heading, len(text.split()) / WORDS


def sections(notebook: str) -> dict[str, Section]:
    """A notebook's sections by name, in their order."""
    minutes: dict[str, float] = {}
    for heading, taken in pieces(nbformat.read(ROOT / f"notebooks/{notebook}.ipynb", as_version=4)):
        minutes[heading] = minutes.get(heading, 0) + taken
    return {short_name(heading): Section(short_name(heading), heading, taken) for heading, taken in minutes.items()}


def names() -> list[str]:
    """The notebooks in their order."""
    return [path.stem for path in sorted((ROOT / "notebooks").glob("0*.ipynb"))]


def stops(notebook: str) -> list[str]:
    """The sections in which the notes stop and ask, one for each question."""
    return [found["section"] for found in STOP.finditer((GUIDE / f"{notebook}.md").read_text(encoding="utf-8"))]


def exercises_of(notebook: str) -> dict[str, int]:
    """Minutes of a notebook's exercises by kind, as their headings say; one for home says none."""
    cells = nbformat.read(ROOT / f"notebooks/exercises/{notebook}.ipynb", as_version=4).cells
    found = (EXERCISE.search(cell.source) for cell in cells if cell.cell_type == "markdown")
    return {heading["kind"].lower(): int(heading["minutes"]) for heading in found if heading}


def timetables() -> dict[str, dict[str, Any]]:
    """What timetables.yaml has."""
    plans: dict[str, dict[str, Any]] = yaml.safe_load((GUIDE / "timetables.yaml").read_text(encoding="utf-8"))
    return plans


def part(line: dict[str, Any]) -> Part:
    """A line of timetables.yaml with its minutes."""
    if "what" in line:
        return Part(line["what"], line["minutes"])
    there, chosen = sections(line["notebook"]), line["sections"]
    reading = sum(there[name].minutes for name in chosen)
    asking = A_STOP * sum(section in chosen for section in stops(line["notebook"]))
    given = exercises_of(line["notebook"])
    exercises = sum(given[kind] for kind in line["exercises"])
    return Part(line["notebook"], math.ceil(reading + asking + exercises), reading, asking, exercises, tuple(chosen))


def parts(plan: str) -> list[Part]:
    """A timetable's lines."""
    return [part(line) for line in timetables()[plan]["parts"]]


def clock(minutes: int) -> str:
    """Minutes from the start as hours and minutes."""
    return f"{minutes // 60}:{minutes % 60:02}"


def timetable(plan: str) -> str:
    """A timetable as a table."""
    rows, begun = [], 0
    for line in parts(plan):
        link = f"[{line.what}]({line.what}.md)" if line.sections else line.what
        numbers = [f"{line.reading:.0f}", str(line.asking), str(line.exercises)] if line.sections else [""] * 3
        rows.append([clock(begun), link, " · ".join(line.sections), *numbers, str(line.minutes)])
        begun += line.minutes
    rows.append([clock(begun), "**End**", "", "", "", "", f"**{begun}**"])
    return table(["from", "what", "sections", "reading", "asking", "exercises", "minutes"], rows)


def section_table(notebook: str) -> str:
    """A notebook's sections: minutes, and in which timetable each is read in class."""
    lines = [[line for line in parts(plan) if line.what == notebook] for plan in timetables()]
    chosen = [{name for line in of_plan for name in line.sections} for of_plan in lines]
    there = sections(notebook)
    rows = [
        [section.heading, f"{section.minutes:.1f}", *("yes" if name in in_class else "" for in_class in chosen)]
        for name, section in there.items()
    ]
    rows.append(["**All**", f"**{sum(section.minutes for section in there.values()):.0f}**", *([""] * len(chosen))])
    return table(["section", "minutes", *(plan["title"].lower() for plan in timetables().values())], rows)


def overview() -> str:
    """All notebooks: minutes to read whole, and minutes in class in each timetable."""
    plans = {plan: {line.what: line.minutes for line in parts(plan)} for plan in timetables()}
    rows = []
    for notebook in names():
        whole = sum(section.minutes for section in sections(notebook).values())
        in_class = [str(minutes.get(notebook, "")) for minutes in plans.values()]
        rows.append([f"[{notebook}]({notebook}.md)", f"{whole:.0f}", *in_class])
    return table(["notebook", "to read whole", *(plan["title"].lower() for plan in timetables().values())], rows)


def memory_rows() -> Iterator[tuple[str, str, int, int, int]]:
    """Heap, notebook, and megabytes: of the kernel with its Java at most and after the last cell, of a learner."""
    found = json.loads((GUIDE / "memory.json").read_text(encoding="utf-8"))
    for heap, by_notebook in found["heaps"].items():
        for notebook, held in by_notebook.items():
            most = held["kernel and Java, at most"]
            yield heap, notebook, most, held["kernel and Java, after the last cell"], most + found["server"]


def memory() -> str:
    """Memory a learner, and of all on one hub, as a table."""
    rows = [
        [f"`{heap}`", notebook, f"{most:,}", f"{after:,}", f"{learner:,}", f"{math.ceil(LEARNERS * learner / 1024)} GB"]
        for heap, notebook, most, after, learner in memory_rows()
    ]
    heads = ["`LIFEBOAT_DRIVER_MEMORY`", "open notebook", "kernel and Java, at most", "after the last cell"]
    return table([*heads, "with the server", f"{LEARNERS} learners"], rows)


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Rows as Markdown has them."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def filled(text: str) -> str:
    """A page with each of its tables written anew: between `<!-- begin NAME -->` and `<!-- end NAME -->`."""
    made: dict[str, Callable[[], str]] = {"overview": overview, "memory": memory}
    made |= {plan: partial(timetable, plan) for plan in timetables()}
    made |= {notebook: partial(section_table, notebook) for notebook in names()}

    def written(found: re.Match[str]) -> str:
        name = found["name"]
        return f"<!-- begin {name} -->\n{made[name]()}\n<!-- end {name} -->"

    return re.sub(r"<!-- begin (?P<name>\S+) -->.*?<!-- end (?P=name) -->", written, text, flags=re.DOTALL)


def main() -> None:
    """Write the tables of all pages, and print how long both timetables take."""
    for page in sorted(GUIDE.glob("*.md")):
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
    for plan in timetables():
        print(plan, clock(sum(line.minutes for line in parts(plan))))


if __name__ == "__main__":
    main()
