"""Write the teaching guide's glossary: each term, where a notebook first uses it, its Chinese word, what it means."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from typing import Any

import nbformat
import yaml
from teaching_times import GUIDE, ROOT, names

NOT_PROSE = re.compile(r"```[\s\S]*?```|^#+ .*$|(?<=\])\([^)]*\)", re.MULTILINE)
HEAD = """# Glossary

The terms of the seven notebooks, in the order of the alphabet, with the Chinese word beside each.
Under each stands where it is first used. `tools/teaching_glossary.py` writes this page from
[glossary.yaml](glossary.yaml): change a sentence there.
"""


@dataclass(frozen=True)
class Use:
    """Where a term stands first: the notebook, the cell's number from 0, and the section's heading."""

    notebook: str
    cell: int
    section: str


@dataclass(frozen=True)
class Term:
    """A term as glossary.yaml has it."""

    name: str
    chinese: str
    says: str
    forms: tuple[str, ...]
    since: str

    @classmethod
    def of(cls, entry: dict[str, Any]) -> Term:
        """From an entry of the file; without forms, a notebook writes the term as it is."""
        forms = tuple(entry.get("forms", [entry["term"]]))
        return cls(entry["term"], entry["zh"], entry["says"], forms, entry.get("from", ""))

    @property
    def anchor(self) -> str:
        """The heading's anchor, as GitHub makes it."""
        return anchor(self.name)

    def stands_in(self, text: str) -> bool:
        """Whether one of the forms is a word of the text."""
        words = "|".join(map(re.escape, self.forms))
        return re.search(rf"(?<![\w/-])(?:{words})(?![\w-])", text, re.IGNORECASE) is not None


def anchor(heading: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def notebooks() -> dict[str, nbformat.NotebookNode]:
    """The seven notebooks by name."""
    return {name: nbformat.read(ROOT / f"notebooks/{name}.ipynb", as_version=4) for name in names()}


def terms() -> list[Term]:
    """What glossary.yaml has, in the order of the alphabet."""
    entries = yaml.safe_load((GUIDE / "glossary.yaml").read_text(encoding="utf-8"))
    return sorted(map(Term.of, entries), key=lambda term: term.name.lower())


def first_use(term: Term, read: dict[str, nbformat.NotebookNode]) -> Use | None:
    """The first cell of prose with the term in it; None where no notebook has it."""
    for name, content in read.items():
        section = content.cells[0].source.partition("\n")[0].lstrip("# ")
        for index, cell in enumerate(content.cells if name >= term.since else ()):
            if cell.cell_type != "markdown":
                continue
            for paragraph in re.split(r"\n\s*\n", cell.source):
                if paragraph.startswith("## "):
                    section = paragraph.partition("\n")[0].lstrip("# ")
                if term.stands_in(NOT_PROSE.sub(" ", paragraph)):
                    return Use(name, index, section)
    return None


def entry(term: Term, use: Use) -> str:
    """A term's part of the page."""
    return (
        f"## {term.name}\n\n**{term.chinese}**. {term.says}\n\n"
        f"First in [{use.notebook}](../../notebooks/{use.notebook}.ipynb), “{use.section}”.\n"
    )


def page() -> str:
    """The whole page."""
    read = notebooks()
    uses = [(term, first_use(term, read)) for term in terms()]
    missing = [term.name for term, use in uses if use is None]
    if missing:
        raise SystemExit(f"no notebook uses {', '.join(missing)}: give it forms, or take it out of glossary.yaml")
    return "\n".join([HEAD, *(entry(term, use) for term, use in uses if use)])


def links() -> list[dict[str, str | int]]:
    """Where a notebook should link a term: the cell of its first use."""
    read = notebooks()
    uses = [(term, first_use(term, read)) for term in terms()]
    return [
        {"notebook": use.notebook, "cell": use.cell, "term": term.name, "anchor": term.anchor}
        for term, use in uses
        if use
    ]


def main() -> None:
    """Write the page; with `--links`, print where notebooks should link to it."""
    if sys.argv[1:] == ["--links"]:
        print(json.dumps(links(), indent=1, ensure_ascii=False))
    else:
        (GUIDE / "glossary.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
