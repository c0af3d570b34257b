"""`AgentRun`: a run that goes on while its caller does something else."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Literal, cast

from llmspell_core.errors import Cancelled
from llmspell_core.messages import AgentInput, AgentOutput
from llmspell_core.run_events.event import RunEvent
from llmspell_core.run_events.listening import EventLog
from llmspell_core.run_events.running import told

if TYPE_CHECKING:
    from llmspell_core.agent import Agent
    from llmspell_core.context import ExecutionContext

Status = Literal["running", "completed", "failed", "cancelled", "paused"]


class AgentRun:
    """A run under way, or over. It ends with the script, or the Runtime, that it belongs to.

    Args:
        agent: who runs
        input: as of `execute`
        ctx: the run it is part of
    """

    def __init__(self, agent: Agent, input: Any, ctx: ExecutionContext) -> None:
        self.id = uuid.uuid4().hex
        self.name = agent.name
        self._log = EventLog()
        given = AgentInput.of(input)

        async def work(inner: ExecutionContext) -> AgentOutput:
            return await agent.execute(given, inner)

        self._task = asyncio.ensure_future(told(work, agent.name, ctx, self._log, run_id=self.id))
        self._task.add_done_callback(_noticed)
        ctx.overlay.keep(self._task)

    def status(self) -> Status:
        """`running`, or how it ended: `completed`, `failed`, `cancelled` or `paused`."""
        last = self._log.last
        if last is None or not last.terminal:
            return "cancelled" if self._task.cancelled() else "running"
        return cast("Status", last.type.removeprefix("run."))

    async def wait(self) -> AgentOutput:
        """The output, once there is one. Any number may wait, also after the end.

        Raises what the run raised, and `cancelled` when it was.
        """
        try:
            return await asyncio.shield(self._task)
        except asyncio.CancelledError:
            if not self._task.cancelled():
                # Whoever waits was cancelled, not the run.
                raise
            raise Cancelled(f"the run of {self.name} was cancelled") from None

    async def cancel(self) -> bool:
        """End it now; whether it was still running. Its model request is closed."""
        if self._task.done():
            return False
        self._task.cancel()
        await asyncio.wait([self._task])
        return self._task.cancelled()

    def events(self) -> AsyncIterator[RunEvent]:
        """What happens in it, from its beginning on; ends after the terminal event."""
        return self._log.read()


def _noticed(task: asyncio.Task[AgentOutput]) -> None:
    """An error that nobody waits for is in the events, and no news to the loop."""
    if not task.cancelled():
        task.exception()
