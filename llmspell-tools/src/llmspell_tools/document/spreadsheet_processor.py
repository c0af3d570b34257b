"""The tool `spreadsheet-processor`: reads and writes spreadsheets."""

from __future__ import annotations

import asyncio
import base64
import json
import math
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from llmspell_core.errors import LimitError
from llmspell_core.schema import describe
from llmspell_core.tool import Permissions, Tool, ToolParameters, ToolResult
from llmspell_tools._bounded import bounded
from llmspell_tools._parameters import Spelled, check_size, needed, one_of, wrong
from llmspell_tools.data import _csv
from llmspell_tools.document._sheets import MAX_CELLS

if TYPE_CHECKING:
    from llmspell_core.context import ToolContext

_MOST_BYTES = 64 * 1024 * 1024
_TIME_MS = 60_000
_MODULE = "llmspell_tools.document._sheets"
_FORMATS = ("xlsx", "ods")
_MOST_SHEETS = 200


class SheetParameters(ToolParameters):
    """A spreadsheet and what to do with it."""

    aliases: ClassVar[dict[str, str]] = {
        "path": "file_path",
        "file": "file_path",
        "data": "rows",
        "sheet_name": "sheet",
        "output_path": "target_path",
        "target": "target_path",
        "header": "has_header",
    }

    operation: (
        Annotated[
            Literal["read", "write", "sheets", "to_csv"],
            Spelled(
                parse="read", create="write", list_sheets="sheets", info="sheets", csv="to_csv",
                convert="to_csv",
            ),
        ]
        | None
    ) = Field(
        None,
        description="read: rows of a sheet (xlsx, xls, xlsb, ods); write: a new file (xlsx, ods); "
        "sheets: names and sizes; to_csv. Left out: write when rows are given, else read",
    )  # fmt: skip
    input: Annotated[Any, one_of("a path, or rows", str, list, dict)] | None = Field(
        None, description="The file to read; for write the rows"
    )
    file_path: str | None = Field(
        None, min_length=1, description="Another name of `input` for a file"
    )
    rows: Annotated[Any, one_of("a list of rows, or rows by sheet", list, dict)] | None = Field(
        None,
        description="write: tables by column, or lists; for several sheets {name = rows}",
    )
    target_path: str | None = Field(
        None, min_length=1, description="write, to_csv: the file to write"
    )
    sheet: Annotated[Any, one_of("a name or number", str, int)] | None = Field(
        None, description="The sheet by name, or by number from 1; else the first"
    )
    has_header: bool = Field(
        True, description="read: the first row has the names of columns; false gives lists"
    )
    limit: int | None = Field(None, ge=1, description="read, to_csv: at most this many rows")
    delimiter: str = Field(",", min_length=1, max_length=1, description="to_csv: between cells")
    format: Annotated[Literal["xlsx", "ods"], Spelled(excel="xlsx")] | None = Field(
        None, description="write: xlsx or ods; else as the file's name ends"
    )

    @property
    def source(self) -> str | None:
        """The file, by either of its names."""
        return self.file_path or (self.input if isinstance(self.input, str) else None)

    @property
    def given_rows(self) -> Any:
        """The rows to write, by either of their names."""
        return self.rows if self.rows is not None or isinstance(self.input, str) else self.input


