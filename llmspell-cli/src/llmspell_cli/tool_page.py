"""A tool explained: as a page for people, and as data."""

from __future__ import annotations

import json
import shlex
import shutil
import textwrap
from typing import TYPE_CHECKING, Any

import click

from llmspell_cli.look import clean

if TYPE_CHECKING:
    from llmspell_core.tool import Tool
    from llmspell_core.tool_cards import ToolCard

#: A type longer than this is not kept in its column.
TYPE_WIDTH = 24
EXAMPLES = 3
MIN_WIDTH = 60


def row_of(tool: ToolCard | Tool, source: str = "") -> dict[str, Any]:
    """The tool's row in a list; `source` is the distribution that it comes from."""
    return {
        "name": tool.name,
        "category": tool.category,
        "level": tool.security_level,
        "needs": needs(tool, source),
        "description": tool.description.splitlines()[0] if tool.description else "",
    }


def needs(tool: ToolCard | Tool, source: str) -> str:
    """What must be installed for it to work, such as `llmspell-tools[data]`, or nothing."""
    from llmspell_core.extras import missing

    if tool.extra and source and missing(source, tool.extra):
        return f"{source}[{tool.extra}]"
    return ""


def details(tool: Tool, source: str = "") -> dict[str, Any]:
    """Everything about it as data."""
    return {
        **row_of(tool, source),
        "source": source,
        "extra": tool.extra,
        "version": tool.version,
        "aliases": list(tool.aliases),
        "schema": tool.schema(),
        "permissions": dict(_marks(tool)),
        "timeout_ms": tool.timeout_ms,
        "examples": [params for params, _ in tool.examples],
    }


def print_page(tool: Tool, source: str = "") -> None:
    """What it does, its parameters, what it may reach, how it is called."""
    aliases = f"  also {', '.join(tool.aliases)}" if tool.aliases else ""
    click.echo(clean(f"{tool.name}  ({tool.category}, {tool.security_level}){aliases}"))
    for line in textwrap.wrap(tool.description, _width()):
        click.echo(clean(line))
    if wanted := needs(tool, source):
        click.echo(f"It needs what is not installed:  pip install '{wanted}'")
    click.echo()
    _print_parameters(tool.schema())
    for label, text in _marks(tool):
        click.echo(clean(f"{label:<12} {text}"))
    for params, note in tool.examples[:EXAMPLES]:
        words = " ".join(f"--param {key}={_quoted(value)}" for key, value in params.items())
        click.echo(clean(f"example      llmspell tool run {tool.name} {words}"))
        if note:
            click.echo(clean(f"             {note}"))


def _marks(tool: Tool) -> list[tuple[str, str]]:
    rows = [
        (name, str(value))
        for name in ("files", "network", "processes", "environment")
        if (value := getattr(tool.permissions, name))
    ]
    for mark in ("destructive", "open_world", "sequential", "requires_approval"):
        rows += [(mark, "yes")] if getattr(tool, mark) else []
    return rows


def _print_parameters(schema: dict[str, Any]) -> None:
    required = schema.get("required", [])
    definitions = schema.get("$defs", {})
    rows = []
    for name, spec in schema.get("properties", {}).items():
        default = spec.get("default")
        note = "required" if name in required else ("" if default is None else f"= {cell(default)}")
        rows.append((name, type_text(spec, definitions), note, spec.get("description", "")))
    names, types, notes = (
        min(TYPE_WIDTH, max((len(row[i]) for row in rows), default=0)) for i in range(3)
    )
    indent = 2 + names + 2 + types + 2 + notes + 2
    for name, kind, note, text in rows:
        # A long list of values stands before the description, broken where the page ends.
        whole = text if len(kind) <= TYPE_WIDTH else f"{text} ({kind.replace('|', ', ')})"
        short = kind if len(kind) <= TYPE_WIDTH else "one of"
        start = f"  {name:<{names}}  {short:<{types}}  {note:<{notes}}  "
        lines = textwrap.wrap(whole, max(MIN_WIDTH, _width()) - indent) or [""]
        click.echo(clean(start + lines[0]).rstrip())
        for line in lines[1:]:
            click.echo(clean(" " * indent + line))
    click.echo()


def type_text(spec: dict[str, Any], definitions: dict[str, Any] | None = None) -> str:
    """A JSON schema's type in a few words: `text`-like names as JSON has them, `a|b`, `x[]`."""
    known = definitions or {}
    if "$ref" in spec:
        return type_text(known.get(str(spec["$ref"]).rpartition("/")[2], {}), known)
    if "enum" in spec:
        return "|".join(str(one) for one in spec["enum"])
    if "const" in spec:
        return json.dumps(spec["const"])
    if "anyOf" in spec:
        kinds = dict.fromkeys(type_text(one, known) for one in spec["anyOf"])
        # That a parameter may be left out is said by its having no `required`.
        return "|".join(kind for kind in kinds if kind != "null") or "null"
    kind = spec.get("type", "any")
    if kind == "array":
        return f"{type_text(spec.get('items', {}), known)}[]"
    return "|".join(kind) if isinstance(kind, list) else str(kind)


def cell(value: Any) -> str:
    """A default as it is typed."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _quoted(value: Any) -> str:
    return shlex.quote(cell(value))


def _width() -> int:
    return min(120, shutil.get_terminal_size((100, 24)).columns)
