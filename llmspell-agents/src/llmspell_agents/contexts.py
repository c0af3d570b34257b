"""Contexts of a run: data that agents are shown, each with a conversation of its own."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from llmspell_core.errors import LimitError, NotFoundError, did_you_mean

if TYPE_CHECKING:
    from llmspell_core.context import ExecutionContext
    from llmspell_core.overlay import Overlay

MAX_CONTEXTS = 1000

_of_runs: WeakKeyDictionary[Overlay, Contexts] = WeakKeyDictionary()


class Contexts:
    """The contexts of one run, by id. A child has its parent's data, and its own over it."""

    def __init__(self) -> None:
        self._data: dict[str, dict[str, Any]] = {}
        self._parents: dict[str, str] = {}

    def create(self, config: dict[str, Any], parent: str | None = None) -> str:
        """A new context; its id. `id` and `data` of the config aside, its fields are data."""
        if parent is not None:
            self._known(parent)
        if len(self._data) >= MAX_CONTEXTS:
            raise LimitError(
                f"there are {MAX_CONTEXTS} contexts",
                code="agent.too_many_contexts",
                hint="Agent.remove_context those that are not needed",
            )
        rest = {key: value for key, value in config.items() if key not in ("id", "data")}
        given = config.get("data")
        data = {**rest, **given} if isinstance(given, dict) else rest
        made = str(config.get("id") or f"context-{uuid.uuid4().hex[:12]}")
        self._data[made] = data
        self._parents.pop(made, None)
        if parent is not None:
            self._parents[made] = parent
        return made

    def data(self, id: str) -> dict[str, Any]:
        """The data of a context, with what it has from its parents."""
        own = self._data[self._known(id)]
        parent = self._parents.get(id)
        return {**self.data(parent), **own} if parent else dict(own)

    def update(self, id: str, changes: dict[str, Any]) -> None:
        """Set data of a context itself; None takes a key away."""
        own = self._data[self._known(id)]
        for key, value in changes.items():
            if value is None:
                own.pop(key, None)
            else:
                own[key] = value

    def remove(self, id: str) -> bool:
        """Forget a context and those made from it; whether it was there."""
        if self._data.pop(id, None) is None:
            return False
        self._parents.pop(id, None)
        for child in [one for one, parent in self._parents.items() if parent == id]:
            self.remove(child)
        return True

    def __contains__(self, id: str) -> bool:
        return id in self._data

    def _known(self, id: str) -> str:
        if id not in self._data:
            raise NotFoundError(
                f'unknown context "{id}"',
                code="agent.context_not_found",
                hint=did_you_mean(id, [*self._data]) or "Agent.create_context{} makes one",
            )
        return id


def contexts_of(ctx: ExecutionContext) -> Contexts:
    """The contexts of the run."""
    return _of_runs.setdefault(ctx.overlay, Contexts())


def context_data(given: Any, ctx: ExecutionContext) -> Any:
    """What an agent is shown of the `context` of its input; None: nothing."""
    if not isinstance(given, str):
        return given
    found = _of_runs.get(ctx.overlay)
    return (found.data(given) or None) if found is not None and given in found else None
