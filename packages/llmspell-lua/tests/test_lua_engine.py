"""The engine as the bridge sees it before a session."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from llmspell_bridge.manifests import load_manifests
from llmspell_lua.engine import LuaEngine
from llmspell_lua.guest import PRELUDE, _read_prelude, unanswered


def test_the_engine_is_found_by_its_entry_point() -> None:
    (found,) = entry_points(group="llmspell.engines", name="lua")
    assert found.load() is LuaEngine
    assert LuaEngine().available() is None
    assert LuaEngine.info.extensions == (".lua",)


def test_importing_the_engine_imports_no_lua() -> None:
    source = "import sys, llmspell_lua.engine; print('lupa' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("source", "complete"),
    [
        ("x = 1", True),
        ("1 + 1", True),
        ("for i = 1, 2 do", False),
        ("function f()", False),
        ("print(", False),
        ("x = [[", False),
        ("x = = 1", True),
        ("end", True),
        ("'abc", True),
        ("", True),
    ],
)
def test_a_repl_learns_whether_to_ask_for_more(source: str, complete: bool) -> None:
    assert LuaEngine().complete(source) is complete


def test_every_guest_method_that_is_declared_is_answered() -> None:
    assert unanswered([*load_manifests().values()]) == []


def test_a_declared_method_that_nothing_answers_is_found() -> None:
    manifest = {"name": "Utils", "methods": {"uuid": {"guest": True}, "nothing": {"guest": True}}}
    assert unanswered([manifest]) == ["Utils.nothing"]


def test_the_prelude_is_complete_and_each_file_says_what_it_is() -> None:
    files = _read_prelude()
    assert sorted(files) == sorted(name.encode() for name in PRELUDE)
    for text in files.values():
        assert text.startswith(b"-- ")
        assert max(map(len, text.splitlines())) <= 110
