"""Spreadsheets in a helper process: read with calamine, written with XlsxWriter or as plain ODS."""

from __future__ import annotations

import base64
import json
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any

from llmspell_core.errors import LimitError
from llmspell_tools._bounded import mistake
from llmspell_tools._extras import imported

TOOL = "spreadsheet-processor"
MAX_CELLS = 2_000_000
_MOST_TEXT = 16 * 1024 * 1024
_EXACT = 2**53
#: What a cell holds in Excel.
_MAX_TEXT = 32_767
_MAX_ROWS, _MAX_COLUMNS = 1_048_576, 16_384


def sheets(document: str) -> dict[str, Any]:
    """The names and sizes of the sheets of a file in base64."""
    workbook = _workbook(document)
    found = []
    for name in workbook.sheet_names:
        sheet = _sheet(workbook, name)
        found.append({"name": name, "rows": sheet.height, "columns": sheet.width})
    return {"sheets": found}


def read(document: str, sheet: str | int | None, most: int | None) -> dict[str, Any]:
    """The cells of one sheet, row by row.

    Args:
        document: the file in base64
        sheet: its name, or its number from 1; the first one when left out
        most: at most this many rows
    """
    workbook = _workbook(document)
    names = workbook.sheet_names
    name = _sheet_name(names, sheet)
    found = _sheet(workbook, name)
    if found.height * found.width > MAX_CELLS:
        message = f"{TOOL}: the sheet has more than {MAX_CELLS:,} cells"
        raise LimitError(message, code="limit.value")
    rows = found.to_python(skip_empty_area=True, nrows=most)
    cells = [[_plain(value) for value in row] for row in rows]
    if sum(len(value) for row in cells for value in row if isinstance(value, str)) > _MOST_TEXT:
        raise LimitError(f"{TOOL}: the sheet is larger than 16 MiB", code="limit.value")
    return {"sheet": name, "sheets": names, "cells": cells}


def _workbook(document: str) -> Any:
    calamine = imported("python_calamine", TOOL, "document")
    try:
        return calamine.CalamineWorkbook.from_filelike(BytesIO(base64.b64decode(document)))
    except calamine.PasswordError:
        raise mistake(TOOL, "input", "is encrypted, which cannot be read") from None
    except (calamine.CalamineError, OSError, ValueError) as error:
        words = str(error).split("\n")[0][:200]
        raise mistake(TOOL, "input", f"is no spreadsheet that can be read: {words}") from None


def _sheet(workbook: Any, name: str) -> Any:
    calamine = imported("python_calamine", TOOL, "document")
    try:
        return workbook.get_sheet_by_name(name)
    except (calamine.CalamineError, OSError, ValueError) as error:
        words = str(error).split("\n")[0][:200]
        raise mistake(TOOL, "input", f"has a sheet that cannot be read: {words}") from None


def _sheet_name(names: list[str], sheet: str | int | None) -> str:
    if not names:
        raise mistake(TOOL, "input", "has no sheets")
    if isinstance(sheet, str) and sheet in names:
        return sheet
    number = 1 if sheet is None else sheet
    if isinstance(number, str) and number.isdecimal():
        number = int(number)
    if isinstance(number, int) and 1 <= number <= len(names):
        return names[number - 1]
    shown = ", ".join(names[:20])
    raise mistake(TOOL, "sheet", f'names "{sheet}", which is no sheet', hint=f"there are: {shown}")


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        # Files know no whole numbers; nobody means 3.0 by them.
        whole = value.is_integer() and abs(value) < _EXACT
        return int(value) if whole else value if abs(value) < float("inf") else None
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return None if value == "" else value


def write(tables: list[dict[str, Any]], style: str) -> str:
    """A file in base64 of sheets `{name, rows}`, rows being lists of plain values."""
    cells = sum(len(row) for table in tables for row in table["rows"])
    if cells > MAX_CELLS:
        raise LimitError(f"{TOOL}: more than {MAX_CELLS:,} cells", code="limit.value")
    for table in tables:
        width = max(map(len, table["rows"]), default=0)
        if len(table["rows"]) > _MAX_ROWS or width > _MAX_COLUMNS:
            raise LimitError(
                f"{TOOL}: a sheet has at most {_MAX_ROWS:,} rows and {_MAX_COLUMNS:,} columns",
                code="limit.value",
            )
    if style == "ods":
        from llmspell_tools.document._ods import ods

        data = ods(tables)
    else:
        data = _xlsx(tables)
    return base64.b64encode(data).decode()


def _xlsx(tables: list[dict[str, Any]]) -> bytes:
    library = imported("xlsxwriter", TOOL, "document")
    target = BytesIO()
    # A text that looks like a formula or an address is a text all the same.
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    workbook = library.Workbook(target, {"in_memory": True, **plain})
    bold = workbook.add_format({"bold": True})
    for table in tables:
        try:
            sheet = workbook.add_worksheet(table["name"])
        except library.exceptions.XlsxWriterException as error:
            words = str(error).split("\n")[0]
            raise mistake(TOOL, "sheet", f"cannot be a sheet's name: {words}") from None
        for index, row in enumerate(table["rows"]):
            form = bold if index == 0 and table.get("header") else None
            for column, value in enumerate(row):
                _cell(sheet, index, column, value, form)
    workbook.close()
    return target.getvalue()


def _cell(sheet: Any, row: int, column: int, value: Any, form: Any) -> None:
    value = cell_value(value)
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value, form)
    elif isinstance(value, str):
        sheet.write_string(row, column, value, form)
    else:
        sheet.write_number(row, column, value, form)


def cell_value(value: Any) -> Any:
    """What a cell can hold: null, a boolean, a number, or a text that is not too long."""
    if isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _EXACT:
        value = str(value)
    if isinstance(value, str) and len(value) > _MAX_TEXT:
        message = f"{TOOL}: a cell has more than {_MAX_TEXT:,} characters"
        raise LimitError(message, code="limit.value")
    return value
