"""What an agent's turn costs above a provider that answers at once, hooks and events on.

    python benchmarks/agent_turn.py [--json] [--quick]

A turn with an answer only, and a turn with one tool call: microseconds of CPU of one run, the
provider's own part taken off. And what lies between a chunk of the model and whoever listens:
microseconds of time until the first delta is handed out, and of each event of a long answer.
`fifty.py` asks a real endpoint.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from measuring import best_us, report, rounds

from llmspell_agents import Agent
from llmspell_core.context import ExecutionContext
from llmspell_core.messages import ToolCall, Usage
from llmspell_core.provider import ModelDelta, ModelRequest, ModelResponse
from llmspell_core.runtime import Runtime
from llmspell_core.testing import ScriptedProvider
from llmspell_core.tool import tool

TURNS = 500
#: Pieces of an answer.
CHUNKS = 200
ROUNDS = rounds(10)


@tool
async def stock(item: str) -> int:
    """How many of ITEM are in the store."""
    return 7


class Instant(ScriptedProvider):
    """Answers at once and records nothing: first a tool call where tools are offered."""

    #: When the first piece of the latest answer was given.
    given = 0.0

    async def complete(self, request: ModelRequest, ctx: ExecutionContext) -> ModelResponse:
        usage = Usage.model_construct(input_tokens=10, output_tokens=5, total_tokens=15)
        if request.tools and request.messages[-1].role == "user":
            call = ToolCall.model_construct(id="1", name="stock", arguments={"item": "kettle"})
            return ModelResponse("", [call], "tool_calls", usage, "m")
        return ModelResponse("We have 7.", [], "stop", usage, "m")

    async def stream(
        self, request: ModelRequest, ctx: ExecutionContext
    ) -> AsyncIterator[ModelDelta]:
        self.given = time.perf_counter()
        for _ in range(CHUNKS):
            yield ModelDelta("word ")
        usage = Usage.model_construct(input_tokens=10, output_tokens=5, total_tokens=15)
        yield ModelDelta(response=ModelResponse("word " * CHUNKS, [], "stop", usage, "m"))


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
        return {
            "answer_us": answer - own,
            "one_tool_us": with_tool - 2 * own,
            **await deltas(provider, ctx),
        }


async def deltas(provider: Instant, ctx: ExecutionContext) -> dict[str, float]:
    """The way of a delta from the model to the listener, without a hook after the answer."""
    first, each = [], []
    for _ in range(rounds(200)):
        started, events = 0.0, 0
        async for event in Agent("Be brief.", model="scripted/m").run_events("go", ctx):
            if event.type == "text.delta":
                if not events:
                    first.append(time.perf_counter() - provider.given)
                    started = time.perf_counter()
                events += 1
        each.append((time.perf_counter() - started) / events)
    return {"first_delta_us": min(first) * 1e6, "event_us": min(each) * 1e6}


if __name__ == "__main__":
    report(asyncio.run(turns()))
