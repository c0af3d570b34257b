"""Steps of `data-transformer` that change the shape of the table: join, pivot, unpivot."""

from __future__ import annotations

from typing import Any

from llmspell_tools.data._aggregate import AGGREGATES, groups
from llmspell_tools.data._row_values import key_of, text
from llmspell_tools.data._steps import Rows, Work

_MAX_COLUMNS = 1_000
#: So many cells count as a row.
_MANY = 20


def join(work: Work) -> Rows:
    """Rows with the rows of another list that have the same values."""
    step = work.step
    other = step.with_
    if not isinstance(other, list) or not all(isinstance(row, dict) for row in other):
        raise work.wrong("with", "must be a list of tables")
    left_on, right_on = step.left_on or step.on, step.right_on or step.on
    if not left_on or len(left_on) != len(right_on):
        raise work.wrong("on", "is required: the names that must be the same")
    work.known("on", left_on)
    return _Join(work, left_on, right_on).rows()


class _Join:
    def __init__(self, work: Work, left_on: list[str], right_on: list[str]) -> None:
        self.work, self.left_on = work, left_on
        self.other: list[dict[str, Any]] = work.step.with_
        self.partners = groups(self.other, right_on)
        self.left = work.columns()
        self.right = list({name: None for row in self.other for name in row})
        shared = {name for name, one in zip(right_on, left_on, strict=True) if name == one}
        self.names = {
            name: f"{name}_right" if name in self.left else name
            for name in self.right
            if name not in shared
        }
        self.shared = shared

    def rows(self) -> Rows:
        how = self.work.step.how
        made: Rows = []
        met: set[Any] = set()
        for row in self.work.rows:
            key = tuple(key_of(row.get(name)) for name in self.left_on)
            found = self.partners.get(key, [])
            met.add(key)
            if how in ("semi", "anti"):
                made += [row] if bool(found) == (how == "semi") else []
                continue
            made += [self._both(row, one) for one in found]
            if not found and how in ("left", "full"):
                made.append(self._both(row, {}))
            self.work.bounded(len(made))
        if how in ("right", "full"):
            for key, found in self.partners.items():
                made += [self._both({}, one) for one in found if key not in met]
        return made

    def _both(self, row: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
        made = {name: row.get(name) for name in self.left}
        if not row:
            made |= {name: other.get(name) for name in self.shared}
        return made | {new: other.get(name) for name, new in self.names.items()}


def pivot(work: Work) -> Rows:
    """One row for each `index`, one column for each value of `fields`."""
    step = work.step
    column = step.fields[0] if isinstance(step.fields, list) and step.fields else step.fields
    work.need(index=step.index, columns=column, values=step.values)
    if not isinstance(column, str):
        raise work.wrong("columns", "must be a name")
    values_of = step.values or ""
    work.known("columns", [column])
    work.known("values", [values_of])
    work.known("index", step.index)
    function = AGGREGATES.get({"mean": "avg"}.get(step.aggregate, step.aggregate))
    if function is None:
        raise work.wrong("aggregate", f"must be one of {', '.join(AGGREGATES)}")
    names = {text(row.get(column)): None for row in work.rows}
    if len(names) > _MAX_COLUMNS:
        raise work.wrong("columns", f"has more than {_MAX_COLUMNS} different values")
    parts = groups(work.rows, step.index)
    work.bounded(len(parts) * max(len(names) // _MANY, 1))
    made = []
    for group in parts.values():
        cells: dict[str, list[Any]] = {name: [] for name in names}
        for row in group:
            if row.get(values_of) is not None:
                cells[text(row.get(column))].append(row[values_of])
        try:
            values = {name: function(found) if found else None for name, found in cells.items()}
        except (ValueError, OverflowError) as error:
            raise work.wrong("values", str(error)) from None
        made.append({**{name: group[0].get(name) for name in step.index}, **values})
    return made


def unpivot(work: Work) -> Rows:
    """One row for each value of the other columns."""
    step = work.step
    work.need(index=step.index)
    work.known("index", step.index)
    columns = step.fields or [name for name in work.columns() if name not in step.index]
    if not isinstance(columns, list):
        raise work.wrong("columns", "must be a list of names")
    work.known("columns", columns)
    work.bounded(len(work.rows) * len(columns))
    name, value = step.name or "name", step.values or "value"
    return [
        {**{key: row.get(key) for key in step.index}, name: column, value: row.get(column)}
        for row in work.rows
        for column in columns
    ]
