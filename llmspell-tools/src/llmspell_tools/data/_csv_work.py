"""The operations of `csv-analyzer` on a table that is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from llmspell_core.errors import DeadlineError, LimitError, did_you_mean
from llmspell_core.tool import ToolResult
from llmspell_tools._parameters import check_size, wrong
from llmspell_tools.data import _csv
from llmspell_tools.data._aggregate import Aggregator, aggregate
from llmspell_tools.data._columns import describe
from llmspell_tools.data._csv import Table
from llmspell_tools.data._row_expression import compiled
from llmspell_tools.data._row_values import same

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext
    from llmspell_tools.data.csv_analyzer import CsvParameters

_SAMPLE = 10
_CHECK_EVERY = 5_000


def given(rows: list[Any]) -> Table:
    """Rows that are rows already."""
    columns: dict[str, None] = {}
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            raise wrong(
                "csv-analyzer", "input", f"must be a list of tables: item {index + 1} is none"
            )
        columns |= dict.fromkeys(row)
        if len(columns) > _csv.MAX_COLUMNS or len(columns) * len(rows) > _csv.MAX_CELLS:
            raise LimitError("csv-analyzer: too many columns", code="limit.value")
    full = [{name: row.get(name) for name in columns} for row in rows]
    types = {name: _type([row[name] for row in full]) for name in columns}
    return Table(list(columns), full, types)


def _type(values: list[Any]) -> str:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "boolean"
    if kinds and kinds <= {int, float}:
        return "integer" if kinds == {int} else "number"
    return _csv.type_of([value for value in values if value]) if kinds == {str} else "text"


def sql_value(value: Any) -> Any:
    """A value as SQLite has it."""
    return json.dumps(value) if isinstance(value, (dict, list)) else value


def matching(table: Table, where: Any, ctx: ToolContext) -> list[dict[str, Any]]:
    """The rows that an expression, or a table of values, is true for."""
    if isinstance(where, dict):
        for name in where:
            if name not in table.types:
                near = did_you_mean(name, table.columns)
                words = f'names "{name}", which is no column' + (f", {near}" if near else "")
                raise wrong("csv-analyzer", "where", words)
        return [
            row for row in table.rows if all(same(row[name], one) for name, one in where.items())
        ]
    test = compiled("csv-analyzer", "where", where, table.columns)
    found = []
    for index, row in enumerate(table.rows):
        if test(row, index):
            found.append(row)
        if index % _CHECK_EVERY == 0 and index:
            ctx.progress(index, len(table.rows), "filter")
            if ctx.cancelled:
                raise DeadlineError("csv-analyzer: it takes too long", code="tool.timeout")
    return found


def rows_result(
    columns: list[str], rows: list[dict[str, Any]], params: CsvParameters, **more: Any
) -> ToolResult:
    """Rows as the result of an operation."""
    shown = rows[: params.limit] if params.limit else rows
    result = {
        "rows": shown,
        "row_count": len(rows),
        "columns": columns,
        "column_count": len(columns),
        "count": len(rows),
        **more,
    }
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in shown)
    return ToolResult(result, output=shown, text=f"[{text.replace(chr(10), ', ')}]")


def _read_rows(table: Table, params: CsvParameters, ctx: ToolContext) -> ToolResult:
    return rows_result(table.columns, table.rows, params)


def _analyze(table: Table, params: CsvParameters, ctx: ToolContext) -> ToolResult:
    info = {name: one for name, one in describe(table).items() if name in table.columns}
    result = {
        "rows": table.rows[: params.limit or _SAMPLE],
        "row_count": len(table.rows),
        "columns": table.columns,
        "column_count": len(table.columns),
        "column_info": info,
        "delimiter": table.delimiter,
        "irregular_rows": len(table.odd),
    }
    lines = [f"{len(table.rows)} rows, {len(table.columns)} columns"]
    lines += [f"{name}: {_words(one)}" for name, one in info.items()]
    return ToolResult(result, text="\n".join(lines))


def _words(info: dict[str, Any]) -> str:
    parts = [info["type"], f"{info['unique']} different"]
    if info["nulls"]:
        parts.append(f"{info['nulls']} empty")
    if info.get("min") is not None:
        parts.append(f"{info['min']} to {info['max']}")
    if info.get("mean") is not None:
        parts.append(f"mean {info['mean']:.6g}")
    return ", ".join(parts)


def _aggregated(table: Table, params: CsvParameters, ctx: ToolContext) -> ToolResult:
    given = params.aggregations or {
        name: ["sum", "avg"]
        for name in table.columns
        if table.types[name] in ("integer", "number") and name not in params.group_by
    }
    aggregator = Aggregator("csv-analyzer", "aggregations", given, table.columns)
    missing = [name for name in params.group_by if name not in table.columns]
    if missing:
        raise wrong("csv-analyzer", "columns", f'leaves out "{missing[0]}" of group_by')
    rows = aggregate(table.rows, params.group_by, aggregator)
    columns = list(rows[0]) if rows else [*params.group_by, "count"]
    return rows_result(columns, rows, params)


def _convert(table: Table, params: CsvParameters, ctx: ToolContext) -> ToolResult:
    rows = table.rows[: params.limit] if params.limit else table.rows
    style = params.target_format or "json"
    if style == "json":
        text = json.dumps(rows, ensure_ascii=False, indent=2)
    elif style == "jsonl":
        text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    elif style == "markdown":
        text = _csv.markdown(table.columns, rows)
    else:
        text = _csv.write(table.columns, rows, "\t" if style == "tsv" else ",")
    check_size("csv-analyzer", len(text), "the result")
    result = {"output": text, "format": style, "row_count": len(rows)}
    return ToolResult(result, output=text)


def _validate(table: Table, params: CsvParameters, ctx: ToolContext) -> ToolResult:
    from llmspell_tools.data.data_validator import errors_by_rules

    wanted = len(table.types)
    errors: list[dict[str, Any]] = [
        {"path": f"line {line}", "message": f"has {cells} cells, not {wanted}", "line": line}
        for line, cells in table.odd
    ]
    if params.rules is not None:
        found = errors_by_rules("csv-analyzer", table.rows, {"items": {"fields": params.rules}})
        for one in found:
            row, _, column = one["path"].partition(".")
            errors.append({**one, "row": int(row) + 1, "column": column})
    lines = [f"{one['path']}: {one['message']}" for one in errors]
    result = {
        "valid": not errors,
        "errors": errors,
        "row_count": len(table.rows),
        "column_count": wanted,
    }
    return ToolResult(result, text="invalid: " + "; ".join(lines) if errors else "valid")


OPERATIONS = {
    "analyze": _analyze,
    "read": _read_rows,
    "filter": _read_rows,
    "aggregate": _aggregated,
    "convert": _convert,
    "validate": _validate,
}
