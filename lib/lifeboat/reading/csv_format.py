"""How a CSV file is written: what parts its values, which letters its bytes mean, where its header stands."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lifeboat.errors import ParameterError, unknown

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "bar": "|"}
LARGEST_RECORD = 100  # lines; of more, a quote that nobody closed is likelier than a text


@dataclass(frozen=True)
class CsvFormat:
    """How a CSV file is written.

    Attributes:
        separator: What stands between two values: one character.
        encoding: Any text encoding that Python knows.
        skip_lines: Physical lines above the header that are no part of the table.
        multiline: Whether a quoted text may go over several lines (RFC 4180). By default a line is a record.
    """

    separator: str = ","
    encoding: str = "utf-8"
    skip_lines: int = 0
    multiline: bool = False

    def changed(self) -> dict[str, Any]:
        """Those that are not the default, as ``parse_csv`` reads them."""
        usual = asdict(CsvFormat())
        return {name: value for name, value in asdict(self).items() if value != usual[name]}


def parse_csv(written: Mapping[str, Any]) -> CsvFormat:
    """Read the parameter ``csv``, a mapping of any of ``CsvFormat``'s attributes.

    Args:
        written: Such as ``{"separator": ";", "encoding": "latin-1"}``; ``comma``, ``semicolon``, ``tab`` and ``bar``
            will do as names.

    Raises:
        ParameterError: A part is unknown, or has a value that is none.
    """
    for name in written:
        if name not in CsvFormat.__annotations__:
            raise ParameterError(f"csv: {unknown('part', str(name), CsvFormat.__annotations__)}")
    separator = written.get("separator", ",")
    separator = SEPARATORS.get(separator, separator) if isinstance(separator, str) else separator
    if not isinstance(separator, str) or len(separator) != 1 or not _separates(separator):
        raise ParameterError(
            f"csv: separator is {separator!r}; write one character that is no letter, digit, quote or line's end, "
            "such as ',' ';' '|' or tab"
        )
    skip_lines, multiline = written.get("skip_lines", 0), written.get("multiline", False)
    if isinstance(skip_lines, bool) or not isinstance(skip_lines, int) or skip_lines < 0:
        raise ParameterError(
            f"csv: skip_lines is {skip_lines!r}; write the number of lines above the header, 0 or more"
        )
    if not isinstance(multiline, bool):
        raise ParameterError(f"csv: multiline is {multiline!r}; write true or false")
    return CsvFormat(separator, _encoding(written.get("encoding", "utf-8")), skip_lines, multiline)


def _separates(letter: str) -> bool:
    return (
        letter.isascii() and (letter.isprintable() or letter == "\t") and not letter.isalnum() and letter not in "\"'\\"
    )


def _encoding(name: Any) -> str:
    try:
        codec = codecs.lookup(name)
        "".encode(name)  # a codec of bytes, such as base64, is no encoding of texts
    except (LookupError, TypeError, ValueError) as error:
        raise ParameterError(
            f"csv: encoding is {name!r}, which nobody knows; write one such as utf-8, latin-1, windows-1252 or utf-16"
        ) from error
    return codec.name
