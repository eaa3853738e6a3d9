"""What each declared type takes of what a file or a request has: decided once, for Spark and for Python alike.

It needs the standard library alone. ``spark.typed`` says in Spark's columns what ``of_text`` and ``of_value`` say here.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

WHOLES, NUMBERS = ("int", "bigint"), ("int", "bigint", "double")
TIMES = ("date", "timestamp")
DECLARED = (*NUMBERS, "string", "boolean", *TIMES)
FEATURES = {"numeric": (*NUMBERS, "boolean"), "categorical": ("string", *WHOLES, "boolean")}

SPANS = {
    "int": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
    "double": (-sys.float_info.max, sys.float_info.max),
}
DIGITS = 38  # of a whole number that becomes text: as many as Spark's decimals have

# Texts, from their first letter to their last. Java's regular expressions, Python's and RE2 read these alike: no \d and
# no $, which they do not; ASCII digits alone.
WHOLE = r"[ \t]*[+-]?[0-9]+[ \t]*"
YES, NO = r"[tT]([rR][uU][eE])?|[yY]([eE][sS])?|1", r"[fF]([aA][lL][sS][eE])?|[nN][oO]?|0"
# a year on: a zone may move the first day of year 1 out of what Python has
DAY = r"([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[2-9])-[0-9]{1,2}-[0-9]{1,2}"
ZONE = r" ?(Z|UTC|[+-](0[0-9]|1[0-7])(:[0-5][0-9])?)"
CLOCK = rf"[ T][0-9]{{1,2}}:[0-9]{{1,2}}(:[0-9]{{1,2}}(\.[0-9]+)?({ZONE})?)?"  # Spark wants seconds before a zone
PATTERNS = {
    # 7.0: so pandas writes whole numbers among which there are gaps
    **dict.fromkeys(WHOLES, r"[ \t]*[+-]?[0-9]+(\.0*)?[ \t]*"),
    "double": r"[ \t]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t]*",
    "boolean": rf"[ \t]*({YES}|{NO})[ \t]*",
    "date": rf"[ \t]*{DAY}[ \t]*",
    "timestamp": rf"[ \t]*{DAY}({CLOCK})?[ \t]*",
}

# Values: which families of a file's types a declared type takes; any other pair is refused before a row is read.
WHOLE_NUMBER, FLOAT, DECIMAL, TRUTH, TEXT, DATE, TIME = "whole", "float", "decimal", "truth", "text", "date", "time"
_COUNTED = (WHOLE_NUMBER, FLOAT, DECIMAL, TRUTH, TEXT)
TAKES = {
    **dict.fromkeys((*NUMBERS, "boolean"), _COUNTED),
    "string": (*_COUNTED, DATE, TIME),
    **dict.fromkeys(TIMES, (TEXT, DATE, TIME)),
}
NULLS = "nulls"  # a column of nulls alone: any type takes it
NESTED, BINARY, SPAN, UNREAD = "nested", "binary", "span", "unread"
MENDS = {
    NESTED: "leave it out of the schema, or write one value a cell",
    BINARY: "leave it out of the schema, or write it as text in UTF-8",
    SPAN: "leave it out of the schema, or write a number, such as its seconds",
    UNREAD: "Spark does not read it: leave it out of the schema, or write float32, or a decimal of 38 digits at most",
    **dict.fromkeys((DATE, TIME), "write STRING, DATE or TIMESTAMP in the schema, or compute a number of it"),
    **dict.fromkeys(_COUNTED, "write DOUBLE in the schema, or compute a time of it"),
}
KIND_WORDS = {
    "int": "a whole number",
    "bigint": "a whole number",
    "double": "of type double",
    "boolean": "true or false",
    "string": "a text: a number with a fraction is text in more than one way: write DOUBLE in the schema",
    "date": "a date, as 2024-05-31 is",
    "timestamp": "a time, as 2024-05-31 18:00:00 is",
}

OTHERS = {  # types that a schema may not have -> the one to write
    "tinyint smallint byte short": "INT",
    "float real decimal dec numeric": "DOUBLE",
    "char varchar character": "STRING",
    "timestamp_ntz timestamp_ltz": "TIMESTAMP",
}
ALIASES = {"integer": "int", "long": "bigint", "bool": "boolean"}


def refusal(name: str, came: str, family: str, declared: str) -> str:
    """Why a column of one type cannot be of the declared one; empty where it can.

    Args:
        name: The column.
        came: Its type in the file, as the file names it.
        family: The family of that type: one of those in ``TAKES`` and ``MENDS``.
        declared: One of ``DECLARED``.
    """
    if family in (NULLS, *TAKES[declared]):
        return ""
    return f"column {name!r} is {came} in the file and {declared.upper()} in the schema: {MENDS[family]}"


def type_error(name: str, kind: str) -> str:
    """Why a schema may not have a column of a type, in SQL's words; empty where it may."""
    word = re.split(r"\W", kind.strip().lower(), maxsplit=1)[0]
    if ALIASES.get(word, word) in DECLARED:
        return ""
    allowed = ", ".join(word.upper() for word in DECLARED)
    mend = next((better for words, better in OTHERS.items() if word in words.split()), f"one of {allowed}")
    return f"column {name!r} is {kind.strip().upper()}: write {mend}"


