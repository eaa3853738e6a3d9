"""A code of six letters and digits to read out, which says which checks failed; a misheard one is refused."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Crockford's letters, which leave out those that look like a digit, and no V, which sounds like B. They are 31, a
# prime number: so the last letter differs whenever one other is misheard, or any two are exchanged.
LETTERS = "0123456789ABCDEFGHJKMNPQRSTWXYZ"
BASE = len(LETTERS)
MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})
VERSION = 1  # of the list of checks: a longer list keeps it, another order is another version
DIGITS = 4  # between the version and the last letter
LENGTH = 1 + DIGITS + 1


class CodeError(ValueError):
    """A text is no code, or was misheard."""


def encode(failed: Iterable[int], all_tried: bool) -> str:
    """The code for the numbers of the checks that failed.

    Args:
        failed: Numbers of checks, from 0.
        all_tried: Whether every check was tried.

    Returns:
        Such as ``106-B0M``.
    """
    number = 0 if all_tried else 1
    for check in failed:
        number |= 2 << check
    if number >= BASE**DIGITS:
        raise ValueError(f"a code has no room for check {number.bit_length() - 2}")
    values = [VERSION, *(number // BASE**power % BASE for power in reversed(range(DIGITS)))]
    text = "".join(LETTERS[value] for value in [*values, _last(values)])
    return f"{text[:3]}-{text[3:]}"


def decode(code: str, checks: int) -> tuple[list[int], bool]:
    """The numbers of the checks that failed, and whether all were tried.

    Args:
        code: As it was heard: small letters, blanks, hyphens, and O, I and L for 0 and 1 do no harm.
        checks: How many checks there are.

    Raises:
        CodeError: It is no code; the message says how to go on.
    """
    text = "".join(letter for letter in code.upper() if letter not in " -\t").translate(MISREAD)
    if len(text) != LENGTH:
        raise CodeError(f"{code!r} is no code: it has {len(text)} letters and digits, a code has {LENGTH}: {_EXAMPLE}")
    for letter in text:
        if letter not in LETTERS:
            raise CodeError(f"{code!r} is no code: no code has a {letter!r}; listen for another letter: {_EXAMPLE}")
    values = [LETTERS.index(letter) for letter in text]
    if _last(values[:-1]) != values[-1]:
        raise CodeError(f"{code!r} was misheard: its last letter does not fit the others. Have it read out once more.")
    if values[0] != VERSION:
        raise CodeError(f"{code!r} is of another version of Lifeboat: decode it where its first digit is written.")
    number = 0
    for value in values[1:-1]:
        number = number * BASE + value
    if number >= 2 << checks:
        raise CodeError(f"{code!r} is of a later version of Lifeboat, which has more than {checks} checks: update this")
    return [check for check in range(checks) if number & 2 << check], not number & 1


def _last(values: list[int]) -> int:
    return sum(weight * value for weight, value in enumerate(values, 1)) % BASE


_EXAMPLE = f"it looks like {encode([], True)}"
