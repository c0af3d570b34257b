"""A hundred spells at once in one host, ten of them hostile: what the other ninety notice.

    python benchmarks/fairness.py [--json] [--quick]

All run under the profile `medium`, each in its worker. First ninety alone, then the same ninety
beside ten that loop, eat memory, flood the host with calls, output, logs, events and tasks. Both
rounds run on the same cores, so the ten take time; what they must not do is stop the others.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from measuring import QUICK, report

from llmspell_bridge.engines import ScriptSource
from llmspell_bridge.runtime import ScriptRuntime
from llmspell_bridge.streams import CapturedStreams
from llmspell_core.errors import LLMSpellError

GOOD = 18 if QUICK else 90
LIMITS = {"cpu_s": 2, "wall_s": 5, "memory_mb": 64}
SPELL = """
local total = 0
for i = 1, 10 do
  total = total + Tool.execute("calculator", { input = i .. " + 1" }).output
end
State.set("total", total)
Async.sleep(20)
return total
"""
#: What ten spells do that mean no good.
HOSTILE = {
    "loop": "while true do end",
    "loop in C": "return string.rep('a', 30000):find(string.rep('a?', 3000) .. 'b')",
    "memory": "local t = {} while true do t[#t + 1] = string.rep('x', 1e5) .. #t end",
    "calls": "while true do Tool.execute('calculator', { input = '1' }) end",
    "output": "while true do print(string.rep('x', 1e4)) end",
    "logs": "while true do Logger.info(string.rep('x', 1e4)) end",
    "events": "while true do Event.publish('flood.all', { x = string.rep('x', 1e4) }) end",
    "tasks": "while true do Async.spawn(function() Async.sleep(1e6) end) end",
    "values": "while true do State.set('k', string.rep('x', 5e5)) end",
    "callback": "Hook.register('before_tool_execution', function() while true do end end) "
    "Tool.execute('calculator', { input = '1' })",
}


async def one(runtime: ScriptRuntime, name: str, source: str) -> tuple[str, float, Any]:
    """Run a spell: its name, the seconds it took, its value or the code of its error."""
    began = time.perf_counter()
    try:
        result = await runtime.run(
            ScriptSource(source, f"{name}.lua"), params={}, streams=CapturedStreams()
        )
        value = result.value
    except LLMSpellError as error:
        value = error.code
    return name, time.perf_counter() - began, value


async def together(runtime: ScriptRuntime, hostile: dict[str, str]) -> list[tuple[str, float, Any]]:
    """All spells at once; the hostile ones are started first."""
    spells = [*hostile.items(), *((f"spell {number}", SPELL) for number in range(GOOD))]
    return await asyncio.gather(*(one(runtime, name, source) for name, source in spells))


async def main() -> dict[str, float]:
    """All figures."""
    settings: dict[str, Any] = {
        "state": {"backend": "memory"},
        "security": {"profile": "medium", "limits": LIMITS},
    }
    async with ScriptRuntime(settings, engine="lua") as runtime:
        alone = await together(runtime, {})
        found = await together(runtime, HOSTILE)
    good = [taken for name, taken, value in found if name not in HOSTILE and value == 65]
    ended = [taken for name, taken, value in found if name in HOSTILE and isinstance(value, str)]
    return {
        "spells": len(alone),
        "alone, the last done after, ms": max(taken for _, taken, _ in alone) * 1e3,
        "beside ten hostile ones, done": len(good),
        "beside ten hostile ones, the last done after, ms": max(good, default=0.0) * 1e3,
        "hostile, ended by a limit": len(ended),
        "hostile, the last ended after, ms": max(ended, default=0.0) * 1e3,
    }


if __name__ == "__main__":
    report(asyncio.run(main()))
