"""`ScriptRun`: a run that goes on beside the script, and its events, in a script's hands."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, ClassVar, cast

from llmspell_core.messages import AgentOutput
from llmspell_core.run_events.event import RunEvent
from llmspell_core.script.api import ScriptObject, script_method

if TYPE_CHECKING:
    from llmspell_agents.runs import AgentRun


class ScriptRun(ScriptObject):
    """A run under way: wait for it, cancel it, hear what happens in it."""

    type_name: ClassVar[str] = "run"

    def __init__(self, run: AgentRun) -> None:
        self._run = run

    def script_fields(self) -> dict[str, Any]:
        return {"id": self._run.id, "name": self._run.name, "type": self.type_name}

    @script_method
    async def wait(self) -> AgentOutput:
        """The output, once there is one; throws what the run threw, or `cancelled`."""
        return await self._run.wait()

    @script_method
    async def cancel(self) -> bool:
        """End the run now; whether it was still running."""
        return await self._run.cancel()

    @script_method
    def status(self) -> str:
        """`running`, or how it ended: `completed`, `failed`, `cancelled` or `paused`."""
        return self._run.status()

    @script_method
    def events(self) -> ScriptRunEvents:
        """What happens in the run, from its beginning: ``for event in run:events() do``."""
        return ScriptRunEvents(self._run)


class ScriptRunEvents(ScriptObject):
    """The events of a run, one after the other; the last is run.completed, failed, ..."""

    type_name: ClassVar[str] = "run_events"
    iterate: ClassVar[str | None] = "next"

    def __init__(self, run: AgentRun) -> None:
        self._run = run
        self._events = run.events()

    def script_fields(self) -> dict[str, Any]:
        return {"id": f"{self._run.id}-events", "name": self._run.name, "type": self.type_name}

    @script_method
    async def next(self) -> RunEvent | None:
        """The next event, waiting for it; nil after the last one."""
        return await anext(self._events, None)

    @script_method
    async def close(self) -> None:
        """Hear no more; the run goes on."""
        await cast("AsyncGenerator[RunEvent, None]", self._events).aclose()
