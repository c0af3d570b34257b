"""The engine as the bridge sees it before a session."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from llmspell_bridge.manifests import load_manifests
from llmspell_lua import compiled
from llmspell_lua.compiled import FILES, sources
from llmspell_lua.engine import LuaEngine
from llmspell_lua.guest import unanswered


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
    files = sources()
    assert sorted(files) == sorted(name.encode() for name in FILES)
    for text in files.values():
        assert text.startswith(b"-- ")
        assert max(map(len, text.splitlines())) <= 110


def test_the_prelude_is_compiled_once_and_again_when_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "prelude"
    shutil.copytree(compiled.FOLDER, folder)
    (tmp_path / "__pycache__").mkdir()
    monkeypatch.setattr(compiled, "FOLDER", f"{folder}/")
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    made: list[bytes] = []

    class Lua:
        def execute(self, _source: bytes) -> Any:
            def compile_(text: bytes, name: bytes) -> bytes:
                made.append(name)
                return text

            return compile_

    def load() -> dict[bytes, bytes]:
        monkeypatch.setattr(compiled, "_compiled", {})
        return compiled.prelude(Lua(), __file__)

    first = load()
    assert len(made) == len(FILES)
    assert load() == first
    assert len(made) == len(FILES)
    (folder / "json.lua").write_text("-- changed\n")
    assert load()[b"json"] == b"-- changed\n"
    (kept,) = (tmp_path / "__pycache__").iterdir()
    kept.write_bytes(b"broken")
    assert len(load()) == len(FILES)
