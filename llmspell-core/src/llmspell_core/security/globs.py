"""Globs over paths, compared name by name: in time by the product of the lengths, never more."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from operator import or_


def reached(pattern: Sequence[str], names: Sequence[str]) -> list[bool]:
    """For each number of names whether the pattern fits that many of the first ones.

    A part `**` is any names, none included; at the end at least one.
    """
    fit = [True, *([False] * len(names))]
    for number, part in enumerate(pattern):
        if part == "**":
            before = list(accumulate(fit, or_))
            fit = [False, *before[:-1]] if number == len(pattern) - 1 else before
        else:
            fit = [False, *(r and fits(part, n) for r, n in zip(fit, names, strict=False))]
        if True not in fit:
            break
    return fit


def fits(part: str, name: str) -> bool:
    """Whether a name fits a part of a pattern: `*` is any signs, `?` one."""
    at = start = 0
    star = -1
    taken = 0
    while start < len(name):
        sign = part[at : at + 1]
        if sign == "*":
            star, taken, at = at, start, at + 1
        elif sign in ("?", name[start]):
            at, start = at + 1, start + 1
        elif star >= 0:
            taken += 1
            at, start = star + 1, taken
        else:
            return False
    return not part[at:].strip("*")
