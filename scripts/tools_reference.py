"""The pages of the tools, out of their declarations: one for each category."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from globals_reference import cell, codes
from literals import JS, LUA, command, shell

from llmspell_core.extensions import Extensions
from llmspell_core.tool import Tool

ROOT = Path(__file__).resolve().parent.parent
HEAD = (
    "The examples of each tool in Lua, in JavaScript and on the command line. After `>` stands the "
    "text that a call gives, or in words what it gives."
)


def built_in() -> dict[str, list[Tool]]:
    """The built-in tools by category."""
    found: dict[str, list[Tool]] = {}
    for extension in Extensions("tools").values():
        tool: Tool = extension.load()()
        found.setdefault(tool.category, []).append(tool)
    return dict(sorted(found.items()))


def tool_table() -> Iterator[str]:
    """The tools by category, what each does and the extra that it needs."""
    yield "| category | tool | what it does | extra |"
    yield "| --- | --- | --- | --- |"
    for category, members in built_in().items():
        for index, tool in enumerate(members):
            first = category if index == 0 else ""
            extra = f"`{tool.extra}`" if tool.extra else ""
            yield f"| {first} | `{tool.name}` | {cell(tool.description)} | {extra} |"


def tool_categories() -> Iterator[str]:
    """The categories with their tools, each with a link to its section."""
    yield "| category | tools |"
    yield "| --- | --- |"
    for category, members in built_in().items():
        page = f"reference/tools/{category}.md"
        links = ", ".join(f"[{one.name}]({page}#{one.name})" for one in members)
        yield f"| [{category}]({page}) | {links} |"


def tool_extras() -> Iterator[str]:
    """The extras of llmspell-tools, as its README lists them."""
    readme = (ROOT / "llmspell-tools/README.md").read_text(encoding="utf-8")
    yield from re.findall(r"^\| extra \| for \|.*(?:\n\|.*)*", readme, re.MULTILINE)


def tool_page(category: str, members: list[Tool]) -> str:
    """The tools of one category."""
    lines = [f"# Tools: {category}", "", HEAD, ""]
    for tool in members:
        lines += [f"## {tool.name}", "", tool.description, ""]
        if tool.aliases:
            lines += [f"Also: {codes(tool.aliases)}.", ""]
        lines += [*parameters(tool.schema()), *marks(tool), *examples(tool)]
    return "\n".join(lines).rstrip() + "\n"


def parameters(schema: dict[str, Any]) -> Iterator[str]:
    """The parameters of a JSON schema as a table."""
    yield "| parameter | type | default | |"
    yield "| --- | --- | --- | --- |"
    for name, one in schema.get("properties", {}).items():
        default = one.get("default")
        known = "required" if name in schema.get("required", []) else ""
        if default not in (None, "", [], {}):
            known = f"`{json.dumps(default)}`"
        words = f"`{type_words(one)}`".replace("|", "\\|")
        yield f"| `{name}` | {words} | {known} | {cell(one.get('description', ''))} |"
    yield ""


def type_words(schema: dict[str, Any]) -> str:
    """The type of a JSON schema: `string | array`, or the values it allows."""
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    if "anyOf" in schema:
        parts = [type_words(one) for one in schema["anyOf"]]
        return " | ".join(part for part in dict.fromkeys(parts) if part != "null")
    if schema.get("type") == "array" and schema.get("items"):
        inner = type_words(schema["items"])
        return f"({inner})[]" if " " in inner else f"{inner}[]"
    found = schema.get("type", "any")
    return " | ".join(found) if isinstance(found, list) else str(found)


def marks(tool: Tool) -> Iterator[str]:
    """Level, permissions and what else somebody should know before a call."""
    reach = {
        key: getattr(tool.permissions, key)
        for key in ("files", "network", "processes", "environment")
    }
    parts = [f"Level `{tool.security_level}`", f"{tool.timeout_ms / 1000:g} s a call"]
    parts += [f"{key}: {text}" for key, text in reach.items() if text]
    if tool.permissions.secrets:
        parts.append(f"keys: {codes(tool.permissions.secrets)}")
    parts += [
        text
        for flag, text in (
            (tool.destructive, "may change or delete"),
            (tool.open_world, "reaches beyond this machine"),
            (tool.extra, f"needs `pip install 'llmspell-tools[{tool.extra}]'`"),
        )
        if flag
    ]
    yield f"{'; '.join(parts)}."
    yield ""


def examples(tool: Tool) -> Iterator[str]:
    """The examples of a tool in each language: a block of code for each."""
    if not tool.examples:
        return
    for language, before, after in ((LUA, "print(", ".text)"), (JS, "console.log((", ").text);")):
        yield f"```{language.name}"
        for params, result in tool.examples:
            yield f"{before}{language.execute(tool.name, params, '', len(before))}{after}"
            yield from said(language.comment, result)
        yield "```"
        yield ""
    yield "```console"
    for params, result in tool.examples:
        yield f"$ llmspell {shell(command(tool.name, params))}"
        yield from said("#", result)
    yield "```"
    yield ""


def said(comment: str, result: str) -> Iterator[str]:
    """What a call gives, as comments below it."""
    for line in result.rstrip("\n").split("\n"):
        yield f"{comment}> {line}".rstrip()
