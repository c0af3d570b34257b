"""What a configuration file may hold: bounds on its text and its data, whoever wrote it."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from typing import Any

MOST_BYTES = 1024 * 1024
MOST_VALUES = 10_000
MOST_DEPTH = 64
_INTEGER_BITS = 64
#: A key or a text of a TOML line; a text that does not end goes on to the end of the line.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|\'[^\']*\'?|[A-Za-z0-9_-]+|[ \t]+|.')

Path = tuple[str, ...]


class OutOfBoundsError(Exception):
    """A value that a configuration cannot hold, and its place."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


def line_of_long_key(text: str) -> int | None:
    """The line of a dotted key with more than `MOST_DEPTH` parts, which a parser is slow at."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > MOST_DEPTH and _longest_key(line) > MOST_DEPTH:
            return number
    return None


def _longest_key(line: str) -> int:
    longest = parts = 0
    after_dot = True
    for match in _TOKEN.finditer(line):
        sign = match[0]
        if sign.isspace():
            continue
        if sign == ".":
            after_dot = True
        elif sign[0] in "\"'_-" or sign.isalnum() or len(sign) > 1:
            parts = parts + 1 if after_dot else 1
            longest, after_dot = max(longest, parts), False
        else:
            parts, after_dot = 0, False
    return longest


def plain(data: Any) -> Any:
    """Data with text for dates and for keys: what JSON can hold. Raises `OutOfBoundsError`.

    What a file refers to twice counts twice, so that references to references stay bounded.
    """
    return _Plain().value(data, ())


class _Plain:
    def __init__(self) -> None:
        self._left = MOST_VALUES

    def value(self, value: Any, path: Path, depth: int = 0) -> Any:
        self._left -= 1
        if self._left < 0:
            raise OutOfBoundsError((), f"has more than {MOST_VALUES:,} values")
        if isinstance(value, (dict, list)):
            if depth >= MOST_DEPTH:
                raise OutOfBoundsError(path[:4], f"is nested deeper than {MOST_DEPTH} levels")
            return self._inner(value, path, depth + 1)
        for kind, check in _CHECKS:
            if isinstance(value, kind) and (wrong := check(value)):
                raise OutOfBoundsError(path, wrong)
        return value.isoformat() if isinstance(value, (dt.date, dt.time)) else value

    def _inner(self, value: Any, path: Path, depth: int) -> Any:
        if isinstance(value, list):
            return [self.value(one, path, depth) for one in value]
        found = {}
        for key, inner in value.items():
            name = str(key)
            if wrong := _text(name):
                raise OutOfBoundsError(path, f"has a key that {wrong}")
            found[name] = self.value(inner, (*path, name), depth)
        return found


def _text(value: str) -> str:
    if "\0" in value:
        return "holds a NUL character"
    if any("\ud800" <= sign <= "\udfff" for sign in value):
        return "holds half of a character"
    return ""


def _whole(value: int) -> str:
    return "is a number beyond 64 bits" if value.bit_length() > _INTEGER_BITS else ""


def _number(value: float) -> str:
    return "" if math.isfinite(value) else f"{value} is no number that a setting can have"


_CHECKS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (str, _text),
    (int, _whole),
    (float, _number),
)
