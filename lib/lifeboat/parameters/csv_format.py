"""How a CSV file is written: what parts its values, which letters its bytes mean, where its header stands."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from pydantic import AfterValidator, StrictBool, StrictInt, StrictStr
from pydantic.dataclasses import dataclass

from lifeboat.parameters.field import KNOWN, parameter, parse

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "bar": "|"}
LARGEST_RECORD = 100  # lines; of more, a quote that nobody closed is likelier than a text


def _separator(text: str) -> str:
    letter = SEPARATORS.get(text, text)
    if len(letter) != 1 or not letter.isascii() or letter.isalnum() or letter in "\"'\\":
        raise ValueError
    if not letter.isprintable() and letter != "\t":
        raise ValueError
    return letter


def _encoding(name: str) -> str:
    try:
        codec = codecs.lookup(name)
        "".encode(name)  # a codec of bytes, such as base64, is no encoding of texts
    except (LookupError, TypeError) as error:
        raise ValueError from error
    return codec.name


@dataclass(frozen=True, config=KNOWN)
class CsvFormat:
    """How a CSV file is written.

    Attributes:
        separator: What stands between two values: one character; ``comma``, ``semicolon``, ``tab`` and ``bar`` will do
            as names.
        encoding: Any text encoding that Python knows.
        skip_lines: Physical lines above the header that are no part of the table.
        multiline: Whether a quoted text may go over several lines (RFC 4180). By default a line is a record.
    """

    separator: Annotated[StrictStr, AfterValidator(_separator)] = parameter(
        ",",
        "what stands between two values",
        form="one character that is no letter, digit, quote or line's end, such as ',' ';' '|' or tab",
    )
    encoding: Annotated[StrictStr, AfterValidator(_encoding)] = parameter(
        "utf-8", "what its bytes mean", form="an encoding that is known, such as utf-8, latin-1, windows-1252 or utf-16"
    )
    skip_lines: StrictInt = parameter(0, "lines above the header that are no part of the table", ge=0)
    multiline: StrictBool = parameter(False, "whether a quoted text may go over several lines")

    def changed(self) -> dict[str, Any]:
        """Those that are not the default, as ``parse_csv`` reads them."""
        usual = asdict(CsvFormat())
        return {name: value for name, value in asdict(self).items() if value != usual[name]}


def parse_csv(written: Mapping[str, Any] | CsvFormat) -> CsvFormat:
    """Read the parameter ``csv``, a mapping of any of ``CsvFormat``'s attributes.

    Raises:
        ParameterError: A part is unknown, or has a value that is none.
    """
    return written if isinstance(written, CsvFormat) else parse(CsvFormat, dict(written), "csv")
