"""`ScriptStream`: a streamed answer in a script's hands, chunk by chunk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, ClassVar, cast

from llmspell_core.messages import AgentOutput, StreamChunk
from llmspell_core.script.api import ScriptObject, script_method

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

#: Chunks that wait for a slow script; then the model's answer is read no further.
_WAITING = 64
_Queue = asyncio.Queue[StreamChunk | BaseException | None]


class ScriptStream(ScriptObject):
    """An answer that comes in chunks: ``for chunk in agent:stream(input) do ... end``."""

    type_name: ClassVar[str] = "stream"
    iterate: ClassVar[str | None] = "next"

    def __init__(self, name: str, chunks: AsyncIterator[StreamChunk]) -> None:
        self._name = name
        self._queue: _Queue = asyncio.Queue(_WAITING)
        # Each `next` is a call of its own, but a generator must live in one task.
        self._task = asyncio.ensure_future(_pump(chunks, self._queue))
        self._ended = False
        self._output: AgentOutput | None = None

    def script_fields(self) -> dict[str, Any]:
        return {"id": f"stream-{id(self):x}", "name": self._name, "type": self.type_name}

    @script_method
    async def next(self) -> StreamChunk | None:
        """The next chunk, waiting for it; nil after the last one, which is `done`."""
        if self._ended:
            return None
        found = await self._queue.get()
        if isinstance(found, StreamChunk):
            self._output = found.output or self._output
            return found
        self._ended = True
        # Others may wait for the next chunk as well.
        self._queue.put_nowait(None)
        if found is not None:
            raise found
        return None

    @script_method
    async def result(self) -> AgentOutput | None:
        """The whole output: reads the rest of the chunks, if any are left."""
        while await self.next() is not None:
            pass
        return self._output

    @script_method
    async def close(self) -> None:
        """Stop the answer; what was not read is lost."""
        self._ended = True
        self._task.cancel()
        await asyncio.wait([self._task])
        while not self._queue.empty():
            self._queue.get_nowait()
        # Who waits for a chunk meanwhile gets none.
        self._queue.put_nowait(None)

    def __del__(self) -> None:
        # A script that leaves its loop early drops the handle: nobody reads on.
        if not self._task.done() and not self._task.get_loop().is_closed():
            self._task.cancel()


async def _pump(chunks: AsyncIterator[StreamChunk], queue: _Queue) -> None:
    """Read all chunks into the queue. It does not know the stream, which may be dropped."""
    end: BaseException | None = None
    try:
        async with aclosing(cast("AsyncGenerator[StreamChunk, None]", chunks)) as source:
            async for chunk in source:
                await queue.put(chunk)
    except Exception as error:  # noqa: BLE001 - raised again where the script reads
        end = error
    await queue.put(end)
