"""Fifty `agent:execute` at once, from Lua in a worker, beside the same fifty by bare httpx.

    python benchmarks/fifty.py [--json] [--quick]

Both ask one real HTTP endpoint of another process, which answers after 100 ms, by turns; the
medians of all turns count, since both have the same wait below them.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from typing import Any

import httpx
from measuring import report, rounds

from llmspell_bridge.engines import ScriptSource
from llmspell_bridge.runtime import ScriptRuntime
from llmspell_bridge.streams import CapturedStreams
from llmspell_core.tool import tool

PARALLEL = 50
LATENCY_MS = 100
SERVER = f"""
import asyncio
from llmspell_core.testing import FakeOpenAI

async def main():
    async with FakeOpenAI(latency_ms={LATENCY_MS}) as server:
        print(server.base_url, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""
SPELL = """
local agent = Agent.new{ system_prompt = "Be brief." }
local function fifty()
  local jobs = {}
  for i = 1, tonumber(args.parallel) do
    jobs[i] = function() return agent:execute("hi").text end
  end
  local started = Tool.execute("clock").output
  local answers = Async.all(jobs)
  assert(#answers == #jobs)
  return Tool.execute("clock").output - started
end
local ours, bare = {}, {}
for round = 0, tonumber(args.rounds) do
  local a, b = fifty(), Tool.execute("bare").output
  if round > 0 then ours[round], bare[round] = a, b end
end
return { ours = ours, bare = bare }
"""


@tool
def clock() -> float:
    """Milliseconds."""
    return time.perf_counter() * 1000


def bare(client: httpx.AsyncClient, base_url: str) -> Any:
    """The tool that asks the endpoint as often as the script does, without us."""
    body = {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "hi"},
        ],
    }

    @tool(name="bare")
    async def ask() -> float:
        """Milliseconds of fifty requests at once."""
        started = time.perf_counter()
        requests = (client.post(f"{base_url}/chat/completions", json=body) for _ in range(PARALLEL))
        answers = [one.json()["choices"][0] for one in await asyncio.gather(*requests)]
        assert len(answers) == PARALLEL
        return (time.perf_counter() - started) * 1000

    return ask


async def measured(base_url: str) -> dict[str, list[float]]:
    """The milliseconds of each turn."""
    settings = {
        "default": {"model": "fake/m"},
        "providers": {"fake": {"type": "openai", "base_url": base_url}},
        "state": {"backend": "memory"},
    }
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    async with (
        httpx.AsyncClient(limits=limits, trust_env=False) as client,
        ScriptRuntime(settings, engine="lua") as runtime,
    ):
        assert runtime.carrier.in_worker
        for one in (clock, bare(client, base_url)):
            runtime.base.tools.register(one.name, one)
        result = await runtime.run(
            ScriptSource(SPELL, "fifty.lua"),
            params={"parallel": str(PARALLEL), "rounds": str(rounds(10))},
            streams=CapturedStreams(),
        )
    found: dict[str, list[float]] = result.value
    return found


def main() -> dict[str, float]:
    """All figures."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            found = asyncio.run(measured(server.stdout.readline().strip()))
        finally:
            server.terminate()
    ours, theirs = statistics.median(found["ours"]), statistics.median(found["bare"])
    return {"fifty_ms": ours, "bare_httpx_ms": theirs, "best_ms": min(found["ours"])}


if __name__ == "__main__":
    report(main())
