"""What rows that come in groups are worth: fewer rows than they are, where a group's rows are alike."""

from __future__ import annotations


def worth_of(n: int, groups: int, share: float, squares: float) -> float:
    """How many rows that stand alone tell as much about a share: n over the design effect (Kish 1965, section 5.4).

    The design effect is the variance of the share as groups differ, over what it would be if each row stood alone.
    Never more than n; where all rows are alike, the number of groups.

    Args:
        n: How many rows.
        groups: How many groups.
        share: The share of ones.
        squares: The sum over the groups of (ones - rows x share) squared.
    """
    alone = share * (1 - share)
    if groups == n:
        return float(n)
    if groups < 2 or alone == 0:
        return float(groups)
    together = squares * groups / (groups - 1) / n
    return min(float(n), n * alone / together) if together > 0 else float(n)
