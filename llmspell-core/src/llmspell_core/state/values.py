"""State values as JSON text and back, and what may be a key."""

from __future__ import annotations

import json
from typing import Any

from llmspell_core.errors import LLMSpellError, StateError, ValidationError

MAX_KEY = 1024
#: Deeper values would exhaust the stack of whoever reads them.
MAX_DEPTH = 200

# ASCII only, so that text with lone surrogates is stored like any other.
_dumps = json.JSONEncoder(allow_nan=False, check_circular=False, separators=(",", ":")).encode
_SCALARS = frozenset({str, int, bool, type(None)})


def encode(value: Any) -> str:
    """A value as JSON text; ``state.not_json`` says what in it is none."""
    if type(value) not in _SCALARS:
        _check(value, "", MAX_DEPTH)
    return _dumps(value)


def decode(text: str | bytes) -> Any:
    """The value of a JSON text that `encode` made."""
    return json.loads(text)


def copied(value: Any) -> Any:
    """A copy that shares nothing with the value."""
    return value if type(value) in _SCALARS else decode(encode(value))


def check_key(key: Any) -> str:
    """The key, or ``input.invalid``."""
    if isinstance(key, str) and 0 < len(key) <= MAX_KEY:
        return key
    raise ValidationError(f"a state key must be a text of 1 to {MAX_KEY} characters")


def _check(value: Any, where: str, left: int) -> None:
    if value is None or isinstance(value, (str, int)):
        return
    if isinstance(value, float):
        if value - value != 0:
            raise _not_json(f"the number {value}", where)
        return
    if left == 0:
        raise _not_json(f"nesting deeper than {MAX_DEPTH} (or a value that contains itself)", "")
    if isinstance(value, dict):
        for key, one in value.items():
            if not isinstance(key, str):
                raise _not_json(f"a key of type {type(key).__name__}", where)
            _check(one, f"{where}.{key}" if where else key, left - 1)
    elif isinstance(value, (list, tuple)):
        for number, one in enumerate(value):
            _check(one, f"{where}[{number}]", left - 1)
    else:
        what = "a function" if callable(value) else f"a value of type {type(value).__name__}"
        raise _not_json(what, where)


def _not_json(what: str, where: str) -> LLMSpellError:
    place = f" at {where[:200]}" if where else ""
    return StateError(
        f"{what}{place} cannot be kept as state",
        code="state.not_json",
        hint="state holds text, numbers, booleans, lists and tables with text keys",
    )
