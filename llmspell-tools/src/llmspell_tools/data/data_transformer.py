"""The tool `data-transformer`: one step after the other on a list of rows."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from llmspell_core.tool import Tool, ToolParameters, ToolResult
from llmspell_tools._parameters import check_size, needed, one_of, wrong
from llmspell_tools.data import _csv
from llmspell_tools.data._steps import MAX_ROWS, Step, Work
from llmspell_tools.data._transform import transform

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_MAX_STEPS = 100


def _steps(value: Any) -> Any:
    return [value] if isinstance(value, dict) and value else value


class TransformerParameters(ToolParameters):
    """Rows and what to do with them."""

    aliases: ClassVar[dict[str, str]] = {
        "rows": "input",
        "items": "input",
        "steps": "operations",
        "transformations": "operations",
        "pipeline": "operations",
    }

    input: Annotated[Any, one_of("a list, or a text of JSON or CSV", str, list, dict)] | None = (
        Field(None, description="A list of tables or values; or its JSON or CSV text")
    )
    operations: Annotated[list[Step], BeforeValidator(_steps)] = Field(
        default_factory=list,
        max_length=_MAX_STEPS,
        description="The steps, in order. Expressions use the fields of a row: price * 2, "
        "lower(name), age >= 18 and city in ['Rome', 'Oslo'], a ? b : c; of a plain item: value",
    )


class DataTransformer(Tool):
    """Filters, maps, groups, sorts, joins and reshapes lists of rows."""

    name = "data-transformer"
    description = (
        "Transforms a list of tables step by step: filter, map, extend, select, drop, rename, "
        "group_by, sort, join, pivot, unpivot, dedupe, limit, skip, explode, fill, cast."
    )
    category = "data"
    Parameters = TransformerParameters
    timeout_ms = 60_000
    examples = (
        (
            {
                "input": [
                    {"name": "Ada", "age": 36},
                    {"name": "Bob", "age": 17},
                    {"name": "Eve", "age": 29},
                ],
                "operations": [
                    {"type": "filter", "where": "age >= 18"},
                    {"type": "extend", "fields": {"label": "upper(name)"}},
                    {"type": "sort", "by": "-age"},
                    {"type": "select", "fields": ["label"]},
                ],
            },
            '[{"label": "ADA"}, {"label": "EVE"}]',
        ),
        (
            {
                "input": "city,price\nRome,3\nRome,5\nOslo,9\n",
                "operations": [
                    {
                        "type": "group_by",
                        "by": "city",
                        "aggregations": {"total": "sum(price)", "price": "avg"},
                    },
                ],
            },
            '[{"city": "Rome", "count": 2, "total": 8, "price": 4.0}, '
            '{"city": "Oslo", "count": 1, "total": 9, "price": 9.0}]',
        ),
        (
            {"input": [3, 1, 2], "operations": {"type": "map", "expression": "value ^ 2"}},
            "[9, 1, 4]",
        ),
    )

    async def run_tool(self, params: TransformerParameters, ctx: ToolContext) -> ToolResult:
        needed(self.name, "transform", input=params.input)
        rows = await asyncio.to_thread(self._rows, params.input)
        for number, step in enumerate(params.operations):
            if isinstance(step.with_, (str, dict)):
                step.with_ = await asyncio.to_thread(self._rows, step.with_)
            rows = await transform(Work(rows, step, number, ctx))
            ctx.progress(number + 1, len(params.operations), step.type)
        text = await asyncio.to_thread(self._text, rows)
        result = {"items": rows, "count": len(rows)}
        return ToolResult(result, output=rows, text=text)

    def _rows(self, given: Any) -> list[Any]:
        if isinstance(given, str):
            check_size(self.name, len(given))
            given = self._read(given)
        # An empty table of Lua is a list as well.
        rows = given if isinstance(given, list) else [given] if given else []
        if len(rows) > MAX_ROWS:
            raise wrong(self.name, "input", f"has more than {MAX_ROWS:,} rows")
        return rows

    def _read(self, text: str) -> Any:
        if not text.lstrip().startswith(("[", "{")):
            return _csv.read(text).rows
        try:
            return json.loads(text)
        except RecursionError:
            raise wrong(self.name, "input", "is nested too deep") from None
        except ValueError as error:
            raise wrong(self.name, "input", f"is no JSON: {error}") from None

    def _text(self, rows: list[Any]) -> str:
        try:
            text = json.dumps(rows, ensure_ascii=False, default=str)
        except (ValueError, RecursionError) as error:
            raise wrong(
                self.name, "operations", f"make something that is no plain value: {error}"
            ) from None
        check_size(self.name, len(text), "the result")
        return text
