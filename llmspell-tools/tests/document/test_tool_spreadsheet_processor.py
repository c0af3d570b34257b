from __future__ import annotations

import asyncio
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from llmspell_core.errors import LimitError, LLMSpellError, ValidationError
from llmspell_core.runtime import Runtime
from llmspell_core.tool import ToolResult
from llmspell_tools.document.spreadsheet_processor import SpreadsheetProcessor

ROWS = [
    {"name": "Ada", "age": 36, "score": 1.5, "ok": True, "note": "=1+1"},
    {"name": 'B  "ö" <&>\n2', "age": None, "score": -2, "ok": False, "big": 2**60},
]
READ = [
    {"name": "Ada", "age": 36, "score": 1.5, "ok": True, "note": "=1+1", "big": None},
    {
        "name": 'B  "ö" <&>\n2', "age": None, "score": -2, "ok": False, "note": None,
        "big": "1152921504606846976",
    },
]  # fmt: skip


def run(folder: Path, **params: Any) -> ToolResult:
    async def main() -> ToolResult:
        files = {"read": [str(folder)], "write": [str(folder)]}
        async with Runtime({"security": {"files": files}}) as runtime:
            return await SpreadsheetProcessor().call(params, runtime.context())

    return asyncio.run(main())


def test_exact_examples_are_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for params, shows in SpreadsheetProcessor.examples:
        assert run(tmp_path, **params).text == shows


@pytest.mark.parametrize("style", ["xlsx", "ods"])
def test_what_is_written_is_read_back(style: str, tmp_path: Path) -> None:
    path = str(tmp_path / f"new/a.{style}")
    written = run(tmp_path, operation="write", file_path=path, data=ROWS)
    assert written.text == f"wrote 2 rows to {path}"
    read = run(tmp_path, input=path)
    assert read.output == READ
    assert read.result["columns"] == ["name", "age", "score", "ok", "note", "big"]
    lists = run(tmp_path, input=path, has_header=False, limit=1)
    assert lists.output == [["name", "age", "score", "ok", "note", "big"]]
    assert len(run(tmp_path, input=path, limit=1).output) == 1


@pytest.mark.parametrize("style", ["xlsx", "ods"])
def test_several_sheets(style: str, tmp_path: Path) -> None:
    path = str(tmp_path / f"a.{style}")
    run(tmp_path, target_path=path, rows={"One": [["x", 1], ["y"]], "Zwei & 3": [{"a": [1, {}]}]})
    sheets = run(tmp_path, operation="sheets", input=path)
    assert [one["name"] for one in sheets.output] == ["One", "Zwei & 3"]
    assert run(tmp_path, input=path, sheet="Zwei & 3").output == [{"a": "[1, {}]"}]
    assert run(tmp_path, input=path, sheet=2).output == [{"a": "[1, {}]"}]
    first = run(tmp_path, input=path, has_header=False)
    assert first.output == [["x", 1], ["y", None]]
    csv = run(tmp_path, operation="to_csv", input=path, delimiter=";")
    assert csv.output == "x;1\ny;\n"
    target = tmp_path / "out.csv"
    saved = run(tmp_path, operation="to_csv", input=path, target_path=str(target))
    assert saved.text == f"wrote 2 rows to {target}"
    assert target.read_text() == "x,1\ny,\n"


def test_dates_are_texts(tmp_path: Path) -> None:
    from datetime import datetime

    path = tmp_path / "d.xlsx"
    with xlsxwriter.Workbook(str(path)) as workbook:
        sheet = workbook.add_worksheet()
        form = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet.write_datetime(0, 0, datetime(2024, 1, 2, 3, 4), form)  # noqa: DTZ001
        sheet.write_formula(0, 1, "=1+1", value=2)
    cells = run(tmp_path, input=str(path), has_header=False).output
    assert cells == [["2024-01-02T03:04:00", 2]]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, 'input is required for "read"'),
        ({"operation": "write", "target_path": "x.xlsx"}, "rows is required"),
        ({"rows": [[1]]}, "target_path is required"),
        ({"rows": [[1]], "target_path": "DIR/x.txt"}, "must end in .xlsx or .ods"),
        ({"rows": [1], "target_path": "DIR/x.ods"}, "rows.0 must be a table or a list, not 1"),
        ({"rows": {"a": 5}, "target_path": "DIR/x.ods"}, "rows.a must be a list of rows"),
        ({"rows": {"a/b": []}, "target_path": "DIR/x.xlsx"}, "sheet: cannot be a sheet's name"),
        ({"rows": [[float("nan")]], "target_path": "DIR/x.ods"}, "which no cell can hold"),
        ({"input": "DIR/good.xlsx", "sheet": "x"}, 'sheet: names "x", which is no sheet'),
        ({"input": "DIR/good.xlsx", "sheet": 2}, 'sheet: names "2"'),
        ({"input": "DIR/empty"}, "is empty"),
        ({"input": "DIR/text"}, "is no spreadsheet that can be read"),
        ({"input": "DIR/zip.xlsx"}, "is no spreadsheet that can be read"),
        ({"input": 5}, "input must be a path, or rows"),
    ],
)
def test_mistakes_name_the_field(params: dict[str, Any], message: str, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_text("hello")
    with zipfile.ZipFile(tmp_path / "zip.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
    run(tmp_path, rows=[[1]], target_path=str(tmp_path / "good.xlsx"))
    params = {
        key: value.replace("DIR", str(tmp_path)) if isinstance(value, str) else value
        for key, value in params.items()
    }
    with pytest.raises(ValidationError) as caught:
        run(tmp_path, **params)
    assert message in caught.value.message


def test_paths_that_are_not_allowed_are_refused(tmp_path: Path) -> None:
    for params in (
        {"input": "/etc/passwd"},
        {"rows": [[1]], "target_path": "/etc/x.xlsx"},
        {"rows": [[1]], "target_path": str(tmp_path / "../x.ods")},
    ):
        with pytest.raises(LLMSpellError) as caught:
            run(tmp_path, **params)
        assert caught.value.code.startswith("policy.")


def workbook_with(sheet: str) -> bytes:
    """An xlsx whose only sheet has this XML."""
    target, made = io.BytesIO(), io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as workbook:
        workbook.add_worksheet()
    with zipfile.ZipFile(target) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = sheet if name == "xl/worksheets/sheet1.xml" else old.read(name)
            new.writestr(name, data)
    return made.getvalue()


SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    "<sheetData>{}</sheetData></worksheet>"
)
CELL = '<row r="{0}"><c r="{1}{0}"><v>1</v></c></row>'
HOSTILE = {
    "far-corners": SHEET.format(CELL.format(1, "A") + CELL.format(1048576, "XFD")),
    "entities": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    + SHEET.format('<row r="1"><c r="A1" t="str"><v>&e;</v></c></row>'),
    "blank-bomb": SHEET.format(" " * 40_000_000),
    "cut": SHEET.format("<row")[:200],
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_files_end_and_read_nothing_else(name: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.xlsx"
    path.write_bytes(workbook_with(HOSTILE[name]))
    try:
        text = run(tmp_path, input=str(path), has_header=False).text
    except LLMSpellError as error:
        assert error.code.startswith(("limit.", "input.", "tool."))  # noqa: PT017
    else:
        assert "root:" not in text


def test_tables_that_are_too_large_are_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "x.xlsx")
    with pytest.raises(LimitError, match="more than 32,767 characters"):
        run(tmp_path, rows=[["x" * 40_000]], target_path=path)
    with pytest.raises(LimitError, match="16,384 columns"):
        run(tmp_path, rows=[[1] * 17_000], target_path=path)
