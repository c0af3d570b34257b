"""Texts of CSV as rows: which delimiter, which columns, which types."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from llmspell_core.errors import LimitError
from llmspell_tools._bounded import mistake

TOOL = "csv-analyzer"
MAX_COLUMNS = 1_000
MAX_CELLS = 5_000_000
_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_LINES = 20
_MOST_ODD = 1_000
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?|-?\.[0-9]+")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DATETIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?")
_INT64 = 1 << 63


@dataclass
class Table:
    """Rows by column; `odd` are the rows with a wrong number of cells: (line, cells)."""

    columns: list[str]
    rows: list[dict[str, Any]]
    types: dict[str, str]
    delimiter: str = ","
    odd: list[tuple[int, int]] = field(default_factory=list)


def read(
    text: str, *, delimiter: str | None = None, has_header: bool = True, infer: bool = True
) -> Table:
    """Read a text. Empty cells are null; with `infer` columns of numbers are numbers."""
    text = text.removeprefix("\ufeff")
    found = delimiter or guess_delimiter(text)
    lines: list[tuple[int, list[str]]] = []
    cells = 0
    reader = csv.reader(StringIO(text, newline=""), delimiter=found)
    try:
        for row in reader:
            if row:
                lines.append((reader.line_num, row))
                cells += len(row)
                if cells > MAX_CELLS:
                    raise LimitError(f"{TOOL}: more than {MAX_CELLS:,} cells", code="limit.value")
    except csv.Error as error:
        raise mistake(TOOL, "input", f"is no CSV: {error} at line {reader.line_num}") from None
    columns = _columns(lines, has_header)
    return _table(columns, lines[1:] if has_header else lines, found, infer)


def guess_delimiter(text: str) -> str:
    """The character that the first lines have in equal number, outside of quotes."""
    sample = [line for line in text[:100_000].splitlines()[:_SAMPLE_LINES] if line.strip()]
    best, score = ",", (0.0, 0)
    for delimiter in _DELIMITERS:
        counts = [_outside_quotes(line).count(delimiter) for line in sample]
        if not counts or not counts[0]:
            continue
        even = sum(count == counts[0] for count in counts) / len(counts)
        if (even, counts[0]) > score:
            best, score = delimiter, (even, counts[0])
    return best


def _outside_quotes(line: str) -> str:
    return "".join(line.split('"')[::2])


def _columns(lines: list[tuple[int, list[str]]], has_header: bool) -> list[str]:
    first = lines[0][1] if lines else []
    if len(first) > MAX_COLUMNS:
        raise LimitError(f"{TOOL}: more than {MAX_COLUMNS} columns", code="limit.value")
    names: dict[str, None] = {}
    for index, cell in enumerate(first):
        plain = (cell.strip() if has_header else "") or f"column_{index + 1}"
        name, number = plain, 2
        while name in names:
            name, number = f"{plain}_{number}", number + 1
        names[name] = None
    return list(names)


def _table(
    columns: list[str], lines: list[tuple[int, list[str]]], delimiter: str, infer: bool
) -> Table:
    odd = [(line, len(cells)) for line, cells in lines if len(cells) != len(columns)]
    table = Table(columns, [{} for _ in lines], {}, delimiter, odd[:_MOST_ODD])
    for index, name in enumerate(columns):
        texts = [cells[index] if index < len(cells) else "" for _, cells in lines]
        kind = type_of(texts) if infer else "text"
        table.types[name] = kind
        for row, value in zip(table.rows, _values(texts, kind), strict=True):
            row[name] = value
    return table


def type_of(texts: list[str]) -> str:
    """The type that all cells of a column have: integer, number, boolean, date, datetime, text."""
    filled = [text.strip() for text in texts if text.strip()]
    if not filled:
        return "text"
    for kind, fits in _FITS:
        if all(map(fits, filled)):
            return kind
    return "text"


def _is_integer(text: str) -> bool:
    return _INTEGER.fullmatch(text) is not None and -_INT64 <= int(text) < _INT64


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None and abs(float(text)) < float("inf")


_FITS = (
    ("integer", _is_integer),
    (
        "number",
        lambda text: _NUMBER.fullmatch(text) is not None and abs(float(text)) < float("inf"),
    ),
    ("boolean", lambda text: text.lower() in ("true", "false")),
    ("date", lambda text: _DATE.fullmatch(text) is not None),
    ("datetime", lambda text: _DATETIME.fullmatch(text) is not None),
)


def _values(texts: list[str], kind: str) -> list[Any]:
    if kind == "integer":
        return [int(text) if text.strip() else None for text in texts]
    if kind == "number":
        return [float(text) if text.strip() else None for text in texts]
    if kind == "boolean":
        return [text.strip().lower() == "true" if text.strip() else None for text in texts]
    return [text or None for text in texts]


def write(columns: list[str], rows: list[dict[str, Any]], delimiter: str = ",") -> str:
    """Rows as a text of CSV with a header."""
    from llmspell_tools.data._row_values import text

    lines = _Lines()
    writer = csv.writer(lines, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([text(row.get(name)) for name in columns] for row in rows)
    return "".join(lines.parts)


class _Lines:
    """Ends lines with a newline; told of that, the library would not quote carriage returns."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def write(self, line: str) -> None:
        self.parts.append(line.removesuffix("\r\n") + "\n")


def markdown(columns: list[str], rows: list[dict[str, Any]]) -> str:
    """Rows as a table of Markdown."""
    from llmspell_tools.data._row_values import text

    def line(cells: list[str]) -> str:
        plain = (cell.replace("|", "\\|").replace("\n", "<br>") for cell in cells)
        return f"| {' | '.join(plain)} |"

    lines = [line(columns), line(["---"] * len(columns))]
    lines += [line([text(row.get(name)) for name in columns]) for row in rows]
    return "\n".join(lines)
