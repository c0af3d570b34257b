"""Editor stubs from the manifests: a LuaLS ``---@meta`` file that knows every global.

Those of JavaScript are in `stubs_ts`.

The same declarations that bind and validate a script's calls: nothing is listed twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llmspell_bridge.stubs_ts import typescript
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
    """Write ``llmspell.lua`` and ``llmspell.d.ts`` into a folder, made when missing."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, make in (("llmspell.lua", luals), ("llmspell.d.ts", typescript)):
        path = folder / name
        path.write_text(make(manifests), encoding="utf-8")
        written.append(path)
    return written


def luals(manifests: Mapping[str, Manifest]) -> str:
    """The LuaLS definition file as text."""
    types: dict[str, Any] = {}
    objects: dict[str, Any] = {}
    for manifest in manifests.values():
        types.update(manifest["types"])
        objects.update(manifest["objects"])
    lines = ["---@meta llmspell", "-- Written by `llmspell stubs`; changes here are lost.", ""]
    for name, one in sorted(types.items()):
        lines += _type(name, one)
    for name, one in sorted(objects.items()):
        lines += _object(name, one, types)
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
        return "|".join(dict.fromkeys(_member(lua_type(part)) for part in parts))
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


def _member(text: str) -> str:
    """A type as one of several: what follows a function's colon would belong to its result."""
    return f"({text})" if text.startswith("fun(") else text


def _given(text: str, required: bool) -> tuple[str, str]:
    """The mark behind a name, and its type: `name? string` rather than `name string|nil`."""
    shown = lua_type(text)
    parts = [part for part in _split(shown, "|") if part != "nil"]
    if not parts or (len(parts) == len(_split(shown, "|")) and required):
        return "", shown
    alone = len(parts) == 1 and parts[0].startswith("(")
    return "?", parts[0][1:-1] if alone and parts[0].endswith(")") else "|".join(parts)


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
        mark, shown = _given(field["type"], field["required"])
        lines.append(f"---@field {field['name']}{mark} {shown}{_note(field['doc'])}")
        lines += [
            f"---@field {alias}{mark} {shown} the same as {field['name']}"
            for alias in field.get("aliases", [])
        ]
    return [*lines, ""]


def _note(text: str) -> str:
    return " " + " ".join(text.split()) if text else ""


def _methods(owner: str, mark: str, spec: Manifest) -> Iterator[str]:
    for method, one in spec["methods"].items():
        # What makes a builder is shown with it.
        if method not in spec.get("builders", {}):
            yield from _function(owner, mark, method, one)


def _object(name: str, one: Manifest, types: Mapping[str, Any]) -> list[str]:
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
    lines += _methods(local, ":", one)
    lines += _builders(label, local, ":", one, types)
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
    lines += _methods(name, ".", manifest)
    lines += _builders(label, name, ".", manifest, manifest["types"])
    lines += [f"{alias} = {name}" for alias in manifest["aliases"]]
    return [*lines, ""]


def _signature(spec: Manifest) -> str:
    names = [
        _safe(one["name"]) + ": ".join(_given(one["type"], one["required"]))
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
        spelled = "..." if rest else _safe(one["name"])
        names.append(spelled)
        optional, shown = _given(one["type"], one["required"] or rest)
        yield f"---@param {spelled}{optional} {shown}{_note(one['doc'])}"
    if spec["returns"] != "null":
        yield f"---@return {lua_type(spec['returns'])}"
    target = f"{owner}{mark}{name}"
    if name in _RESERVED:
        yield f'{owner}["{name}"] = function({", ".join(names)}) end'
    else:
        yield f"function {target}({', '.join(names)}) end"
    if name not in _RESERVED:
        for alias in spec["aliases"]:
            if alias not in _RESERVED:
                yield f"{owner}.{alias} = {owner}.{name}"
    yield ""


def _safe(name: str) -> str:
    return f"{name}_" if name in _RESERVED else name


def _builders(
    label: str, owner: str, mark: str, spec: Manifest, types: Mapping[str, Any]
) -> Iterator[str]:
    for method, builder in spec.get("builders", {}).items():
        made = f"{label}.{method}"
        local = f"{owner}_{method}"
        yield f"---@class {made}"
        yield f"local {local} = {{}}"
        fields = {one["name"]: one for one in types.get(builder["config"], {}).get("fields", ())}
        for setter, (operation, field) in builder["setters"].items():
            if setter not in _RESERVED:
                yield from _setter(f"{local}:{setter}", made, operation, fields.get(field))
        build = spec["methods"].get(builder["build"], {})
        for ending in ("build", *builder.get("finish", ())):
            yield f"---@return {lua_type(build.get('returns', 'any'))}"
            yield f"function {local}:{ending}() end"
        yield ""
        yield from _doc(spec["methods"].get(method, {}).get("doc", ""))
        yield f"---@return {made}"
        yield f"function {owner}{mark}{method}() end"
        yield ""


def _setter(name: str, made: str, operation: str, field: Manifest | None) -> Iterator[str]:
    names = {"set": "value", "append": "item", "put": "key, value"}.get(operation, "")
    if operation == "set" and field is not None:
        mark, shown = _given(field["type"], True)
        yield f"---@param value{mark} {shown}{_note(field['doc'])}"
    elif names:
        yield from (f"---@param {one} any" for one in names.split(", "))
    yield f"---@return {made}"
    yield f"function {name}({names}) end"
