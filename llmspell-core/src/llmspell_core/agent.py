"""The trait of an agent: something that answers an input, and may hand off to another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, ClassVar, cast

from llmspell_core.component import BaseAgent, Kind
from llmspell_core.messages import AgentInput, StreamChunk

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from llmspell_core.context import ExecutionContext


class Agent(BaseAgent):
    """An agent. Implement `run`, and `run_stream` when it can answer piece by piece."""

    kind: ClassVar[Kind] = "agent"
    #: What callers may look for: free words such as "research" or "code".
    capabilities: tuple[str, ...] = ()
    #: Whether its `run` tells `ctx.run_events` of itself; else the chunks of `run_stream` do.
    tells_events: ClassVar[bool] = False

    async def run_stream(
        self, input: AgentInput, ctx: ExecutionContext
    ) -> AsyncIterator[StreamChunk]:
        """The answer in pieces; by default the whole in one, then `done`."""
        output = await self.run(input, ctx)
        if output.text:
            yield StreamChunk(type="text", text=output.text)
        yield StreamChunk(type="done", output=output)

    async def stream(
        self, input: Any, ctx: ExecutionContext | None = None
    ) -> AsyncIterator[StreamChunk]:
        """Like `execute`, in pieces; the last one is `done` with the output."""
        from llmspell_core.context import context_for

        async with context_for(ctx) as found:
            source = found.runtime.runner.stream(self, AgentInput.of(input), found)
            # Leaving early cancels the run now, not when the garbage is collected.
            async with aclosing(cast("AsyncGenerator[StreamChunk, None]", source)) as chunks:
                async for chunk in chunks:
                    yield chunk
