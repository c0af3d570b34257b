"""Data on stdout: a table for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from llmspell_cli.look import clean

#: A last column narrower than this is not cut: the line may as well wrap.
NARROW = 20


def print_json(value: Any, *, compact: bool | None = None) -> None:
    """JSON on stdout: indented on a terminal, one line in a pipe."""
    short = not sys.stdout.isatty() if compact is None else compact
    text = json.dumps(value, ensure_ascii=False, indent=None if short else 2, default=str)
    # A lone surrogate, which no text may hold, is written as it is escaped in JSON.
    click.echo(text.encode("utf-8", "backslashreplace") + b"\n", nl=False)


def show(data: Any, *, as_json: bool, columns: list[str] | None = None) -> None:
    """Print rows (a list of dicts) as a table, anything else as text; or all as JSON."""
    if as_json:
        print_json(data)
    elif isinstance(data, list) and data and all(isinstance(one, dict) for one in data):
        print_table(data, columns)
    elif isinstance(data, list):
        for one in data:
            click.echo(clean(cell(one)))
    elif isinstance(data, dict):
        width = max((len(str(key)) for key in data), default=0)
        for key, value in data.items():
            click.echo(clean(f"{key:<{width}}  {cell(value)}".rstrip()))
    elif data is not None:
        click.echo(clean(cell(data)))


def print_table(rows: list[dict[str, Any]], columns: list[str] | None = None) -> None:
    """Aligned columns. On a terminal the last one is cut to its width, elsewhere it is whole."""
    names = columns or list(rows[0])
    texts = [[clean(cell(row.get(name))) for name in names] for row in rows]
    widths = [max(len(row[i]) for row in texts) for i in range(len(names))]
    room = _columns() if sys.stdout.isatty() else 0
    for row in texts:
        line = "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True))
        click.echo(_fit(line.rstrip(), sum(widths[:-1]) + 2 * len(widths), room))


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size().columns


def _fit(line: str, start_of_last: int, room: int) -> str:
    if not room or len(line) <= room or room - start_of_last < NARROW:
        return line
    return f"{line[: room - 3].rstrip()}..."


def cell(value: Any) -> str:
    """A value in one cell: text as it is, lists with commas, the rest as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False, default=str)
