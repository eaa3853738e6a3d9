"""Print how hard the notebooks' prose is to read: the school grade of each, and its worst sentences with theirs.

The grade is Flesch and Kincaid's, years at school: 0.39 times the words a sentence and 11.8 times the syllables a word,
less 15.59 (Kincaid, Fishburne, Rogers and Chissom, 1975). Left out are code, tables, headings, links' addresses,
numbers, and names, such as Spark's; and what has fewer than three words, as it would flatter the rest.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat
import syllapy
from markdown_it import MarkdownIt
from markdown_it.token import Token
from teaching_times import ROOT, names

MOST, MOST_A_SENTENCE = 10, 13  # school grades
FEWEST_WORDS = 3
NAME = "a_name"  # stands where code stood
LEFT_OUT = {"code_inline": NAME, "image": NAME, "softbreak": " ", "hardbreak": " "}
SENTENCE_ENDS = re.compile(r"(?:(?<=[.!?])|(?<=[.!?][)”\"]))(?<!\bDr\.)\s+")
WORD = re.compile(r"[A-Za-z]+(?:[-'\u2019][A-Za-z]+)*")
MARKDOWN = MarkdownIt().enable("table")


def paragraphs(source: str) -> Iterator[str]:
    """Paragraphs and list items of a markdown text, with NAME for each piece of code."""
    inside = ""
    for token in MARKDOWN.parse(source):
        if token.type in ("heading_open", "table_open"):
            inside = token.type.removesuffix("_open")
        elif token.type == f"{inside}_close":
            inside = ""
        elif token.type == "inline" and not inside:
            yield "".join(map(text_of, token.children or []))


def text_of(token: Token) -> str:
    """What is read of a piece of a paragraph."""
    return LEFT_OUT.get(token.type, token.content)


def is_name(word: str, *, first: bool) -> bool:
    """Whether it names something: a file, a number, or a capital where no sentence begins."""
    return bool(re.search(r"[\d_]|\w\.\w", word)) or any(letter.isupper() for letter in word[first:])


def words(sentence: str) -> list[str]:
    """The words of a sentence, without names."""
    pieces = [re.sub(r"^\W+|\W+$", "", piece) for piece in sentence.split()]
    kept = (piece for index, piece in enumerate(pieces) if not is_name(piece, first=index == 0))
    return [word for piece in kept for word in WORD.findall(piece)]


def sentences(source: str) -> list[str]:
    """The sentences of a markdown text that have words enough to count."""
    parted = (sentence for text in paragraphs(source) for sentence in SENTENCE_ENDS.split(text))
    return [sentence for sentence in parted if len(words(sentence)) >= FEWEST_WORDS]


def grade(read: Iterable[str]) -> float:
    """The school grade of some sentences together."""
    by_sentence = [words(sentence) for sentence in read]
    count = sum(map(len, by_sentence))
    syllables = sum(syllapy.count(word) for sentence in by_sentence for word in sentence)
    return 0.39 * count / len(by_sentence) + 11.8 * syllables / count - 15.59


def too_hard(read: Iterable[str]) -> list[str]:
    """The sentences whose own grade is above the highest that one may have."""
    return [sentence for sentence in read if grade([sentence]) > MOST_A_SENTENCE]


def read(notebook: Path) -> list[str]:
    """The sentences of a notebook's prose."""
    cells = nbformat.read(notebook, as_version=4).cells
    return [sentence for cell in cells if cell.cell_type == "markdown" for sentence in sentences(cell.source)]


def notebooks() -> list[Path]:
    """The series, and the solved exercises."""
    return [ROOT / "notebooks" / folder / f"{name}.ipynb" for folder in ("", "solutions") for name in names()]


def main() -> None:
    """Print the grades, each notebook's and its worst sentences'."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path, help="instead of all")
    parser.add_argument("--worst", type=int, default=5, metavar="N", help="sentences to print of each (default: 5)")
    asked = parser.parse_args()
    for notebook in asked.notebooks or notebooks():
        found = read(notebook)
        print(f"{grade(found):4.1f}  {notebook.parent.name}/{notebook.name}, {len(found)} sentences")
        for sentence in sorted(found, key=lambda one: -grade([one]))[: asked.worst]:
            print(f"      {grade([sentence]):4.1f}  {sentence.replace(NAME, '…')}")


if __name__ == "__main__":
    main()
