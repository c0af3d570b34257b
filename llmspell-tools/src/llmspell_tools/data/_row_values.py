"""Operators of expressions on rows: numbers as in arithmetic, and texts, lists, tables, null."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from llmspell_tools.util._arithmetic import BINARY, MathError
from llmspell_tools.util._arithmetic import compare as compare_numbers

MAX_TEXT = 1_048_576
#: A value counts as so many characters.
_VALUE = 16
_KINDS = {str: "text", dict: "table", list: "list", bool: "boolean", type(None): "null"}


def kind(value: Any) -> str:
    """What a value is, in a user's words."""
    return _KINDS.get(type(value), "number")


def text(value: Any) -> str:
    """A value as it is read."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def bounded_text(value: str) -> str:
    """The text itself when it is not too long."""
    if len(value) > MAX_TEXT:
        raise MathError(f"a text is longer than {MAX_TEXT} characters")
    return value


def truth(value: Any) -> bool:
    """Null, false, 0, and what is empty are false."""
    return bool(value)


def is_number(value: Any) -> bool:
    """A number, or a boolean, which counts as 1 or 0."""
    return isinstance(value, (int, float))


def compare(op: str, left: Any, right: Any) -> bool:
    """One comparison; null is below or above nothing."""
    if op in ("==", "!="):
        return same(left, right) == (op == "==")
    if op in ("in", "not in"):
        return contains(right, left) == (op == "in")
    if left is None or right is None:
        return False
    if isinstance(left, str) and isinstance(right, str):
        return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[op]
    if is_number(left) and is_number(right):
        return compare_numbers(op, left, right)
    raise MathError(f"cannot compare a {kind(left)} with a {kind(right)}")


def same(left: Any, right: Any) -> bool:
    """Whether two values are equal; true is not 1."""
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def key_of(value: Any) -> Any:
    """Something that can be a key of a dict and is the same for equal values."""
    if isinstance(value, (dict, list)):
        return json.dumps(value, sort_keys=True, default=str)
    return (isinstance(value, bool), value)


def contains(whole: Any, part: Any) -> bool:
    """Whether a text has a part, a list an item, a table a key."""
    if isinstance(whole, str):
        return text(part) in whole
    if isinstance(whole, list):
        return any(same(item, part) for item in whole)
    if isinstance(whole, dict):
        return part in whole if isinstance(part, str) else False
    if whole is None:
        return False
    raise MathError(f"a {kind(whole)} contains nothing")


def pick(value: Any, key: Any) -> Any:
    """`value.key`, `value[key]`; null where there is none. Lists count from 0."""
    if isinstance(value, dict):
        return value.get(key) if isinstance(key, str) else value.get(text(key))
    if isinstance(value, (list, str)) and isinstance(key, int):
        return value[key] if -len(value) <= key < len(value) else None
    if value is None:
        return None
    raise MathError(f"a {kind(value)} has no field {text(key)!r}")


def _operator(op: str) -> Callable[[Any, Any], Any]:
    arithmetic = BINARY[op]

    def run(left: Any, right: Any) -> Any:
        if left is None or right is None:
            return None
        if is_number(left) and is_number(right):
            return arithmetic(left, right)
        if op == "+":
            if isinstance(left, list) and isinstance(right, list):
                return [*left, *right]
            if isinstance(left, str) or isinstance(right, str):
                return bounded_text(text(left) + text(right))
        raise MathError(f"{op} cannot be used on a {kind(left)} and a {kind(right)}")

    return run


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {op: _operator(op) for op in BINARY}


def measure(value: Any, left: int) -> int:
    """What is left of a number of characters, negative when it is too much.

    A list that holds another many times is as large as when it is written down.
    """
    pending = [value]
    while pending and left >= 0:
        one = pending.pop()
        left -= _VALUE + len(one) if isinstance(one, str) else _VALUE
        if left >= 0 and isinstance(one, list):
            pending.extend(one)
        elif left >= 0 and isinstance(one, dict):
            pending.extend(one.values())
    return left
