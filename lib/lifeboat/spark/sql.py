"""Names and texts as SQL takes them."""

from __future__ import annotations

import re


def ticked(name: str) -> str:
    """A column's name: in backticks unless it is one plain word, so that a dot in it is no path."""
    return name if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) else "`" + name.replace("`", "``") + "`"


def quoted(text: str) -> str:
    """A text in quotes."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
