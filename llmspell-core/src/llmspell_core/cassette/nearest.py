"""Why a request was not recorded: the recording that is most like it, and the difference."""

from __future__ import annotations

import json
from typing import Any

#: Differences that are shown, and characters of a value around the first that differs.
MOST_SHOWN = 6
AROUND = 60
BEFORE = 12
#: Recordings that are compared: each is walked as a whole.
MOST_COMPARED = 500


def nearest(form: dict[str, Any], others: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The one of the others that has most in common, or None when there is none."""
    asked = leaves(form)
    best, most = None, -1.0
    for other in others[-MOST_COMPARED:]:
        found = leaves(other)
        same = sum(found.get(path, _ABSENT) == value for path, value in asked.items())
        share = same / max(len(asked), len(found), 1)
        if share > most:
            best, most = other, share
    return best


def difference(recorded: dict[str, Any], asked: dict[str, Any]) -> list[str]:
    """A line for each value that differs, the first ones."""
    old, new = leaves(recorded), leaves(asked)
    lines = []
    for path in [*new, *(one for one in old if one not in new)]:
        before, after = old.get(path, _ABSENT), new.get(path, _ABSENT)
        if before != after:
            lines.append(f"{path or 'it'}: {_both(before, after)}")
    more = len(lines) - MOST_SHOWN
    return [*lines[:MOST_SHOWN], *([f"and {more} more"] if more > 0 else [])]


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Every value that is neither a list nor a table, by its path."""
    if isinstance(value, dict) and value:
        inner = ((f"{path}.{key}" if path else str(key), one) for key, one in value.items())
    elif isinstance(value, list) and value:
        inner = ((f"{path}[{index}]", one) for index, one in enumerate(value))
    else:
        return {path: value}
    found: dict[str, Any] = {}
    for name, one in inner:
        found.update(leaves(one, name))
    return found


_ABSENT = object()


def _both(before: Any, after: Any) -> str:
    if before is _ABSENT:
        return f"asked {_show(after)}, nothing recorded"
    if after is _ABSENT:
        return f"recorded {_show(before)}, nothing asked"
    at = _first_difference(before, after)
    return f"recorded {_show(before, at)}, asked {_show(after, at)}"


def _first_difference(before: Any, after: Any) -> int:
    if not (isinstance(before, str) and isinstance(after, str)):
        return 0
    pairs = zip(before, after, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(before), len(after)))


def _show(value: Any, at: int = 0) -> str:
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    start = max(0, at - BEFORE) if len(value) > AROUND else 0
    text = value[start : start + AROUND]
    front = "..." if start else ""
    back = "..." if start + AROUND < len(value) else ""
    return f"{front}{json.dumps(text, ensure_ascii=False)}{back}"
