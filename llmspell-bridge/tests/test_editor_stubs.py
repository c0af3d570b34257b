"""The LuaLS stubs are valid Lua with valid annotations, and know what the examples use."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from lupa.lua54 import LuaError, LuaRuntime

from llmspell_bridge.manifests import load_manifests
from llmspell_bridge.stubs import lua_type, luals, write_stubs

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = load_manifests()
TEXT = luals(MANIFESTS)
LINES = TEXT.splitlines()


# -- annotations -----------------------------------------------------------------------------------

_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[A-Za-z_][\w.-]*|\d+|\.\.\.|\[\]|[()|,:?<>])')
_PLAIN = {"string", "integer", "number", "boolean", "any", "nil", "table", "function"}


class Annotation:
    """A type of LuaLS's language at the start of a text; `rest` is what follows it."""

    def __init__(self, text: str) -> None:
        self.rest = text
        self.names: set[str] = set()
        self.union()

    def take(self) -> str:
        match = _TOKEN.match(self.rest)
        assert match, f"no type at: {self.rest}"
        self.rest = self.rest[match.end() :]
        return match[1]

    def next_is(self, token: str) -> bool:
        match = _TOKEN.match(self.rest)
        return bool(match) and match[1] == token  # type: ignore[index]

    def expect(self, token: str) -> None:
        assert self.take() == token, f"{token} before: {self.rest}"

    def union(self) -> None:
        self.single()
        while self.next_is("|"):
            self.take()
            self.single()

    def single(self) -> None:
        token = self.take()
        if token == "(":
            self.union()
            self.expect(")")
        elif token == "fun":
            self.function()
        elif token == "table" and self.next_is("<"):
            self.take()
            self.union()
            self.expect(",")
            self.union()
            self.expect(">")
        elif token[0] != '"' and not token.isdigit():
            assert re.fullmatch(r"[A-Za-z][\w.-]*", token), token
            self.names.add(token)
        while self.next_is("[]"):
            self.take()

    def function(self) -> None:
        self.expect("(")
        while not self.next_is(")"):
            self.take()
            if self.next_is("?"):
                self.take()
            self.expect(":")
            self.union()
            if not self.next_is(")"):
                self.expect(",")
        self.take()
        if self.next_is(":"):
            self.take()
            self.union()


def tagged(kind: str) -> list[str]:
    return [line.removeprefix(f"---@{kind} ") for line in LINES if line.startswith(f"---@{kind} ")]


CLASSES = set(tagged("class"))


def test_the_file_is_valid_lua_and_can_be_run() -> None:
    LuaRuntime().execute(TEXT)
    with pytest.raises(LuaError):
        LuaRuntime().execute(TEXT + "\nfunction end")


def test_every_annotation_is_one_that_the_editor_reads() -> None:
    known = {"meta", "class", "field", "param", "return", "overload", "see", "async"}
    for line in LINES:
        if line.startswith("---@"):
            assert re.match(r"---@(\w+)( |$)", line)[1] in known, line  # type: ignore[index]
        else:
            assert not line.startswith("--@"), line


def test_every_type_can_be_read_and_every_name_in_it_is_defined() -> None:
    found: set[str] = set()
    for text in tagged("field"):
        match = re.match(r"(\[[\w|]+\]|[A-Za-z_]\w*)\??\s+(.*)", text)
        assert match, text
        found |= Annotation(match[2]).names
    for text in tagged("param"):
        match = re.match(r"(\.\.\.|[A-Za-z_]\w*)\??\s+(.*)", text)
        assert match, text
        found |= Annotation(match[2]).names
    for kind in ("return", "overload"):
        for text in tagged(kind):
            found |= Annotation(text).names
    assert found <= _PLAIN | CLASSES, found - _PLAIN - CLASSES


def test_a_type_is_followed_by_its_note_only() -> None:
    for text in tagged("return"):
        rest = Annotation(text).rest
        assert rest == "" or rest.startswith(" "), text


