"""The pages of the script globals, out of their declarations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from llmspell_bridge.manifests import compile_extension, compile_global
from llmspell_bridge.spelltest.declared import TestGlobal
from llmspell_core.extensions import Extensions
from llmspell_core.script.manifest import FUNCTION

Manifest = Mapping[str, Any]


def manifests() -> dict[str, Manifest]:
    """Every global's manifest by its name, freshly compiled; that of `llmspell test` as well."""
    found: dict[str, Manifest] = {
        name: compile_extension(one) for name, one in Extensions("globals").items()
    }
    return dict(sorted({**found, TestGlobal.name: compile_global(TestGlobal)}.items()))


def global_page(manifest: Manifest) -> str:
    """One page: methods, builders, objects, tables."""
    name = manifest["name"]
    lines = [f"# {name}", "", *prose(manifest["doc"])]
    if manifest["aliases"]:
        lines += [f"Also: {codes(manifest['aliases'])}.", ""]
    if manifest["index"]:
        lines += [f'`{name}["name"]` is the {manifest["index"]} of that name.', ""]
    lines += methods(f"{name}.", manifest["methods"])
    lines += builders(f"{name}.", manifest["builders"])
    for type_, one in manifest["objects"].items():
        lines += [f"## {type_} (object)", "", *prose(one["doc"])]
        lines += methods(f"{type_}:", one["methods"], level=3)
        lines += builders(f"{type_}:", one["builders"])
    if manifest["types"]:
        lines += ["## Tables", ""]
        for type_, one in manifest["types"].items():
            lines += table_type(type_, one)
    return "\n".join(lines).rstrip() + "\n"


def methods(owner: str, declared: Mapping[str, Any], level: int = 2) -> Iterator[str]:
    """A section for each method that is not hidden."""
    for name, one in declared.items():
        if one["hidden"]:
            continue
        yield f"{'#' * level} {owner}{name}({signature(one)})"
        yield ""
        yield from prose(one["doc"])
        if one["params"]:
            yield "| parameter | type | |"
            yield "| --- | --- | --- |"
            for param in one["params"]:
                optional = "" if param["required"] else ", optional"
                yield f"| `{param['name']}` | {shown(param['type'])}{optional} | {param['doc']} |"
            yield ""
        notes = []
        if one["returns"] != "null":
            notes.append(f"Gives {shown(one['returns'])}.")
        if one["aliases"]:
            notes.append(f"Also: {codes(one['aliases'])}.")
        if notes:
            yield " ".join(notes)
            yield ""


def builders(owner: str, declared: Mapping[str, Any]) -> Iterator[str]:
    """What a builder collects."""
    for name, one in declared.items():
        yield f"The setters of `{owner}{name}()`: {codes(one['setters'])}."
        yield ""


def table_type(name: str, one: Manifest) -> Iterator[str]:
    """The fields of a table that scripts pass or get."""
    yield f"### {name}"
    yield ""
    yield from prose(one.get("doc", ""))
    if not one.get("fields"):
        return
    yield "| field | type | |"
    yield "| --- | --- | --- |"
    for field in one["fields"]:
        needed = ", required" if field["required"] else ""
        note = str(field["doc"])
        if field.get("aliases"):
            note = f"{note} (= {codes(field['aliases'])})".strip()
        yield f"| `{field['name']}` | {shown(field['type'])}{needed} | {cell(note)} |"
    yield ""


def signature(one: Manifest) -> str:
    """`name, params?`: optional ones with a question mark."""
    names = [param["name"] + ("" if param["required"] else "?") for param in one["params"]]
    if one["variadic"]:
        names[-1] = "..."
    return ", ".join(names)


def shown(type_: str) -> str:
    """A type as a cell shows it."""
    text = type_.replace(FUNCTION, "function")
    text = re.sub(r"^(.*) \| null$", r"\1", text)
    return f"`{text}`".replace("|", "\\|")


def codes(names: Any) -> str:
    """Names in code, with commas."""
    return ", ".join(f"`{name}`" for name in names)


def cell(text: str) -> str:
    """Text of one line that may stand in a table."""
    return " ".join(text.split()).replace("|", "\\|")


def prose(text: str) -> Iterator[str]:
    """A docstring as Markdown: its indented examples become code blocks."""
    if not text:
        return
    for paragraph in re.split(r"\n\s*\n", text.replace("``", "`")):
        if all(line.startswith("    ") for line in paragraph.splitlines()):
            yield "```lua"
            yield from (line.removeprefix("    ") for line in paragraph.splitlines())
            yield "```"
        else:
            yield re.sub(r"::$", ":", paragraph)
        yield ""
