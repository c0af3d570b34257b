"""How much a template may make: the count of a rendering, and checks before it grows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from llmspell_core.errors import LimitError

MAX_STEPS = 200_000
MAX_RESULT = 8 * 1024 * 1024
_MOST_DIGITS = 4000
_WIDEST = 10_000
_FORMAT_WIDTH = re.compile(r"%[^%a-zA-Z]*?(\d{5,}|\*)")


class Meter:
    """Counts what one rendering does."""

    __slots__ = ("made", "steps")

    def __init__(self) -> None:
        self.steps = 0
        self.made = 0

    def step(self, count: int = 1) -> None:
        """Count steps; `limit.template_steps` when there are too many."""
        self.steps += count
        if self.steps > MAX_STEPS:
            raise LimitError(
                f"the template takes more than {MAX_STEPS} steps", code="limit.template_steps"
            )

    def grow(self, size: int) -> None:
        """Count characters of the result."""
        self.made += size
        check_size(self.made)


def check_size(size: int) -> None:
    """`limit.template_size` for a text or list that is too large."""
    if size > MAX_RESULT:
        raise LimitError(
            f"the template makes more than {MAX_RESULT // 1024 // 1024} MiB",
            code="limit.template_size",
        )


def weight(value: Any) -> int:
    """The steps that handling a value counts as."""
    return 1 + (len(value) // 16 if isinstance(value, (str, list, tuple, Mapping)) else 0)


def check_operands(operator: str, left: Any, right: Any) -> None:
    """`limit.template_size` for an operation whose result would be too large."""
    if operator == "%" and isinstance(left, str):
        _check_format(left)
    elif operator == "*":
        _check_product(left, right)
    elif operator == "+" and isinstance(left, (str, list, tuple)):
        check_size(len(left) + (len(right) if isinstance(right, (str, list, tuple)) else 0))
    elif operator == "**":
        _check_power(left, right)


def _check_product(left: Any, right: Any) -> None:
    for many, times in ((left, right), (right, left)):
        if isinstance(many, (str, list, tuple)) and isinstance(times, int):
            check_size(len(many) * max(0, times))
    if isinstance(left, int) and isinstance(right, int):
        _check_bits(left.bit_length() + right.bit_length())


def _check_power(left: Any, right: Any) -> None:
    if isinstance(left, int) and isinstance(right, int) and right > 0:
        _check_bits(left.bit_length() * right)


def _check_bits(bits: int) -> None:
    if bits > _MOST_DIGITS * 3:
        raise LimitError("a number has too many digits", code="limit.template_size")


def _check_format(text: Any, *_: Any, **__: Any) -> None:
    if _FORMAT_WIDTH.search(str(text)):
        raise LimitError("a format is too wide", code="limit.template_size")


def _check_width(_: Any, width: Any = 80, *__: Any, **___: Any) -> None:
    if isinstance(width, (int, float)) and width > _WIDEST:
        raise LimitError(f"a width is limited to {_WIDEST}", code="limit.template_size")


def _check_indent(text: Any, width: Any = 4, *_: Any, **__: Any) -> None:
    lines = str(text).count("\n") + 1
    check_size(len(str(text)) + lines * (width if isinstance(width, int) else len(str(width))))


def _check_replace(text: Any, old: Any, new: Any, *_: Any, **__: Any) -> None:
    found = str(text).count(str(old)) if str(old) else len(str(text)) + 1
    check_size(len(str(text)) + found * len(str(new)))


def _check_join(values: Any, separator: Any = "", *_: Any, **__: Any) -> None:
    if isinstance(values, (list, tuple)):
        size = sum(len(value) for value in values if isinstance(value, str))
        check_size(size + len(values) * len(str(separator)))


#: Filters that make more than they are given -> what looks at their arguments first.
CHECKS: dict[str, Callable[..., None]] = {
    "batch": _check_width,
    "center": _check_width,
    "format": _check_format,
    "indent": _check_indent,
    "join": _check_join,
    "replace": _check_replace,
    "slice": _check_width,
    "tojson": lambda _value, indent=None: _check_width(_value, indent or 0),
}
