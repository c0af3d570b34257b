"""`Living`: an agent that can be made ready, held, stopped and ended; and its runs under way."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from weakref import WeakKeyDictionary

from llmspell_agents.shutdown import shut_down
from llmspell_core.agent import Agent as CoreAgent
from llmspell_core.context import current, in_context
from llmspell_core.errors import AgentError

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext
    from llmspell_core.overlay import Overlay

LifeState = Literal["ready", "paused", "stopped", "terminated", "destroyed"]

_HINTS = {
    "stopped": "start() lets it take runs again",
    "terminated": "start() or recover() lets it take runs again",
    "destroyed": "make another agent",
}

log = logging.getLogger("llmspell.agents")


class _Run:
    """Around a run: `end` ends it with `agent.terminated`, and not the task it is part of."""

    __slots__ = ("_before", "_ended", "_life", "_task")

    def __init__(self, life: Life) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine is always run by a task
        self._life, self._task = life, task
        #: How often the task had been asked to end before this run began.
        self._before = task.cancelling()
        self._ended = False

    async def __aenter__(self) -> None:
        self._life.runs.add(self)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        self._life.runs.discard(self)
        self._life.wake()
        if not self._ended:
            return
        if kind is not asyncio.CancelledError:
            # It ended before it came to wait for anything: the cancellation is still to come.
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
        if self._task.uncancel() > self._before:
            raise asyncio.CancelledError
        message = f"agent {self._life.name} was terminated"
        raise AgentError(message, code="agent.terminated") from None

    def end(self) -> None:
        """Cancel what it is doing."""
        self._ended = True
        self._task.cancel()


@dataclass(slots=True, eq=False)
class Life:
    """What became of an agent: its state, and its runs under way."""

    name: str
    state: LifeState = "ready"
    runs: set[_Run] = field(default_factory=set)
    #: Done when something has changed that somebody waits for.
    _waiting: list[asyncio.Future[None]] = field(default_factory=list)

    def change(self, state: LifeState) -> None:
        """Set the state. Raises `agent.destroyed`: that is for ever."""
        if self.state == "destroyed" != state:
            raise self._refusal()
        self.state = state
        self.wake()

    def under_way(self) -> _Run:
        """Around a run. Raises `agent.stopped`, `agent.terminated`, `agent.destroyed`."""
        if self.state != "ready":
            self.check()
        return _Run(self)

    def check(self) -> None:
        """Raise the error that refuses a run, if it takes none."""
        if self.state in _HINTS:
            raise self._refusal()

    async def passes(self) -> None:
        """Go on at once, unless it is paused: then when that is over."""
        told = False
        while self.state == "paused":
            if not told:
                log.warning("agent %s is paused: its run waits for resume()", self.name)
                told = True
            await self._changed()

    async def ended(self) -> None:
        """Wait until no run is under way."""
        while self.runs:
            await self._changed()

    def end_runs(self) -> None:
        """End all runs under way."""
        for run in [*self.runs]:
            run.end()

    def _changed(self) -> asyncio.Future[None]:
        change = asyncio.get_running_loop().create_future()
        self._waiting.append(change)
        return change

    def wake(self) -> None:
        """Let those look again who wait for a change."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(None)

    def _refusal(self) -> AgentError:
        return AgentError(
            f"agent {self.name} is {self.state}",
            code=f"agent.{self.state}",
            hint=_HINTS.get(self.state),
        )


class Living(CoreAgent):
    """The lifecycle of an agent.

    ``ready`` takes runs; ``paused`` holds them, new ones and those under way, before their next
    model request; ``stopped`` and ``terminated`` refuse new ones; ``destroyed`` is the end.

    A built-in or configured agent is one object for all runs of a process: what a script does
    to it holds in that script's run only.
    """

    def _living(self) -> None:
        self._python = Life(self.name)
        self._lives: WeakKeyDictionary[Overlay, Life] = WeakKeyDictionary()

    def life(self, ctx: ExecutionContext | None = None) -> Life:
        """What became of it in the present run."""
        found = ctx or current()
        if found is None or found.overlay.parent is None:
            return self._python
        life = self._lives.get(found.overlay)
        if life is None:
            life = self._lives[found.overlay] = Life(self.name)
        return life

    async def prepare(self, ctx: ExecutionContext) -> None:
        """Find its model and its tools. No network."""

    async def initialize(self, ctx: ExecutionContext | None = None) -> LifeState:
        """Find its model and its tools now, not at the first run; the state it is in.

        Raises `provider.not_configured`, `provider.unknown`, `tool.not_found`.
        """
        await in_context(ctx, self.prepare)
        return self.life(ctx).state

    def pause(self, ctx: ExecutionContext | None = None) -> LifeState:
        """Hold its runs before their next model request, until `resume`, `stop` or `start`.

        Their deadlines go on. Raises `agent.destroyed`, `agent.stopped`, `agent.terminated`:
        what takes no runs has none to hold.
        """
        life = self.life(ctx)
        life.check()
        life.change("paused")
        return life.state

    def unpause(self, ctx: ExecutionContext | None = None) -> LifeState:
        """Let held runs go on; the state it is in."""
        life = self.life(ctx)
        if life.state == "paused":
            life.change("ready")
        return life.state

    def revive(self, ctx: ExecutionContext | None = None) -> LifeState:
        """Take runs again. Raises `agent.destroyed`."""
        life = self.life(ctx)
        life.change("ready")
        return life.state

    async def stop(self, ctx: ExecutionContext | None = None) -> LifeState:
        """Take no more runs, and wait for those under way, unless one of them asks for it."""
        life, found = self.life(ctx), ctx or current()
        life.change("stopped")
        if found is None or self.id not in found.lineage:
            await life.ended()
        return life.state

    async def terminate(self, ctx: ExecutionContext | None = None) -> LifeState:
        """Take no more runs, and end those under way with `agent.terminated`."""
        life, found = self.life(ctx), ctx or current()
        life.change("terminated")
        life.end_runs()
        if found is None or self.id not in found.lineage:
            await life.ended()
        return life.state

    async def destroy(self, ctx: ExecutionContext | None = None) -> LifeState:
        """End it: its runs, its conversation, its name; what it has saved stays.

        Raises ``hook.cancelled`` when a hook before its end keeps it.
        """

        async def work(found: ExecutionContext) -> LifeState:
            life = self.life(found)
            if life.state == "destroyed":
                return life.state
            await shut_down(self, found)
            await self.terminate(found)
            life.change("destroyed")
            self._forget(found)
            agents = found.overlay.agents
            if agents.find(self.name) is self:
                agents.remove(self.name)
            return life.state

        return await in_context(ctx, work)

    def _forget(self, ctx: ExecutionContext) -> None:
        """Drop what it holds in this run."""
