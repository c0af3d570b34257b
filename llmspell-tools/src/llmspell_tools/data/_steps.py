"""The steps of `data-transformer` as they are written, and the work in progress."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from llmspell_core.errors import DeadlineError, LimitError, ValidationError, did_you_mean
from llmspell_core.schema import describe
from llmspell_core.script.model import ScriptModel
from llmspell_tools._parameters import Names, Spelled, wrong
from llmspell_tools.data._row_expression import columns_of, compiled

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

TOOL = "data-transformer"
MAX_ROWS = 1_000_000
_MAX_CELLS = 20_000_000
_CHECK_EVERY = 2_000

Rows = list[Any]


def _worked_out(value: Any) -> Any:
    if isinstance(value, (str, dict)) or callable(value):
        return value
    raise PydanticCustomError(
        "worked_out",
        "must be an expression, a function or a table of them by field, not {given}",
        {"given": describe(value)},
    )


#: An expression, a function of the row, or such things by field.
Worked = Annotated[Any, PlainValidator(_worked_out), WithJsonSchema({"type": ["string", "object"]})]
StepType = Annotated[
    Literal[
        "filter", "map", "extend", "select", "drop", "rename", "group_by", "aggregate", "sort",
        "join", "pivot", "unpivot", "dedupe", "limit", "skip", "reverse", "explode", "fill", "cast",
    ],
    Spelled(
        where="filter", add="extend", derive="extend", compute="extend", set="extend",
        mutate="extend", pick="select", project="select", omit="drop", exclude="drop",
        remove="drop", group="group_by", reduce="aggregate", summarize="aggregate",
        order_by="sort", merge="join", melt="unpivot", distinct="dedupe", unique="dedupe",
        deduplicate="dedupe", take="limit", head="limit", offset="skip", flatten="explode",
        unnest="explode", fill_null="fill", default="fill", convert="cast",
    ),
]  # fmt: skip


class Step(ScriptModel):
    """One operation on the rows."""

    aliases: ClassVar[dict[str, str]] = {
        "operation": "type",
        "op": "type",
        "where": "expression",
        "condition": "expression",
        "fn": "expression",
        "function": "expression",
        "predicate": "expression",
        "columns": "fields",
        "column": "fields",
        "field": "fields",
        "mapping": "fields",
        "keys": "by",
        "key": "by",
        "aggregates": "aggregations",
        "other": "with_",
        "right": "with_",
        "with": "with_",
        "n": "count",
        "limit": "count",
        "desc": "descending",
    }

    type: StepType = Field(description="What to do")
    expression: Worked | None = Field(
        None, description="filter, map, sort: an expression on the row, or a function of it"
    )
    fields: Any = Field(
        None,
        description="select, drop, explode, fill: names; rename: new names by old; map, extend: "
        "expressions or functions by name; cast: types by name",
    )
    by: Names = Field(
        default_factory=list,
        description="group_by, dedupe: names; sort: names, with a minus for descending",
    )
    descending: bool = Field(False, description="sort: the greatest first")
    aggregations: dict[str, Any] = Field(
        default_factory=dict,
        description="group_by, aggregate: {price = 'sum'} or {total = 'sum(price)'}",
    )
    with_: Any = Field(None, alias="with", description="join: the other rows")
    on: Names = Field(default_factory=list, description="join: names that must be the same")
    left_on: Names = Field(default_factory=list, description="join: names of these rows")
    right_on: Names = Field(default_factory=list, description="join: names of the other rows")
    how: Annotated[
        Literal["inner", "left", "right", "full", "semi", "anti"], Spelled(outer="full")
    ] = Field("inner", description="join: which rows without a partner stay")
    index: Names = Field(default_factory=list, description="pivot, unpivot: names that stay")
    values: str | None = Field(None, description="pivot: where values come from; unpivot: go to")
    name: str | None = Field(None, description="unpivot: where the names go")
    aggregate: str = Field("first", description="pivot: of several values: first, sum, count, ...")
    count: int | None = Field(None, ge=0, description="limit, skip: how many rows")
    value: Any = Field(None, description="fill: what takes the place of null")


class Work:
    """One step at work on its rows, and what steps need."""

    def __init__(self, rows: Rows, step: Step, number: int, ctx: ToolContext) -> None:
        self.rows, self.step, self.number, self.ctx = rows, step, number, ctx

    def wrong(self, field: str, words: str, *, hint: str | None = None) -> ValidationError:
        """`input.invalid` naming the field of this step."""
        return wrong(TOOL, self.place(field), words, hint=hint)

    def place(self, field: str) -> str:
        """The full name of a field of this step."""
        return f"operations.{self.number}.{field}"

    def need(self, **given: Any) -> None:
        """Raise `input.invalid` for fields that this step cannot do without."""
        for field, value in given.items():
            if not value and value != 0:
                raise self.wrong(field, f'is required for "{self.step.type}"')

    def columns(self) -> list[str]:
        """The fields of the rows, which must be tables."""
        for index, row in enumerate(self.rows):
            if not isinstance(row, dict):
                words = f'needs tables for "{self.step.type}": item {index + 1} is {describe(row)}'
                raise wrong(TOOL, "input", words)
        found = list(columns_of(self.rows))
        if len(found) * len(self.rows) > _MAX_CELLS:
            message = f"{TOOL}: operation {self.number + 1} has more than {_MAX_CELLS:,} cells"
            raise LimitError(message, code="limit.value")
        return found

    def known(self, field: str, names: Iterable[str]) -> list[str]:
        """The names, all of which must be fields of the rows."""
        columns = self.columns()
        found = list(names)
        for name in found if self.rows else ():
            if name not in columns:
                near = did_you_mean(name, columns)
                words = f'names "{name}", which no row has' + (f", {near}" if near else "")
                raise self.wrong(field, words)
        return found

    def bounded(self, count: int) -> None:
        """Raise `limit.value` for too many rows."""
        if count > MAX_ROWS:
            message = f"{TOOL}: operation {self.number + 1} makes more than {MAX_ROWS:,} rows"
            raise LimitError(message, code="limit.value")

    async def each(self, given: Any, field: str) -> list[Any]:
        """What an expression or a function gives for each row."""
        if callable(given):
            return await self._called(given)
        if not isinstance(given, str):
            raise self.wrong(field, f"must be an expression or a function, not {describe(given)}")
        evaluate = compiled(TOOL, self.place(field), given, columns_of(self.rows))
        return await asyncio.to_thread(self._evaluated, evaluate)

    def _evaluated(self, evaluate: Callable[[Any, int], Any]) -> list[Any]:
        found = []
        for index, row in enumerate(self.rows):
            found.append(evaluate(row, index))
            self._tick(index)
        return found

    async def _called(self, function: Callable[[Any], Any]) -> list[Any]:
        found = []
        for index, row in enumerate(self.rows):
            value = function(row)
            found.append(await value if inspect.isawaitable(value) else value)
            self._tick(index)
        return found

    def _tick(self, index: int) -> None:
        if index % _CHECK_EVERY == 0 and index:
            self.ctx.progress(index, len(self.rows), self.step.type)
            if self.ctx.cancelled:
                raise DeadlineError(f"{TOOL}: it takes too long", code="tool.timeout")