def test_no_class_and_no_method_is_defined_twice() -> None:
    classes = tagged("class")
    assert len(classes) == len(set(classes))
    functions = [line.split("(")[0] for line in LINES if line.startswith("function ")]
    assert len(functions) == len(set(functions))


def test_parameters_are_those_of_the_function_that_follows() -> None:
    names: list[str] = []
    for line in LINES:
        if line.startswith("---@param "):
            names.append(line.split()[1].removesuffix("?"))
        elif match := re.match(r"function [\w.:]+\((.*)\) end", line):
            assert [one for one in match[1].split(", ") if one] == names, line
            names = []


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("string", "string"),
        ("string | null", "string|nil"),
        ("string[]", "string[]"),
        ("(string | integer)[]", "(string|integer)[]"),
        ("Record<string, any>", "table<string, any>"),
        ("Record<string, string[]>[]", "table<string, string[]>[]"),
        ('"a" | "b|c"', '"a"|"b|c"'),
        ("((...args: any[]) => any)", "fun(...: any): any"),
        ("((...args: any[]) => any) | null", "(fun(...: any): any)|nil"),
        ("Record<string, ((...args: any[]) => any)>", "table<string, fun(...: any): any>"),
        ("bytes", "string"),
        ("AgentConfig", "llmspell.AgentConfig"),
    ],
)
def test_types_in_the_language_of_the_editor(written: str, shown: str) -> None:
    assert lua_type(written) == shown
    assert Annotation(shown).rest == ""


def test_every_global_alias_and_method_is_there() -> None:
    lua: Any = LuaRuntime()
    lua.execute(TEXT)
    for manifest in MANIFESTS.values():
        for name in (manifest["name"], *manifest["aliases"]):
            made = lua.globals()[name]
            assert made is not None
            for method, spec in manifest["methods"].items():
                for spelled in () if spec["hidden"] else (method, *spec["aliases"]):
                    if spelled not in ("end", "then", "repeat"):
                        assert made[spelled] is not None, f"{name}.{spelled}"
            for builder in manifest["builders"]:
                assert made[builder] is not None


def test_writing_makes_the_folder(tmp_path: Path) -> None:
    paths = write_stubs(MANIFESTS, tmp_path / "a" / "b")
    assert [path.name for path in paths] == ["llmspell.lua", "llmspell.d.ts"]
    assert paths[0].read_text(encoding="utf-8") == TEXT


# -- the examples ----------------------------------------------------------------------------------


def known_methods() -> set[str]:
    """Whatever may stand behind a colon: methods of objects and globals, setters, strings'."""
    found = {"read", "write", "lines", "close", "flush", "seek", "build"}
    found |= {str(name) for name in LuaRuntime().globals().string}
    for manifest in MANIFESTS.values():
        for owner in (manifest, *manifest["objects"].values()):
            for name, spec in owner["methods"].items():
                found |= {name, *spec["aliases"]}
            for name, builder in owner.get("builders", {}).items():
                found |= {name, *builder["setters"], *builder.get("finish", {})}
    return found


EXAMPLES = sorted((ROOT / "examples").glob("*.lua"))


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_an_example_uses_only_what_the_stubs_know(path: Path) -> None:
    text = re.sub(r"--.*", "", path.read_text(encoding="utf-8"))
    text = re.sub(
        r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|\[\[.*?\]\]', '""', text, flags=re.DOTALL
    )
    lua: Any = LuaRuntime()
    lua.execute(TEXT)
    globals_ = {name for one in MANIFESTS.values() for name in (one["name"], *one["aliases"])}
    for name, method in re.findall(r"\b([A-Z]\w*)[.:](\w+)", text):
        assert name in globals_, f"{name} is no global"
        assert lua.globals()[name][method] is not None, f"{name}.{method}"
    for method in re.findall(r"[\w)\]}]:(\w+)\s*[({\"]", text):
        assert method in known_methods(), f":{method}"
