"""What belongs to one run: its own layer over the registries, the hooks and the events.

A script's registrations are seen by its own run tree and go with it. Plugins, configuration
and Python code register in the base overlay, which every run sees.
"""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING, Any

from llmspell_core.events import EventBus
from llmspell_core.hooks import HookRegistry
from llmspell_core.names import canonical
from llmspell_core.registry import Registry

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    from llmspell_core.agent import Agent
    from llmspell_core.config.settings import Settings
    from llmspell_core.tool import Tool
    from llmspell_core.workflow import Workflow

log = logging.getLogger("llmspell.run")

#: How long cancelled tasks may take to unwind.
UNWIND_S = 1.0


class Overlay:
    """One layer. `child()` makes a run's own over it; `close()` forgets what it registered."""

    def __init__(
        self,
        parent: Overlay | None = None,
        *,
        history: int = 1000,
        queue: int = 1024,
        share: list[str] | None = None,
    ) -> None:
        self.id = uuid.uuid4().hex
        self.parent = parent
        self.tools: Registry[Tool] = Registry(
            "tool", parent.tools if parent else None, normalise=canonical, protect=True
        )
        self.agents: Registry[Agent] = Registry("agent", parent.agents if parent else None)
        self.workflows: Registry[Workflow] = Registry(
            "workflow", parent.workflows if parent else None
        )
        #: What agents can be made from by name, as `llmspell.configured` reads it: of
        #: distributions in the lowest layer, of the configuration above it, then of each run.
        self.templates: Registry[Any] = Registry(
            "template", parent.templates if parent else Registry("template")
        )
        #: Tools that do the work of the one they are named for: of tests.
        self.stand_ins: dict[str, Tool] = {}
        #: What `Config.set` changed for this run; None: nothing.
        self.settings: Settings | None = parent.settings if parent else None
        #: The session that the run's chats belong to; None: none.
        self.session: str | None = parent.session if parent else None
        self.hooks: HookRegistry = HookRegistry(parent.hooks if parent else None)
        self._endings: list[Callable[[], Awaitable[None]]] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._sizes = (history, queue, share or [])
        self.events: EventBus = EventBus(
            history=history,
            queue=queue,
            parent=parent.events if parent else None,
            share=share or [],
        )

    def child(self) -> Overlay:
        """A run's own layer over this one."""
        history, queue, share = self._sizes
        return Overlay(self, history=history, queue=queue, share=share)

    def keep(self, task: asyncio.Task[Any]) -> None:
        """Cancel a task of this layer when the layer is closed, if it has not ended by then."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def at_end(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something when the run ends: its hooks are still heard, and its script lives."""
        self._endings.append(work)

    @property
    def ends(self) -> bool:
        """Whether there is something to do at the end."""
        return bool(self._endings)

    async def end(self) -> None:
        """Do what is to be done at the end, the latest first; a failure is logged."""
        while self._endings:
            work = self._endings.pop()
            try:
                await work()
            except Exception:
                log.warning("what is done at the end of a run failed", exc_info=True)

    async def close(self) -> None:
        """Cancel tasks, wait for event handlers that still run, drop subscriptions and hooks."""
        if self._tasks:
            import asyncio

            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=UNWIND_S)
        await self.events.drain()
        self.events.close()
        self.hooks.close()
