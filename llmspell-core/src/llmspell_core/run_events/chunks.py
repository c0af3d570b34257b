"""The chunks of a stream as a view of a run's events, and events told by chunks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

from llmspell_core.messages import AgentOutput, StreamChunk
from llmspell_core.run_events.event import RunEvent
from llmspell_core.run_events.part import RunEvents
from llmspell_core.run_events.running import Work, heard

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext


async def chunks(work: Work, name: str, ctx: ExecutionContext) -> AsyncGenerator[StreamChunk, None]:
    """The chunks of a stream: what its own agents tell, nested ones left out.

    Raises what the run raises, after the chunks that came.
    """
    async with aclosing(heard(work, name, ctx, deep=False)) as events:
        async for event in events:
            if event.cause is not None:
                raise event.cause
            if event.type == "run.cancelled":
                raise asyncio.CancelledError
            chunk = chunk_of(event)
            if chunk is not None:
                yield chunk


def chunk_of(event: RunEvent) -> StreamChunk | None:
    """The chunk that shows an event; None: chunks do not show it."""
    make = _VIEW.get(event.type)
    return make(event) if make is not None and not event.depth else None


def _restart(event: RunEvent) -> StreamChunk | None:
    return StreamChunk(type="restart") if event.restarted else None


def _result(event: RunEvent) -> StreamChunk:
    return StreamChunk(type="tool_result", text=event.text or "", tool_call=event.tool_call)


def _done(event: RunEvent) -> StreamChunk:
    agent = event.output.agent if event.output else ""
    return StreamChunk(type="done", output=event.output, agent=agent)


_VIEW: dict[str, Callable[[RunEvent], StreamChunk | None]] = {
    "text.delta": lambda one: StreamChunk(type="text", text=one.text or ""),
    "reasoning.delta": lambda one: StreamChunk(type="reasoning", text=one.text or ""),
    "output.partial": lambda one: StreamChunk(type="output.partial", value=one.value),
    "tool_call.ready": lambda one: StreamChunk(type="tool_call", tool_call=one.tool_call),
    "tool.completed": _result,
    "tool.failed": _result,
    "handoff": lambda one: StreamChunk(
        type="handoff", text=one.reason or "", agent=one.target or ""
    ),
    "fallback": _restart,
    "usage": lambda one: StreamChunk(type="usage", usage=one.usage),
    "run.completed": _done,
    "run.paused": _done,
}


async def told_by_chunks(
    source: AsyncGenerator[StreamChunk, None], name: str, events: RunEvents
) -> AgentOutput | None:
    """Tell what an agent says that only knows chunks; its output, or None when it gave none."""
    output: AgentOutput | None = None
    teller = _Teller(name, events)
    # Closed at once when the run is cancelled, with the request beneath it.
    async with aclosing(source):
        async for chunk in source:
            if chunk.type == "done":
                output = chunk.output
            else:
                teller.tell(chunk)
            if events.crowded:
                await events.room()
    return output


class _Teller:
    """From chunks to events: which request they are of, and the number of a call."""

    def __init__(self, name: str, events: RunEvents) -> None:
        self._name = name
        self._events = events
        self._fresh = True
        self._index = 0

    def tell(self, chunk: StreamChunk) -> None:
        """Tell what one chunk says."""
        events = self._events
        if self._fresh:
            events.request_started()
            self._fresh, self._index = False, 0
        if chunk.type == "text":
            events.text(chunk.text)
            events.answered()
        elif chunk.type == "reasoning":
            events.reasoning(chunk.text)
        elif chunk.type == "output.partial":
            events.output_partial(chunk.value)
        elif chunk.type == "restart":
            events.fallback(self._name, self._name, {"message": "begun anew"}, restarted=True)
        elif chunk.usage is not None:
            events.usage(chunk.usage)
        elif chunk.tool_call is not None:
            self._call(chunk)

    def _call(self, chunk: StreamChunk) -> None:
        assert chunk.tool_call is not None  # noqa: S101 - the caller has looked
        if chunk.type == "tool_call":
            self._events.tool_call_ready(self._index, chunk.tool_call)
            self._index += 1
        else:
            self._events.tool_ended(chunk.tool_call, chunk.text)
            # What follows a result is another answer.
            self._fresh = True
