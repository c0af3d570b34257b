"""A script that leaves no memory for what it is handed is over; the process is not.

In a process of its own: where this fails, Lua ends the process.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, collections, json, sys

from llmspell_bridge.worker.testing import engine_host, manifest
from llmspell_core.errors import ScriptError

# Memory is filled up to `left` bytes below the limit, to the byte where it can be.
FILL = '''
collectgarbage()
local limit, kept = %d, {}
local function left() return limit - math.floor(collectgarbage("count") * 1024) end
pcall(function()
  while left() > %d + 3000 do kept[#kept + 1] = ("x"):rep(1000) .. #kept end
  while left() > %d do kept[#kept + 1] = ("x"):rep(20) .. #kept end
end)
'''
AFTER = {
    "call": "for i = 1, 20 do Tool.plain(%d) end return 1",
    "answer": "for i = 1, 20 do Tool.later(%d) end return 1",
    "compute": "for i = 1, 1e6 do local x = i end return 1",
    "error": "for i = 1, 20 do pcall(Tool.failing, %d) end return 1",
    "bytes": "local t = {} for i = 1, 20 do t[i] = Tool.bytes(%d) end return 1",
}


async def main(kind):
    ends = collections.Counter()
    # Lua's own count holds what was there before the limit: below nothing is near it.
    for left in (*range(-24000, -16000, 1000), -8000, 0, 40000, 900000):
        for size in (1, 5000, 3000000):
            async with engine_host(
                "llmspell_lua.guest", "process", limits={"memory_mb": 4, "cpu_s": 5},
                globals=[manifest("Tool", "plain", "later", "failing", "bytes")],
            ) as host:
                async def later(n):
                    await asyncio.sleep(0)
                    return "x" * n

                def failing(n):
                    raise ScriptError("x" * n)

                host.methods.update({
                    "Tool.plain": lambda n: "x" * n, "Tool.later": later, "Tool.failing": failing,
                    "Tool.bytes": lambda n: {"$b": "AAAA" * (n // 3 + 1)},
                })
                fill = FILL % (4 << 20, left, left)
                after = AFTER[kind]
                after = after % size if "%d" in after else after
                try:
                    ends[str(await host.run(fill + after))] += 1
                except ScriptError as error:
                    ends[error.code] += 1
    print(json.dumps(ends))

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.parametrize("kind", ["call", "answer", "compute", "error", "bytes"])
def test_no_size_of_what_is_left_ends_the_process(kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    ends = json.loads(done.stdout)
    assert set(ends) <= {"1", "script.memory_limit", "script.error"}, ends
    assert ends["script.memory_limit"] > 5
