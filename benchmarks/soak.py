"""The same things over and over: memory, handles and tasks must not grow. ``make soak``.

    hatch run python benchmarks/soak.py [--sessions N] [--calls N] [--agents N] [--workers N]
                                        [--hostile N]

The defaults take a quarter of an hour, nearly all of it hostile scripts that run until a limit
ends them (`--hostile 0` leaves them out: well under a minute); the variables SOAK_SESSIONS,
SOAK_CALLS, SOAK_AGENTS, SOAK_WORKERS and SOAK_HOSTILE set them as well. Each part runs once to
warm up, then in ten equal parts. What is reported is how much the process grew between the third
and the last part: what is kept per session or call shows there, what is loaded once does not.
Then come the hostile cases (`soak_hostile.py`). The status is 1 when a part grew by more than its
sizes explain, or a hostile script did what it should not.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
import time
from collections.abc import Awaitable, Callable

from soak_growth import Growth, handles, rss_kib
from soak_hostile import hostile

from llmspell_bridge.engines import ScriptSource
from llmspell_bridge.runtime import ScriptRuntime
from llmspell_bridge.streams import CapturedStreams
from llmspell_core.testing import ScriptedProvider

PARTS = 10

SESSION = """
local tool = Tool.create{
  name = "own", description = "d", parameters = { n = "integer" },
  execute = function(p) return p.n + 1 end,
}
Tool.register(tool)
Hook.register("before_tool_execution", function() end)
Event.subscribe("tool.*", function() end)
assert(Tool.execute("own", { n = 1 }).output == 2)
State.set("k", { 1, 2, 3 })
return JSON.stringify(State.get("k"))
"""
CALLS = """
local wf = Workflow.sequential{ steps = { { name = "a", execute = function() return 1 end } } }
for i = 1, tonumber(args.times) do
  Tool.execute("calculator", { input = i .. " + 1" })
  pcall(Tool.execute, "calculator", { input = "1 +" })
  if i % 10 == 0 then
    Async.all{ function() Async.sleep(0) end, function() return wf:execute().success end }
    Event.publish("soak.tick", { i = i })
    State.set("k", i)
  end
end
"""
AGENTS = """
for i = 1, tonumber(args.times) do
  local agent = Agent.new{ name = "a" .. i, system_prompt = "Be brief.", tools = { "calculator" } }
  assert(agent:execute("hi").text == "Hello.")
  agent:chat("hi")
end
"""


async def soak(name: str, times: int, work: Callable[[int], Awaitable[None]]) -> Growth:
    """Do `times` pieces of work in equal parts, and compare the third part's end to the last's."""
    part = max(1, times // PARTS)
    await work(part)
    started = time.perf_counter()
    before = (0, 0, 0)
    for number in range(PARTS):
        await work(part)
        # After each part: garbage that waits for the collector spreads the heap meanwhile.
        gc.collect()
        if number in (2, PARTS - 1):
            now = rss_kib(), len(gc.get_objects()), handles()
            if number == 2:
                before = now
    grown = [b - a for a, b in zip(before, now, strict=True)]
    return Growth(name, part * PARTS, time.perf_counter() - started, *grown)


async def scripts(runtime: ScriptRuntime, source: str, times: int, *, each: bool) -> None:
    """Run a script so often, or once with so many turns of its loop."""
    for _ in range(times if each else 1):
        await runtime.run(
            ScriptSource(source, "soak.lua"),
            params={} if each else {"times": str(times)},
            streams=CapturedStreams(),
        )


async def main(sizes: argparse.Namespace) -> int:
    """Print the table; 1 when something grew."""
    settings = {
        "default": {"model": "scripted/m"},
        "state": {"backend": "memory"},
        "security": {"limits": {"host_calls": 0, "host_calls_per_s": 0, "wall_s": 0, "cpu_s": 0}},
    }
    plan = (
        ("sessions, in process", "process", SESSION, sizes.sessions, True),
        ("sessions, in a worker each", "worker", SESSION, sizes.workers, True),
        ("tools, workflows, events, state", "process", CALLS, sizes.calls, False),
        ("the same through the worker", "worker", CALLS, sizes.calls, False),
        ("agents, made and asked twice", "process", AGENTS, sizes.agents, False),
    )
    print(f"{'':<34}{'times':>8}{'each':>15}{'memory':>14}{'objects':>9}{'handles':>9}")
    grew = False
    for name, isolation, source, times, each in plan:
        async with ScriptRuntime(settings, engine="lua", isolation=isolation) as runtime:
            runtime.add_provider(ScriptedProvider(default="Hello."))

            async def work(part: int, source: str = source, each: bool = each) -> None:
                runtime.provider("scripted").requests.clear()  # type: ignore[attr-defined]
                await scripts(runtime, source, part, each=each)

            found = await soak(name, times, work)
            print(found.line(), flush=True)
            grew |= found.grew
    return int(grew)


def arguments() -> argparse.Namespace:
    """The sizes, by option or by variable."""
    parser = argparse.ArgumentParser(description="Do the same things over and over.")
    for name, usual in (
        ("sessions", 500),
        ("workers", 60),
        ("calls", 4000),
        ("agents", 500),
        ("hostile", 1000),
    ):
        given = int(os.environ.get(f"SOAK_{name.upper()}", usual))
        parser.add_argument(f"--{name}", type=int, default=given, help=f"{usual} by default")
    return parser.parse_args()


if __name__ == "__main__":
    given = arguments()
    status = asyncio.run(main(given))
    if given.hostile:
        status |= hostile(given.hostile)
    sys.exit(status)
