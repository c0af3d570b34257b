"""The hooks and event handlers of one agent: they hear its own runs and what runs inside them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from llmspell_core.context import current

if TYPE_CHECKING:
    from llmspell_core.events import Event
    from llmspell_core.hooks import HookContext
    from llmspell_core.overlay import Overlay

Handler = Callable[..., Any]


class OwnHooks:
    """Registers an agent's hooks and handlers in each overlay that the agent runs in."""

    def __init__(self, agent_id: str, name: str) -> None:
        self._id = agent_id
        self._name = name
        self._hooks: list[tuple[str, Handler]] = []
        self._handlers: list[tuple[str, Handler]] = []
        self._overlays: WeakSet[Overlay] = WeakSet()

    def add(self, point: str, handler: Handler) -> None:
        """Run a hook around this agent; also in the overlays it has run in already."""
        for overlay in self._overlays:
            self._register(overlay, point, handler)
        self._hooks.append((point, handler))

    def on(self, pattern: str, handler: Handler) -> None:
        """Call a handler with the events of this agent."""
        for overlay in self._overlays:
            self._subscribe(overlay, pattern, handler)
        self._handlers.append((pattern, handler))

    def enter(self, overlay: Overlay) -> None:
        """Make them heard in this overlay; nothing when they are."""
        if overlay in self._overlays:
            return
        self._overlays.add(overlay)
        for point, handler in self._hooks:
            self._register(overlay, point, handler)
        for pattern, handler in self._handlers:
            self._subscribe(overlay, pattern, handler)

    def _register(self, overlay: Overlay, point: str, handler: Handler) -> None:
        overlay.hooks.register(point, handler, condition=self._concerns)

    def _concerns(self, seen: HookContext) -> bool:
        if seen.component_id == self._id:
            return True
        # A tool that the agent calls: the run it belongs to goes through this agent.
        ctx = current()
        return ctx is not None and self._name in ctx.path

    def _subscribe(self, overlay: Overlay, pattern: str, handler: Handler) -> None:
        async def heard(event: Event) -> None:
            data = event.data
            if isinstance(data, dict) and data.get("id") == self._id:
                answer = handler(event)
                if inspect.isawaitable(answer):
                    await answer

        overlay.events.subscribe(pattern, heard)
