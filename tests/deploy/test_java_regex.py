"""Patterns that leave Spark find in Python what they found in Java."""

import re

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from lifeboat.deploy.java_regex import to_python
from lifeboat.errors import ParameterError

PATTERNS = [
    r"(\w+)",
    r", (?:the )?(\w+)\.",
    r"([A-Za-z]+)\.",
    r"^(.)",
    r"(.*)$",
    r"(\S*)\s*$",
    r"(.+)",
    r"([^,.\s]+)\.?",
    r"(\d+)|(\w)",
    r"x|(y)",
    r"(?<=, )(\w+)(?=\.)",
    r"(a{1,2}+)",
    r"(\W+?)\w",
    r"(é|ß|\.)",
    r"([\w\s'&]+)",
    r"(&+)",
]
TEXTS = [
    "", " ", "Braund, Mr. Owen", "Doe, the Countess. of", "éMr. Zoë", "Zoë.", "ß.", "12é34", "٣4", "日本. x",
    "a\nb", "a\n", "a\r\n", "a\r", "a\x85", "a\u2028", "a\u2029b\n", "\n", "\r\n", "\n\n",
    "\xa0a", "\x0ba\x0c", "a\x1cb", "🚢, Mr. 🚢", "x", "y", "xy", "aaa", "O'Neil & co", "&&",
]  # fmt: skip


def test_java_and_python_find_the_same_in_every_text(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(i, text) for i, text in enumerate(TEXTS)], "i int, text string").coalesce(1)
    rows = frame.select("i", *[F.regexp_extract("text", pattern, 1) for pattern in PATTERNS]).orderBy("i").collect()
    columns = list(zip(*rows, strict=True))[1:]
    for pattern, column in zip(PATTERNS, columns, strict=True):
        find = re.compile(to_python(pattern), re.ASCII).search
        ours = [(match[1] or "") if (match := find(text)) else "" for text in TEXTS]
        assert list(column) == ours, pattern


@pytest.mark.parametrize(
    "pattern",
    [r"(?i)(mr)", r"\b(\w+)", r"(?<title>\w+)", r"(\p{L}+)", r"([a-z&&[^b]])", r"(\w)\1", r"\Q.\E(a)", r"([]a])"],
)
def test_a_pattern_that_the_two_may_read_differently_is_refused(pattern: str) -> None:
    with pytest.raises(ParameterError, match="cannot leave Spark"):
        to_python(pattern)


def test_the_refusal_shows_where_and_what_is_allowed() -> None:
    with pytest.raises(ParameterError, match=r"at '\\\\b\(mr\)' Java and Python .* Allowed: literals"):
        to_python(r", \b(mr)")


def test_plain_patterns_stay_as_they_are() -> None:
    assert to_python(r", (?:the )?(\w+)\.") == r", (?:the )?(\w+)\."


@pytest.mark.parametrize(("pattern", "why"), [(r"(a{2}{3})", "multiple repeat"), (r"(?<=a{1,3})(b)", "fixed-width")])
def test_what_java_takes_and_python_does_not_is_refused_in_python_s_words(pattern: str, why: str) -> None:
    with pytest.raises(ParameterError, match=f"cannot leave Spark: Python says .*{why}"):
        to_python(pattern)
