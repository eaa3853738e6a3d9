"""What people call the two classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lifeboat.errors import ParameterError

NO_AND_YES = ("no", "yes")  # class 0 and class 1, where nobody has named them


def names_of_classes(texts: Sequence[Any]) -> tuple[str, str]:
    """What people call class 0 and class 1.

    Args:
        texts: Two different texts, class 0's first; empty: no and yes.

    Raises:
        ParameterError: It is neither.

    >>> names_of_classes(["died", "survived"]), names_of_classes([])
    (('died', 'survived'), ('no', 'yes'))
    """
    names = list(texts or NO_AND_YES)
    if isinstance(texts, str) or len(names) != 2 or not all(isinstance(name, str) and name.strip() for name in names):
        raise ParameterError(
            f"class_names is {texts!r}; it takes two texts, class 0's first, such as [died, survived], or [] for no "
            "and yes. YAML wants quotes around a number and around yes, no, true and false"
        )
    if names[0] == names[1]:
        raise ParameterError(f"class_names is {texts!r}: two classes of one name cannot be told apart; rename one")
    return names[0], names[1]
