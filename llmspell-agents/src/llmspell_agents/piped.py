"""Work that hands chunks to a sink, as an async iterator of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from llmspell_core.messages import AgentOutput, StreamChunk

#: Takes a chunk of an answer; waits while whoever reads them is slow.
Sink = Callable[[StreamChunk], Awaitable[None]]
_WAITING = 64


async def piped(
    work: Callable[[Sink], Awaitable[AgentOutput]],
) -> AsyncGenerator[StreamChunk, None]:
    """The chunks of `work` as they come, then `done` with its output.

    Leaving the iteration early cancels the work.
    """
    queue: asyncio.Queue[StreamChunk | None] = asyncio.Queue(_WAITING)
    left = False

    async def run() -> AgentOutput:
        try:
            return await work(queue.put)
        finally:
            if not left:
                await queue.put(None)

    task = asyncio.ensure_future(run())
    try:
        while (chunk := await queue.get()) is not None:
            yield chunk
        output = await task
        yield StreamChunk(type="done", output=output, agent=output.agent)
    finally:
        left = True
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
