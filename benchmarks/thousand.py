"""A thousand agents at once in one process: how long until the last answer, and how much memory.

    python benchmarks/thousand.py [--json] [--quick]

Each of them asks its model, calls a tool, and asks again. Once the model is in this process and
answers after 100 ms; once it is a real HTTP endpoint of another process. Seconds of the best of
some rounds; MiB that the process had at most above what it had before its first run. Linux or
macOS.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import time

from measuring import report, rounds

from llmspell_agents import Agent
from llmspell_core.context import ExecutionContext
from llmspell_core.messages import ToolCall, Usage
from llmspell_core.provider import ModelRequest, ModelResponse
from llmspell_core.runtime import Runtime
from llmspell_core.testing import ScriptedProvider
from llmspell_core.tool import tool

RUNS = 1000
LATENCY_S = 0.1
SERVER = """
import asyncio, json
from llmspell_core.testing import FakeOpenAI
from llmspell_core.testing.openai_server import completion

CALL = {"id": "1", "type": "function", "function": {"name": "stock", "arguments": '{"item":"k"}'}}

def reply(body):
    if body["messages"][-1]["role"] == "user":
        return completion(tool_calls=[CALL])
    return completion("We have 7.")

async def main():
    async with FakeOpenAI(reply) as server:
        print(server.base_url, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@tool
async def stock(item: str) -> int:
    """How many of ITEM are in the store."""
    return 7


class Slow(ScriptedProvider):
    """Answers after a while: first by a tool call, then with text."""

    async def complete(self, request: ModelRequest, ctx: ExecutionContext) -> ModelResponse:
        await asyncio.sleep(LATENCY_S)
        usage = Usage(input_tokens=10, output_tokens=5, total_tokens=15)
        if request.messages[-1].role == "user":
            call = ToolCall(id="1", name="stock", arguments={"item": "kettle"})
            return ModelResponse("", [call], "tool_calls", usage, "m")
        return ModelResponse("We have 7.", [], "stop", usage, "m")


def peak_mib() -> float:
    """The most memory that this process ever had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


async def all_at_once(model: str, runtime: Runtime, repeat: int) -> float:
    """Seconds of a thousand runs, each of an agent and a context of its own."""
    found = []
    for _ in range(repeat):
        agents = [Agent("Be brief.", model=model, tools=[stock]) for _ in range(RUNS)]
        started = time.perf_counter()
        runs = (agent.execute("Any kettles?", runtime.context()) for agent in agents)
        outputs = await asyncio.gather(*runs)
        found.append(time.perf_counter() - started)
        assert all(one.text == "We have 7." for one in outputs)
    return min(found)


async def measured(base_url: str) -> dict[str, float]:
    """All figures; the memory first, before anything else has had some."""
    settings = {
        "providers": {"fake": {"type": "openai", "base_url": base_url}},
        "state": {"backend": "memory"},
    }
    figures: dict[str, float] = {}
    async with Runtime(settings) as runtime:
        runtime.add_provider(Slow())
        await Agent("Be brief.", model="scripted/m", tools=[stock]).execute(
            "Any kettles?", runtime.context()
        )
        idle = peak_mib()
        figures["thousand, s"] = await all_at_once("scripted/m", runtime, 1)
        figures["thousand, MiB"] = peak_mib() - idle
        cpu = time.process_time()
        again = await all_at_once("scripted/m", runtime, repeat := rounds(5))
        figures["thousand, CPU s"] = (time.process_time() - cpu) / repeat
        figures["thousand, s"] = min(figures["thousand, s"], again)
        figures["thousand over HTTP, s"] = await all_at_once("fake/m", runtime, 1)
        figures["thousand over HTTP, MiB"] = peak_mib() - idle
    return figures


def main() -> dict[str, float]:
    """All figures."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            return asyncio.run(measured(server.stdout.readline().strip()))
        finally:
            server.terminate()


if __name__ == "__main__":
    report(main())
