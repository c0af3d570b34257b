"""Editor stubs for modern JavaScript: ``llmspell.d.ts``, from the same manifests as the Lua ones.

Host methods give promises, guest methods answer at once. Every name stands there in camelCase
and in snake_case, since scripts may use both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from llmspell_core.script.manifest import FUNCTION

Manifest = Mapping[str, Any]

_SCALARS = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "any": "any",
    "bytes": "Uint8Array",
    "null": "null",
}
_RESERVED = frozenset({
    "arguments", "await", "break", "case", "catch", "class", "const", "continue", "debugger",
    "default", "delete", "do", "else", "enum", "eval", "export", "extends", "false", "finally",
    "for", "function", "if", "implements", "import", "in", "instanceof", "interface", "let", "new",
    "null", "package", "private", "protected", "public", "return", "static", "super", "switch",
    "this", "throw", "true", "try", "typeof", "var", "void", "while", "with", "yield",
})  # fmt: skip
#: Guest methods that wait all the same where a script can: they give promises.
_PROMISES = frozenset({
    "Async.all", "Async.all_settled", "Async.await", "Async.promise", "Async.race", "Async.retry",
    "Async.sleep", "Async.timeout", "Async.yield", "queue.pop", "queue.push", "stdin.json",
    "stdin.text", "task.await",
})  # fmt: skip
#: What the manifest has no words for.
_RESULTS = {"stdin.lines": "AsyncIterable<string>", "agent.stream": "Stream"}
#: An object that can be awaited as well, and what that gives.
_AWAITABLE = {"stream": "AgentOutput", "task": "any"}
#: `JSON` is the language's own object, which has these already.
_OWN_JSON = frozenset({"parse", "stringify"})


def typescript(manifests: Mapping[str, Manifest]) -> str:
    """The declaration file as text."""
    return _Stubs(manifests).text()


class _Stubs:
    def __init__(self, manifests: Mapping[str, Manifest]) -> None:
        self._manifests = manifests
        self._types: dict[str, Any] = {}
        self._objects: dict[str, Any] = {}
        for manifest in manifests.values():
            self._types.update(manifest["types"])
            self._objects.update(manifest["objects"])
        self._given = self._reached()

    def text(self) -> str:
        lines = [
            "// Written by `llmspell stubs`; changes here are lost.",
            '/// <reference lib="es2023" />',
            "",
            "declare namespace llmspell {",
        ]
        for name, one in sorted(self._types.items()):
            lines += _indented(self._type(name, one))
        for name, one in sorted(self._objects.items()):
            lines += _indented(self._object(name, one))
        for _, manifest in sorted(self._manifests.items()):
            lines += _indented(self._global(manifest))
        lines += ["}", ""]
        for _, manifest in sorted(self._manifests.items()):
            lines += self._constants(manifest)
        platform = files("llmspell_bridge").joinpath("platform.d.ts").read_text("utf-8")
        return "\n".join([*lines, "", platform.strip()]) + "\n"

    # -- types -----------------------------------------------------------------------------------

    def _reached(self) -> set[str]:
        """The types that scripts give; a script writes some of their fields, and reads all."""
        todo = []
        for owner in (*self._manifests.values(), *self._objects.values()):
            for spec in owner["methods"].values():
                todo += [one["type"] for one in spec["params"]]
            todo += [one["config"] or "" for one in owner.get("builders", {}).values()]
        found: set[str] = set()
        while todo:
            for name in re.findall(r"[A-Za-z_]\w*", todo.pop()):
                if name in self._types and name not in found:
                    found.add(name)
                    todo += [field["type"] for field in self._types[name].get("fields", [])]
        return found

    def _type(self, name: str, one: Manifest) -> Iterator[str]:
        yield from _doc(one.get("doc", ""))
        yield f"interface {_class(name)} {{"
        for field in one.get("fields", []):
            shown = ts_type(field["type"])
            names = _spellings(field["name"], field.get("aliases", ()))
            # One spelling is enough, so that none of two can be demanded.
            needed = field["required"] and len(names) == 1 if name in self._given else True
            for number, spelled in enumerate(names):
                yield from _indented(_doc(field["doc"]) if not number else ())
                yield f"  {spelled}{'' if needed else '?'}: {shown};"
        yield "}"

    # -- objects and globals ---------------------------------------------------------------------

    def _object(self, name: str, one: Manifest) -> Iterator[str]:
        yield from _doc(one.get("doc", ""))
        also = [f"PromiseLike<{_AWAITABLE[name]}>"] if name in _AWAITABLE else []
        if one.get("iterate"):
            step = one["methods"][one["iterate"]]["returns"].replace(" | null", "")
            also.append(f"AsyncIterable<{ts_type(step)}>")
        base = f" extends {', '.join(also)}" if also else ""
        yield f"interface {_class(name)}{base} {{"
        for field in ("id", "name", "type"):
            if field not in one["methods"]:
                yield f"  readonly {field}: string;"
        yield from _indented(self._methods(name, one))
        yield "}"
        yield from self._builders(_class(name), one)

    def _global(self, manifest: Manifest) -> Iterator[str]:
        name = manifest["name"]
        if manifest["kind"] == "args":
            return
        label = f"{_class(name)}Global"
        yield from _doc(manifest["doc"])
        yield f"interface {label}Methods {{"
        if call := manifest.get("call"):
            spec = manifest["methods"][call]
            yield f"  ({self._parameters(spec)}): {self._returns(name, call, spec)};"
            yield f"  new ({self._parameters(spec)}): {self._returns(name, call, spec)};"
        yield from _indented(self._methods(name, manifest))
        yield "}"
        more = ""
        if index := manifest.get("index"):
            more = f" & {{ readonly [name: string]: {_class(index)} }}"
        elif manifest["values"]:
            more = " & { readonly [name: string]: any }"
        yield f"type {label} = {label}Methods{more};"
        yield from self._builders(_class(name), manifest)

    def _constants(self, manifest: Manifest) -> Iterator[str]:
        name = manifest["name"]
        if manifest["kind"] == "args":
            shown = "{ readonly [name: string]: any; readonly [index: number]: any }"
        else:
            shown = f"llmspell.{_class(name)}Global"
        if name == "JSON":
            base = f"Omit<{shown}, {_union(_OWN_JSON)}>"
            yield f"interface JSON extends {base} {{ readonly null: null }}"
            return
        for one in (name, *manifest["aliases"]):
            yield f"declare const {one}: {shown};"

    def _methods(self, owner: str, spec: Manifest) -> Iterator[str]:
        for method, one in spec["methods"].items():
            # What makes a builder is shown with it.
            if one["hidden"] or method in spec.get("builders", {}):
                continue
            signature = f"({self._parameters(one)}): {self._returns(owner, method, one)};"
            for number, name in enumerate(_spellings(method, one["aliases"])):
                yield from _doc(one["doc"]) if not number else ()
                yield f"{_member(name)}{signature}"
        for method in spec.get("builders", {}):
            yield from _doc(spec["methods"].get(method, {}).get("doc", ""))
            yield f"{method}(): {_class(owner)}{_class(method)};"

    def _parameters(self, spec: Manifest) -> str:
        parts = []
        optional = False
        for one in spec["params"]:
            name = f"{one['name']}_" if one["name"] in _RESERVED else one["name"]
            if spec["variadic"] and one is spec["params"][-1]:
                parts.append(f"...{name}: any[]")
                continue
            optional = optional or not one["required"]
            parts.append(f"{name}{'?' if optional else ''}: {ts_type(one['type'])}")
        return ", ".join(parts)

    def _returns(self, owner: str, method: str, spec: Manifest) -> str:
        place = f"{owner}.{method}"
        shown = "void" if spec["returns"] == "null" else ts_type(spec["returns"])
        if place in _RESULTS or spec["returns"] in _AWAITABLE:
            return _RESULTS.get(place, shown)
        return f"Promise<{shown}>" if not spec["guest"] or place in _PROMISES else shown

    def _builders(self, label: str, spec: Manifest) -> Iterator[str]:
        for method, builder in spec.get("builders", {}).items():
            config = self._types.get(builder["config"], {})
            fields = {one["name"]: one for one in config.get("fields", ())}
            yield f"interface {label}{_class(method)} {{"
            for setter, (operation, field) in builder["setters"].items():
                known = fields.get(field) if operation == "set" else None
                value = ts_type(known["type"]) if known else "any"
                given = "key: string, value: any" if operation == "put" else f"value?: {value}"
                for name in _spellings(setter, ()):
                    yield f"  {name}({given}): this;"
            built = spec["methods"].get(builder["build"], {}).get("returns", "any")
            for ending in ("build", *builder.get("finish", ())):
                yield f"  {ending}(): Promise<{ts_type(built)}>;"
            yield "}"


def ts_type(text: str) -> str:
    """A manifest type in TypeScript, whose language it nearly is."""
    function = "\0"
    shown = text.replace(FUNCTION, function)
    shown = re.sub(r'"[^"]*"|[A-Za-z_]\w*', _named, shown)
    return shown.replace(function, FUNCTION)


def _named(match: re.Match[str]) -> str:
    word = match[0]
    if word[0] == '"' or word == "Record":
        return word
    return _SCALARS.get(word) or _class(word)


def _class(name: str) -> str:
    """`log_batch` -> `LogBatch`; what is a class's name already stays."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[_-]", name))


def camel(name: str) -> str:
    """`system_prompt` -> `systemPrompt`."""
    return re.sub(r"(?<=[a-z0-9])_([a-z0-9])", lambda match: match[1].upper(), name)


def _spellings(name: str, aliases: Any) -> list[str]:
    """Each name in both spellings, camelCase first."""
    found = [spelled for one in (name, *aliases) for spelled in (camel(one), one)]
    return [*dict.fromkeys(found)]


def _member(name: str) -> str:
    """A method's name. A bare `new` would be what the operator calls."""
    return '"new"' if name == "new" else name


def _union(names: frozenset[str]) -> str:
    return " | ".join(f'"{one}"' for one in sorted(names))


def _doc(text: str) -> Iterator[str]:
    lines = text.replace("*/", "*\\/").splitlines()
    if len(lines) == 1:
        yield f"/** {lines[0]} */"
    elif lines:
        yield "/**"
        yield from (f" * {line}".rstrip() for line in lines)
        yield " */"


def _indented(lines: Any) -> Iterator[str]:
    return (f"  {line}" if line else line for line in lines)