class SpreadsheetProcessor(Tool):
    """Reads and writes spreadsheets."""

    name = "spreadsheet-processor"
    description = (
        "Reads sheets of spreadsheets (xlsx, xls, ods) as rows, writes rows to a new xlsx or ods "
        "file, lists sheets, or converts a sheet to CSV."
    )
    category = "document"
    security_level = "restricted"
    permissions = Permissions(files="read the file given, write the target")
    extra = "document"
    Parameters = SheetParameters
    timeout_ms = 120_000
    examples = (
        (
            {
                "operation": "write",
                "target_path": "output/people.xlsx",
                "rows": [{"name": "Ada", "age": 36}, {"name": "Bob", "age": 17}],
            },
            "wrote 2 rows to output/people.xlsx",
        ),
        (
            {"operation": "read", "input": "output/people.xlsx"},
            '[{"name": "Ada", "age": 36}, {"name": "Bob", "age": 17}]',
        ),
        ({"operation": "sheets", "input": "output/people.xlsx"}, "Sheet1: 3 rows, 2 columns"),
        ({"operation": "to_csv", "input": "output/people.xlsx"}, "name,age\nAda,36\nBob,17\n"),
    )

    async def run_tool(self, params: SheetParameters, ctx: ToolContext) -> ToolResult:
        operation = params.operation or ("read" if params.given_rows is None else "write")
        if operation == "write":
            return await self._write(params, ctx)
        needed(self.name, operation, input=params.source)
        if operation == "to_csv" and params.target_path is not None:
            await asyncio.to_thread(ctx.files.resolve, params.target_path, "write")
        document = await asyncio.to_thread(self._document, params.source or "", ctx)
        if operation == "sheets":
            found = await self._work(ctx, "sheets", document)
            sheets = found["sheets"]
            lines = [
                f"{one['name']}: {one['rows']} rows, {one['columns']} columns" for one in sheets
            ]
            result = {"sheets": sheets, "count": len(sheets)}
            return ToolResult(result, output=sheets, text="\n".join(lines))
        most = None if params.limit is None else params.limit + params.has_header
        found = await self._work(ctx, "read", document, params.sheet, most)
        if operation == "to_csv":
            return await asyncio.to_thread(self._to_csv, found, params, ctx)
        return await asyncio.to_thread(_rows, found, params)

    async def _work(self, ctx: ToolContext, function: str, *args: Any) -> Any:
        name = f"{_MODULE}:{function}"
        return await bounded(ctx, "the spreadsheet", name, *args, timeout_ms=_TIME_MS)

    def _document(self, path: str, ctx: ToolContext) -> str:
        data = ctx.files.read_bytes(path, _MOST_BYTES)
        if not data:
            raise wrong(self.name, "input", f'"{path}" is empty')
        return base64.b64encode(data).decode()

    def _to_csv(self, found: Any, params: SheetParameters, ctx: ToolContext) -> ToolResult:
        width = max(map(len, found["cells"]), default=0)
        names = [str(index) for index in range(width)]
        rows = [dict(zip(names, cells, strict=False)) for cells in found["cells"]]
        # Without the line of our own names.
        text = _csv.write(names, rows, params.delimiter).partition("\n")[2]
        check_size(self.name, len(text), "the result")
        result: dict[str, Any] = {"csv": text, "sheet": found["sheet"], "row_count": len(rows)}
        if params.target_path is None:
            return ToolResult(result, output=text)
        size = ctx.files.write_text(params.target_path, text)
        result |= {"path": params.target_path, "size": size}
        words = f"wrote {len(rows)} rows to {params.target_path}"
        return ToolResult(result, output=params.target_path, text=words)

    async def _write(self, params: SheetParameters, ctx: ToolContext) -> ToolResult:
        target = params.target_path or params.source
        needed(self.name, "write", rows=params.given_rows, target_path=target)
        path = target or ""
        style = params.format or path.rpartition(".")[2].lower()
        if style not in _FORMATS:
            raise wrong(self.name, "target_path", "must end in .xlsx or .ods, or name the format")
        await asyncio.to_thread(ctx.files.resolve, path, "write")
        tables = await asyncio.to_thread(self._tables, params)
        data = base64.b64decode(await self._work(ctx, "write", tables, style))
        size = await asyncio.to_thread(ctx.files.write_bytes, path, data)
        rows = sum(len(table["rows"]) - table["header"] for table in tables)
        result = {
            "path": path,
            "format": style,
            "size": size,
            "row_count": rows,
            "sheets": [table["name"] for table in tables],
        }
        return ToolResult(result, output=path, text=f"wrote {rows} rows to {path}")

    def _tables(self, params: SheetParameters) -> list[dict[str, Any]]:
        given = params.given_rows
        if isinstance(given, dict) and given:
            if len(given) > _MOST_SHEETS:
                raise LimitError(
                    f"{self.name}: more than {_MOST_SHEETS} sheets", code="limit.value"
                )
            return [self._table(str(name), rows, f"rows.{name}") for name, rows in given.items()]
        name = str(params.sheet) if isinstance(params.sheet, str) else "Sheet1"
        return [self._table(name, given or [], "rows")]

    def _table(self, name: str, rows: Any, field: str) -> dict[str, Any]:
        if not isinstance(rows, list):
            raise wrong(self.name, field, f"must be a list of rows, not {describe(rows)}")
        columns = list({key: None for row in rows if isinstance(row, dict) for key in row})
        if len(columns) * len(rows) > MAX_CELLS:
            raise LimitError(f"{self.name}: more than {MAX_CELLS:,} cells", code="limit.value")
        made: list[list[Any]] = [list(columns)] if columns else []
        for index, row in enumerate(rows):
            if isinstance(row, dict):
                made.append([self._value(row.get(key), field, index) for key in columns])
            elif isinstance(row, list):
                made.append([self._value(value, field, index) for value in row])
            else:
                words = f"must be a table or a list, not {describe(row)}"
                raise wrong(self.name, f"{field}.{index}", words)
        return {"name": name, "rows": made, "header": int(bool(columns))}

    def _value(self, value: Any, field: str, index: int) -> Any:
        if value is None or isinstance(value, (str, bool, int)):
            return value
        if isinstance(value, float) and math.isfinite(value):
            return value
        try:
            return json.dumps(value, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            words = f"has {describe(value)}, which no cell can hold"
            raise wrong(self.name, f"{field}.{index}", words) from None


def _rows(found: Any, params: SheetParameters) -> ToolResult:
    cells = found["cells"]
    rows: list[Any] = cells
    columns: list[str] = []
    if params.has_header:
        columns = _names(cells[0] if cells else [])
        rows = [dict(zip(columns, row, strict=False)) for row in cells[1:]]
    result = {
        "rows": rows,
        "row_count": len(rows),
        "columns": columns,
        "sheet": found["sheet"],
        "sheets": found["sheets"],
    }
    return ToolResult(result, output=rows)


def _names(cells: list[Any]) -> list[str]:
    found: dict[str, None] = {}
    for index, cell in enumerate(cells):
        plain = str(cell).strip() if cell is not None else f"column_{index + 1}"
        name, number = plain, 2
        while name in found:
            name, number = f"{plain}_{number}", number + 1
        found[name] = None
    return list(found)
