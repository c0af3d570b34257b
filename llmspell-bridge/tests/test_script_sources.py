"""Which engine runs a script, and reading its source."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmspell_bridge.engines import (
    EXTRAS,
    ScriptSource,
    decode_source,
    engine_name,
    load_engine,
    read_source,
)
from llmspell_core.errors import ExtensionError, ScriptError


def name_of(text: str, path: str | None = None, asked: str | None = None) -> str:
    source = ScriptSource(text, path or "eval", Path(path) if path else None)
    return engine_name(source, asked, "default-engine")


@pytest.mark.parametrize(
    ("text", "path", "asked", "engine"),
    [
        ("", None, None, "default-engine"),
        ("", "spell", None, "default-engine"),
        ("", "spell.lua", None, "lua"),
        ("", "SPELL.LUA", None, "lua"),
        ("", "spell.js", None, "js"),
        ("", "spell.lua", "js", "js"),
        ("-- @engine duktape\n", "spell.lua", None, "duktape"),
        ("\n\n\n// @engine duktape", "x.js", None, "duktape"),
        ("\n\n\n\n\n-- @engine duktape", "x.lua", None, "lua"),
        ("#!/usr/bin/env -S llmspell --engine js\n", "spell", None, "js"),
        ("#!/usr/bin/env -S llmspell --engine=duktape\n", "spell.js", None, "duktape"),
        ("#!/usr/bin/lua5.4\n", "spell", None, "lua"),
        ("#!/usr/bin/env llmspell\n", "spell", None, "default-engine"),
        ("#!/usr/bin/env llmspell\n", "spell.lua", None, "lua"),
        ("-- @engine duktape\n", "spell.lua", "lua", "lua"),
    ],
)
def test_the_engine_is_found(text: str, path: str | None, asked: str | None, engine: str) -> None:
    assert name_of(text, path, asked) == engine


def test_an_unknown_extension_lists_the_known_ones() -> None:
    with pytest.raises(ScriptError) as caught:
        name_of("", "spell.py")
    assert caught.value.code == "engine.unknown_extension"
    assert caught.value.message == 'no engine runs files that end in ".py"'
    assert caught.value.hint == "scripts end in .js, .lua, .mjs; or choose with --engine NAME"


@pytest.mark.parametrize(("name", "hint"), [("luaa", 'did you mean "lua"?'), ("cobol", None)])
def test_an_engine_that_is_not_there_says_what_to_do(name: str, hint: str | None) -> None:
    with pytest.raises(ExtensionError) as caught:
        load_engine(name)
    assert caught.value.code == "engine.unavailable"
    assert f"no script engine named '{name}' (installed: " in caught.value.message
    assert caught.value.hint == hint


def test_an_engine_that_could_be_installed_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXTRAS, "moon", "moon")
    with pytest.raises(ExtensionError) as caught:
        load_engine("moon")
    assert caught.value.hint == "install it with:  pip install 'llmspell[moon]'"


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "spell.lua").write_text("")
    with pytest.raises(ScriptError) as caught:
        read_source(tmp_path / "spel.lua")
    assert (caught.value.code, caught.value.hint) == (
        "script.not_found",
        'did you mean "spell.lua"?',
    )
    with pytest.raises(ScriptError) as caught:
        read_source(tmp_path / "no" / "spell.lua")
    assert (caught.value.code, caught.value.hint) == ("script.not_found", None)
    with pytest.raises(ScriptError, match="is a directory, not a script"):
        read_source(tmp_path)


def test_text_and_what_is_none() -> None:
    assert decode_source(b"\xef\xbb\xbfreturn 'caf\xc3\xa9'", "x") == "return 'café'"
    with pytest.raises(ScriptError) as caught:
        decode_source(b"a\nb\xff", "x.lua")
    assert caught.value.code == "script.binary"
    assert caught.value.message == "x.lua is not a text file: byte 3 (line 2) is not UTF-8"
    with pytest.raises(ScriptError, match="is a binary file"):
        decode_source(b"a\0b", "x.lua")
    with pytest.raises(ScriptError, match="larger than 16 MiB"):
        decode_source(b" " * ((16 << 20) + 1), "x.lua")
