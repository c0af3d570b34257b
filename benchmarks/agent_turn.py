"""What an agent's turn costs above a provider that answers at once, hooks and events on.

    python benchmarks/agent_turn.py [--json] [--quick]

Three figures: a turn with an answer only, a turn with one tool call (microseconds of one run,
the provider's own part taken off), and fifty parallel requests to a local endpoint that
answers after 100 ms, as a ratio to the same fifty by bare httpx.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from measuring import best_us, report, rounds

from llmspell_agents import Agent
from llmspell_core.context import ExecutionContext
from llmspell_core.messages import ToolCall, Usage
from llmspell_core.provider import ModelRequest, ModelResponse
from llmspell_core.runtime import Runtime
from llmspell_core.testing import FakeOpenAI, ScriptedProvider
from llmspell_core.tool import tool

TURNS = 1_000
ROUNDS = rounds(7)
PARALLEL = 50
LATENCY_MS = 100


@tool
async def stock(item: str) -> int:
    """How many of ITEM are in the store."""
    return 7


class Instant(ScriptedProvider):
    """Answers at once and records nothing: first a tool call where tools are offered."""

    async def complete(self, request: ModelRequest, ctx: ExecutionContext) -> ModelResponse:
        usage = Usage.model_construct(input_tokens=10, output_tokens=5, total_tokens=15)
        if request.tools and request.messages[-1].role == "user":
            call = ToolCall.model_construct(id="1", name="stock", arguments={"item": "kettle"})
            return ModelResponse("", [call], "tool_calls", usage, "m")
        return ModelResponse("We have 7.", [], "stop", usage, "m")


async def timed(work: Callable[[], Awaitable[Any]]) -> float:
    """Microseconds of CPU of one call."""
    return await best_us(work, TURNS, ROUNDS, time.process_time)


async def turns() -> dict[str, float]:
    """The turn without and with a tool, above the provider."""
    async with Runtime({}) as runtime:
        provider = Instant()
        runtime.add_provider(provider)

        async def note(ctx: Any) -> None:
            """A hook that looks and changes nothing."""

        for point in ("before_agent_execution", "after_agent_execution"):
            runtime.base.hooks.register(point, note)
        runtime.base.events.subscribe("agent.*", lambda event: None)
        plain = Agent("Be brief.", model="scripted/m")
        tooled = Agent("Be brief.", model="scripted/m", tools=[stock])
        ctx = runtime.context()
        request = ModelRequest("m", [])
        own = await timed(lambda: provider.complete(request, ctx))
        answer = await timed(lambda: plain.execute("Any kettles?", ctx))
        with_tool = await timed(lambda: tooled.execute("Any kettles?", ctx))
        return {"answer_us": answer - own, "one_tool_us": with_tool - 2 * own}


async def parallel() -> dict[str, float]:
    """Fifty at once: ours and bare httpx, by turns, medians."""
    async with FakeOpenAI(latency_ms=LATENCY_MS) as server:
        settings = {"providers": {"fake": {"type": "openai", "base_url": server.base_url}}}
        async with Runtime(settings) as runtime:
            agent = Agent("Be brief.", model="fake/m")

            async def ours() -> None:
                await asyncio.gather(
                    *(agent.execute("hi", runtime.context()) for _ in range(PARALLEL))
                )

            limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
            async with httpx.AsyncClient(limits=limits, trust_env=False) as client:
                body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
                url = f"{server.base_url}/chat/completions"

                async def bare() -> None:
                    found = await asyncio.gather(
                        *(client.post(url, json=body) for _ in range(PARALLEL))
                    )
                    assert all(one.json()["choices"] for one in found)

                return await _compare(ours, bare)


async def _compare(
    ours: Callable[[], Awaitable[None]], bare: Callable[[], Awaitable[None]]
) -> dict[str, float]:
    times: dict[str, list[float]] = {"ours": [], "bare": []}
    for _ in range(ROUNDS):
        for name, work in (("ours", ours), ("bare", bare)):
            started = time.perf_counter()
            await work()
            times[name].append((time.perf_counter() - started) * 1000)
    mine, theirs = (statistics.median(times[name]) for name in ("ours", "bare"))
    return {"fifty_ms": mine, "bare_httpx_ms": theirs, "ratio": mine / theirs}


async def main() -> dict[str, float]:
    """All figures."""
    return {**await turns(), **await parallel()}


if __name__ == "__main__":
    report(asyncio.run(main()))
