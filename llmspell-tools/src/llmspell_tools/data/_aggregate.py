"""Rows in groups, and one value for each group: sum, avg, count, ..."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from typing import Any

from llmspell_core.errors import ToolFailed, ValidationError, did_you_mean
from llmspell_tools._bounded import mistake
from llmspell_tools.data._row_expression import compiled
from llmspell_tools.data._row_values import is_number, key_of, text

Rows = list[dict[str, Any]]


def _numbers(what: str, function: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    def run(values: list[Any]) -> Any:
        wrong = next((value for value in values if not is_number(value)), None)
        if wrong is not None:
            raise ValueError(f"{what} needs numbers, not {text(wrong)[:40]!r}")
        return function(values) if values else None

    return run


def _extreme(function: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    def run(values: list[Any]) -> Any:
        try:
            return function(values) if values else None
        except TypeError:
            raise ValueError("texts and numbers cannot be compared") from None

    return run


def _average(values: list[Any]) -> float:
    return float(statistics.fmean(values))


def _sum(values: list[Any]) -> Any:
    import math

    return sum(values) if all(isinstance(one, int) for one in values) else math.fsum(values)


#: Each of the values of a column that are not null.
AGGREGATES: dict[str, Callable[[list[Any]], Any]] = {
    "count": len,
    "sum": lambda values: _numbers("sum", _sum)(values) or 0,
    "avg": _numbers("avg", _average),
    "min": _extreme(min),
    "max": _extreme(max),
    "median": _numbers("median", statistics.median),
    "stddev": _numbers("stddev", lambda v: statistics.stdev(v) if len(v) > 1 else None),
    "variance": _numbers("variance", lambda v: statistics.variance(v) if len(v) > 1 else None),
    "first": lambda values: values[0] if values else None,
    "last": lambda values: values[-1] if values else None,
    "unique": lambda values: len(set(map(key_of, values))),
    "list": list,
    "join": lambda values: ", ".join(map(text, values)),
}
_SAME = {"mean": "avg", "average": "avg", "std": "stddev", "n_unique": "unique", "collect": "list"}


def groups(rows: Rows, keys: list[str]) -> dict[Any, Rows]:
    """The rows that have the same values under these keys, in order of appearance."""
    found: dict[Any, Rows] = {}
    for row in rows:
        found.setdefault(tuple(key_of(row.get(key)) for key in keys), []).append(row)
    return found


class Aggregator:
    """Compiles `{total = "sum(price)", price = "avg"}` and the like.

    Args:
        tool: the tool, for errors
        field: the parameter it was given as
        given: what to calculate, by name: an aggregate of the column of that name, several of
            them (`price_sum`, `price_avg`), or an expression on the columns
        columns: the columns there are
    """

    def __init__(
        self, tool: str, field: str, given: dict[str, Any], columns: Iterable[str]
    ) -> None:
        self.tool, self.field, self.columns = tool, field, list(columns)
        self.made: list[tuple[str, Callable[[Rows], Any]]] = []
        for name, spec in given.items():
            if isinstance(spec, list):
                for one in spec:
                    self.made.append((f"{name}_{one}", self._column(name, one)))
            elif isinstance(spec, str) and self._name(spec) in AGGREGATES:
                self.made.append((name, self._column(name, spec)))
            elif isinstance(spec, str):
                self.made.append((name, self._expression(spec)))
            else:
                raise self._unknown(spec)

    def __call__(self, rows: Rows) -> dict[str, Any]:
        """The values for one group."""
        return {name: function(rows) for name, function in self.made}

    @staticmethod
    def _name(spec: str) -> str:
        return _SAME.get(spec.strip().lower(), spec.strip().lower())

    def _column(self, column: str, spec: Any) -> Callable[[Rows], Any]:
        function = AGGREGATES.get(self._name(spec)) if isinstance(spec, str) else None
        if function is None:
            raise self._unknown(spec)
        if column not in self.columns and self._name(spec) != "count":
            near = did_you_mean(column, self.columns)
            words = f'names "{column}", which no row has' + (f", {near}" if near else "")
            raise mistake(self.tool, self.field, words)

        def run(rows: Rows) -> Any:
            if column not in self.columns:
                return len(rows)
            values = [row[column] for row in rows if row.get(column) is not None]
            try:
                return function(values)
            except (ValueError, OverflowError) as error:
                raise ToolFailed(f"{self.tool}: {self.field}: {column}: {error}") from None

        return run

    def _expression(self, spec: str) -> Callable[[Rows], Any]:
        evaluate = compiled(self.tool, self.field, spec, [*self.columns, "count"])

        def run(rows: Rows) -> Any:
            scope: dict[str, Any] = {"count": len(rows)}
            scope |= {name: [row.get(name) for row in rows] for name in self.columns}
            return evaluate(scope, 0)

        return run

    def _unknown(self, spec: Any) -> ValidationError:
        names = ", ".join(AGGREGATES)
        near = did_you_mean(spec, list(AGGREGATES)) if isinstance(spec, str) else None
        words = f"has an unknown aggregate {text(spec)[:40]!r}" + (f", {near}" if near else "")
        hint = f"one of {names}, or an expression such as sum(price)"
        return mistake(self.tool, self.field, words, hint=hint)


def aggregate(rows: Rows, keys: list[str], aggregator: Aggregator) -> Rows:
    """One row for each group: its keys, how many rows it has, and its values."""
    if not keys:
        return [{"count": len(rows), **aggregator(rows)}]
    return [
        {**{key: group[0].get(key) for key in keys}, "count": len(group), **aggregator(group)}
        for group in groups(rows, keys).values()
    ]
