"""The functions of expressions on rows: those of arithmetic, and on texts, lists and null."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from llmspell_core.errors import ValidationError
from llmspell_tools.data._row_values import (
    MAX_TEXT,
    bounded_text,
    contains,
    is_number,
    key_of,
    kind,
    text,
)
from llmspell_tools.util._arithmetic import MathError
from llmspell_tools.util._functions import FUNCTIONS, Function

_MANY = 1_000


@dataclass(frozen=True, slots=True)
class RowFunction:
    """A function of any values."""

    name: str
    least: int
    most: int
    body: Callable[..., Any]

    def arity_mistake(self, count: int) -> str:
        """What is wrong with this number of arguments, "" when nothing is."""
        return Function(self.name, "", self.least, self.most, self.body).arity_mistake(count)

    def __call__(self, values: Sequence[Any]) -> Any:
        return self.body(*values)


@dataclass(frozen=True, slots=True)
class _Numeric:
    """A function of arithmetic: null gives null, and lists leave it out."""

    inner: Function

    @property
    def name(self) -> str:
        return self.inner.name

    def arity_mistake(self, count: int) -> str:
        return self.inner.arity_mistake(count)

    def __call__(self, values: Sequence[Any]) -> Any:
        if self.inner.takes_lists:
            found = [one for one in _flat(values) if one is not None]
            if not found:
                return 0 if self.name in ("sum", "count") else None
            if self.name == "count":
                return len(found)
            if self.name in ("min", "max") and all(isinstance(one, str) for one in found):
                return min(found) if self.name == "min" else max(found)
            return self.inner(self._checked(found))
        if any(value is None for value in values):
            return None
        return self.inner(self._checked(values))

    def _checked(self, values: Sequence[Any]) -> list[Any]:
        for value in values:
            if not is_number(value):
                raise MathError(f"{self.name} needs numbers, not a {kind(value)}")
        return list(values)


def _flat(values: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        found += value if isinstance(value, list) else [value]
    return found


def _texts(function: Callable[..., Any]) -> Callable[..., Any]:
    """Of a text first; null stays null."""

    def run(value: Any, *more: Any) -> Any:
        return None if value is None else function(text(value), *more)

    return run


def _length(value: Any) -> int:
    if value is None:
        return 0
    return len(value) if isinstance(value, (str, list, dict)) else len(text(value))


def _replace(value: str, old: Any, new: Any) -> str:
    before, after = text(old), text(new)
    if not before:
        return value
    if len(value) + value.count(before) * (len(after) - len(before)) > MAX_TEXT:
        raise MathError(f"a text is longer than {MAX_TEXT} characters")
    return value.replace(before, after)


def _substring(value: str, start: Any, length: Any = None) -> str:
    first = _whole(start)
    if length is None:
        return value[first:]
    return value[first:][: max(0, _whole(length))]


def _whole(value: Any) -> int:
    if not is_number(value) or int(value) != value:
        raise MathError(f"a whole number is needed here, not a {kind(value)}")
    return int(value)


def _split(value: str, separator: Any = " ") -> list[str]:
    by = text(separator)
    return value.split(by) if by else list(value)


def _join(values: Any, separator: Any = ", ") -> str:
    if not isinstance(values, list):
        raise MathError(f"join needs a list, not a {kind(values)}")
    return bounded_text(text(separator).join(map(text, values)))


def _number(value: Any) -> Any:
    if value is None or isinstance(value, (int, float)):
        return int(value) if isinstance(value, bool) else value
    word = text(value).strip()
    try:
        return int(word)
    except ValueError:
        pass
    try:
        made = float(word)
    except ValueError:
        return None
    return made if abs(made) < float("inf") else None


def _matches(value: str, pattern: Any) -> bool:
    return _pattern(text(pattern)).first(value) is not None


@functools.lru_cache(maxsize=64)
def _pattern(given: str) -> Any:
    from llmspell_tools._regex import Pattern

    try:
        return Pattern("matches", "pattern", given)
    except ValidationError as error:
        raise MathError(error.message) from None


def _coalesce(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _at(values: Any, index: int) -> Any:
    return values[index] if isinstance(values, (list, str)) and values else None


def _unique(values: Any) -> list[Any]:
    found = {key_of(value): value for value in reversed(values)} if isinstance(values, list) else {}
    return list(found.values())[::-1] if isinstance(values, list) else [values]


_OWN: tuple[tuple[str, int, int, Callable[..., Any]], ...] = (
    ("lower", 1, 1, _texts(str.lower)),
    ("upper", 1, 1, _texts(str.upper)),
    ("title", 1, 1, _texts(str.title)),
    ("trim", 1, 1, _texts(str.strip)),
    ("length", 1, 1, _length),
    ("len", 1, 1, _length),
    ("contains", 2, 2, contains),
    ("starts_with", 2, 2, _texts(lambda value, part: value.startswith(text(part)))),
    ("ends_with", 2, 2, _texts(lambda value, part: value.endswith(text(part)))),
    ("replace", 3, 3, _texts(_replace)),
    ("substring", 2, 3, _texts(_substring)),
    ("split", 1, 2, _texts(_split)),
    ("join", 1, 2, _join),
    ("concat", 1, _MANY, lambda *values: bounded_text("".join(map(text, values)))),
    ("matches", 2, 2, _texts(_matches)),
    ("text", 1, 1, text),
    ("number", 1, 1, _number),
    ("coalesce", 1, _MANY, _coalesce),
    ("is_null", 1, 1, lambda value: value is None),
    ("is_number", 1, 1, lambda value: is_number(value) and not isinstance(value, bool)),
    ("is_text", 1, 1, lambda value: isinstance(value, str)),
    ("type", 1, 1, kind),
    ("first", 1, 1, lambda values: _at(values, 0)),
    ("last", 1, 1, lambda values: _at(values, -1)),
    ("unique", 1, 1, _unique),
    ("keys", 1, 1, lambda value: list(value) if isinstance(value, dict) else []),
)

ROW_FUNCTIONS: dict[str, Any] = {
    **{
        name: function if name == "if" else _Numeric(function)
        for name, function in FUNCTIONS.items()
    },
    **{name: RowFunction(name, least, most, body) for name, least, most, body in _OWN},
}
