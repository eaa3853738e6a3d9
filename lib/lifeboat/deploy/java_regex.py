"""Regular expressions that Java and Python read alike."""

from __future__ import annotations

import re

from lifeboat.errors import ParameterError

# what Java takes for the end of a line; Python knows \n alone
LINE_ENDS = r"\n\r\x85\u2028\u2029"
ANY = f"[^{LINE_ENDS}]"
END = r"(?:\Z|(?=\r\n\Z)|(?=[\r\x85\u2028\u2029]\Z)|(?<!\r)(?=\n\Z))"

ESCAPE = r"\\(?:[wWdDsStnrf]|[^\w])"
TOKEN = re.compile(
    rf"(?P<same>{ESCAPE}|\((?!\?)|\(\?(?::|=|!|<=|<!|>)|[)|*+?^{{}}]|[^\\\[\]().|*+?^${{}}])"
    rf"|(?P<class>\[\^?(?:{ESCAPE}|[^\\\[\]&]|&(?!&))+\])|(?P<any>\.)|(?P<end>\$)",
    re.ASCII | re.DOTALL,
)


def to_python(pattern: str) -> str:
    """A Java pattern as the Python one that finds the same, compiled with ``re.ASCII``.

    Args:
        pattern: What Spark's ``regexp_extract`` was given.

    Returns:
        The pattern for ``re.compile(..., re.ASCII)``.

    Raises:
        ParameterError: It holds something that the two languages read differently.
    """
    pieces, at = [], 0
    while at < len(pattern):
        token = TOKEN.match(pattern, at)
        if token is None:
            raise ParameterError(
                f"pattern {pattern!r} cannot leave Spark: at {pattern[at:]!r} Java and Python may read it differently. "
                r"Allowed: literals, groups, look-around, [classes], quantifiers, . ^ $ \w \d \s \t \n \r \f"
            )
        pieces.append({"any": ANY, "end": END}.get(token.lastgroup or "", token[0]))
        at = token.end()
    translated = "".join(pieces)
    try:
        re.compile(translated, re.ASCII)
    except re.error as error:
        raise ParameterError(f"pattern {pattern!r} cannot leave Spark: Python says {error}") from error
    return translated
