"""The notebooks' prose is easy to read, by a grade that is worked out by hand here, and one hard sentence is seen."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tools"))

import teaching_reading  # noqa: E402
from teaching_reading import MOST, grade, sentences, too_hard  # noqa: E402

HARD = (
    "The methodological considerations underlying the aforementioned cross-validation procedure necessitate, "
    "notwithstanding its computational simplicity, an appreciation of statistical variability among partitions."
)


@pytest.mark.parametrize("notebook", teaching_reading.notebooks(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_prose_of_a_notebook_and_each_of_its_sentences_is_easy_to_read(notebook: Path) -> None:
    read = teaching_reading.read(notebook)
    assert len(read) > 20
    assert grade(read) <= MOST == 10
    assert too_hard(read) == [], "part it, or take shorter words; tools/teaching_reading.py shows each one's grade"


def test_one_hard_sentence_among_a_notebook_s_is_seen() -> None:
    read = teaching_reading.read(teaching_reading.notebooks()[0])
    assert too_hard([*read, *sentences(HARD)]) == [HARD]


def test_a_grade_is_years_at_school_by_words_a_sentence_and_syllables_a_word() -> None:
    assert grade(["The cat sat on the mat."]) == pytest.approx(0.39 * 6 + 11.8 * 1 - 15.59)
    two = ["The cat sat on the mat.", "It was a lazy afternoon."]  # 11 words, 6 and 8 syllables
    assert grade(two) == pytest.approx(0.39 * 11 / 2 + 11.8 * 14 / 11 - 15.59)


def test_a_sentence_ends_with_its_mark_its_paragraph_or_its_item() -> None:
    text = "We read a row. Is it right?\nDr. Leader was here (and not\nalone!) The rest:\n\n- one is it\n- two of them"
    assert sentences(text) == [
        "We read a row.",
        "Is it right?",
        "Dr. Leader was here (and not alone!)",
        "one is it",
        "two of them",
    ]


def test_code_tables_headings_addresses_names_and_numbers_are_not_read() -> None:
    text = """## A heading that is long

The rows of *Spark* [go by train](../docs/nobody_reads_this.md), as `count()` says, 20,000 in `a.csv`.

| not | this | table |
|---|---|---|
| not | these | either |

```sh
lifeboat run it all
```"""
    (sentence,) = sentences(text)
    assert teaching_reading.words(sentence) == ["The", "rows", "of", "go", "by", "train", "as", "says", "in"]
