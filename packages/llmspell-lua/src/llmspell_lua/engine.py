"""`LuaEngine`: what the bridge knows of this engine before it starts a session."""

from __future__ import annotations

from importlib.machinery import PathFinder
from importlib.util import find_spec

from llmspell_core.script.engine import EngineInfo


class LuaEngine:
    """Lua 5.4 on lupa. Host calls look synchronous: a task that waits lets the others run."""

    info = EngineInfo(
        name="lua",
        language="lua",
        level="5.4",
        extensions=(".lua",),
        guest="llmspell_lua.guest",
        requires=("lupa", "llmspell_lua"),
        async_style="coroutines",
        limits=("memory", "cpu", "instructions", "tasks"),
        in_process=True,
        preference=0,
    )

    def available(self) -> str | None:
        # Not by importing it: a host whose scripts run in workers never needs it.
        package = find_spec("lupa")
        if package is None:
            return "lupa is not installed: pip install 'llmspell[lua]'"
        if PathFinder.find_spec("lua54", package.submodule_search_locations) is None:
            return "this lupa was built without Lua 5.4: pip install --force-reinstall lupa"
        return None

    def complete(self, source: str) -> bool:
        """Lua names the end of the text in the error when more lines could help."""
        from lupa.lua54 import LuaRuntime

        lua = LuaRuntime(
            encoding=None,
            unpack_returned_tuples=True,
            register_eval=False,
            register_builtins=False,
            max_memory=64 << 20,
        )
        check = lua.execute(
            b"local load, find = load, string.find return function(text)"
            b" if load('return ' .. text, '=repl', 't') then return true end"
            b" local _, message = load(text, '=repl', 't')"
            b" return not message or not find(message, '<eof>$')"
            b" or find(message, 'unfinished string') ~= nil end"
        )
        return bool(check(source.encode("utf-8", "replace")))
