"""Agents and templates as rows of lists, and a template explained as a page for people."""

from __future__ import annotations

import shlex
import textwrap
from typing import TYPE_CHECKING, Any

import click

from llmspell_cli.look import clean
from llmspell_cli.tool_page import cell, type_text

if TYPE_CHECKING:
    from llmspell_core.registry import Entry, Registry

WIDTH = 100


def agent_row(entry: Entry[Any], templates: Registry[Any]) -> dict[str, Any]:
    """An agent's row; one that cannot be made by its name alone says what it asks for."""
    from llmspell_core.errors import LLMSpellError

    row = {"name": entry.name, "source": entry.source, "asks for": []}
    try:
        if not templates.has(entry.name):
            return {**row, "description": entry.load().description}
        info = templates.get(entry.name).info()
    except LLMSpellError as error:
        return {**row, "description": f"broken: {error.message}"}
    return {**row, "asks for": info["required_parameters"], "description": info["description"]}


def template_row(info: dict[str, Any]) -> dict[str, Any]:
    """A template's row: what it must be given, then what it may."""
    optional = [f"[{name}]" for name in info["optional_parameters"]]
    return {**info, "asks for": " ".join([*info["required_parameters"], *optional])}


def print_template(info: dict[str, Any], called: str) -> None:
    """What it is for, its parameters, tools and levels, and how it is run."""
    click.echo(clean(f"{info['name']}  ({info['category']}, {info['complexity']})"))
    for line in textwrap.wrap(info["description"], WIDTH):
        click.echo(clean(line))
    click.echo()
    _print_parameters(info["parameters"])
    if info["inputs"]["properties"]:
        click.echo("Each run is given:")
        _print_parameters(info["inputs"])
    rows = [
        ("extends", " > ".join(reversed(info["levels"][:-1]))),
        ("tools", ", ".join(info["tools"])),
        ("capabilities", ", ".join(info["capabilities"])),
        ("example", _example(info, called)),
    ]
    for label, text in rows:
        if text:
            click.echo(clean(f"{label:<12}  {text}"))


def _print_parameters(schema: dict[str, Any]) -> None:
    rows = []
    for name, spec in schema["properties"].items():
        default = spec.get("default")
        note = "required" if name in schema.get("required", ()) else ""
        if default is not None:
            note = f"= {cell(default)}"
        rows.append((name, type_text(spec), note, spec.get("description", "")))
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    for row in rows:
        columns = (f"{text:<{width}}" for text, width in zip(row, widths, strict=False))
        click.echo(clean(f"  {'  '.join(columns)}  {row[3]}".rstrip()))
    if rows:
        click.echo()


def _example(info: dict[str, Any], called: str) -> str:
    if not info["example"]:
        return ""
    required = [*info["required_parameters"], *info["inputs"].get("required", ())]
    params = "".join(f" --param {name}=..." for name in required)
    return f"llmspell agent run {shlex.quote(called)}{params} {shlex.quote(info['example'])}"
