"""Editor stubs from the manifests: a LuaLS ``---@meta`` file that knows every global.

The same declarations that bind and validate a script's calls: nothing is listed twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llmspell_core.script.manifest import FUNCTION

Manifest = Mapping[str, Any]

_SCALARS = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "any": "any",
    "bytes": "string",
    "null": "nil",
}
_RESERVED = {"and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto",
             "if", "in", "local", "nil", "not", "or", "repeat", "return", "then", "true", "until",
             "while"}  # fmt: skip


def write_stubs(manifests: Mapping[str, Manifest], folder: Path) -> list[Path]:
    """Write ``llmspell.lua`` into a folder (made when missing); the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "llmspell.lua"
    path.write_text(luals(manifests), encoding="utf-8")
    return [path]


def luals(manifests: Mapping[str, Manifest]) -> str:
    """The LuaLS definition file as text."""
    types: dict[str, Any] = {}
    objects: dict[str, Any] = {}
    for manifest in manifests.values():
        types.update(manifest["types"])
        objects.update(manifest["objects"])
    lines = ["---@meta llmspell", ""]
    for name, one in sorted(types.items()):
        lines += _type(name, one)
    for name, one in sorted(objects.items()):
        lines += _object(name, one)
    for _, manifest in sorted(manifests.items()):
        lines += _global(manifest)
    return "\n".join(lines).rstrip() + "\n"


def _class(name: str) -> str:
    return f"llmspell.{name[:1].upper()}{name[1:]}"


def lua_type(text: str) -> str:  # noqa: PLR0911 - one return a form of type
    """A manifest type in LuaLS's language."""
    text = text.strip().replace(FUNCTION, "function")
    parts = _split(text, "|")
    if len(parts) > 1:
        return "|".join(dict.fromkeys(lua_type(part) for part in parts))
    if text.endswith("[]"):
        inner = lua_type(text[:-2])
        return f"({inner})[]" if "|" in inner else f"{inner}[]"
    if text.startswith("(") and text.endswith(")"):
        return lua_type(text[1:-1])
    if match := re.fullmatch(r"Record<string, (.*)>", text):
        return f"table<string, {lua_type(match[1])}>"
    if text == "function":
        return "fun(...: any): any"
    if text in _SCALARS or text[:1] in "\"'" or text[:1].isdigit():
        return _SCALARS.get(text, text)
    return _class(text)


def _split(text: str, separator: str) -> list[str]:
    """Split at the separator where no bracket or quote is open."""
    parts, depth, quoted, part = [], 0, False, ""
    for char in text:
        if char == '"':
            quoted = not quoted
        if not quoted:
            depth += (char in "(<[") - (char in ")>]")
            if char == separator and depth == 0:
                parts.append(part)
                part = ""
                continue
        part += char
    return [*parts, part]


def _doc(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield f"---{line}".rstrip()


def _type(name: str, one: Manifest) -> list[str]:
    lines = [*_doc(one.get("doc", "")), f"---@class {_class(name)}"]
    for field in one.get("fields", []):
        optional = "" if field["required"] else "?"
        for spelled in (field["name"], *field.get("aliases", [])):
            note = f" {field['doc']}" if field["doc"] else ""
            lines.append(f"---@field {spelled}{optional} {lua_type(field['type'])}{note}")
    return [*lines, ""]


def _object(name: str, one: Manifest) -> list[str]:
    label = _class(name)
    local = f"{name.replace('-', '_')}_object"
    lines = [
        *_doc(one.get("doc", "")),
        f"---@class {label}",
        "---@field id string",
        "---@field name string",
        "---@field type string",
    ]
    if one.get("iterate"):
        lines.append("---@overload fun(): any")
    lines += [f"local {local} = {{}}", ""]
    for method, spec in one["methods"].items():
        lines += _function(local, ":", method, spec)
    lines += _builders(label, local, ":", one.get("builders", {}))
    return lines


def _global(manifest: Manifest) -> list[str]:
    name = manifest["name"]
    label = _class(f"{name}Global")
    lines = [*_doc(manifest["doc"]), f"---@class {label}"]
    if call := manifest.get("call"):
        spec = manifest["methods"][call]
        lines.append(f"---@overload fun({_signature(spec)}): {lua_type(spec['returns'])}")
    if manifest["kind"] == "args":
        lines.append("---@field [integer|string] string|boolean")
    if index := manifest.get("index"):
        lines.append(f"---@field [string] {_class(index)}")
    lines += [f"{name} = {{}}", ""]
    for method, spec in manifest["methods"].items():
        lines += _function(name, ".", method, spec)
    lines += _builders(label, name, ".", manifest["builders"])
    lines += [f"{alias} = {name}" for alias in manifest["aliases"]]
    return [*lines, ""]


def _signature(spec: Manifest) -> str:
    names = [
        f"{one['name']}{'' if one['required'] else '?'}: {lua_type(one['type'])}"
        for one in spec["params"]
        if not (spec["variadic"] and one is spec["params"][-1])
    ]
    if spec["variadic"]:
        names.append("...: any")
    return ", ".join(names)


def _function(owner: str, mark: str, name: str, spec: Manifest) -> Iterator[str]:
    if spec["hidden"]:
        return
    yield from _doc(spec["doc"])
    params = list(spec["params"])
    names = []
    for one in params:
        rest = spec["variadic"] and one is params[-1]
        optional = "" if one["required"] or rest else "?"
        spelled = "..." if rest else _safe(one["name"])
        names.append(spelled)
        note = f" {one['doc']}" if one["doc"] else ""
        yield f"---@param {spelled}{optional} {lua_type(one['type'])}{note}"
    if spec["returns"] != "null":
        yield f"---@return {lua_type(spec['returns'])}"
    target = f"{owner}{mark}{name}"
    if name in _RESERVED:
        yield f'{owner}["{name}"] = function({", ".join(names)}) end'
    else:
        yield f"function {target}({', '.join(names)}) end"
    yield ""
    if name not in _RESERVED:
        for alias in spec["aliases"]:
            if alias not in _RESERVED:
                yield f"{owner}.{alias} = {owner}.{name}"


def _safe(name: str) -> str:
    return f"{name}_" if name in _RESERVED else name


def _builders(label: str, owner: str, mark: str, builders: Mapping[str, Any]) -> Iterator[str]:
    for method, builder in builders.items():
        made = f"{label}.{method}"
        local = f"{owner}_{method}".replace(".", "_")
        yield f"---@class {made}"
        yield f"local {local} = {{}}"
        for setter in builder["setters"]:
            if setter not in _RESERVED:
                yield "---@param ... any"
                yield f"---@return {made}"
                yield f"function {local}:{setter}(...) end"
        yield "---@return any"
        yield f"function {local}:build() end"
        yield f"---@return {made}"
        yield f"function {owner}{mark}{method}() end"
        yield ""
