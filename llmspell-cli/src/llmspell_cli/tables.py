"""Data on stdout: a table for people, JSON for programs."""

from __future__ import annotations

import json
from typing import Any

import click

from llmspell_cli.report import clean, print_json


def show(data: Any, *, as_json: bool, columns: list[str] | None = None) -> None:
    """Print rows (a list of dicts) as a table, anything else as text; or all as JSON."""
    if as_json:
        print_json(data)
    elif isinstance(data, list) and data and all(isinstance(one, dict) for one in data):
        print_table(data, columns)
    elif isinstance(data, dict):
        width = max((len(str(key)) for key in data), default=0)
        for key, value in data.items():
            click.echo(f"{key:<{width}}  {cell(value)}")
    elif data is not None and data != []:
        click.echo(cell(data))


def print_table(rows: list[dict[str, Any]], columns: list[str] | None = None) -> None:
    """Aligned columns, the last one as wide as it likes; no header for a single column."""
    names = columns or list(rows[0])
    texts = [[clean(cell(row.get(name))) for name in names] for row in rows]
    widths = [max(len(row[i]) for row in texts) for i in range(len(names))]
    for row in texts:
        line = "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())


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
