"""Expressions on rows: the calculator's, with texts, fields and null.

    compiled("t", "where", "age >= 18 and name != 'Bob'")({"age": 36, "name": "Ada"})  ->  True

Names are the row's fields, those with spaces in backquotes; `row` is the whole of it, `value` an
item that is no table, `index` its number from 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from llmspell_core.errors import LimitError, ToolFailed, did_you_mean
from llmspell_tools._bounded import mistake
from llmspell_tools.data._row_functions import ROW_FUNCTIONS
from llmspell_tools.data._row_values import OPERATORS, compare, measure, pick, truth
from llmspell_tools.util._arithmetic import MathError
from llmspell_tools.util._expression import parse
from llmspell_tools.util._expression_nodes import Dialect, ExpressionError
from llmspell_tools.util._functions import CONSTANTS

_CONSTANTS = {**CONSTANTS, "null": None, "nil": None, "none": None}
ROWS = Dialect(ROW_FUNCTIONS, _CONSTANTS, OPERATORS, compare, truth, pick)
#: Characters that one expression may make for all rows together.
MAX_MADE = 64 * 1024 * 1024
_WHOLE = ("row", "item", "value", "index")

RowFunction = Callable[[Any, int], Any]


class _Scope(Mapping[str, Any]):
    """The names of one row."""

    def __init__(self, row: Any, index: int, columns: frozenset[str]) -> None:
        self.fields: dict[str, Any] = row if isinstance(row, dict) else {}
        self.row, self.number, self.columns = row, index, columns

    def __getitem__(self, name: str) -> Any:
        if name in self.fields:
            return self.fields[name]
        if name in self.columns:
            return None
        if name in _WHOLE:
            return self.number if name == "index" else self.row
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return name in self.fields or name in self.columns or name in _WHOLE

    def __iter__(self) -> Iterator[str]:
        return iter({**self.fields, **dict.fromkeys((*self.columns, *_WHOLE))})

    def __len__(self) -> int:
        return len(list(iter(self)))


def columns_of(rows: Iterable[Any]) -> dict[str, None]:
    """The fields of all rows, in the order in which they appear."""
    found: dict[str, None] = {}
    for row in rows:
        if isinstance(row, dict) and not row.keys() <= found.keys():
            found.update(dict.fromkeys(row))
    return found


def compiled(tool: str, field: str, text: str, columns: Iterable[str] = ()) -> RowFunction:
    """The function of an expression: it takes a row and its index.

    Args:
        tool: the tool, for errors
        field: the parameter that the expression was given as
        text: the expression
        columns: fields that some rows have; a row without one has null there

    Raises:
        ValidationError: it is no expression, or names no field. The function raises `ToolFailed`,
            and `limit.value` for values that are too large together.
    """
    known = frozenset(columns)
    try:
        expression = parse(text, ROWS)
    except ExpressionError as error:
        raise mistake(tool, field, f"is no valid expression: {error}") from None
    for name in expression.variables:
        if known and name not in known and name not in _WHOLE and name.lower() not in _CONSTANTS:
            near = did_you_mean(name, [*known])
            raise mistake(
                tool, field, f'names "{name}", which no row has' + (f", {near}" if near else "")
            )

    left = MAX_MADE

    def run(row: Any, index: int) -> Any:
        nonlocal left
        try:
            value = expression.evaluate(_Scope(row, index, known))
        except MathError as error:
            raise ToolFailed(f"{tool}: {field}, row {index + 1}: {error}") from None
        left = measure(value, left)
        if left < 0:
            raise LimitError(f"{tool}: {field} makes values that are too large", code="limit.value")
        return value

    return run