def feature_error(name: str, kind: str, role: str) -> str:
    """Why a column of a declared type can be no feature of a role (a key of ``FEATURES``); empty where it can."""
    declared = ALIASES.get(kind.lower(), kind.lower())
    if declared in FEATURES[role]:
        return ""
    allowed = ", ".join(word.upper() for word in FEATURES[role])
    if declared in TIMES:
        mend = "compute a number of it, such as its hour, or write STRING in the schema and put it under categorical"
    elif role == "categorical":
        mend = "write STRING in the schema where its values are names, else put it under numeric"
    else:
        mend = "put it under categorical, or write a number's type in the schema"
    return f"column {name!r} under {role} is {declared.upper()}; allowed: {allowed}. To mend it, {mend}"


def of_text(text: str, declared: str) -> Any:
    """What a file's text stands for in a declared type (no time); None where it stands for nothing of that type."""
    if declared == "string":
        return text
    if not re.fullmatch(PATTERNS[declared], text):
        return None
    plain = text.strip(" \t")
    if declared == "boolean":
        return plain[0] in "tTyY1"
    if declared == "double":
        return _within(float(plain), declared)
    digits = plain.partition(".")[0]
    # Python refuses to read thousands of digits
    return _within(int(digits), declared) if len(digits.lstrip("+-0")) <= DIGITS else None


def of_value(value: Any, declared: str) -> Any:
    """What a value that is no gap is in a declared type (no time); None where it is nothing of that type.

    Args:
        value: A bool, a number, a text, a date or a datetime.
        declared: One of ``DECLARED`` but ``TIMES``.
    """
    if isinstance(value, str):
        return of_text(value, declared)
    if isinstance(value, bool) and declared == "string":
        return str(value).lower()
    if isinstance(value, int | float | Decimal):  # a truth is 1 or 0
        return _number(value, declared)
    if isinstance(value, date):
        return time_text(value) if declared == "string" else None
    return None


def _number(value: int | float | Decimal, declared: str) -> Any:
    try:
        if declared == "double":
            return _within(float(value), declared)
        whole = int(value)
    except (OverflowError, ValueError):  # 10**400 is no double, and infinity no whole number
        return None
    if whole != value:
        return None
    if declared == "boolean":
        return {0: False, 1: True}.get(whole)
    if declared == "string":
        # the digits of a float beyond 64 bits are those of its nearest binary number, and nobody wrote them
        fits = _within(whole, "bigint") is not None if isinstance(value, float) else abs(whole) < 10**DIGITS
        return str(whole) if fits else None
    return _within(whole, declared)


def _within(number: float, declared: str) -> float | None:
    low, high = SPANS[declared]
    return number if low <= number <= high else None


def time_text(time: date) -> str:
    """A date or a point in time (one without a zone is UTC's) as Spark writes it: without zeros behind a fraction."""
    if not isinstance(time, datetime):
        return time.isoformat()
    plain = (time.astimezone(UTC) if time.tzinfo else time).replace(tzinfo=None)
    text = plain.isoformat(sep=" ")
    return text.rstrip("0") if plain.microsecond else text


def is_gap(value: Any, words: Iterable[str] = ()) -> bool:
    """Whether a value says that there is none: null, NaN, an empty text, or a word that means so."""
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or (isinstance(value, str) and (not value or value in tuple(words)))
