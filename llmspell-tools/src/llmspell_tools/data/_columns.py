"""What the columns of a table are like: types, gaps, different values, statistics."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import Any

from llmspell_tools.data._csv import Table
from llmspell_tools.data._row_values import is_number, text

_MOST_TOP = 5
_LONGEST = 100


def describe(table: Table) -> dict[str, dict[str, Any]]:
    """Each column by name: type, nulls, different values, and what its type allows."""
    return {name: _describe(table, name) for name in table.columns}


def _describe(table: Table, name: str) -> dict[str, Any]:
    values = [row[name] for row in table.rows]
    filled = [value for value in values if value is not None]
    counts = Counter(map(_key, filled))
    kind = table.types[name]
    found: dict[str, Any] = {
        "type": kind,
        "count": len(filled),
        "nulls": len(values) - len(filled),
        "unique": len(counts),
    }
    if kind in ("integer", "number") and filled:
        found |= _numbers(filled)
    elif filled:
        texts = [text(value) for value in filled]
        if kind != "boolean":
            found |= {"min": _short(min(texts)), "max": _short(max(texts))}
        found["max_length"] = max(map(len, texts))
        top = counts.most_common(_MOST_TOP)
        found["top"] = [{"value": _short(text(value)), "count": count} for value, count in top]
    return found


def _key(value: Any) -> Any:
    return value if isinstance(value, (str, int, float)) else text(value)


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}..."


def _numbers(values: list[Any]) -> dict[str, Any]:
    numbers = [value for value in values if is_number(value)]
    return {
        "min": min(numbers),
        "max": max(numbers),
        "mean": statistics.fmean(numbers),
        "median": statistics.median(numbers),
        "stddev": statistics.stdev(numbers) if len(numbers) > 1 else None,
        "sum": sum(numbers),
    }
