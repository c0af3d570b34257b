"""Runs that are listened to: from work and a context to its events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TYPE_CHECKING

from llmspell_core.errors import Cancelled, error_data
from llmspell_core.messages import AgentOutput
from llmspell_core.run_events.event import RunEvent
from llmspell_core.run_events.listening import EventQueue
from llmspell_core.run_events.part import RunEvents
from llmspell_core.run_events.stream import Listener, RunEventStream

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext

#: A run: it is given the context to run in.
Work = Callable[["ExecutionContext"], Awaitable[AgentOutput]]


async def told(
    work: Work,
    name: str,
    ctx: ExecutionContext,
    listener: Listener,
    *,
    run_id: str | None = None,
    deep: bool = True,
) -> AgentOutput:
    """Do a run that a listener is told of, with one terminal event at its end.

    Raises what the run raises.

    Args:
        work: the run
        name: who it begins with
        ctx: what it is done in
        listener: who is told
        run_id: the run's own id; left out, the context's
        deep: whether agents that run inside of others are heard too
    """
    outer = ctx.run_events
    stream = RunEventStream(listener, run_id or ctx.run_id, deep=deep, outer=outer)
    top = RunEvents(stream, name)
    top.run_started()
    try:
        output = await work(ctx.child(run_events=RunEvents(stream), run_id=stream.run_id))
    except (asyncio.CancelledError, Cancelled):
        top.run_cancelled()
        raise
    except Exception as error:
        top.run_failed(error_data(error), error)
        raise
    if getattr(output, "status", None) == "paused":
        top.run_paused(output)
    else:
        top.run_completed(output)
    return output


async def heard(
    work: Work, name: str, ctx: ExecutionContext, *, run_id: str | None = None, deep: bool = True
) -> AsyncGenerator[RunEvent, None]:
    """The events of a run as they come, the terminal one last. Leaving early cancels the run.

    The model is read no faster than the events are. Arguments as of `told`.
    """
    queue = EventQueue()
    task = asyncio.ensure_future(told(work, name, ctx, queue, run_id=run_id, deep=deep))
    try:
        while True:
            event = await queue.next()
            yield event
            if event.terminal:
                return
    finally:
        queue.leave()
        if not task.done():
            task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            # Whoever reads has had the error as an event.
            task.exception()
