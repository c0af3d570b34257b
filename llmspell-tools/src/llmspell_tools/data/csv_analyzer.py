"""The tool `csv-analyzer`: describes, reads, filters, groups, checks and queries CSV."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from llmspell_core.errors import did_you_mean
from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._bounded import bounded
from llmspell_tools._parameters import MAX_SIZE, Names, Spelled, check_size, needed, one_of, wrong
from llmspell_tools.data import _csv
from llmspell_tools.data._csv import Table
from llmspell_tools.data._csv_work import OPERATIONS, given, matching, rows_result, sql_value

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_SQL_MS = 10_000


def _delimiter(value: Any) -> Any:
    named = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
    value = named.get(value, value) if isinstance(value, str) else value
    if isinstance(value, str) and (len(value) != 1 or value in '"\r\n\0'):
        raise ValueError("must be one character, or a name: comma, semicolon, tab, pipe, space")
    return value


class CsvParameters(ToolParameters):
    """A text or file of CSV and what to do with it."""

    aliases: ClassVar[dict[str, str]] = {
        "csv": "input",
        "file": "path",
        "file_path": "path",
        "header": "has_header",
        "separator": "delimiter",
        "filter": "where",
        "condition": "where",
        "sql": "query",
        "aggregates": "aggregations",
        "to": "target_format",
        "format": "target_format",
    }

    operation: (
        Annotated[
            Literal["analyze", "read", "filter", "aggregate", "convert", "validate", "sql"],
            Spelled(
                parse="read",
                analyse="analyze",
                describe="analyze",
                info="analyze",
                select="filter",
                group="aggregate",
                group_by="aggregate",
                check="validate",
                query="sql",
            ),
        ]
        | None
    ) = Field(
        None,
        description="analyze: types and statistics of the columns; read: the rows; filter: rows "
        "by `where`; aggregate: by `group_by`; convert: to `target_format`; validate: the form "
        "and `rules`; sql: `query` on the table `data`. Left out: what is given says it",
    )
    input: Annotated[Any, one_of("a text of CSV or a list of rows", str, list)] | None = Field(
        None, description="The text of CSV, or rows as a list of tables"
    )
    path: str | None = Field(None, description="A file to read in place of `input`")
    delimiter: Annotated[str, BeforeValidator(_delimiter)] | None = Field(
        None, description="Between cells; found out when left out"
    )
    has_header: bool = Field(True, description="Whether the first line has the names")
    columns: Names = Field(default_factory=list, description="Only these columns, in this order")
    where: (
        Annotated[
            Any,
            one_of("an expression or a table of values", str, dict),
            WithJsonSchema({"type": ["string", "object"]}),
        ]
        | None
    ) = Field(
        None,
        description='Which rows: an expression on columns, age >= 18 and city = "Rome", or '
        "values by column",
    )
    group_by: Names = Field(default_factory=list, description="aggregate: columns of the groups")
    aggregations: dict[str, Any] = Field(
        default_factory=dict,
        description="aggregate: values by name: {price = 'avg'} (count, sum, avg, min, max, "
        "median, stddev, unique, first, last), {price = ['min', 'max']} or {total = 'sum(price)'}. "
        "Left out: sum and avg of columns of numbers",
    )
    query: str | None = Field(
        None,
        max_length=100_000,
        description="sql: a SELECT (SQLite's syntax) on the table `data`",
    )
    target_format: (
        Annotated[Literal["json", "jsonl", "csv", "tsv", "markdown"], Spelled(md="markdown")] | None
    ) = Field(None, description="convert: json, jsonl, csv, tsv or markdown")
    rules: dict[str, Any] | None = Field(
        None, description="validate: rules by column, as data-validator has them"
    )
    infer_types: bool = Field(
        True, description="Whether columns of numbers become numbers; false keeps all as text"
    )
    limit: int | None = Field(None, ge=1, description="At most this many rows come out")


class CsvAnalyzer(Tool):
    """Describes, reads, filters, groups, checks and queries CSV."""

    name = "csv-analyzer"
    description = (
        "Works on CSV, a text or a file: describe columns with types and statistics, read rows, "
        "filter, aggregate by groups, convert, validate, or query with SQL."
    )
    category = "data"
    security_level = "restricted"
    permissions = Permissions(files="read the file given")
    Parameters = CsvParameters
    timeout_ms = 60_000
    examples = (
        ({"input": "name,age\nAda,36\nBob,17\n"}, "2 rows, 2 columns, and what they are like"),
        ({"operation": "read", "input": "name;age\nAda;36\n"}, '[{"name": "Ada", "age": 36}]'),
        (
            {"input": "name,age\nAda,36\nBob,17\n", "where": "age >= 18"},
            '[{"name": "Ada", "age": 36}]',
        ),
        (
            {
                "input": "city,price\nRome,3\nRome,5\nOslo,9\n",
                "group_by": "city",
                "aggregations": {"total": "sum(price)"},
            },
            '[{"city": "Rome", "count": 2, "total": 8}, {"city": "Oslo", "count": 1, "total": 9}]',
        ),
        (
            {
                "input": "city,price\nRome,3\nRome,5\nOslo,9\n",
                "query": "SELECT city, max(price) AS top FROM data GROUP BY city ORDER BY top DESC",
            },
            '[{"city": "Oslo", "top": 9}, {"city": "Rome", "top": 5}]',
        ),
        ({"operation": "convert", "input": "a,b\n1,2\n", "to": "jsonl"}, '{"a": 1, "b": 2}'),
    )

    async def run_tool(self, params: CsvParameters, ctx: ToolContext) -> ToolResult:
        operation = params.operation or _obvious(params)
        if params.path is None:
            needed(self.name, operation, input=params.input)
        if operation == "sql":
            needed(self.name, operation, query=params.query)
        if operation == "filter" and not params.columns:
            needed(self.name, operation, where=params.where)
        if isinstance(params.input, str):
            check_size(self.name, len(params.input))
        table = await asyncio.to_thread(self._table, params, ctx)
        if operation == "sql":
            result = await self._sql(table, params, ctx)
        else:
            result = await asyncio.to_thread(OPERATIONS[operation], table, params, ctx)
        result.metadata |= {"operation": operation, "delimiter": table.delimiter}
        return result

    def _table(self, params: CsvParameters, ctx: ToolContext) -> Table:
        """The rows that the parameters name, filtered and reduced to the columns asked for."""
        table = self._read(params, ctx)
        unknown = [name for name in (*params.columns, *params.group_by) if name not in table.types]
        if unknown:
            field = "columns" if unknown[0] in params.columns else "group_by"
            near = did_you_mean(unknown[0], table.columns)
            message = f'names "{unknown[0]}", which is no column' + (f", {near}" if near else "")
            raise wrong(self.name, field, message)
        if params.where is not None:
            table.rows = matching(table, params.where, ctx)
        if params.columns:
            table.columns = list(dict.fromkeys(params.columns))
            table.rows = [{name: row[name] for name in table.columns} for row in table.rows]
        return table

    def _read(self, params: CsvParameters, ctx: ToolContext) -> Table:
        if isinstance(params.input, list):
            return given(params.input)
        text = params.input
        if text is None:
            data = ctx.files.read_bytes(params.path or "", MAX_SIZE)
            try:
                text = data.decode("utf-8-sig")
            except UnicodeDecodeError:
                # What is no UTF-8 was most likely written by a spreadsheet on Windows.
                text = data.decode("cp1252", "replace")
        return _csv.read(
            text,
            delimiter=params.delimiter,
            has_header=params.has_header,
            infer=params.infer_types,
        )

    async def _sql(self, table: Table, params: CsvParameters, ctx: ToolContext) -> ToolResult:
        rows = [[sql_value(row[name]) for name in table.columns] for row in table.rows]
        answer = await bounded(
            ctx,
            "the query",
            "llmspell_tools.data._sql:query",
            params.query,
            table.columns,
            rows,
            timeout_ms=_SQL_MS,
        )
        found = json.loads(answer)
        columns = found["columns"]
        made = [dict(zip(columns, row, strict=True)) for row in found["rows"]]
        return rows_result(columns, made, params)


def _obvious(params: CsvParameters) -> str:
    if params.query is not None:
        return "sql"
    if params.rules is not None:
        return "validate"
    if params.group_by or params.aggregations:
        return "aggregate"
    if params.target_format is not None:
        return "convert"
    return "filter" if params.where is not None or params.columns else "analyze"
