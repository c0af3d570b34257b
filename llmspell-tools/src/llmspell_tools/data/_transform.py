"""The steps of `data-transformer` that keep rows rows: choosing, making, sorting, grouping."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from llmspell_core.schema import describe
from llmspell_tools.data._aggregate import Aggregator, aggregate
from llmspell_tools.data._row_functions import ROW_FUNCTIONS
from llmspell_tools.data._row_values import key_of, text, truth
from llmspell_tools.data._shapes import join, pivot, unpivot
from llmspell_tools.data._steps import Rows, Work


async def transform(work: Work) -> Rows:
    """Do the current step."""
    slow = _CALLING.get(work.step.type)
    if slow is not None:
        return await slow(work)
    return await asyncio.to_thread(_PLAIN[work.step.type], work)


async def _filter(work: Work) -> Rows:
    given = work.step.expression
    work.need(where=given)
    if isinstance(given, dict):
        work.known("where", given)
        wanted = {name: key_of(value) for name, value in given.items()}
        return [
            row
            for row in work.rows
            if all(key_of(row.get(name)) == value for name, value in wanted.items())
        ]
    keep = await work.each(given, "where")
    return [row for row, yes in zip(work.rows, keep, strict=True) if truth(yes)]


async def _map(work: Work) -> Rows:
    given = work.step.expression
    if given is None:
        given = work.step.fields
    work.need(expression=given)
    return (
        await _made(work, given)
        if isinstance(given, dict)
        else await work.each(given, "expression")
    )


async def _extend(work: Work) -> Rows:
    given = work.step.fields
    if given is None:
        given = work.step.expression
    work.need(fields=given)
    if not isinstance(given, dict):
        raise work.wrong("fields", "must be a table: expressions or functions by name")
    work.columns()
    made = await _made(work, given)
    return [{**row, **more} for row, more in zip(work.rows, made, strict=True)]


async def _made(work: Work, given: dict[str, Any]) -> Rows:
    columns = [
        await work.each(one, f"fields.{name}")
        if isinstance(one, str) or callable(one)
        else [one] * len(work.rows)
        for name, one in given.items()
    ]
    if not columns:
        return [{} for _ in work.rows]
    return [dict(zip(given, values, strict=True)) for values in zip(*columns, strict=True)]


async def _sort(work: Work) -> Rows:
    step = work.step
    rows = list(work.rows)
    if step.expression is not None:
        keys = await work.each(step.expression, "expression")
        order = sorted(range(len(rows)), key=lambda n: _rank(keys[n]), reverse=step.descending)
        return [rows[n] for n in order]
    names = step.by or _names(work, "by")
    if not names:
        return sorted(rows, key=_rank, reverse=step.descending)
    # From the last name to the first: each sort keeps the order of equals.
    for given in reversed(names):
        falls = given.startswith("-") or given.endswith((" desc", " DESC"))
        name = given.lstrip("-+").removesuffix(" desc").removesuffix(" DESC").removesuffix(" asc")
        work.known("by", [name])
        rows.sort(key=_by(name), reverse=falls != step.descending)
    return rows


def _by(name: str) -> Callable[[Any], Any]:
    return lambda row: _rank(row.get(name))


def _rank(value: Any) -> Any:
    """Numbers before texts before the rest; null last."""
    if value is None:
        return (3, 0)
    if isinstance(value, (int, float)):
        return (0, value)
    return (1, value) if isinstance(value, str) else (2, text(value))


def _names(work: Work, field: str = "fields") -> list[str]:
    given = work.step.fields
    names = [given] if isinstance(given, str) else given or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise work.wrong(field, f"must be a list of names, not {describe(given)}")
    return names


def _select(work: Work) -> Rows:
    if isinstance(work.step.fields, dict):
        work.known("fields", [one for one in work.step.fields.values() if isinstance(one, str)])
        given = work.step.fields.items()
        return [{new: row.get(old) for new, old in given} for row in work.rows]
    names = work.known("fields", _names(work))
    work.need(fields=names)
    return [{name: row.get(name) for name in names} for row in work.rows]


def _drop(work: Work) -> Rows:
    work.columns()
    names = set(_names(work))
    work.need(fields=names)
    return [{name: one for name, one in row.items() if name not in names} for row in work.rows]


def _rename(work: Work) -> Rows:
    new = work.step.fields
    work.need(fields=new)
    if not isinstance(new, dict) or not all(isinstance(one, str) for one in new.values()):
        raise work.wrong("fields", "must be a table: new names by old ones")
    work.known("fields", new)
    return [{new.get(name, name): one for name, one in row.items()} for row in work.rows]


def _group(work: Work) -> Rows:
    step = work.step
    keys = step.by or _names(work, "by")
    if step.type == "group_by":
        work.need(by=keys)
    work.known("by", keys)
    aggregator = Aggregator(
        "data-transformer", work.place("aggregations"), step.aggregations, work.columns()
    )
    return aggregate(work.rows, keys, aggregator)


def _dedupe(work: Work) -> Rows:
    names = work.step.by or _names(work, "by")
    if names:
        work.known("by", names)
    seen: dict[Any, Any] = {}
    for row in work.rows:
        key = tuple(key_of(row.get(name)) for name in names) if names else key_of(row)
        seen.setdefault(key, row)
    return list(seen.values())


def _limit(work: Work) -> Rows:
    work.need(count=work.step.count)
    return work.rows[: work.step.count]


def _skip(work: Work) -> Rows:
    work.need(count=work.step.count)
    return work.rows[work.step.count :]


def _explode(work: Work) -> Rows:
    names = _names(work)
    if not names:
        flat = [item for row in work.rows for item in (row if isinstance(row, list) else [row])]
        work.bounded(len(flat))
        return flat
    work.known("fields", names)
    made: Rows = []
    for row in work.rows:
        value = row.get(names[0])
        # A row with an empty list stays, as elsewhere.
        items = (value or [None]) if isinstance(value, list) else [value]
        made += [{**row, names[0]: item} for item in items]
        work.bounded(len(made))
    return made


def _fill(work: Work) -> Rows:
    columns = work.columns()
    given = work.step.fields
    if isinstance(given, dict):
        values = given
    else:
        values = dict.fromkeys(_names(work) or columns, work.step.value)
    return [
        {**row, **{name: one for name, one in values.items() if row.get(name) is None}}
        for row in work.rows
    ]


def _integer(value: Any) -> int | None:
    number = ROW_FUNCTIONS["number"].body(value)
    return None if number is None else int(number)


def _boolean(value: Any) -> bool | None:
    if isinstance(value, str):
        return _BOOLEANS.get(value.strip().lower())
    return None if value is None else truth(value)


_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

_CASTS: dict[str, Callable[[Any], Any]] = {
    "number": ROW_FUNCTIONS["number"].body,
    "float": ROW_FUNCTIONS["number"].body,
    "integer": _integer,
    "string": lambda value: None if value is None else text(value),
    "boolean": _boolean,
}
_CASTS |= {"int": _CASTS["integer"], "text": _CASTS["string"], "bool": _CASTS["boolean"]}


def _cast(work: Work) -> Rows:
    given = work.step.fields
    work.need(fields=given)
    if not isinstance(given, dict):
        raise work.wrong("fields", "must be a table: types by name")
    work.known("fields", given)
    for name, kind in given.items():
        if kind not in _CASTS:
            raise work.wrong(f"fields.{name}", f"must be one of {', '.join(_CASTS)}")
    return [
        {**row, **{name: _CASTS[kind](row.get(name)) for name, kind in given.items()}}
        for row in work.rows
    ]


_CALLING: dict[str, Callable[[Work], Awaitable[Rows]]] = {
    "filter": _filter,
    "map": _map,
    "extend": _extend,
    "sort": _sort,
}
_PLAIN: dict[str, Callable[[Work], Rows]] = {
    "select": _select,
    "drop": _drop,
    "rename": _rename,
    "group_by": _group,
    "aggregate": _group,
    "join": join,
    "pivot": pivot,
    "unpivot": unpivot,
    "dedupe": _dedupe,
    "limit": _limit,
    "skip": _skip,
    "reverse": lambda work: work.rows[::-1],
    "explode": _explode,
    "fill": _fill,
    "cast": _cast,
}
