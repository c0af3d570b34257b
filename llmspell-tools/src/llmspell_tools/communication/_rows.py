"""Rows of databases as values of JSON, and parameters on their way there."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import json
import math
from typing import Any

from llmspell_core.errors import LimitError
from llmspell_core.schema import describe
from llmspell_tools._parameters import MAX_SIZE, wrong
from llmspell_tools.communication._sql import Statement

_BATCH = 200
_MOST_INTEGER = 2**63
_LONGEST = 19
#: What a binary number of 64 bits holds of a decimal one, whichever it is.
_EXACT_DIGITS = 15
_Scalar = (str, int, float, bool, bytes, type(None))


def plain(value: Any) -> Any:
    """A value of a column: dates in ISO form, bytes in base64, exact numbers as they are."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return _written(value)


def _written(value: Any) -> Any:
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(bytes(value)).decode("ascii")
    return number(f"{value:f}") if isinstance(value, decimal.Decimal) else str(value)


def number(text: str) -> int | float | str:
    """An exact number as a number where that loses nothing, else as it is written."""
    digits = text.lstrip("-").replace(".", "", 1)
    if not (digits.isascii() and digits.isdigit()):
        return text
    if "." not in text and abs(int(text[:20])) < _MOST_INTEGER and len(text) <= _LONGEST:
        return int(text)
    return float(text) if len(digits.lstrip("0")) <= _EXACT_DIGITS else text


def column_names(given: list[str]) -> list[str]:
    """Each name once: `id`, `id_2` where two columns have one name."""
    names: list[str] = []
    for name in given:
        number, free = 2, name
        while free in names:
            free, number = f"{name}_{number}", number + 1
        names.append(free)
    return names


async def rows_of(tool: str, result: Any, most: int) -> tuple[list[str], list[Any], bool]:
    """(columns, rows as tables, whether there were more) of a streamed or a whole result."""
    keys = result.keys()
    names = column_names([str(name) for name in keys])
    rows: list[dict[str, Any]] = []
    size = 0
    while len(rows) <= most:
        batch = result.fetchmany(min(_BATCH, most + 1 - len(rows)))
        found = await batch if hasattr(batch, "__await__") else batch
        if not found:
            return names, rows, False
        for row in found:
            made = dict(zip(names, map(plain, row), strict=True))
            size += len(json.dumps(made, ensure_ascii=False))
            if size > MAX_SIZE:
                raise LimitError(
                    f"{tool}: the rows take more than {MAX_SIZE // 1024 // 1024} MiB",
                    code="limit.value",
                    hint="ask for fewer columns or rows",
                )
            rows.append(made)
    return names, rows[:most], True


def bound(tool: str, sqlalchemy: Any, statement: Statement, given: Any) -> Any:
    """The statement with its parameters bound: values never become part of its text.

    Args:
        tool: the tool, for errors
        sqlalchemy: the module
        statement: with `:name` for a table of values, `?` or `$1` for a list of them
        given: the values
    """
    values = _values(tool, statement, given)
    pieces, binds, at = [], [], 0
    for index, token in enumerate(statement.found):
        if token.start not in values or token.kind != "param":
            continue
        name, value = values[token.start]
        start, end = _extent(statement, index, several=isinstance(value, list))
        pieces += [_escaped(statement.sql[at:start]), f":{name}"]
        binds.append(_bind(tool, sqlalchemy, name, value))
        at = end
    text = "".join([*pieces, _escaped(statement.sql[at:])])
    # One name may stand in many places and is bound once.
    return sqlalchemy.text(text).bindparams(*{bind.key: bind for bind in binds}.values())


def _extent(statement: Statement, index: int, *, several: bool) -> tuple[int, int]:
    """Where a placeholder begins and ends; a list brings the parentheses around it itself."""
    token = statement.found[index]
    if several and 0 < index < len(statement.found) - 1:
        before, after = statement.found[index - 1], statement.found[index + 1]
        if before.text == "(" and after.text == ")":
            return before.start, after.end
    return token.start, token.end


def _escaped(text: str) -> str:
    # SQLAlchemy looks for names after colons everywhere, also inside of strings.
    return text.replace(":", "\\:")


def _values(tool: str, statement: Statement, given: Any) -> dict[int, tuple[str, Any]]:
    """For each placeholder, by its place: the name and the value that are bound to it."""
    if isinstance(given, dict):
        named = [token for token in statement.parameters if token.text.startswith(":")]
        wanted = {token.text[1:] for token in named}
        missing = sorted(wanted - given.keys())
        unused = sorted(map(str, given.keys() - wanted))
        if missing or unused:
            what = f"has no value for :{missing[0]}" if missing else f"has {unused[0]} too many"
            raise wrong(tool, "params", what)
        return {token.start: (token.text[1:], given[token.text[1:]]) for token in named}
    numbered = [token for token in statement.parameters if token.text.startswith("$")]
    if numbered:
        places = {token.start: int(token.text[1:9]) for token in numbered}
        _check_count(tool, len(given), max(places.values()))
        if min(places.values()) < 1:
            raise wrong(tool, "params", "are counted from $1")
        return {start: (f"p{number}", given[number - 1]) for start, number in places.items()}
    marks = [token for token in statement.parameters if token.text == "?"]
    # PostgreSQL has operators of this name.
    if statement.dialect == "postgresql" and not given:
        marks = []
    _check_count(tool, len(given), len(marks))
    return {
        t.start: (f"p{i}", value) for i, (t, value) in enumerate(zip(marks, given, strict=True))
    }


def _check_count(tool: str, given: int, wanted: int) -> None:
    if given != wanted:
        raise wrong(tool, "params", f"must be {wanted} values for this query, not {given}")


def _bind(tool: str, sqlalchemy: Any, name: str, value: Any) -> Any:
    several = isinstance(value, list)
    for one in value if several else [value]:
        if not isinstance(one, _Scalar):
            raise wrong(tool, "params", f"must hold plain values, not {describe(one)}")
        if isinstance(one, int) and not -_MOST_INTEGER <= one < _MOST_INTEGER:
            raise wrong(tool, "params", "has a number of more than 64 bits")
    # No type of its own: the database knows what the place needs.
    kind = sqlalchemy.types.NullType()
    return sqlalchemy.bindparam(name, value, kind, expanding=several)
