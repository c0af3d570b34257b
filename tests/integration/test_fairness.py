"""Hostile spells beside others in one host: the others finish, whatever those do."""

from __future__ import annotations

import asyncio
from typing import Any

from llmspell_bridge.engines import ScriptSource
from llmspell_bridge.runtime import ScriptRuntime
from llmspell_bridge.streams import CapturedStreams
from llmspell_core.errors import LLMSpellError

GOOD = """
local total = 0
for i = 1, 5 do total = total + Tool.execute("calculator", { input = i .. " + 1" }).output end
Async.sleep(20)
return total
"""
HOSTILE = (
    "while true do end",
    "local t = {} while true do t[#t + 1] = string.rep('x', 1e5) .. #t end",
    "while true do print(string.rep('x', 1e4)) end",
    "while true do Event.publish('flood.all', { x = string.rep('x', 1e4) }) end",
    "while true do Async.spawn(function() Async.sleep(1e6) end) end",
    "Hook.register('before_tool_execution', function() while true do end end) "
    "Tool.execute('calculator', { input = '1' })",
)


async def _run(runtime: ScriptRuntime, source: str) -> Any:
    try:
        script = ScriptSource(source, "spell.lua")
        return (await runtime.run(script, params={}, streams=CapturedStreams())).value
    except LLMSpellError as error:
        return error.code


async def _all(sources: tuple[str, ...]) -> list[Any]:
    limits = {"cpu_s": 1, "wall_s": 4, "memory_mb": 64}
    settings: dict[str, Any] = {
        "state": {"backend": "memory"},
        "security": {"profile": "medium", "limits": limits},
    }
    async with ScriptRuntime(settings, engine="lua") as runtime:
        return await asyncio.gather(*(_run(runtime, source) for source in sources))


def test_the_others_finish_beside_hostile_spells() -> None:
    found = asyncio.run(_all(HOSTILE + (GOOD,) * 14))
    assert found[len(HOSTILE) :] == [20] * 14
    for source, outcome in zip(HOSTILE, found, strict=False):
        assert isinstance(outcome, str), source
        assert outcome.endswith("_limit") or outcome.startswith("limit."), (source, outcome)
